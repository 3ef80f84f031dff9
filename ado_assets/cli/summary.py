"""What a run did to every table, read back from the warehouse's own ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Grid

from ado_assets.config import Settings
from ado_assets.tables import TABLES
from ado_assets.warehouse import Warehouse


@dataclass(frozen=True)
class TableLine:
    """One table in the summary."""

    table: str
    rows: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    calls: int


@dataclass(frozen=True)
class Summary:
    """
    One run, table by table.

    Args:
        seconds: From the start of the run to its end.
        left_out: Units that could not be read, with the reason.
        warehouse: Where the file is.
    """

    lines: tuple[TableLine, ...]
    seconds: float
    warehouse: Path
    left_out: tuple[str, ...] = field(default=())

    @property
    def calls(self) -> int:
        """All API calls."""
        return sum(line.calls for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "seconds": round(self.seconds, 3),
            "calls": self.calls,
            "warehouse": str(self.warehouse),
            "tables": [asdict(line) for line in self.lines],
            "left_out": list(self.left_out),
        }


def summarize(settings: Settings, run_id: str, seconds: float) -> Summary:
    """
    The summary of the run, from ``ado_meta.syncs`` and ``ado_meta.coverage``.

    Calls are those of the read that brought the table; tables that share a read show them once, on the main one.
    """
    warehouse = Warehouse(settings.warehouse, landing=settings.landing)
    if not settings.warehouse.exists():
        return Summary((), seconds, settings.warehouse)
    written = warehouse.rows(
        "SELECT table_name, inserted, updated, unchanged, deleted, requests FROM ado_meta.syncs WHERE run_id = ?",
        [run_id],
    )
    by_table = {row[0]: row[1:] for row in written}
    counts = warehouse.live_counts(settings.organization, [name for name in TABLES if name in by_table])
    lines = []
    for name, table in TABLES.items():
        if name in by_table:
            inserted, updated, unchanged, deleted, calls = by_table[name]
            main = table.feed_name == name
            lines.append(TableLine(name, counts[name], inserted, updated, unchanged, deleted, calls if main else 0))
    left_out = warehouse.rows(
        "SELECT DISTINCT table_name || ' ' || coalesce(repository_id, project_id, 'organization') || ': ' || reason "
        "FROM ado_meta.coverage WHERE organization = ? AND status <> 'read' ORDER BY 1",
        [settings.organization],
    )
    return Summary(tuple(lines), seconds, settings.warehouse, tuple(row[0] for row in left_out))


def print_summary(summary: Summary, *, off: Sequence[str] = ()) -> None:
    """Print the summary as a table for a person."""
    grid = Grid(title=None, box=None, header_style="bold", pad_edge=False)
    grid.add_column("table", no_wrap=True, min_width=max(map(len, TABLES)))
    for name in ("rows", "new", "changed", "unchanged", "deleted", "calls"):
        grid.add_column(name, justify="right")
    for line in summary.lines:
        cells = (line.rows, line.inserted, line.updated, line.unchanged, line.deleted, line.calls)
        grid.add_row(line.table, *(f"{cell:,}" if cell else "·" for cell in cells))
    Console(highlight=False).print(grid)
    rows = sum(line.rows for line in summary.lines)
    click.echo(f"{rows:,} rows in {len(summary.lines)} tables, {summary.calls:,} API calls, {summary.seconds:.1f} s")
    if summary.left_out:
        click.echo(f"Not read ({len(summary.left_out)}):")
        for text in summary.left_out[:10]:
            click.echo(f"  {text}")
    if off:
        click.echo(f"Connectors that are off, since they have no token: {', '.join(off)}")
    click.echo(f"Warehouse: {summary.warehouse}")
