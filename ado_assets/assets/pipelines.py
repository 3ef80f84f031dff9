"""Assets of Azure Pipelines: builds with their timelines, classic releases and deployments."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ado_assets.assets.feed import SyncConfig, feed_asset, materialize_feed


@feed_asset("builds")
def builds(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Finished builds by finish time, and every unfinished one again until it finishes."""
    yield from materialize_feed(context, "builds", config)


@feed_asset("build_timeline_records")
def build_timeline_records(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Stages, jobs and tasks of builds that finished, were retried or still run."""
    yield from materialize_feed(context, "build_timeline_records", config)


@feed_asset("releases")
def releases(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Releases and their environments: created, deployed to or not final since the last read."""
    yield from materialize_feed(context, "releases", config)


@feed_asset("release_deployments")
def release_deployments(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Deployments modified since the last read."""
    yield from materialize_feed(context, "release_deployments", config)
