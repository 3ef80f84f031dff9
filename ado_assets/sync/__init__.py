"""Join the two sides: plan what is due, read it, land it, load it. Knows no Dagster."""

from ado_assets.streams import FEEDS
from ado_assets.streams.census import COMPARABLE
from ado_assets.streams.model import Feed, Options
from ado_assets.sync.engine import sync_feed
from ado_assets.sync.reconcile import Difference, Reconciliation, Unread, reconcile_feed
from ado_assets.sync.report import FeedReport, SyncFailed, TableReport
from ado_assets.sync.selection import NothingToRead, Selection, UnknownProject, select_projects
from ado_assets.sync.status import TableStatus, table_statuses

__all__ = [
    "COMPARABLE",
    "FEEDS",
    "Difference",
    "Feed",
    "FeedReport",
    "NothingToRead",
    "Options",
    "Reconciliation",
    "Selection",
    "SyncFailed",
    "TableReport",
    "TableStatus",
    "UnknownProject",
    "Unread",
    "reconcile_feed",
    "select_projects",
    "sync_feed",
    "table_statuses",
]
