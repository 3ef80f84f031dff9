"""The lineage: which tables each feed stands on."""

from collections.abc import Mapping
from typing import Final

from ado_assets.sync import FEEDS
from ado_assets.tables import TABLES

#: Tables a feed stands on besides those its declarations name: what is read first so that it can be understood.
ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "work_items": ("work_item_types", "work_item_fields", "iterations", "areas"),
    "pull_requests": ("repositories",),
    "release_deployments": ("releases",),
}


def upstream_tables(feed: str) -> tuple[str, ...]:
    """Names of the tables the feed stands on, sorted: parents, due rows' tables, and what ``ALSO`` names."""
    own = {table.name for table in FEEDS[feed].tables}
    found = {table.parent.table for table in FEEDS[feed].tables if table.parent} | set(ALSO.get(feed, ()))
    if due := FEEDS[feed].due:
        found.add(due.parent)
    return tuple(sorted(found - own))


def upstream_feeds(feed: str) -> tuple[str, ...]:
    """Names of the feeds that bring those tables, sorted."""
    return tuple(sorted({TABLES[name].feed_name for name in upstream_tables(feed)} - {feed}))
