"""Commits: those of the default branch, and those of each pull request."""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, identity

_COMMIT_COLUMNS: Final = (
    Column("commit_id", "VARCHAR", "commitId", "SHA-1 of the commit; the same commit can be in many repositories."),
    Column("author_name", "VARCHAR", "author/name", "Author's name as Git recorded it: free text, not an identity."),
    Column("author_email", "VARCHAR", "author/email", "Author's mail as Git recorded it: free text."),
    Column("author_date", "TIMESTAMPTZ", "author/date", "When it was written, by the author's clock (UTC)."),
    Column("committer_name", "VARCHAR", "committer/name", "Committer's name as Git recorded it: free text."),
    Column("committer_email", "VARCHAR", "committer/email", "Committer's mail as Git recorded it: free text."),
    Column("committer_date", "TIMESTAMPTZ", "committer/date", "When it was committed, by the committer's clock (UTC)."),
    Column("comment", "VARCHAR", "comment", "Message; only its beginning when comment_truncated is true."),
    Column("comment_truncated", "BOOLEAN", "commentTruncated", "True when the API cut the message."),
    Column("change_counts_add", "BIGINT", "changeCounts/Add", "Number of files added."),
    Column("change_counts_edit", "BIGINT", "changeCounts/Edit", "Number of files edited."),
    Column("change_counts_delete", "BIGINT", "changeCounts/Delete", "Number of files deleted."),
    Column("commit_too_many_changes", "BOOLEAN", "commitTooManyChanges", "True when it has too many changes to show."),
    Column("parents", "JSON", "parents", "SHA-1 of its parents: array of text; null where the API leaves them out."),
    Column("tree_id", "VARCHAR", "treeId", "SHA-1 of its tree; null where the API leaves it out."),
    Column("push_id", "BIGINT", "push/pushId", "Number of the push that brought it."),
    Column("push_date", "TIMESTAMPTZ", "push/date", "When that push was made, by the server's clock (UTC)."),
    *identity("push_pushed_by", "push/pushedBy", "Who made that push"),
    Column("changes", "JSON", "changes", "Files it changes, where the API was asked for them: array."),
    Column("statuses", "JSON", "statuses", "Statuses other services gave it: array of {state, context, …}."),
    Column("work_items", "JSON", "workItems", "Work items linked to it: array of {id, url}."),
)
_IGNORED: Final = (*NAVIGATION, "remoteUrl")

PULL_REQUEST_COMMITS: Final = Table(
    name="pull_request_commits",
    about="One row is a commit of a pull request's source branch as it is now; a force push replaces them.",
    connector="pull_commits",
    source="git/7.1: GET _apis/git/repositories/{repository}/pullRequests/{id}/commits",
    key=("repository_id", "pull_request_id", "commit_id"),
    parent=Parent("pull_requests", {"repository_id": "repository_id", "pull_request_id": "pull_request_id"}),
    ignored=_IGNORED,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to.", required=True),
        Column("repository_id", "VARCHAR", "@repository_id", "GUID of the repository with the target branch."),
        Column("pull_request_id", "BIGINT", "@pull_request_id", "Number of the pull request."),
        *_COMMIT_COLUMNS,
    ),
)

COMMITS: Final = Table(
    name="commits",
    about="One row is a commit that can be reached from the repository's default branch now.",
    connector="commits",
    source="git/7.1: GET _apis/git/repositories/{repository}/commits; GET …/refs; GET …/pushes",
    key=("repository_id", "commit_id"),
    parent=Parent("repositories", {"repository_id": "id"}),
    ignored=_IGNORED,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to.", required=True),
        Column("repository_id", "VARCHAR", "@repository_id", "GUID of the repository."),
        *_COMMIT_COLUMNS,
    ),
)
