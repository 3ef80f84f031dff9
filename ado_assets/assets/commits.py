"""Assets of commits: those of pull requests, and what is reachable from the default branch now."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ado_assets.assets.feed import SyncConfig, feed_asset, materialize_feed


@feed_asset("pull_request_commits")
def pull_request_commits(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Commits of pull requests that may have changed."""
    yield from materialize_feed(context, "pull_request_commits", config)


@feed_asset("commits")
def commits(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Driven by the branch head: a head that did not move costs no call for commits."""
    yield from materialize_feed(context, "commits", config)
