"""
How each table's rows are read from the API, and what "changed" means for it.

``FEEDS`` holds every feed by the name of its main table, in an order in which each stands on those before it.
"""

from __future__ import annotations

from typing import Final

from ado_assets.streams.boards import WORK_ITEM_FIELDS_FEED, WORK_ITEM_TYPE_CATEGORIES_FEED, WORK_ITEM_TYPES_FEED
from ado_assets.streams.build_timelines import BUILD_TIMELINE_RECORDS_FEED
from ado_assets.streams.builds import BUILDS_FEED
from ado_assets.streams.classification_nodes import AREAS_FEED, ITERATIONS_FEED
from ado_assets.streams.commits import COMMITS_FEED
from ado_assets.streams.core import PROJECTS_FEED, TEAM_MEMBERS_FEED, TEAMS_FEED, USERS_FEED
from ado_assets.streams.model import Feed
from ado_assets.streams.pull_request_commits import PULL_REQUEST_COMMITS_FEED
from ado_assets.streams.pull_request_iteration_changes import PULL_REQUEST_ITERATION_CHANGES_FEED
from ado_assets.streams.pull_request_iterations import PULL_REQUEST_ITERATIONS_FEED
from ado_assets.streams.pull_request_threads import PULL_REQUEST_THREADS_FEED
from ado_assets.streams.pull_request_work_items import PULL_REQUEST_WORK_ITEMS_FEED
from ado_assets.streams.pull_requests import PULL_REQUESTS_FEED
from ado_assets.streams.release_deployments import RELEASE_DEPLOYMENTS_FEED
from ado_assets.streams.releases import RELEASES_FEED
from ado_assets.streams.repositories import REPOSITORIES_FEED
from ado_assets.streams.work_item_revisions import WORK_ITEM_REVISIONS_FEED
from ado_assets.streams.work_item_updates import WORK_ITEM_UPDATES_FEED
from ado_assets.streams.work_items import WORK_ITEMS_FEED

FEEDS: Final[dict[str, Feed]] = {
    feed.name: feed
    for feed in (
        USERS_FEED,
        PROJECTS_FEED,
        TEAMS_FEED,
        TEAM_MEMBERS_FEED,
        ITERATIONS_FEED,
        AREAS_FEED,
        WORK_ITEM_TYPE_CATEGORIES_FEED,
        WORK_ITEM_TYPES_FEED,
        WORK_ITEM_FIELDS_FEED,
        WORK_ITEMS_FEED,
        WORK_ITEM_UPDATES_FEED,
        WORK_ITEM_REVISIONS_FEED,
        BUILDS_FEED,
        BUILD_TIMELINE_RECORDS_FEED,
        RELEASES_FEED,
        RELEASE_DEPLOYMENTS_FEED,
        REPOSITORIES_FEED,
        PULL_REQUESTS_FEED,
        PULL_REQUEST_ITERATIONS_FEED,
        PULL_REQUEST_ITERATION_CHANGES_FEED,
        PULL_REQUEST_THREADS_FEED,
        PULL_REQUEST_WORK_ITEMS_FEED,
        PULL_REQUEST_COMMITS_FEED,
        COMMITS_FEED,
    )
}

__all__ = ["FEEDS"]
