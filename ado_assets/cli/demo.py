"""``ado-assets demo`` and ``ado-assets dev``: everything at work on the sample organization."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table as Grid

from ado_assets.cli.instance import dagster_home, forget, run_feeds
from ado_assets.cli.summary import Summary, print_summary, summarize
from ado_assets.cli.sync import choose_feeds
from ado_assets.config import Settings, load_settings
from ado_assets.sample import SampleProcess
from ado_assets.warehouse import Warehouse

#: What an analyst would ask first: a title and a query over the live views.
QUERIES = (
    (
        "How long do pull requests take, by project (median hours from opened to completed)?",
        """
        SELECT p.name AS project, count(*) AS completed,
               round(median(date_diff('minute', r.creation_date, r.closed_date)) / 60, 1) AS median_hours
        FROM ado_live.pull_requests r JOIN ado_live.projects p ON p.id = r.project_id
        WHERE r.status = 'completed' GROUP BY ALL ORDER BY completed DESC LIMIT 5
        """,
    ),
    (
        "Which steps fail builds most often?",
        """
        SELECT t.name AS step, count(*) AS failures, count(DISTINCT t.build_id) AS builds
        FROM ado_live.build_timeline_records t
        WHERE t.result = 'failed' AND t.type = 'Task' GROUP BY ALL ORDER BY failures DESC, step LIMIT 5
        """,
    ),
    (
        "Where is work open, and how old is it?",
        """
        SELECT work_item_type, state, count(*) AS items,
               round(avg(date_diff('day', created_date, (SELECT max(_synced_at) FROM ado.work_items)))) AS mean_age_days
        FROM ado_live.work_items WHERE state NOT IN ('Done', 'Closed', 'Removed', 'Resolved')
        GROUP BY ALL ORDER BY items DESC LIMIT 5
        """,
    ),
)


@click.command()
@click.option("--scale", type=click.Choice(["tiny", "small", "large"]), default="small", show_default=True)
@click.option(
    "--days", type=click.IntRange(1, 60), default=3, show_default=True, help="Days that pass between the syncs."
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), default=Path("data/demo"), show_default=True)
def demo(scale: str, days: int, seed: int, data: Path) -> None:
    """
    Sync a sample organization from nothing, let days pass, sync again, and show what came of it.

    Starts a local server that behaves as Azure DevOps does; needs no account and no network. The folder's former
    content is replaced.

    \b
    Examples:
      ado-assets demo
      ado-assets demo --scale tiny --days 10
    """
    with SampleProcess(scale=scale, seed=seed) as organization:
        settings = _settings(organization, data)
        click.secho(f"The sample organization ({scale}) answers on {organization.base_url}", bold=True)
        click.echo("First sync, from nothing:")
        _sync(settings)
        happened = organization.tick(days)
        click.secho(f"\n{days} days pass in the organization:", bold=True)
        for sentence in happened[:8]:
            click.echo(f"  {sentence}")
        if len(happened) > 8:
            click.echo(f"  ... and {len(happened) - 8} more")
        click.echo("Second sync, only what changed:")
        second = _sync(settings)
    _show_queries(settings)
    _show_next(settings, second)


@click.command()
@click.option("--scale", type=click.Choice(["tiny", "small", "large"]), default="small", show_default=True)
@click.option("--port", type=int, default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("data/dev"), show_default=True)
def dev(scale: str, port: int, data: Path) -> None:
    """
    Open the Dagster UI on 127.0.0.1 over a fresh sample organization, until Ctrl-C.

    \b
    Example:
      ado-assets dev --port 3001
    """
    with SampleProcess(scale=scale) as organization:
        settings = _settings(organization, data)
        dagster_home(settings)
        run_feeds(settings, ["projects"], config={}, skip_off=False)
        click.secho(f"Sample organization: {organization.base_url}   Dagster UI: http://127.0.0.1:{port}", bold=True)
        click.echo(f"Let days pass: curl -X POST '{organization.base_url}/_sample/tick?days=3'")
        command = [sys.executable, "-m", "dagster", "dev", "-m", "ado_assets.definitions"]
        server = subprocess.Popen([*command, "-h", "127.0.0.1", "-p", str(port)], start_new_session=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            os.killpg(server.pid, signal.SIGINT)
            server.wait(timeout=30)


def _settings(organization: SampleProcess, data: Path) -> Settings:
    """Point the environment of this process at the sample organization, with a warehouse of its own from nothing."""
    for name in [name for name in os.environ if name.startswith("ADO_")]:
        del os.environ[name]
    os.environ |= {
        "ADO_ORGANIZATION": organization.organization,
        "ADO_BASE_URL": organization.base_url,
        "ADO_BOARDS_PAT": "sample-boards-token",
        "ADO_PIPELINES_PAT": "sample-pipelines-token",
        "ADO_REPOS_PAT": "sample-repos-token",
        "ADO_PULL_COMMITS_PAT": "sample-pull-commits-token",
        "ADO_COMMITS_PAT": "sample-commits-token",
        "ADO_WAREHOUSE": str(data.absolute() / "azure_devops.duckdb"),
        "DAGSTER_HOME": str(data.absolute() / "dagster_home"),
    }
    settings = load_settings()
    forget(settings)
    return settings


def _sync(settings: Settings) -> Summary:
    started = time.monotonic()
    result = run_feeds(settings, choose_feeds(settings, (), ()), config={}, skip_off=True)
    summary = summarize(settings, result.run_id, time.monotonic() - started)
    print_summary(summary)
    for error in result.errors:
        click.echo(f"Error: {error}", err=True)
    if not result.succeeded:
        sys.exit(1)
    return summary


def _show_queries(settings: Settings) -> None:
    warehouse = Warehouse(settings.warehouse, landing=settings.landing)
    for title, query in QUERIES:
        click.secho(f"\n{title}", bold=True)
        frame = warehouse.frame(query)
        _print_rows(list(map(str, frame.columns)), [list(map(str, row)) for row in frame.itertuples(index=False)])
        click.echo(" ".join(query.split()))


def _print_rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for name in names:
        grid.add_column(name)
    for row in rows:
        grid.add_row(*row)
    Console(highlight=False).print(grid)


def _show_next(settings: Settings, second: Summary) -> None:
    changed = sum(line.inserted + line.updated + line.deleted for line in second.lines)
    click.secho("\nWhat to do next", bold=True)
    click.echo(f"  {changed:,} rows changed in the second sync, for {second.calls:,} API calls.")
    click.echo(f"  Query it:         duckdb {settings.warehouse}   (schemas ado, ado_live, ado_meta)")
    click.echo("  See it in Dagster: make dev   (then http://127.0.0.1:3000)")
    click.echo("  Your own data:    set ADO_ORGANIZATION and ADO_PAT, then ado-assets sync")
