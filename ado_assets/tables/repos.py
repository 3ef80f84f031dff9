"""
Tables of Azure Repos: repositories.

Pull requests are in ``repos_pull_requests``, what happens on them in ``repos_pull_request_children``; the commits of a
pull request and of the default branch are in ``commits``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, project_stub

REPOSITORIES: Final = Table(
    name="repositories",
    about="One row is a Git repository of a project, disabled and hidden ones included.",
    connector="repos",
    source="git/7.1: GET {project}/_apis/git/repositories?includeHidden=true",
    key=("id",),
    parent=Parent("projects", {"project_id": "id"}),
    ignored=(
        *NAVIGATION,
        *project_stub("project"),
        *project_stub("parentRepository/project"),
        "parentRepository/collection/avatarUrl",
    ),
    columns=(
        Column("project_id", "VARCHAR", "project/id", "GUID of the project it belongs to.", required=True),
        Column("id", "VARCHAR", "id", "GUID of the repository; stays when it is renamed or moved."),
        Column("name", "VARCHAR", "name", "Name of the repository; unique in the project, may change."),
        Column("default_branch", "VARCHAR", "defaultBranch", "Full ref of the default branch; null while it is empty."),
        Column("size", "BIGINT", "size", "Compressed size in bytes."),
        Column(
            "is_disabled", "BOOLEAN", "isDisabled", "True while it is disabled: listed, but nothing in it can be read."
        ),
        Column("is_in_maintenance", "BOOLEAN", "isInMaintenance", "True while the service maintains it."),
        Column("is_fork", "BOOLEAN", "isFork", "True when it was made as a fork."),
        Column("parent_repository_id", "VARCHAR", "parentRepository/id", "Repository it was forked from."),
        Column("parent_repository_name", "VARCHAR", "parentRepository/name", "Name of what it was forked from."),
        Column(
            "parent_repository_project_id",
            "VARCHAR",
            "parentRepository/project/id",
            "Project of what it was forked from.",
        ),
        Column(
            "parent_repository_collection_id",
            "VARCHAR",
            "parentRepository/collection/id",
            "Organization (collection) of what it was forked from.",
        ),
        Column(
            "parent_repository_collection_name",
            "VARCHAR",
            "parentRepository/collection/name",
            "Name of the organization of what it was forked from.",
        ),
        Column("remote_url", "VARCHAR", "remoteUrl", "Address to clone from over HTTPS."),
        Column("ssh_url", "VARCHAR", "sshUrl", "Address to clone from over SSH."),
        Column("web_url", "VARCHAR", "webUrl", "Address of its page."),
        Column("valid_remote_urls", "JSON", "validRemoteUrls", "Other addresses it answers to: array of text."),
    ),
)
