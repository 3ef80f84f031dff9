"""``ado-assets replay``: load landing files again."""

from __future__ import annotations

from pathlib import Path

import click

from ado_assets.config import load_settings
from ado_assets.sync import FEEDS
from ado_assets.warehouse import Manifest, Warehouse


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def replay(folder: Path) -> None:
    """
    Load the landing files of a finished sync again. Rows that are newer in the warehouse stay; watermarks do not move.

    \b
    Example:
      ado-assets replay data/landing/contoso/builds/20260301T120000-1a2b3c4d
    """
    settings = load_settings()
    manifest = Manifest.read(folder)
    warehouse = Warehouse(settings.warehouse, landing=settings.landing)
    tables = [settings.table(table) for table in FEEDS[manifest.feed].tables]
    report = warehouse.replay(manifest, tables)
    for name, counts in report.tables.items():
        click.echo(f"{name}: {counts.inserted} new, {counts.updated} changed, {counts.unchanged} unchanged")
