"""What the ledger and the tables say of each table, as one row per table or per table and project. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse.sql import META_SCHEMA, TABLES_SCHEMA, address, literal

#: Units of projects and repositories that are gone tell nothing any more.
_IS_THERE = (
    "(c.project_id IS NULL OR EXISTS (SELECT 1 FROM ado.projects AS p WHERE p.organization = c.organization AND "
    "p.id = c.project_id AND p._deleted_at IS NULL)) AND (c.repository_id IS NULL OR EXISTS (SELECT 1 FROM "
    "ado.repositories AS r WHERE r.organization = c.organization AND r.id = c.repository_id AND "
    "r._deleted_at IS NULL))"
)


@dataclass(frozen=True)
class LastSync:
    """The newest sync of a table that was committed."""

    finished_at: datetime
    mode: str
    requests: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int


@dataclass(frozen=True)
class UnitStatus:
    """What the coverage ledger says of one unit of a table; see ``ado_meta.coverage``."""

    project_id: str | None
    repository_id: str | None
    status: str
    reason: str | None
    watermark: str | None
    last_success_at: datetime | None
    last_attempt_at: datetime


@dataclass(frozen=True)
class Ledger:
    """
    What the warehouse says of one table.

    Args:
        rows: Project id -> live rows; None is the key of rows that belong to no project.
        units: The units that were tried, of projects and repositories that are there.
        last_sync: The newest sync, of whatever projects; None when there was none.
    """

    table: str
    rows: Counter[str | None] = field(default_factory=Counter)
    units: tuple[UnitStatus, ...] = ()
    last_sync: LastSync | None = None


@dataclass(frozen=True)
class Books:
    """The live projects (id -> name), and one ledger per table."""

    projects: Mapping[str, str]
    ledgers: tuple[Ledger, ...]


def books(connection: duckdb.DuckDBPyConnection, organization: str, tables: Sequence[Table]) -> Books:
    """The ledgers of the tables, in their order; empty for tables that the file does not have yet."""
    made = {
        row[0]
        for row in _rows(connection, "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", TABLES_SCHEMA)
    }
    if not {"projects", "repositories"} <= made:
        return Books({}, tuple(Ledger(table.name) for table in tables))
    rows: dict[str, Counter[str | None]] = {table.name: Counter() for table in tables}
    counts = " UNION ALL ".join(_count(table) for table in tables if table.name in made)
    for name, project_id, count in connection.execute(counts, {"organization": organization}).fetchall():
        rows[name][project_id] = count
    units: dict[str, list[UnitStatus]] = {table.name: [] for table in tables}
    for name, *unit in _rows(
        connection,
        "SELECT table_name, project_id, repository_id, status, reason, watermark, last_success_at, last_attempt_at "
        f"FROM {META_SCHEMA}.coverage AS c WHERE organization = ? AND {_IS_THERE} ORDER BY ALL",
        organization,
    ):
        if name in units:
            units[name].append(UnitStatus(*unit))
    synced = _last_syncs(connection, organization)
    named = "SELECT id, name FROM ado.projects WHERE organization = ? AND _deleted_at IS NULL"
    return Books(
        dict(_rows(connection, named, organization)),
        tuple(Ledger(t.name, rows[t.name], tuple(units[t.name]), synced.get(t.name)) for t in tables),
    )


def _count(table: Table) -> str:
    project = "project_id" if "project_id" in {column.name for column in table.columns} else "CAST(NULL AS VARCHAR)"
    return (
        f"SELECT {literal(table.name)}, {project}, count(*) FROM {address(table)} "
        "WHERE organization = $organization AND _deleted_at IS NULL GROUP BY ALL"
    )


def _last_syncs(connection: duckdb.DuckDBPyConnection, organization: str) -> dict[str, LastSync]:
    found = _rows(
        connection,
        "SELECT table_name, finished_at, mode, requests, inserted, updated, unchanged, deleted "
        f"FROM {META_SCHEMA}.syncs WHERE organization = ? "
        "QUALIFY row_number() OVER (PARTITION BY table_name ORDER BY finished_at DESC, sync_id DESC) = 1",
        organization,
    )
    return {name: LastSync(*values) for name, *values in found}


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, value: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql, [value]).fetchall()
