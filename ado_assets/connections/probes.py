"""
Which questions show that a connector may read what it needs: declarations only.

Each probe is one call that the sync makes as well, the permission it stands for and the tables that depend on it. How
a probe is run and what its answer means is in ``check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from ado_assets.ado import Endpoint, Params
from ado_assets.streams.boards import LIST_WORK_ITEM_TYPES
from ado_assets.streams.builds import LIST_BUILDS
from ado_assets.streams.commits import COMMITS_OF_VERSION
from ado_assets.streams.core import LIST_PROJECTS, LIST_USERS
from ado_assets.streams.pull_request_commits import COMMITS_OF_PULL_REQUEST
from ado_assets.streams.release_lists import LIST_RELEASES
from ado_assets.streams.repositories import PROJECT_REPOSITORIES
from ado_assets.tables import TABLES

Place = Literal["organization", "project", "repository", "pull_request"]
"""What has to be found before a probe can ask: nothing, a project, a repository or a pull request."""


@dataclass(frozen=True)
class Probe:
    """
    One question to the API.

    Args:
        name: What is asked for, as people call it.
        endpoint: The call; its first page is enough.
        place: What the call is about.
        permissions: What to tick for it when the token is made; each with Read.
        tables: Tables that stay empty without it.
        params: Query of the call.
        may_be_empty: Whether an organization may well have none, so that an empty answer is a pass.
    """

    name: str
    endpoint: Endpoint
    place: Place
    permissions: tuple[str, ...]
    tables: tuple[str, ...]
    params: Params = field(default_factory=lambda: MappingProxyType({}))
    may_be_empty: bool = False


def _tables(connector: str, area: str = "") -> tuple[str, ...]:
    """The tables that *connector* reads, only those from one area of the API when it is named."""
    return tuple(t.name for t in TABLES.values() if t.connector == connector and t.source.startswith(area))


#: Asks nothing of a token but that it is accepted: tells a dead token from one without the scope for a resource.
CONNECTION: Final = Probe(
    "connection",
    Endpoint("_apis/connectionData", api_version="7.1-preview.1", records=None),
    "organization",
    permissions=(),
    tables=(),
)
PROJECTS: Final = Probe(
    "projects", LIST_PROJECTS, "organization", ("Project and Team",), _tables("core", "core/"), {"$top": 100}
)
USERS: Final = Probe("users", LIST_USERS, "organization", ("Graph", "Identity"), _tables("core", "graph/"))
WORK_ITEM_TYPES: Final = Probe(
    "work item types", LIST_WORK_ITEM_TYPES, "project", ("Work Items",), _tables("boards", "wit/")
)
BUILDS: Final = Probe(
    "builds", LIST_BUILDS, "project", ("Build",), _tables("pipelines", "build/"), {"$top": 1}, may_be_empty=True
)
RELEASES: Final = Probe(
    "releases",
    LIST_RELEASES,
    "project",
    ("Release", "Task Groups"),
    _tables("pipelines", "release/"),
    {"$top": 1},
    may_be_empty=True,
)
REPOSITORIES: Final = Probe("repositories", PROJECT_REPOSITORIES, "project", ("Code",), _tables("repos", "git/"))
PULL_REQUEST_COMMITS: Final = Probe(
    "pull request commits",
    COMMITS_OF_PULL_REQUEST,
    "pull_request",
    ("Code",),
    _tables("pull_commits"),
    {"$top": 1},
    may_be_empty=True,
)
COMMITS: Final = Probe(
    "commits",
    COMMITS_OF_VERSION,
    "repository",
    ("Code",),
    _tables("commits"),
    {"searchCriteria.$top": 1},
    may_be_empty=True,
)

#: What is asked with each token of a connector, in this order.
PROBES: Final[Mapping[str, tuple[Probe, ...]]] = {
    "boards": (CONNECTION, PROJECTS, USERS, WORK_ITEM_TYPES),
    "pipelines": (CONNECTION, PROJECTS, USERS, BUILDS, RELEASES),
    "repos": (CONNECTION, PROJECTS, USERS, REPOSITORIES),
    "pull_commits": (CONNECTION, PULL_REQUEST_COMMITS),
    "commits": (CONNECTION, COMMITS),
}

_EVERYWHERE: Final = ("Graph", "Identity", "Project and Team", "Release", "Task Groups")

#: What to tick for a token of each connector, all with Read.
PERMISSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "boards": ("Work Items", *_EVERYWHERE),
    "pipelines": ("Build", *_EVERYWHERE),
    "repos": ("Code", *_EVERYWHERE),
    "pull_commits": ("Code",),
    "commits": ("Code",),
}
