"""What goes into a load besides rows, and what comes out of it: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class Calls(Protocol):
    """Calls of one endpoint that ended alike, as the API client counts them."""

    endpoint: str
    status: int
    calls: int
    seconds: float


@dataclass(frozen=True)
class SyncRecord:
    """
    What ``ado_meta`` keeps of a sync of one feed.

    Args:
        run_id: Name of the run that asked; empty outside of one.
        mode: ``incremental``, ``full_refresh`` or ``replay``.
        started_at: UTC-aware.
        calls: API calls by endpoint and status.
        received_bytes: Size of the answers' bodies.
        retries: Requests that were sent again.
        throttled_seconds: Time spent waiting because the service asked for it.
    """

    sync_id: str
    run_id: str
    organization: str
    feed: str
    mode: str
    started_at: datetime
    calls: Sequence[Calls] = ()
    received_bytes: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0

    @property
    def requests(self) -> int:
        """All API calls."""
        return sum(call.calls for call in self.calls)


@dataclass
class TableCounts:
    """
    What a load did to one table.

    Args:
        inserted: Rows that were not there before.
        updated: Rows whose content changed, or whose reason for being gone did.
        unchanged: Rows read that were there alike; they are not touched.
        deleted: Rows flagged as gone, with those whose parent is gone.
        restored: Rows that were flagged and are live again.
        stale: Rows read that are held in a newer version; they stay as held.
        rows: Live rows of the organization afterwards.
        cast_failures: Column -> values that did not fit it and are in ``_extra``.
        extra_rows: Rows read with anything in ``_extra``.
        projects: Project id -> rows written; empty for tables without a project.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    restored: int = 0
    stale: int = 0
    rows: int = 0
    cast_failures: Mapping[str, int] = field(default_factory=dict)
    extra_rows: int = 0
    projects: Mapping[str, int] = field(default_factory=dict)

    @property
    def written(self) -> int:
        """Rows that differ from before."""
        return self.inserted + self.updated + self.deleted + self.restored


@dataclass(frozen=True)
class LoadReport:
    """
    What a load did.

    Args:
        load_id: Its number.
        tables: Counts of the feed's tables, and of tables below them that a deletion or restoration reached.
    """

    load_id: int
    tables: Mapping[str, TableCounts]

    @property
    def touched_projects(self) -> dict[str, int]:
        """Project id -> rows written in any of the tables."""
        touched: dict[str, int] = {}
        for counts in self.tables.values():
            for project, rows in counts.projects.items():
                touched[project] = touched.get(project, 0) + rows
        return touched
