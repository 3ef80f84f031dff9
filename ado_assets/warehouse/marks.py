"""
What an extraction says about rows that it did not bring: listings that ended, rows that are gone, arrays without them.

A row flagged here keeps its values; ``_synced_at`` becomes the instant of the evidence, so that an older answer loaded
later does not bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from ado_assets.tables import Table
from ado_assets.warehouse.family import Link
from ado_assets.warehouse.manifest import Manifest
from ado_assets.warehouse.merge import Transaction, winners_of
from ado_assets.warehouse.sql import address, equal, literal, names, quote
from ado_assets.warehouse.stage import lines_sql, staged

_MARKS = 'temp."marks"'

_COLUMNS = {
    "n": "BIGINT",
    "unit": "VARCHAR",
    "kind": "VARCHAR",
    "at": "VARCHAR",
    "table": "VARCHAR",
    "reason": "VARCHAR",
    "scope": "JSON",
    "key": "JSON",
    "parent": "JSON",
    "version": "BIGINT",
}


def stage_marks(transaction: Transaction, manifest: Manifest) -> None:
    """The marks of the units that ended well, in a temporary table."""
    columns = 'n, unit, kind, CAST("at" AS TIMESTAMPTZ) AS "at", "table", reason, scope, "key", parent, version'
    transaction.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_MARKS} AS SELECT {columns} "
        f"FROM {lines_sql('files', _COLUMNS, manifest.marks)} WHERE unit IN (SELECT unnest($units))",
        {"files": manifest.paths(manifest.marks), "units": list(manifest.loaded_units)},
    )


def _values(table: Table, source: str, columns: Sequence[str]) -> str:
    """The columns, taken from a mark's JSON object."""
    return ", ".join(
        f"CAST(json_extract_string({quote(source)}, {literal(f'$.{quote(name)}')}) AS {table.column(name).type}) "
        f"AS {quote(name)}"
        for name in columns
    )


def _flag(evidence_at: str, reason: str) -> str:
    return (
        f"_deleted_at = coalesce(h._deleted_at, {evidence_at}), _deleted_reason = {reason}, "
        f"_synced_at = greatest(h._synced_at, {evidence_at}), _load_id = $load_id"
    )


def apply_complete(transaction: Transaction, table: Table, columns: Sequence[str]) -> int:
    """
    Flag live rows of completely listed scopes that did not land, unless they are held newer than the listing.

    Args:
        columns: The scope's columns; marks with others are not looked at.

    Returns:
        How many rows were flagged.
    """
    scope = f"{_values(table, 'scope', columns)}, " if columns else ""
    listed = ", ".join(map(literal, sorted(columns)))
    same = [f"h.{quote(c)} IS NOT DISTINCT FROM m.{quote(c)}" for c in columns]
    group = f" GROUP BY {', '.join(str(i + 1) for i in range(len(columns)))}" if columns else " HAVING count(*) > 0"
    return transaction.run(
        f'UPDATE {address(table)} AS h SET {_flag("m.found_at", "m.why")} FROM (SELECT {scope}max("at") AS found_at, '
        f'arg_max(reason, "at") AS why FROM {_MARKS} WHERE kind = \'complete\' AND "table" = $table '
        f"AND list_sort(json_keys(scope)) = CAST([{listed}] AS VARCHAR[]){group}) AS m "
        f"WHERE h.organization = $organization AND h._deleted_at IS NULL AND h._synced_at <= m.found_at"
        f"{''.join(f' AND {condition}' for condition in same)} AND {_did_not_land(table)}",
        table=table.name,
        organization=transaction.organization,
        load_id=transaction.load_id,
    )


def _did_not_land(table: Table) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {staged(table)} AS s WHERE {equal('s', 'h', table.key)})"


def apply_gone(transaction: Transaction, table: Table) -> tuple[int, int]:
    """
    Flag rows that are known to be gone, unless a later answer shows them.

    A row that is flagged already for another reason takes the new one. Below a parent that is gone ``destroyed`` says
    nothing: everything there answers like what was destroyed.

    Returns:
        Rows that were live, rows that only changed their reason.
    """
    gone = (
        f'(SELECT {_values(table, "key", table.key)}, "at" AS found_at, n, reason AS why FROM {_MARKS} '
        f"WHERE kind = 'gone' QUALIFY row_number() OVER (PARTITION BY {names(table.key)} "
        'ORDER BY "at" DESC, n DESC) = 1) AS m'
    )
    condition = (
        f"h.organization = $organization AND {equal('h', 'm', table.key)} AND h._synced_at <= m.found_at AND NOT "
        f"EXISTS (SELECT 1 FROM {staged(table)} AS s WHERE {equal('s', 'h', table.key)} AND (s._synced_at > m.found_at "
        "OR (s._synced_at = m.found_at AND s._n > m.n)))"
    )
    values = {"organization": transaction.organization, "load_id": transaction.load_id}
    update = f"UPDATE {address(table)} AS h SET {_flag('m.found_at', 'm.why')} FROM {gone} WHERE {condition}"
    renamed = transaction.run(
        f"{update} AND h._deleted_at IS NOT NULL AND h._deleted_reason <> m.why "
        "AND NOT (h._deleted_reason = 'parent_deleted' AND m.why = 'destroyed')",
        **values,
    )
    return transaction.run(f"{update} AND h._deleted_at IS NULL", **values), renamed


def apply_array_listings(transaction: Transaction, link: Link) -> int:
    """
    Flag array rows that their record no longer holds: each record that landed lists its array completely.

    Rows flagged because their record was gone are judged, too: when it is back without them, they stay gone.
    """
    return transaction.run(
        f"UPDATE {address(link.child)} AS h SET {_flag('m._synced_at', literal('deleted'))} "
        f"FROM {winners_of(link.parent)} AS m WHERE {equal('h', 'm', link.joined)} "
        "AND (h._deleted_at IS NULL OR h._deleted_reason = 'parent_deleted') AND h._synced_at <= m._synced_at "
        f"AND {_did_not_land(link.child)}",
        load_id=transaction.load_id,
    )


def children_read_sql() -> str:
    """The parents whose children were read, as a subquery: parent (canonical JSON text), unit, version, read_at."""
    return (
        f'(SELECT CAST(parent AS VARCHAR) AS parent, unit, version, "at" AS read_at FROM {_MARKS} '
        "WHERE kind = 'read' "
        'QUALIFY row_number() OVER (PARTITION BY CAST(parent AS VARCHAR) ORDER BY "at" DESC, n DESC) = 1)'
    )
