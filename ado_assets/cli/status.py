"""``ado-assets status``: where each table stands, from the warehouse alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Grid

from ado_assets.config import ConfigurationError, Settings, load_settings, unknown_name
from ado_assets.sync import TableStatus, table_statuses
from ado_assets.tables import TABLES
from ado_assets.warehouse import Warehouse


@click.command()
@click.option("--table", "tables", multiple=True, help="Only this table (repeatable).")
@click.option("--project", "projects", multiple=True, help="Only this project, by name (repeatable).")
@click.option("--by-project", is_flag=True, help="One line per table and project.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(tables: Sequence[str], projects: Sequence[str], by_project: bool, as_json: bool) -> None:
    """
    Show where each table stands: rows, coverage, watermark, last success. Reads only the warehouse.

    \b
    Examples:
      ado-assets status
      ado-assets status --table builds --by-project
      ado-assets status --json
    """
    settings = load_settings()
    if problems := [unknown_name("table", name, TABLES) for name in tables if name not in TABLES]:
        raise ConfigurationError(problems)
    warehouse = Warehouse(settings.warehouse, landing=settings.landing)
    chosen = [table for name, table in TABLES.items() if name in tables]
    found = table_statuses(warehouse, settings.organization, chosen, projects, by_project=by_project)
    now = datetime.now(UTC)
    if as_json:
        click.echo(json.dumps(_as_json(settings, found, now), default=_text))
    else:
        _print(settings, found, now, by_project)


def _as_json(settings: Settings, found: Sequence[TableStatus], now: datetime) -> dict[str, Any]:
    return {
        "organization": settings.organization,
        "warehouse": str(settings.warehouse),
        "tables": [
            {
                "table": each.table,
                "project": each.project,
                "rows": each.rows,
                "last_result": each.last_result,
                "last_success_at": each.last_success_at,
                "age_seconds": _age(each, now),
                "coverage": {name: each.count(name) for name in ("read", "skipped", "failed")},
                "last_sync": asdict(each.last_sync) if each.last_sync else None,
                "units": [asdict(unit) for unit in each.units],
            }
            for each in found
        ],
    }


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _age(status: TableStatus, now: datetime) -> float | None:
    """Seconds since the last success; 0 when the server's clock is ahead of ours."""
    if status.last_success_at is None:
        return None
    return max(0.0, round((now - status.last_success_at).total_seconds(), 1))


def _print(settings: Settings, found: Sequence[TableStatus], now: datetime, by_project: bool) -> None:
    grid = Grid(title=None, box=None, header_style="bold", pad_edge=False)
    grid.add_column("table", no_wrap=True)
    if by_project:
        grid.add_column("project", no_wrap=True)
    for name in ("rows", "read", "skipped", "failed", "age"):
        grid.add_column(name, justify="right", no_wrap=True)
    for name in ("result", "last sync", "watermark"):
        grid.add_column(name, no_wrap=True)
    for each in found:
        place = (each.table, each.project or "") if by_project else (each.table,)
        counts = (each.rows, *(each.count(name) for name in ("read", "skipped", "failed")))
        cells = (*place, *(f"{count:,}" if count else "·" for count in counts), _for_people(_age(each, now)))
        grid.add_row(*cells, each.last_result, _last_sync(each), _watermark(each))
    # Wide enough for every column where the output is no terminal and has no width of its own.
    Console(highlight=False, width=None if Console().is_terminal else 200).print(grid)
    reasons = sorted({f"{each.table}: {reason}" for each in found for reason in each.reasons})
    if reasons:
        click.echo("Not read:")
        for reason in reasons:
            click.echo(f"  {reason}")
    click.echo(f"Warehouse: {settings.warehouse}")


def _for_people(seconds: float | None) -> str:
    """An age in its largest unit, for example ``3 h``."""
    if seconds is None:
        return "never"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _last_sync(status: TableStatus) -> str:
    if status.last_sync is None:
        return ""
    last = status.last_sync
    return f"{last.inserted:,} new, {last.updated:,} changed, {last.deleted:,} deleted"


def _watermark(status: TableStatus) -> str:
    """The instant that the watermark is or begins with; how many there are where units differ; the rest is in JSON."""
    marks = status.watermarks
    if len(marks) > 1:
        return f"{len(marks):,} different"
    if not marks:
        return ""
    instant = marks[0].split(" ")[0]
    return "a token" if instant.startswith("{") else instant
