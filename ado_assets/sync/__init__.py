"""Join the two sides: plan what is due, read it, land it, load it. Knows no Dagster."""

from ado_assets.streams import FEEDS
from ado_assets.streams.model import Feed, Options
from ado_assets.sync.engine import sync_feed
from ado_assets.sync.report import FeedReport, SyncFailed, TableReport
from ado_assets.sync.selection import NothingToRead, Selection, UnknownProject, select_projects

__all__ = [
    "FEEDS",
    "Feed",
    "FeedReport",
    "NothingToRead",
    "Options",
    "Selection",
    "SyncFailed",
    "TableReport",
    "UnknownProject",
    "select_projects",
    "sync_feed",
]
