"""``ado-assets verify``: which connections work, what each token may read, and what to do about the rest."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table as Grid

from ado_assets.cli.sync import require_connection
from ado_assets.config import CONNECTORS, ConfigurationError, load_settings, unknown_name
from ado_assets.connections import ConnectionReport, Finding, check_connections


@click.command()
@click.option("--connector", "connectors", multiple=True, help="Only this connector (repeatable).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def verify(connectors: Sequence[str], as_json: bool) -> None:
    """
    Check for each connector, and for each of its tokens, what it may read. Reads a few records and writes nothing.

    Exit code 0 only when every connector that has a token passes. One without a token is off; that is no failure
    unless it was named.

    \b
    Examples:
      ado-assets verify
      ado-assets verify --connector boards --connector repos
      ado-assets verify --json
    """
    settings = load_settings()
    if problems := [unknown_name("connector", name, CONNECTORS) for name in connectors if name not in CONNECTORS]:
        raise ConfigurationError(problems)
    require_connection(settings)
    chosen = [name for name in CONNECTORS if not connectors or name in connectors]
    logging.getLogger("ado_assets.ado").addHandler(logging.NullHandler())  # the report tells what the client would
    report = check_connections(settings, chosen)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        _print(report)
    named_and_off = connectors and any(each.off for each in report.connectors)
    sys.exit(0 if report.passed and not named_and_off else 1)


def _print(report: ConnectionReport) -> None:
    _print_grid(report)
    for finding in report.findings:
        _print_finding(finding)
    for connector in report.connectors:
        for token in connector.tokens:
            if token.limits:
                limits = ", ".join(f"{name}: {text}" for name, text in token.limits.items())
                click.echo(f"\nRate limit of {token.token} ({connector.connector}): {limits}")
    if off := [f"{each.connector} is {each.off}" for each in report.connectors if each.off]:
        click.echo("\n" + "\n".join(off))
    for warning in report.warnings:
        click.echo(f"\nWarning: {warning}")
    click.echo(f"\n{_conclusion(report)}")


def _print_grid(report: ConnectionReport) -> None:
    grid = Grid(title=None, box=None, header_style="bold", pad_edge=False)
    for name in ("connector", "token", "probe", "result", "HTTP"):
        grid.add_column(name)
    for connector in report.connectors:
        if connector.off:
            grid.add_row(connector.connector, "·", "·", "off", "")
        for token in connector.tokens:
            for probe in token.probes:
                style = "green" if probe.passed else "red"
                status = str(probe.status or "")
                grid.add_row(connector.connector, token.token, probe.probe, f"[{style}]{probe.verdict}[/]", status)
    # A pipe has no width of its own.
    Console(highlight=False, width=None if Console().is_terminal else 120).print(grid)


def _print_finding(finding: Finding) -> None:
    probe = finding.example
    click.secho(f"\n{finding.title}", bold=True)
    click.echo(f"  Asked for: {', '.join(finding.probes)}")
    click.echo(f"  What happened: {probe.message}")
    if probe.service_message:
        click.echo(f"  The service says: {probe.service_message}")
    click.echo(f"  What to do: {probe.action}")
    if finding.empty_tables:
        click.echo(f"  Tables that stay empty: {', '.join(finding.empty_tables)}")
    click.echo(f"  Try it yourself: {probe.curl}")


def _conclusion(report: ConnectionReport) -> str:
    names = {state: [c.connector for c in report.connectors if c.state == state] for state in ("ok", "failed")}
    if not names["ok"] and not names["failed"]:
        return f"{report.organization}: nothing was checked, since no connector asked for has a token."
    if not names["failed"]:
        return f"{report.organization}: {', '.join(names['ok'])} can read all they should. Next: ado-assets sync"
    passing = f"passing: {', '.join(names['ok']) or 'none'}"
    return f"{report.organization}: not passing: {', '.join(names['failed'])}; {passing}. What to do is written above."
