"""
One landed extraction into the warehouse, in one transaction.

The order matters: the main table with its marks first, since rows inside its records follow the record that won; then
the other tables; then children of what was deleted or restored; then the bookkeeping. Nothing is visible before COMMIT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse import state
from ado_assets.warehouse.cascade import cascade
from ado_assets.warehouse.connection import atomic
from ado_assets.warehouse.errors import BadLanding
from ado_assets.warehouse.family import Link, descendants, link_of
from ado_assets.warehouse.manifest import Manifest
from ado_assets.warehouse.marks import apply_array_listings, apply_complete, apply_gone, stage_marks
from ado_assets.warehouse.merge import Transaction, keep_rows_of_winners, merge
from ado_assets.warehouse.report import LoadReport, SyncRecord, TableCounts
from ado_assets.warehouse.stage import stage


@dataclass(frozen=True)
class Load:
    """
    What is to be loaded.

    Args:
        tables: The feed's tables as read, main table first.
        declared: All tables of the warehouse.
        replays: It was loaded before: rows are judged again, but watermarks, coverage and reads of children stay.
    """

    manifest: Manifest
    tables: Sequence[Table]
    declared: Mapping[str, Table]
    sync: SyncRecord
    replays: bool = False

    def __post_init__(self) -> None:
        if self.tables[0].name != self.manifest.feed:
            raise BadLanding(
                f"{self.manifest.folder} holds {self.manifest.feed}, which cannot be loaded as {self.tables[0].name}."
            )


def run(connection: duckdb.DuckDBPyConnection, load: Load) -> LoadReport:
    """
    Load it, or leave everything as it was.

    Raises:
        KeyViolation: See ``merge``.
    """
    # Rows carry their place in the landing files; keeping an order besides only costs memory.
    connection.execute("SET preserve_insertion_order = false")
    with atomic(connection):
        return _run(connection, load)


def _run(connection: duckdb.DuckDBPyConnection, load: Load) -> LoadReport:
    manifest = load.manifest
    tables = {**load.declared, **{table.name: table for table in load.tables}}
    transaction = Transaction(connection, state.next_load_id(connection), manifest.organization, str(manifest.folder))
    misfits = stage(connection, manifest, load.tables)
    if manifest.marks:
        stage_marks(transaction, manifest)
    counts: dict[str, TableCounts] = {}
    for table in load.tables:
        failures = Counter(manifest.misfits.get(table.name, {})) + misfits.get(table.name, Counter())
        counts[table.name] = TableCounts(cast_failures=dict(failures))
        _load_table(transaction, load, table, link_of(table, tables), counts[table.name])
    reached = cascade(transaction, descendants(tables), counts)
    _write_state(transaction, load, counts)
    return LoadReport(transaction.load_id, {**counts, **reached})


def _load_table(transaction: Transaction, load: Load, table: Table, link: Link | None, counts: TableCounts) -> None:
    manifest = load.manifest
    if manifest.pages:
        if table.array:
            keep_rows_of_winners(transaction, table, load.tables[0])
        merge(transaction, table, link, counts)
        if table.array and link:
            counts.deleted += apply_array_listings(transaction, link)
    if manifest.gone and table is load.tables[0]:
        deleted, renamed = apply_gone(transaction, table)
        counts.deleted += deleted
        counts.updated += renamed
    for name, columns in manifest.complete:
        if name == table.name:
            counts.deleted += apply_complete(transaction, table, columns)


def _write_state(transaction: Transaction, load: Load, counts: Mapping[str, TableCounts]) -> None:
    loaded_at = datetime.now(UTC)
    populations = {table.name: state.population(transaction, table) for table in load.tables}
    for name, people in populations.items():
        counts[name].rows = people.total
        counts[name].projects = people.written
    state.write_load(transaction, load.manifest, loaded_at)
    state.write_syncs(transaction, load.sync, counts, loaded_at)
    if load.replays:
        return
    state.write_watermarks(transaction, load.manifest)
    state.write_children_read(transaction, load.manifest)
    state.write_coverage(transaction, load.manifest, populations)
