"""
Compare the ids that the warehouse holds live with those the API has, repair what differs, and say what remains.

The census and the repairs of each feed are in ``streams``. A repair is an ordinary sync of the feed for the projects
concerned, and after it their census is taken again: only what differs before and after counts as remaining, for an
organization that is at work moves on meanwhile. What cannot be read (403, 404, disabled) is left out and never taken
for deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from ado_assets.ado import AccessDenied, AdoClient, AdoError, NotFound, TokenRejected, merge
from ado_assets.streams import FEEDS
from ado_assets.streams.census import Key, Listed, census
from ado_assets.streams.census_repairs import Repair, repairs
from ado_assets.streams.model import Feed, Project, Request, Skipped, Unit
from ado_assets.sync.report import FeedReport
from ado_assets.sync.selection import NothingToRead, Selection, select_projects
from ado_assets.warehouse import Warehouse

#: How many projects are listed at once, and how many keys may wait to be compared in one look at the warehouse.
PROJECTS_AT_ONCE = 8
KEYS_AT_ONCE = 500_000

Place = tuple[str | None, str | None]
"""Project id and repository id of a unit; None in both is the organization."""

Sync = Callable[[Feed, Sequence[str], bool], FeedReport | None]
"""Syncs a feed for projects (ids; empty for all), as a full refresh or not; None where the feed is off."""


@dataclass(frozen=True)
class Difference:
    """
    What differs in one unit.

    Args:
        missing: Keys that the API has and the warehouse does not hold live.
        surplus: Keys that the warehouse holds live and the API does not have.
    """

    project_id: str | None
    repository_id: str | None
    missing: frozenset[Key] = frozenset()
    surplus: frozenset[Key] = frozenset()

    @property
    def place(self) -> Place:
        """The unit."""
        return self.project_id, self.repository_id

    @property
    def count(self) -> int:
        """Rows that differ."""
        return len(self.missing) + len(self.surplus)

    def __and__(self, later: Difference | None) -> Difference:
        """What differs here and still does in *later*."""
        missing, surplus = (later.missing, later.surplus) if later else (frozenset(), frozenset())
        return replace(self, missing=self.missing & missing, surplus=self.surplus & surplus)


@dataclass(frozen=True)
class Unread:
    """A unit that could not be compared: ``skipped`` for a lasting reason (403, 404, disabled), else ``failed``."""

    project_id: str | None
    repository_id: str | None
    status: str
    reason: str

    @property
    def place(self) -> Place:
        """The unit."""
        return self.project_id, self.repository_id


@dataclass
class _Comparison:
    """One look at both sides."""

    compared: set[Place] = field(default_factory=set)
    rows: int = 0
    differences: dict[Place, Difference] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True)
class Reconciliation:
    """
    What became of one table.

    Args:
        table: Its name.
        units: How many units were compared.
        rows: How many rows the API has in them.
        found: What differed at first, per unit.
        remaining: What still does after the repair.
        unread: Units that could not be compared.
        syncs: The syncs that the repair took, those of child feeds included.
        projects: Project id -> name.
    """

    table: str
    units: int
    rows: int
    found: tuple[Difference, ...] = ()
    remaining: tuple[Difference, ...] = ()
    unread: tuple[Unread, ...] = ()
    syncs: tuple[FeedReport, ...] = ()
    projects: Mapping[str, str] = field(default_factory=dict)

    @property
    def repaired(self) -> int:
        """Rows that differed and do not any more."""
        return sum(d.count for d in self.found) - sum(d.count for d in self.remaining)

    @property
    def is_good(self) -> bool:
        """Whether all that can be read was compared, and is equal now."""
        return not self.remaining and not any(each.status == "failed" for each in self.unread)


def reconcile_feed(
    feed: Feed, selection: Selection, client: Callable[[], AdoClient], warehouse: Warehouse, sync: Sync
) -> Reconciliation:
    """
    Compare the feed's main table with the API, and repair it where it differs.

    Nothing is written where nothing differs. Children of repaired rows are brought up to date by their own rules.

    Args:
        client: Makes the client of the connector that reads the feed; entered and closed here.
        sync: Syncs the feed or one of its children; its failures show as rows that remain.

    Raises:
        TokenRejected: No credential of the connector is accepted any more.
        UnknownProject, NothingToRead: See ``sync_feed``.
    """
    projects = _projects(feed, selection, warehouse)
    sides = _Sides(feed, selection, client, warehouse)
    first = asyncio.run(sides.compare(projects))
    unread = {each.place: each for each in first.unread}
    remaining = first.differences
    syncs: list[FeedReport | None] = []
    for repair in _repairs(feed, first, selection):
        affected = _affected(remaining, projects)
        syncs.append(sync(repair.feed, [] if repair.whole else _ids(affected), repair.full_refresh))
        later = asyncio.run(sides.compare(affected))
        unread |= {each.place: each for each in later.unread}
        remaining = _still(remaining, later)
        if not remaining:
            break
    if syncs:
        syncs += [sync(child, _ids(_affected(first.differences, projects)), False) for child in children_of(feed)]
    return Reconciliation(
        table=feed.name,
        units=len(first.compared),
        rows=first.rows,
        found=tuple(first.differences.values()),
        remaining=tuple(remaining.values()),
        unread=tuple(unread.values()),
        syncs=tuple(report for report in syncs if report),
        projects={project.id: project.name for project in projects if project},
    )


def children_of(feed: Feed) -> tuple[Feed, ...]:
    """
    The feeds whose rows hang under the feed's, at any depth, in the order of ``FEEDS``.

    None for projects: everything hangs under them, and is compared in its own turn.
    """
    if feed.name == "projects":
        return ()
    above = {table.name for table in feed.tables}
    found = []
    for other in FEEDS.values():
        parents = {table.parent.table for table in other.tables if table.parent} | (
            {other.due.parent} if other.due else set()
        )
        if other.name != feed.name and parents & above:
            found.append(other)
            above |= {table.name for table in other.tables}
    return tuple(found)


def _projects(feed: Feed, selection: Selection, warehouse: Warehouse) -> tuple[Project | None, ...]:
    """The projects to compare; one None for a feed of the whole organization."""
    if all(table.unpartitioned for table in feed.tables):
        return (None,)
    held = warehouse.projects(selection.organization)
    if not held:
        raise NothingToRead(
            f"{feed.name} cannot be compared yet: no project of {selection.organization!r} is in the warehouse. "
            "Run `ado-assets sync` first."
        )
    return select_projects(selection, held)


def _affected(differences: Iterable[Place], projects: Sequence[Project | None]) -> tuple[Project | None, ...]:
    ids = {project_id for project_id, _ in differences}
    return tuple(project for project in projects if (project.id if project else None) in ids)


def _ids(projects: Iterable[Project | None]) -> list[str]:
    return [project.id for project in projects if project]


def _repairs(feed: Feed, comparison: _Comparison, selection: Selection) -> Sequence[Repair]:
    if not comparison.differences:
        return ()
    missing = {key for each in comparison.differences.values() for key in each.missing}
    surplus = {key for each in comparison.differences.values() for key in each.surplus}
    return repairs(feed, missing, surplus, selection.options.start_date)


def _still(before: Mapping[Place, Difference], later: _Comparison) -> dict[Place, Difference]:
    """What differs in both; all that did where there was no second look."""
    found = {}
    for place, difference in before.items():
        still = difference & later.differences.get(place) if place in later.compared else difference
        if still.count:
            found[place] = still
    return found


@dataclass(frozen=True)
class _Sides:
    """The API and the warehouse, as one feed sees them."""

    feed: Feed
    selection: Selection
    client: Callable[[], AdoClient]
    warehouse: Warehouse

    async def compare(self, projects: Sequence[Project | None]) -> _Comparison:
        """Take the census of the projects, and compare it in parts, so that neither side is ever held whole."""
        comparison = _Comparison()
        waiting: list[tuple[Place, Listed]] = []
        async with self.client() as api:
            now = await api.now()
            requests = [Request(_unit(project), None, now, options=self.selection.options) for project in projects]
            async with aclosing(merge((_census(api, self.feed, each) for each in requests), PROJECTS_AT_ONCE)) as parts:
                async for part in parts:
                    if isinstance(part, Unread):
                        comparison.unread.append(part)
                        continue
                    waiting.append(part)
                    if sum(len(listed.keys) for _, listed in waiting) >= KEYS_AT_ONCE:
                        self._look(comparison, waiting)
                        waiting = []
        self._look(comparison, waiting)
        return comparison

    def _look(self, comparison: _Comparison, listings: Sequence[tuple[Place, Listed]]) -> None:
        """Compare listings with what is held, in one short session."""
        if not listings:
            return
        scopes = [listed.scope for _, listed in listings]
        held = self.warehouse.live_keys(self.selection.organization, self.feed.tables[0], scopes)
        for (place, listed), keys in zip(listings, held, strict=True):
            difference = Difference(*place, listed.wanted - keys, frozenset(keys - listed.keys))
            comparison.compared.add(place)
            comparison.rows += len(listed.keys)
            if difference.count:
                comparison.differences[place] = difference


async def _census(api: AdoClient, feed: Feed, request: Request) -> AsyncIterator[tuple[Place, Listed] | Unread]:
    """What one project's census brings; an error of it is the last thing and stops no other."""
    project_id = request.unit.project.id if request.unit.project else None
    try:
        async for part in census(api, feed.name, request):
            if isinstance(part, Skipped):
                yield Unread(project_id, part.repository_id, "skipped", part.reason)
            else:
                repository_id = part.scope.get("repository_id")
                yield (project_id, None if repository_id is None else str(repository_id)), part
    except TokenRejected:
        raise
    except (AccessDenied, NotFound) as error:
        yield Unread(project_id, None, "skipped", str(error))
    except AdoError as error:
        yield Unread(project_id, None, "failed", str(error))


def _unit(project: Project | None) -> Unit:
    return Unit(f"project:{project.id}", project) if project else Unit("organization")
