"""``ado-assets sample``: the sample organization as a server of its own."""

from __future__ import annotations

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
