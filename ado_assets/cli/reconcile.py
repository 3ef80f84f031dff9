"""``ado-assets reconcile``: compare ids with the API and repair what differs, in a real Dagster run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
import dagster as dg
from rich.console import Console
from rich.table import Table as Grid

from ado_assets.assets.jobs import SKIP_OFF
from ado_assets.assets.reconcile import JOB, RECONCILIATION, reconcile_step
from ado_assets.cli.instance import dagster_home, line_logger, reason_of
from ado_assets.cli.processes import signing
from ado_assets.cli.sync import require_connection
from ado_assets.config import ConfigurationError, Settings, load_settings, unknown_name
from ado_assets.graph import build_defs
from ado_assets.sync import COMPARABLE

#: Units told of one by one on the screen.
_LINES = 40


@dataclass(frozen=True)
class Outcome:
    """
    What a run found.

    Args:
        succeeded: Whether all that can be read is equal now.
        tables: What became of each table; see ``assets.reconcile.as_plain``.
        errors: One text per table whose step failed, or that still differs.
    """

    run_id: str
    succeeded: bool
    tables: tuple[dict[str, Any], ...]
    errors: tuple[str, ...]


@click.command()
@click.option("--table", "tables", multiple=True, help="Only this table (repeatable).")
@click.option("--project", "projects", multiple=True, help="Only this project, by name (repeatable).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def reconcile(tables: Sequence[str], projects: Sequence[str], as_json: bool) -> None:
    """
    Compare the ids in the warehouse with those of the API, repair what differs, and report it.

    Exit code 0 when all is equal or repaired, 1 when something differs still or could not be compared. What may not be
    read (no permission, disabled repositories) is left out and never taken for deleted.

    \b
    Examples:
      ado-assets reconcile
      ado-assets reconcile --table work_items --project "Fabrikam Fiber"
    """
    settings = load_settings()
    if problems := [unknown_name("comparable table", name, COMPARABLE) for name in tables if name not in COMPARABLE]:
        raise ConfigurationError(problems)
    require_connection(settings)
    outcome = run(settings, tables, projects, quiet=as_json)
    if as_json:
        report = {"succeeded": outcome.succeeded, "run_id": outcome.run_id, "tables": outcome.tables}
        click.echo(json.dumps({**report, "errors": outcome.errors}))
    else:
        _print(outcome)
    sys.exit(0 if outcome.succeeded else 1)


def run(settings: Settings, tables: Sequence[str], projects: Sequence[str], *, quiet: bool = False) -> Outcome:
    """Run the job ``reconcile`` on the configured instance, in this process, for tables (all when empty)."""
    home = dagster_home(settings)
    job = build_defs(settings, loggers={"console": line_logger(quiet)}).resolve_job_def(JOB)
    steps = {name: reconcile_step(name) for name in COMPARABLE if not tables or name in tables}
    with dg.DagsterInstance.from_config(str(home)) as instance, signing(instance, home) as signature:
        result = job.execute_in_process(
            instance=instance,
            op_selection=[*steps.values(), RECONCILIATION],
            run_config={
                "loggers": {"console": {}},
                "ops": {step: {"config": {"projects": list(projects)}} for step in steps.values()},
            },
            tags={SKIP_OFF: "" if tables else "true", **signature},
            raise_on_error=False,
        )
        ended = {event.step_key for event in result.all_events if event.is_step_success}
        found = [result.output_for_node(step) for step in steps.values() if step in ended]
        errors = [
            reason_of(event)
            for event in result.all_events
            if event.is_step_failure and event.step_key != RECONCILIATION
        ]
        return Outcome(result.run_id, result.success, tuple(filter(None, found)), tuple(errors))


def _print(outcome: Outcome) -> None:
    names = ("units", "rows", "missing", "surplus", "repaired", "remaining")
    grid = Grid(title=None, box=None, header_style="bold", pad_edge=False)
    grid.add_column("table")
    for name in names:
        grid.add_column(name, justify="right")
    for table in outcome.tables:
        grid.add_row(table["table"], *(f"{table[name]:,}" if table[name] else "·" for name in names))
    Console(highlight=False).print(grid)
    lines = [line for table in outcome.tables for line in _lines(table)]
    for line in lines[:_LINES]:
        click.echo(line)
    if len(lines) > _LINES:
        click.echo(f"... and {len(lines) - _LINES:,} more; --json has all")
    differing = sum(table["missing"] + table["surplus"] for table in outcome.tables)
    if outcome.succeeded:
        click.echo("Nothing differs." if not differing else f"{differing:,} rows differed and are repaired.")
    for error in outcome.errors:
        click.echo(f"Error: {error}", err=True)


def _lines(table: dict[str, Any]) -> list[str]:
    """A line for each unit that differed, and one for each that was not compared."""
    name = table["table"]
    differing = [
        f"{name} in {_place(unit)}: {unit['missing']} missing, {unit['surplus']} surplus, {unit['remaining']} remaining"
        for unit in table["differs"]
    ]
    return differing + [
        f"{name} in {_place(unit)} not compared ({unit['status']}): {unit['reason']}" for unit in table["not_compared"]
    ]


def _place(unit: dict[str, Any]) -> str:
    project = unit["project"] or unit["project_id"] or "the organization"
    return f"{project}, repository {unit['repository_id']}" if unit["repository_id"] else project
