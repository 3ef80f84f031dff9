"""
Declarations of every table: keys, columns, docs and API sources.

``TABLES`` holds them by name, parents before what hangs under them. Rows are fetched in ``streams`` and kept in
``warehouse``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.boards import (
    AREAS,
    ITERATIONS,
    WORK_ITEM_FIELDS,
    WORK_ITEM_TYPE_CATEGORIES,
    WORK_ITEM_TYPE_STATES,
    WORK_ITEM_TYPES,
)
from ado_assets.tables.boards_work_items import (
    WORK_ITEM_RELATIONS,
    WORK_ITEM_REVISIONS,
    WORK_ITEM_UPDATES,
    WORK_ITEMS,
)
from ado_assets.tables.commits import COMMITS, PULL_REQUEST_COMMITS
from ado_assets.tables.core import PROJECTS, TEAM_MEMBERS, TEAMS, USERS
from ado_assets.tables.model import (
    BOOKKEEPING,
    NAVIGATION,
    Column,
    ColumnType,
    Connector,
    Parent,
    Table,
    by_name,
    identity,
    project_stub,
)
from ado_assets.tables.pipelines import BUILD_TIMELINE_RECORDS, BUILDS
from ado_assets.tables.pipelines_releases import RELEASE_DEPLOYMENTS, RELEASE_ENVIRONMENTS, RELEASES
from ado_assets.tables.repos import REPOSITORIES
from ado_assets.tables.repos_pull_request_children import (
    PULL_REQUEST_COMMENTS,
    PULL_REQUEST_ITERATION_CHANGES,
    PULL_REQUEST_ITERATIONS,
    PULL_REQUEST_THREADS,
    PULL_REQUEST_WORK_ITEMS,
)
from ado_assets.tables.repos_pull_requests import PULL_REQUEST_LABELS, PULL_REQUEST_REVIEWERS, PULL_REQUESTS

#: Every table by its name, parents first.
TABLES: Final[dict[str, Table]] = by_name(
    (
        PROJECTS,
        USERS,
        TEAMS,
        TEAM_MEMBERS,
        ITERATIONS,
        AREAS,
        WORK_ITEM_TYPE_CATEGORIES,
        WORK_ITEM_TYPES,
        WORK_ITEM_TYPE_STATES,
        WORK_ITEM_FIELDS,
        WORK_ITEMS,
        WORK_ITEM_RELATIONS,
        WORK_ITEM_UPDATES,
        WORK_ITEM_REVISIONS,
        BUILDS,
        BUILD_TIMELINE_RECORDS,
        RELEASES,
        RELEASE_ENVIRONMENTS,
        RELEASE_DEPLOYMENTS,
        REPOSITORIES,
        PULL_REQUESTS,
        PULL_REQUEST_REVIEWERS,
        PULL_REQUEST_LABELS,
        PULL_REQUEST_ITERATIONS,
        PULL_REQUEST_ITERATION_CHANGES,
        PULL_REQUEST_THREADS,
        PULL_REQUEST_COMMENTS,
        PULL_REQUEST_WORK_ITEMS,
        PULL_REQUEST_COMMITS,
        COMMITS,
    )
)

__all__ = [
    "AREAS",
    "BOOKKEEPING",
    "BUILDS",
    "BUILD_TIMELINE_RECORDS",
    "COMMITS",
    "ITERATIONS",
    "NAVIGATION",
    "PROJECTS",
    "PULL_REQUESTS",
    "PULL_REQUEST_COMMENTS",
    "PULL_REQUEST_COMMITS",
    "PULL_REQUEST_ITERATIONS",
    "PULL_REQUEST_ITERATION_CHANGES",
    "PULL_REQUEST_LABELS",
    "PULL_REQUEST_REVIEWERS",
    "PULL_REQUEST_THREADS",
    "PULL_REQUEST_WORK_ITEMS",
    "RELEASES",
    "RELEASE_DEPLOYMENTS",
    "RELEASE_ENVIRONMENTS",
    "REPOSITORIES",
    "TABLES",
    "TEAMS",
    "TEAM_MEMBERS",
    "USERS",
    "WORK_ITEMS",
    "WORK_ITEM_FIELDS",
    "WORK_ITEM_RELATIONS",
    "WORK_ITEM_REVISIONS",
    "WORK_ITEM_TYPES",
    "WORK_ITEM_TYPE_CATEGORIES",
    "WORK_ITEM_TYPE_STATES",
    "WORK_ITEM_UPDATES",
    "Column",
    "ColumnType",
    "Connector",
    "Parent",
    "Table",
    "by_name",
    "identity",
    "project_stub",
]
