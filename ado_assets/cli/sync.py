"""``ado-assets sync``: bring tables up to date, in a real Dagster run."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from ado_assets.assets.jobs import SELECTIONS
from ado_assets.cli.instance import run_feeds
from ado_assets.cli.summary import print_summary, summarize
from ado_assets.config import (
    CONNECTORS,
    TOKEN_VARIABLES,
    ConfigurationError,
    Settings,
    connector_for,
    load_settings,
    parse_instant,
    token_variable,
    unknown_name,
)
from ado_assets.sync import FEEDS
from ado_assets.tables import TABLES

#: Command line names of what ``--connector`` takes.
NAMES = ("core", *CONNECTORS)


@click.command()
@click.option("--connector", "connectors", multiple=True, help="Only the tables of this connector (repeatable).")
@click.option("--table", "tables", multiple=True, help="Only this table (repeatable).")
@click.option("--project", "projects", multiple=True, help="Only this project, by name (repeatable).")
@click.option("--full-refresh", is_flag=True, help="Read everything again and flag what is gone.")
@click.option("--since", help="Read from this instant, for example 2026-01-31, instead of the stored watermark.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="Print no line per table while it runs.")
def sync(
    connectors: Sequence[str],
    tables: Sequence[str],
    projects: Sequence[str],
    full_refresh: bool,
    since: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """
    Bring tables up to date. Without options: every table of every connector that has a token.

    \b
    Examples:
      ado-assets sync
      ado-assets sync --connector repos --project "Fabrikam Fiber"
      ado-assets sync --table builds --full-refresh
      ado-assets sync --json > summary.json
    """
    settings = load_settings()
    require_connection(settings)
    started = time.monotonic()
    chosen = choose_feeds(settings, connectors, tables)
    result = run_feeds(
        settings,
        chosen,
        config=sync_config(projects, full_refresh, since),
        skip_off=not connectors and not tables,
        quiet=quiet or as_json,
    )
    summary = summarize(settings, result.run_id, time.monotonic() - started)
    if as_json:
        click.echo(json.dumps({**summary.as_dict(), "errors": list(result.errors)}, default=str))
    else:
        print_summary(summary, off=off_connectors())
    for error in result.errors:
        click.echo(f"Error: {error}", err=True)
    sys.exit(0 if result.succeeded else 1)


def sync_config(projects: Sequence[str], full_refresh: bool, since: str | None) -> dict[str, Any]:
    """The run configuration of every asset; ConfigurationError when the instant cannot be read."""
    if since:
        try:
            parse_instant(since)
        except ValueError as error:
            raise ConfigurationError(
                [f"--since {since!r} is not a date or instant. Write 2026-01-31 or 2026-01-31T12:00:00Z."]
            ) from error
    config: dict[str, Any] = {"full_refresh": full_refresh, "projects": list(projects)}
    return {**config, "since": since} if since else config


def require_connection(settings: Settings) -> None:
    """
    Say what is missing before anything runs.

    Raises:
        ConfigurationError: No organization, or no token at all.
    """
    problems = []
    if not settings.organization:
        problems.append(
            "ADO_ORGANIZATION is not set. Set it to the name in https://dev.azure.com/<name> (in the environment or "
            "a .env file), or run `ado-assets demo` to try everything without an organization."
        )
    if not any(token_variable(name) for name in CONNECTORS):
        listed = ", ".join(dict.fromkeys(names[0] for names in TOKEN_VARIABLES.values()))
        problems.append(
            f"No token is set. Create a personal access token and put it in one of {listed}, or in ADO_PAT for all "
            "connectors."
        )
    if problems:
        raise ConfigurationError(problems)


def choose_feeds(settings: Settings, connectors: Sequence[str], tables: Sequence[str]) -> list[str]:
    """
    The feeds to read: those of the tables and connectors named, or all that are enabled and have a token.

    Raises:
        ConfigurationError: A name is not known.
    """
    problems = [unknown_name("connector", name, NAMES) for name in connectors if name not in NAMES]
    problems += [unknown_name("table", name, TABLES) for name in tables if name not in TABLES]
    if problems:
        raise ConfigurationError(problems)
    chosen = {feed for connector in connectors for feed in SELECTIONS[connector]}
    chosen |= {TABLES[name].feed_name for name in tables}
    if not connectors and not tables:
        chosen = {name for name, feed in FEEDS.items() if connector_for(feed.tables[0].connector)}
    return [name for name in FEEDS if name in chosen and settings.enabled(name)]


def off_connectors() -> list[str]:
    """Connectors without a token."""
    return [name for name in CONNECTORS if token_variable(name) is None]
