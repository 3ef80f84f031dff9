"""
The vocabulary between reading and landing: what a feed is asked for and what it answers.

A feed is one read of the API that brings the rows of one or more tables. It is asked with a ``Request`` for one unit
(the smallest thing that fails alone: the organization, a project or a repository) and yields events. ``sync`` lands the
events and commits them together with the unit's watermark. Nothing here knows HTTP or SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from ado_assets.ado import AdoClient, Answer
from ado_assets.tables import Table

Scope = Mapping[str, str | int | None]
Reason = Literal["deleted", "recycled", "destroyed", "retention", "unreachable"]
UnitKind = Literal["organization", "project", "repository"]


@dataclass(frozen=True)
class Page:
    """
    Records of one API answer, to be landed as they came.

    Args:
        scope: Values for the tables' ``@`` columns.
        body: JSON object whose property ``Table.records`` of the feed's main table holds the records.
        records: The same records, parsed, in the same order.
        read_at: When the server answered (its Date header), UTC-aware.
    """

    scope: Scope
    body: bytes
    records: Sequence[Any]
    read_at: datetime


@dataclass(frozen=True)
class Complete:
    """
    The listing of this scope ended successfully: live rows of it that it did not bring are gone.

    Args:
        scope: Column -> value of the feed's main table (or of *tables*); ``{}`` is the whole organization.
        at: Server time of the listing's first answer.
        reason: Written to ``_deleted_reason`` of what is gone.
        tables: Which tables of the feed the listing was complete for; empty means the feed's main table. Rows inside
            a record (``Table.array``) need no event: each record that lands is a complete listing of its arrays.
    """

    scope: Scope
    at: datetime
    reason: Reason = "deleted"
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gone:
    """Positive evidence that one row is gone. *key* holds the main table's key columns (without organization)."""

    key: Scope
    reason: Reason
    at: datetime


@dataclass(frozen=True)
class ChildrenRead:
    """The children of one parent row were read completely; it is due again only when the feed's rule says so."""

    parent: Parent
    at: datetime


@dataclass(frozen=True)
class Watermark:
    """Where the unit's next read may start. Opaque text of the stream's own; the last one yielded counts."""

    value: str


@dataclass(frozen=True)
class Skipped:
    """
    Part of the unit could not be read for a lasting reason (403, 404, disabled). Goes to the coverage ledger.

    Args:
        reason: Short and human, for example ``repository is disabled``.
        repository_id: The repository it concerns; None for the unit as a whole.
    """

    reason: str
    repository_id: str | None = None


Event = Page | Complete | Gone | ChildrenRead | Watermark | Skipped


@dataclass(frozen=True)
class Project:
    """A project as known when the sync starts."""

    id: str
    name: str


@dataclass(frozen=True)
class Unit:
    """The smallest thing that fails alone. ``key`` is ``organization``, ``project:<id>`` or ``repository:<id>``."""

    key: str
    project: Project | None = None
    repository_id: str | None = None


@dataclass(frozen=True)
class Parent:
    """
    One row of the parent table whose children are due.

    Args:
        values: The columns named by the feed's ``Due.columns``; they include the parent's key.
        version: The parent's content version at planning time; recorded when its children were read.
        children: How many child rows are held and live.
    """

    values: Mapping[str, Any]
    version: int
    children: int = 0


@dataclass(frozen=True)
class Due:
    """
    When the children of a parent row are read again: never read, parent changed since, still open, or revisited.

    The parent's version also moves when a row of one of its array tables changes (reviewers, relations, environments).

    Args:
        parent: Parent table's name.
        columns: Parent columns handed to the stream.
        final: Column and the values in which the parent is final. Outside them it is due at every sync. None: rows
            are due only when they changed.
        revisit: Column with the instant the parent became final, and how long after it the children are looked at
            again (a thinning schedule). It is cut where ``Options.lookback`` ends, and a last look is taken there.
    """

    parent: str
    columns: tuple[str, ...]
    final: tuple[str, tuple[str, ...]] | None = None
    revisit: tuple[str, tuple[timedelta, ...]] | None = None


@dataclass(frozen=True)
class Held:
    """
    Which rows of the feed's own main table the stream wants to see before it reads, per unit.

    Args:
        columns: Columns handed to the stream.
        unless: Column and values: rows with one of these values are left out (for example final ones).
    """

    columns: tuple[str, ...]
    unless: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Options:
    """What a person may turn: first instant of interest, and how far back windows reach over the watermark."""

    start_date: datetime | None = None
    overlap: timedelta = timedelta(minutes=10)
    lookback: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Request:
    """
    What a feed is asked to read for one unit.

    Args:
        unit: What to read.
        watermark: The unit's stored watermark; None reads everything (first sync or full refresh).
        projects: The projects selected, for units of the whole organization.
        whole: The selection covers every project, so that an organization-wide watermark may advance.
        parents: Parent rows whose children are due (feeds with ``due``).
        held: Rows already held that the feed asked for (feeds with ``held``); only live ones.
        now: Server time when the sync started, UTC-aware.
    """

    unit: Unit
    watermark: str | None
    now: datetime
    projects: tuple[Project, ...] = ()
    whole: bool = True
    parents: tuple[Parent, ...] = ()
    held: tuple[Mapping[str, Any], ...] = ()
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Feed:
    """
    One read of the API and the tables it fills; the first table is the main one and names the feed.

    Args:
        tables: Main table first, then those inside its records.
        unit: What the feed is read by.
        read: The stream: yields events in any order; raises an ``AdoError`` when the unit fails.
        due: For feeds read once per parent row.
        held: Rows of the main table the stream needs to see.
    """

    tables: tuple[Table, ...]
    unit: UnitKind
    read: Callable[[AdoClient, Request], AsyncIterator[Event]]
    due: Due | None = None
    held: Held | None = None

    @property
    def name(self) -> str:
        """The main table's name."""
        return self.tables[0].name


def page(answer: Answer, scope: Scope) -> Page:
    """The page of a listing whose body holds its records as the table declares."""
    return Page(scope, answer.body, answer.records, answer.read_at)


def single(answer: Answer, scope: Scope, records: str = "value") -> Page:
    """The page of an answer that is one record itself, wrapped so that it reads like a listing."""
    return Page(scope, b'{"%s":[%s]}' % (records.encode(), answer.body), [answer.data], answer.read_at)


def regrouped(raw_records: Sequence[bytes], records: Sequence[Any], scope: Scope, read_at: datetime) -> Page:
    """A page of some records of an answer, with their bytes as received."""
    return Page(scope, b'{"value":[' + b",".join(raw_records) + b"]}", records, read_at)
