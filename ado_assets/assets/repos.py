"""Assets of Azure Repos: repositories and pull requests with everything people did on them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ado_assets.assets.feed import SyncConfig, feed_asset, materialize_feed


@feed_asset("repositories")
def repositories(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot per project, disabled and hidden ones included."""
    yield from materialize_feed(context, "repositories", config)


@feed_asset("pull_requests")
def pull_requests(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """All active, closed since the last read, and held active ones that appear in neither."""
    yield from materialize_feed(context, "pull_requests", config)


@feed_asset("pull_request_iterations")
def pull_request_iterations(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Pushes to pull requests that may have changed."""
    yield from materialize_feed(context, "pull_request_iterations", config)


@feed_asset("pull_request_iteration_changes")
def pull_request_iteration_changes(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Files of every new iteration, all pages."""
    yield from materialize_feed(context, "pull_request_iteration_changes", config)


@feed_asset("pull_request_threads")
def pull_request_threads(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Threads and comments: of active pull requests always, of closed ones on a thinning schedule."""
    yield from materialize_feed(context, "pull_request_threads", config)


@feed_asset("pull_request_work_items")
def pull_request_work_items(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Work items linked to pull requests."""
    yield from materialize_feed(context, "pull_request_work_items", config)
