"""What the warehouse holds live, by keys alone, to be compared with what the API lists. Reads only."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse.sql import address, names, quote


def live_keys(
    connection: duckdb.DuckDBPyConnection, organization: str, table: Table, scope: Mapping[str, object]
) -> set[tuple[str | int, ...]]:
    """
    The keys (without organization) of the table's live rows in a scope.

    Args:
        scope: Column -> value; ``{}`` is the whole organization.
    """
    conditions = "".join(f" AND {quote(name)} IS NOT DISTINCT FROM ?" for name in scope)
    rows = connection.execute(
        f"SELECT {names(table.key)} FROM {address(table)} WHERE organization = ? AND _deleted_at IS NULL{conditions}",
        [organization, *scope.values()],
    ).fetchall()
    return set(rows)
