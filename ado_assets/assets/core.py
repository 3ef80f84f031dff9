"""Assets of the organization itself: users, projects, teams and their members."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ado_assets.assets.feed import SyncConfig, feed_asset, materialize_feed


@feed_asset("users")
def users(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot of users and service principals; who left is flagged."""
    yield from materialize_feed(context, "users", config)


@feed_asset("teams")
def teams(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot per project."""
    yield from materialize_feed(context, "teams", config)


@feed_asset("team_members")
def team_members(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot per team."""
    yield from materialize_feed(context, "team_members", config)


@feed_asset("projects")
def projects(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Any]:
    """Snapshot of all projects; afterwards the partitions are those that can be read and are included."""
    yield from materialize_feed(context, "projects", config)
