"""``ado-assets dictionary``: every table and column, from the declarations."""

from __future__ import annotations

import click

from ado_assets.tables import TABLES
from ado_assets.tables.dictionary import markdown


@click.command()
def dictionary() -> None:
    """
    Print the data dictionary (Markdown): every table, key and column.

    \b
    Example:
      ado-assets dictionary > docs/dictionary.md
    """
    click.echo(markdown(TABLES.values()), nl=False)
