"""
Staged rows into their table: the latest answer of each key, compared with what is held, written only where it differs.

Each function is a step inside the caller's transaction. A staged row's fate stands in the plan: ``new``, ``changed``,
``restored`` (held as gone), ``same``, or ``stale`` (held in a newer version).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse.errors import KeyViolation
from ado_assets.warehouse.family import Link
from ado_assets.warehouse.report import TableCounts
from ado_assets.warehouse.sql import address, equal, names, quote
from ado_assets.warehouse.stage import column_names, staged

_WRITTEN = "('new', 'changed', 'restored')"

#: Pairs of JSON values compared at once.
_CHUNK = 2_000


@dataclass(frozen=True)
class Transaction:
    """The open transaction: its connection, its number, whose rows it writes, and from where."""

    connection: duckdb.DuckDBPyConnection
    load_id: int
    organization: str
    source: str

    def run(self, sql: str, **values: object) -> int:
        """Run a statement that changes rows; how many."""
        row = self.connection.execute(sql, values).fetchone()
        return int(row[0]) if row else 0


def plan_of(table: Table | str) -> str:
    """Name of the temporary table with the fate of each staged row."""
    return f"temp.{quote('plan ' + (table if isinstance(table, str) else table.name))}"


def winners_of(table: Table) -> str:
    """The staged rows that count, as a subquery: the latest of each key, and not older than what is held."""
    return (
        f"(SELECT s.* FROM {staged(table)} AS s JOIN {plan_of(table)} AS p ON p.id = s.rowid WHERE p.state <> 'stale')"
    )


def merge(transaction: Transaction, table: Table, link: Link | None, counts: TableCounts) -> None:
    """
    Write the staged rows of the table.

    Args:
        link: The table's parent, already written: rows under a deleted one are flagged.
        counts: Filled in.

    Raises:
        KeyViolation: A required column has no value, or a key is held twice.
    """
    _drop_all_but_latest(transaction, table)
    _refuse_gaps(transaction, table, counts)
    _plan(transaction, table, link)
    states = _states(transaction, table)
    if "reordered" in states:
        _settle_reordered(transaction, table)
        states = _states(transaction, table)
    counts.inserted += states.get("new", 0)
    counts.updated += states.get("changed", 0)
    counts.restored += states.get("restored", 0)
    counts.unchanged += states.get("same", 0)
    counts.stale += states.get("stale", 0)
    _write(transaction, table, replaces=bool(counts.updated or counts.restored), adds=bool(counts.written))


def _states(transaction: Transaction, table: Table) -> dict[str, int]:
    return dict(
        transaction.connection.execute(f"SELECT state, count(*) FROM {plan_of(table)} GROUP BY state").fetchall()
    )


def keep_rows_of_winners(transaction: Transaction, table: Table, record: Table) -> None:
    """Drop staged array rows that are not inside the record that won its key, or whose record is stale."""
    transaction.run(
        f"DELETE FROM {staged(table)} AS a WHERE NOT EXISTS (SELECT 1 FROM {winners_of(record)} AS w "
        "WHERE w._n = a._n AND w._ordinal = a._ordinal)"
    )


def _drop_all_but_latest(transaction: Transaction, table: Table) -> None:
    """The same key in several answers of a sync: the latest answer counts, then the later page, record, element."""
    rows = staged(table)
    transaction.run(
        f"DELETE FROM {rows} AS s USING (SELECT rowid AS id FROM {rows} QUALIFY row_number() OVER (PARTITION BY "
        f"{names(table.full_key)} ORDER BY _synced_at DESC, _n DESC, _ordinal DESC, _position DESC) > 1) AS late "
        "WHERE s.rowid = late.id"
    )


def _refuse_gaps(transaction: Transaction, table: Table, counts: TableCounts) -> None:
    missing = ", ".join(f"count(*) - count({quote(name)})" for name in table.required)
    row = transaction.connection.execute(f"SELECT count(_extra), {missing} FROM {staged(table)}").fetchone()
    assert row is not None
    counts.extra_rows = row[0]
    for name, gaps in zip(table.required, row[1:], strict=True):
        if gaps:
            raise KeyViolation(_gap(transaction, table, name, gaps))


def _gap(transaction: Transaction, table: Table, name: str, gaps: int) -> str:
    place = transaction.connection.execute(
        f"SELECT _n, _ordinal FROM {staged(table)} WHERE {quote(name)} IS NULL ORDER BY ALL LIMIT 1"
    ).fetchone()
    assert place is not None
    path = "" if name == "organization" else f" (from {table.column(name).path!r})"
    return (
        f"{table.name}.{name}{path} is required, but {gaps} row(s) have no value for it that fits; the first is record "
        f"{place[1]} of page {place[0]} in {transaction.source}. Nothing was loaded. Look at that page: either the "
        "service left it out, or the declaration takes it from the wrong place."
    )


def _plan(transaction: Transaction, table: Table, link: Link | None) -> None:
    columns = [*table.columns]
    plain = [c.name for c in columns if c.type != "JSON" and c.name not in table.key]
    json_columns = [*(c.name for c in columns if c.type == "JSON"), "_extra"]
    parent_gone = "CAST(NULL AS TIMESTAMPTZ)"
    join = ""
    if link:
        parent_gone = "p._deleted_at"
        join = (
            f" LEFT JOIN (SELECT DISTINCT {names(link.joined.values())}, _deleted_at FROM {address(link.parent)} "
            f"WHERE organization = $organization AND _deleted_at IS NOT NULL) AS p ON {equal('s', 'p', link.joined)}"
        )
    transaction.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {plan_of(table)} AS SELECT s.rowid AS id, {parent_gone} AS parent_gone_at, CASE "
        "WHEN h.organization IS NULL THEN 'new' "
        "WHEN h._synced_at > s._synced_at THEN 'stale' "
        f"WHEN h._deleted_at IS NOT NULL AND {parent_gone} IS NULL THEN 'restored' "
        f"WHEN {parent_gone} IS NOT NULL AND h._deleted_reason IS DISTINCT FROM 'parent_deleted' THEN 'changed' "
        f"WHEN {_any_differs(plain)} THEN 'changed' "
        f"WHEN {_any_differs(json_columns)} THEN 'reordered' "
        f"ELSE 'same' END AS state FROM {staged(table)} AS s LEFT JOIN {address(table)} AS h "
        f"ON h.organization = $organization AND {equal('s', 'h', table.key)}{join}",
        {"organization": transaction.organization},
    )


def _any_differs(columns: list[str]) -> str:
    return " OR ".join(f"s.{quote(c)} IS DISTINCT FROM h.{quote(c)}" for c in columns) or "false"


def _settle_reordered(transaction: Transaction, table: Table) -> None:
    """
    Rows that differ only in the text of JSON values: changed when a value differs, same when only its order does.

    Few rows get here, and SQL has no comparison of JSON by value.
    """
    columns = [*(c.name for c in table.columns if c.type == "JSON"), "_extra"]
    rows = transaction.connection.execute(
        f"SELECT p.id, {names(columns, 's')}, {names(columns, 'h')} FROM {plan_of(table)} AS p "
        f"JOIN {staged(table)} AS s ON p.id = s.rowid JOIN {address(table)} AS h "
        f"ON h.organization = $organization AND {equal('s', 'h', table.key)} WHERE p.state = 'reordered'",
        {"organization": transaction.organization},
    )
    decided: dict[int, bool] = {}
    while chunk := rows.fetchmany(_CHUNK):
        for id_, *values in chunk:
            new, held = values[: len(columns)], values[len(columns) :]
            decided[id_] = list(map(_by_value, new)) == list(map(_by_value, held))
    same = [id_ for id_, is_same in decided.items() if is_same]
    transaction.run(
        f"UPDATE {plan_of(table)} SET state = CASE WHEN id IN (SELECT unnest($same)) THEN 'same' ELSE 'changed' END "
        "WHERE state = 'reordered'",
        same=same or [-1],
    )


def _by_value(text: str | None) -> str | None:
    """The JSON text with the properties of its objects in one order."""
    return None if text is None else json.dumps(json.loads(text), sort_keys=True)


def _write(transaction: Transaction, table: Table, *, replaces: bool, adds: bool) -> None:
    if not adds:
        return
    if replaces:
        transaction.run(
            f"DELETE FROM {address(table)} AS h USING (SELECT {names(table.key, 's')} FROM {staged(table)} AS s "
            f"JOIN {plan_of(table)} AS p ON p.id = s.rowid WHERE p.state IN ('changed', 'restored')) AS new "
            f"WHERE h.organization = $organization AND {equal('h', 'new', table.key)}",
            organization=transaction.organization,
        )
    transaction.run(
        f"INSERT INTO {address(table)} BY NAME SELECT {names(column_names(table), 's')}, s._synced_at, "
        "p.parent_gone_at AS _deleted_at, CASE WHEN p.parent_gone_at IS NOT NULL THEN 'parent_deleted' END "
        f"AS _deleted_reason, CAST($load_id AS BIGINT) AS _load_id FROM {staged(table)} AS s "
        f"JOIN {plan_of(table)} AS p ON p.id = s.rowid WHERE p.state IN {_WRITTEN}",
        load_id=transaction.load_id,
    )
    _refuse_twins(transaction, table)


def _refuse_twins(transaction: Transaction, table: Table) -> None:
    twin = transaction.connection.execute(
        f"SELECT {names(table.key, 'h')}, count(*) FROM {address(table)} AS h JOIN (SELECT DISTINCT "
        f"{names(table.key, 's')} FROM {staged(table)} AS s JOIN {plan_of(table)} AS p ON p.id = s.rowid "
        f"WHERE p.state IN {_WRITTEN}) AS new ON h.organization = $organization AND {equal('h', 'new', table.key)} "
        f"GROUP BY {names(table.key, 'h')} HAVING count(*) > 1 LIMIT 1",
        {"organization": transaction.organization},
    ).fetchone()
    if twin:
        key = dict(zip(table.key, twin, strict=False))
        raise KeyViolation(
            f"{table.name} would hold the key {key} of {transaction.organization} {twin[-1]} times. Nothing was "
            f"loaded. Something else wrote to {address(table)}: delete its doubled rows and run the sync again."
        )
