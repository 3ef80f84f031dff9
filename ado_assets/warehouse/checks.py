"""Questions that tell whether what is in the file can be trusted, whoever wrote it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse.family import link_of
from ado_assets.warehouse.sql import META_SCHEMA, address, equal, names, quote

_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """
    What a check found.

    Args:
        count: Rows that break the rule; 0 is good.
        examples: Some of them, as plain values by column.
    """

    count: int
    examples: tuple[dict[str, Any], ...] = ()


def check(
    connection: duckdb.DuckDBPyConnection, organization: str, table: Table, tables: Mapping[str, Table]
) -> dict[str, Finding]:
    """
    All checks of one table by name.

    ``key_is_unique``, ``required_columns_are_filled``, ``coverage_is_complete`` (units whose last attempt was not a
    success) and, with a parent, ``parents_are_known`` (live rows whose parent is not held).
    """
    own = f"FROM {address(table)} AS t WHERE t.organization = $organization"
    key = names(table.key, "t")
    queries = {
        "key_is_unique": f"SELECT {key}, count(*) AS times {own} GROUP BY {key} HAVING count(*) > 1",
        "required_columns_are_filled": f"SELECT {key} {own} AND ("
        + " OR ".join(f"t.{quote(name)} IS NULL" for name in table.required)
        + ")",
        "coverage_is_complete": "SELECT project_id, repository_id, status, reason, last_success_at FROM "
        f"{META_SCHEMA}.coverage WHERE organization = $organization AND table_name = $table AND status <> 'read'",
    }
    if link := link_of(table, tables):
        refers = " AND ".join(f"t.{quote(column)} IS NOT NULL" for column in link.columns)
        queries["parents_are_known"] = (
            f"SELECT {key} {own} AND t._deleted_at IS NULL AND {refers} AND NOT EXISTS (SELECT 1 FROM "
            f"{address(link.parent)} AS p WHERE {equal('t', 'p', link.joined)})"
        )
    values = {"organization": organization, "table": table.name}
    return {name: _finding(connection, query, values) for name, query in queries.items()}


def _finding(connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, str]) -> Finding:
    used = {name: value for name, value in values.items() if f"${name}" in query}
    row = connection.execute(f"SELECT count(*) FROM ({query})", used).fetchone()
    assert row is not None
    if not row[0]:
        return Finding(0)
    found = connection.execute(f"{query} LIMIT {_EXAMPLES}", used)
    columns = [description[0] for description in found.description]
    examples = (dict(zip(columns, map(_plain, values), strict=True)) for values in found.fetchall())
    return Finding(row[0], tuple(examples))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)
