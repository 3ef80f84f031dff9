"""
The ``ado-assets`` command: parse, call, print. Everything it does can be done in Dagster as well.

Exit code 0 only when all that was asked succeeded; 2 for a question that cannot be understood, 1 for what went wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from dotenv import find_dotenv, load_dotenv

from ado_assets.ado import AdoError
from ado_assets.cli.demo import demo, dev
from ado_assets.cli.dictionary import dictionary
from ado_assets.cli.reconcile import reconcile
from ado_assets.cli.replay import replay
from ado_assets.cli.sample import sample
from ado_assets.cli.status import status
from ado_assets.cli.sync import sync
from ado_assets.cli.verify import verify
from ado_assets.config import ConfigurationError
from ado_assets.sync import NothingToRead, UnknownProject
from ado_assets.warehouse import WarehouseError

#: Faults a person can act on: they are told in a sentence, without a traceback.
EXPECTED = (AdoError, ConfigurationError, NothingToRead, UnknownProject, WarehouseError)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="ado-assets")
def cli() -> None:
    """
    Copy an Azure DevOps organization into DuckDB with Dagster, and keep it true.

    \b
    Try it without an organization:   ado-assets demo
    Read a real one:                  ADO_ORGANIZATION=contoso ADO_PAT=... ado-assets sync
    See what its tokens may read:     ado-assets verify

    Settings come from the environment and a .env file; see the README.
    """


for command in (demo, dev, verify, sync, status, reconcile, replay, dictionary, sample):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line; the console script's entry point.

    Args:
        arguments: What to run; those of the process when left out.

    Raises:
        SystemExit: Always, with the exit code.
    """
    load_dotenv(find_dotenv(usecwd=True))
    try:
        cli(arguments)
    except EXPECTED as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
