"""``ado-assets sample``: the sample organization as a server of its own."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import click

from ado_assets.sample import SCALES, TOKENS, World, serve


@click.group()
def sample() -> None:
    """The sample organization: a local server that behaves as Azure DevOps does."""


@sample.command("serve")
@click.option("--scale", type=click.Choice(sorted(SCALES)), default="small", show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--port", type=int, default=8765, show_default=True)
def serve_command(scale: str, seed: int, port: int) -> None:
    """
    Serve it on 127.0.0.1 until Ctrl-C, and print the settings that point a sync at it.

    \b
    Let time pass while it runs:
      curl -X POST 'http://127.0.0.1:8765/_sample/tick?days=3'
    """
    base = f"http://127.0.0.1:{port}"
    world = World(SCALES[scale], seed, base_url=f"{base}/sample")
    token = next(token for token in TOKENS if "all" in token)
    click.echo(f"export ADO_ORGANIZATION={world.organization} ADO_BASE_URL={base} ADO_PAT={token}")
    serve(world, "127.0.0.1", port)


_URL = click.option("--url", default="http://127.0.0.1:8765", show_default=True, help="Where it is served.")


@sample.command("tick")
@click.option("--days", type=click.IntRange(1, 365), help="Let days of random activity pass.")
@click.option("--scenario", "scenarios", multiple=True, help="Make one named thing happen (repeatable).")
@_URL
def tick(days: int | None, scenarios: tuple[str, ...], url: str) -> None:
    """
    Let time pass in a sample organization that is being served, and print what happened.

    \b
    Examples:
      ado-assets sample tick --days 3
      ado-assets sample tick --scenario build-retried --scenario pr-abandoned
    """
    for name in scenarios:
        for sentence in _ask(url, f"scenario/{quote(name)}", "POST")["happened"]:
            click.echo(sentence)
    if days or not scenarios:
        for sentence in _ask(url, f"tick?days={days or 1}", "POST")["happened"]:
            click.echo(sentence)


@sample.command("scenarios")
@_URL
def scenarios_command(url: str) -> None:
    """
    Print the names of the scenarios.

    \b
    Example:
      ado-assets sample scenarios
    """
    for name in _ask(url, "scenarios", "GET")["scenarios"]:
        click.echo(name)


def _ask(url: str, path: str, method: str) -> Any:
    try:
        with urlopen(Request(f"{url}/_sample/{path}", method=method), timeout=300) as answer:
            return json.load(answer)
    except HTTPError as error:
        answer = json.load(error)
        raise click.ClickException(f"{answer['error']}. Known: {', '.join(answer['known'])}") from error
    except URLError as error:
        raise click.ClickException(
            f"No sample organization answers at {url} ({error.reason}). Start one with `ado-assets sample serve`."
        ) from error
