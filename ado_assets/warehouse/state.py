"""
The bookkeeping of a load: watermarks, coverage, reads of children, syncs, requests, loads.

Every function writes inside the caller's transaction, so that bookkeeping and rows can never disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse.manifest import Manifest, UnitOutcome
from ado_assets.warehouse.marks import children_read_sql
from ado_assets.warehouse.merge import Transaction
from ado_assets.warehouse.report import SyncRecord, TableCounts
from ado_assets.warehouse.sql import META_SCHEMA, address

_SAME_UNIT = "c.project_id IS NOT DISTINCT FROM u.project_id AND c.repository_id IS NOT DISTINCT FROM u.repository_id"


@dataclass(frozen=True)
class Population:
    """
    Live rows of a table, by whom they belong to.

    Args:
        total: All live rows.
        by_project: Project id -> live rows; None for a table without that column.
        by_repository: Repository id -> live rows; None for a table without that column.
        written: Project id -> rows that this load wrote.
    """

    total: int
    by_project: Mapping[str, int] | None
    by_repository: Mapping[str, int] | None
    written: Mapping[str, int]

    def of(self, project_id: str | None, repository_id: str | None) -> int:
        """Live rows of a unit: of its repository, else of its project, else of all."""
        if repository_id is not None and self.by_repository is not None:
            return self.by_repository.get(repository_id, 0)
        if project_id is not None and self.by_project is not None:
            return self.by_project.get(project_id, 0)
        return self.total


def next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the load that begins."""
    row = connection.execute(f"SELECT coalesce(max(load_id), 0) + 1 FROM {META_SCHEMA}.loads").fetchone()
    assert row is not None
    return int(row[0])


def population(transaction: Transaction, table: Table) -> Population:
    """Count the table's rows."""
    own = {column.name for column in table.columns}
    project = "project_id" if "project_id" in own else "NULL"
    repository = "repository_id" if "repository_id" in own else "NULL"
    counted = transaction.connection.execute(
        f"SELECT {project}, {repository}, count(*) FILTER (WHERE _deleted_at IS NULL), "
        f"count(*) FILTER (WHERE _load_id = $load_id) FROM {address(table)} WHERE organization = $organization "
        "GROUP BY ALL",
        {"load_id": transaction.load_id, "organization": transaction.organization},
    ).fetchall()
    by_project, by_repository, written = Counter[str](), Counter[str](), Counter[str]()
    for project_id, repository_id, live, touched in counted:
        by_project[project_id] += live
        by_repository[repository_id] += live
        if project_id is not None and touched:
            written[project_id] += touched
    return Population(
        total=by_project.total(),
        by_project=by_project if "project_id" in own else None,
        by_repository=by_repository if "repository_id" in own else None,
        written=dict(written),
    )


def write_load(transaction: Transaction, manifest: Manifest, loaded_at: datetime) -> None:
    """Record the load."""
    transaction.connection.execute(
        f"INSERT INTO {META_SCHEMA}.loads VALUES (?, ?, ?, ?, ?)",
        [transaction.load_id, manifest.sync_id, manifest.organization, manifest.feed, loaded_at],
    )


def write_syncs(
    transaction: Transaction, sync: SyncRecord, counts: Mapping[str, TableCounts], loaded_at: datetime
) -> None:
    """Record what the sync did to each of the feed's tables, and its calls."""
    rows = []
    for name, count in counts.items():
        calls = (sync.requests, sync.received_bytes, sync.throttled_seconds, sync.retries)
        changed = (count.inserted, count.updated + count.restored, count.unchanged, count.deleted)
        rows.append(
            (sync.sync_id, sync.run_id, sync.organization, name, sync.started_at, loaded_at, sync.mode)
            + (calls if name == sync.feed else (0, 0, 0.0, 0))
            + changed
        )
    _insert(transaction, "syncs", rows)
    _insert(transaction, "requests", [(sync.sync_id, c.endpoint, c.status, c.calls, c.seconds) for c in sync.calls])


def write_watermarks(transaction: Transaction, manifest: Manifest) -> None:
    """Move the watermarks of the units that ended well and name one."""
    loaded = set(manifest.loaded_units)
    moved = {u.unit: u for u in manifest.units if u.unit in loaded and u.status == "read" and u.watermark is not None}
    if not moved:
        return
    transaction.connection.execute(
        f"DELETE FROM {META_SCHEMA}.watermarks WHERE organization = ? AND feed = ? AND unit IN (SELECT unnest(?))",
        [manifest.organization, manifest.feed, list(moved)],
    )
    rows = [(manifest.organization, manifest.feed, u.unit, u.watermark, u.at) for u in moved.values()]
    _insert(transaction, "watermarks", rows)


def write_children_read(transaction: Transaction, manifest: Manifest) -> None:
    """Record the parents whose children were read; the marks are staged."""
    if not manifest.children_read:
        return
    reads = children_read_sql()
    transaction.run(
        f"DELETE FROM {META_SCHEMA}.child_reads AS c USING {reads} AS r "
        "WHERE c.organization = $organization AND c.feed = $feed AND c.parent = r.parent",
        organization=manifest.organization,
        feed=manifest.feed,
    )
    units = {u.unit: u.project_id for u in manifest.units if u.status == "read"}
    transaction.run(
        f"INSERT INTO {META_SCHEMA}.child_reads BY NAME SELECT $organization AS organization, $feed AS feed, "
        f"u.project_id, r.parent, r.version, r.read_at FROM {reads} AS r "
        "LEFT JOIN (SELECT unnest($units) AS unit, unnest($projects) AS project_id) AS u ON u.unit = r.unit",
        organization=manifest.organization,
        feed=manifest.feed,
        units=list(units),
        projects=list(units.values()),
    )


def write_coverage(transaction: Transaction, manifest: Manifest, populations: Mapping[str, Population]) -> None:
    """Record for each table and unit whether it was read, and when last."""
    outcomes = {(u.project_id, u.repository_id): u for u in _by_weight(manifest.units)}
    if not outcomes:
        return
    held = _held_coverage(transaction, manifest, list(populations))
    watermarks = _watermarks(transaction, manifest)
    rows = []
    for name, people in populations.items():
        for (project_id, repository_id), unit in outcomes.items():
            succeeded = unit.at if unit.status == "read" else held.get((name, project_id, repository_id))
            place = (manifest.organization, name, project_id, repository_id)
            found = (unit.status, unit.reason, people.of(project_id, repository_id), watermarks.get(unit.unit))
            rows.append((*place, *found, succeeded, unit.at))
    transaction.run(
        f"DELETE FROM {META_SCHEMA}.coverage AS c USING (SELECT unnest($projects) AS project_id, "
        f"unnest($repositories) AS repository_id) AS u WHERE c.organization = $organization "
        f"AND c.table_name IN (SELECT unnest($tables)) AND {_SAME_UNIT}",
        projects=[project for project, _ in outcomes],
        repositories=[repository for _, repository in outcomes],
        tables=list(populations),
        organization=manifest.organization,
    )
    _forget_parts(transaction, manifest, list(populations))
    _insert(transaction, "coverage", rows)


def _forget_parts(transaction: Transaction, manifest: Manifest, tables: list[str]) -> None:
    """Drop what is said of single repositories of a project that was now read as a whole; its own skips follow."""
    whole = [u.project_id for u in manifest.units if u.status == "read" and u.project_id and u.repository_id is None]
    if not whole:
        return
    transaction.run(
        f"DELETE FROM {META_SCHEMA}.coverage WHERE organization = $organization AND repository_id IS NOT NULL "
        "AND table_name IN (SELECT unnest($tables)) AND project_id IN (SELECT unnest($projects))",
        organization=manifest.organization,
        tables=tables,
        projects=whole,
    )


def _by_weight(units: Sequence[UnitOutcome]) -> list[UnitOutcome]:
    """What went wrong last, so that it is what the ledger says of a unit with several outcomes."""
    weight = {"read": 0, "skipped": 1, "failed": 2}
    return sorted(units, key=lambda u: weight[u.status])


def _held_coverage(
    transaction: Transaction, manifest: Manifest, tables: list[str]
) -> dict[tuple[str, str | None, str | None], datetime | None]:
    rows = transaction.connection.execute(
        f"SELECT table_name, project_id, repository_id, last_success_at FROM {META_SCHEMA}.coverage "
        "WHERE organization = ? AND table_name IN (SELECT unnest(?))",
        [manifest.organization, tables],
    ).fetchall()
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _watermarks(transaction: Transaction, manifest: Manifest) -> dict[str, str]:
    rows = transaction.connection.execute(
        f"SELECT unit, value FROM {META_SCHEMA}.watermarks WHERE organization = ? AND feed = ?",
        [manifest.organization, manifest.feed],
    ).fetchall()
    return dict(rows)


def _insert(transaction: Transaction, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows given in the order of the table's columns, in one statement whatever their number."""
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    transaction.connection.execute(
        f"INSERT INTO {META_SCHEMA}.{table} SELECT {', '.join('unnest(?)' for _ in columns)}", columns
    )
