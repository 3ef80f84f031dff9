"""Assets of Azure Boards: the process (nodes, types, fields) and the work items with their history."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ado_assets.assets.feed import SyncConfig, feed_asset, materialize_feed


@feed_asset("iterations")
def iterations(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot of each project's iteration tree."""
    yield from materialize_feed(context, "iterations", config)


@feed_asset("areas")
def areas(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot of each project's area tree."""
    yield from materialize_feed(context, "areas", config)


@feed_asset("work_item_type_categories")
def work_item_type_categories(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot per project."""
    yield from materialize_feed(context, "work_item_type_categories", config)


@feed_asset("work_item_types")
def work_item_types(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot per project; the types' answer holds their states too."""
    yield from materialize_feed(context, "work_item_types", config)


@feed_asset("work_item_fields")
def work_item_fields(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot per project."""
    yield from materialize_feed(context, "work_item_fields", config)


@feed_asset("work_items")
def work_items(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Current rows and their relations: what the reporting feeds say changed, fetched in batches."""
    yield from materialize_feed(context, "work_items", config)


@feed_asset("work_item_updates")
def work_item_updates(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """History per work item: only updates that are not held yet are asked for."""
    yield from materialize_feed(context, "work_item_updates", config)


@feed_asset("work_item_revisions")
def work_item_revisions(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Full history of field values, from the organization's reporting feed."""
    yield from materialize_feed(context, "work_item_revisions", config)
