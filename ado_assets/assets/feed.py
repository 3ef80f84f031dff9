"""
What all assets share: how a declaration becomes asset specs, and how one materialization runs.

One partition, a range of partitions and the whole organization take the same way: a selection, one ``sync_feed``, one
transaction.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from ado_assets.assets.metadata import materialization_metadata
from ado_assets.assets.partitions import PROJECTS
from ado_assets.assets.run import SyncConfig, finish, run_feed
from ado_assets.assets.upstream import upstream_tables
from ado_assets.config import CONNECTORS, STAND_INS
from ado_assets.resources import AdoWarehouse
from ado_assets.sync import FEEDS, SyncFailed
from ado_assets.tables import BOOKKEEPING, Table

__all__ = ["SyncConfig", "feed_asset", "materialize_feed"]

#: Version of the code that reads and loads; raised when rows come out differently from the same answers.
CODE_VERSION = "1"

#: A table that nothing wrote or confirmed for a day is stale.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1), warn_window=timedelta(hours=6))

Body = Callable[..., Iterator[Any]]


def asset_spec(table: Table) -> dg.AssetSpec:
    """The asset that stands for a table, made from its declaration; rows inside a record hang on the record's table."""
    return dg.AssetSpec(
        table.name,
        deps=(table.feed_name,) if table.array else upstream_tables(table.feed_name),
        description=f"{table.about}\n\nRead from {table.source}.",
        group_name=table.connector,
        kinds={"azure", "duckdb"},
        owners=["team:data"],
        tags={"ado/connector": table.connector},
        code_version=CODE_VERSION,
        partitions_def=None if table.unpartitioned else PROJECTS,
        freshness_policy=FRESHNESS,
        metadata={
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": f"ado.{table.name}",
            "ado/key": ", ".join(table.full_key),
            "ado/connectors": ", ".join(STAND_INS[table.connector]),
        },
    )


def column_schema(table: Table) -> dg.TableSchema:
    """All columns of the table as they stand in the warehouse, with what each means."""
    organization = ("organization", "VARCHAR", "Name of the organization.")
    own = [(column.name, column.type, column.about) for column in table.columns]
    return dg.TableSchema(
        [
            dg.TableColumn(
                name,
                kind,
                description=about,
                constraints=dg.TableColumnConstraints(nullable=name not in table.required),
            )
            for name, kind, about in (organization, *own, *BOOKKEEPING)
        ]
    )


def feed_asset(name: str) -> Callable[[Body], dg.AssetsDefinition]:
    """Make the decorated function the asset (or assets) of the feed of this name."""
    feed = FEEDS[name]
    unpartitioned = all(table.unpartitioned for table in feed.tables)

    def decorate(body: Body) -> dg.AssetsDefinition:
        return dg.multi_asset(
            name=feed.name,
            specs=[asset_spec(table) for table in feed.tables],
            can_subset=len(feed.tables) > 1,
            backfill_policy=None if unpartitioned else dg.BackfillPolicy.single_run(),
            required_resource_keys={*CONNECTORS, "deployment", "warehouse"},
            pool=feed.tables[0].connector,
        )(body)

    return decorate


def materialize_feed(context: dg.AssetExecutionContext, name: str, config: SyncConfig) -> Iterator[Any]:
    """
    Sync the feed of this name for the partitions of the run; for the configured projects when it has none.

    Yields the results of the selected tables. All tables of a feed are always written together, since they share one
    read and one watermark.

    Raises:
        SyncFailed: After everything that could be read is committed and reported, when some units failed.
        ConnectorOff: No connector that can read the feed is configured.
    """
    feed = FEEDS[name]
    report = run_feed(context, feed, config, partitions_of(context))
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    warehouse: AdoWarehouse = context.resources.warehouse
    metadata = materialization_metadata(feed.tables, report, warehouse.open())
    for name, said in metadata.items():
        if name in selected:
            yield dg.MaterializeResult(asset_key=name, metadata=said)
        else:
            context.log.info(f"{name} was written too: it shares its read with {feed.name}")
    finish(context)
    if report.failed:
        raise SyncFailed(report)


def partitions_of(context: dg.AssetExecutionContext) -> list[str]:
    """The partitions the run was started for; empty when it was started for none, or the asset has none."""
    if context.assets_def.partitions_def is None or not (context.has_partition_key or context.has_partition_key_range):
        return []
    return list(context.partition_keys)
