"""What is read for each pull request: iterations and their changes, threads and their comments, linked work items."""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, identity

_PULL_REQUEST: Final = Parent("pull_requests", {"repository_id": "repository_id", "pull_request_id": "pull_request_id"})
_OWNER_COLUMNS: Final = (
    Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to.", required=True),
    Column("repository_id", "VARCHAR", "@repository_id", "GUID of the repository with the target branch."),
    Column("pull_request_id", "BIGINT", "@pull_request_id", "Number of the pull request."),
)


def _positions(prefix: str, path: str, of: str) -> tuple[Column, ...]:
    """Line and offset of the first and last character a thread spans, on both sides of the diff."""
    return tuple(
        Column(
            f"{prefix}_{side}_file_{end}_{part}",
            "BIGINT",
            f"{path}{side}File{end.title()}/{part}",
            f"{of} {end}s: {part} in the {side} file, from {first}.",
        )
        for side in ("left", "right")
        for end in ("start", "end")
        for part, first in (("line", 1), ("offset", 0))
    )


PULL_REQUEST_ITERATIONS: Final = Table(
    name="pull_request_iterations",
    about="One row is an iteration of a pull request: its state after one push, numbered from 1.",
    connector="repos",
    source="git/7.1: GET _apis/git/repositories/{repository}/pullRequests/{id}/iterations",
    key=("repository_id", "pull_request_id", "id"),
    parent=_PULL_REQUEST,
    # Commits and changes have tables of their own.
    ignored=(*NAVIGATION, "commits", "changeList"),
    columns=(
        *_OWNER_COLUMNS,
        Column("id", "BIGINT", "id", "Number of the iteration, from 1."),
        Column(
            "reason",
            "VARCHAR",
            "reason",
            "What made it: create, push, forcePush, rebase, retarget, resolveConflicts or unknown.",
        ),
        Column("description", "VARCHAR", "description", "Description, mostly the message of the newest commit."),
        *identity("author", "author", "Who pushed it"),
        Column("created_date", "TIMESTAMPTZ", "createdDate", "When it was created (UTC)."),
        Column("updated_date", "TIMESTAMPTZ", "updatedDate", "When it was last updated (UTC)."),
        Column("source_ref_commit_id", "VARCHAR", "sourceRefCommit/commitId", "Head of the source branch."),
        Column("target_ref_commit_id", "VARCHAR", "targetRefCommit/commitId", "Head of the target branch."),
        Column("common_ref_commit_id", "VARCHAR", "commonRefCommit/commitId", "Commit both branches come from."),
        Column("push_id", "BIGINT", "push/pushId", "Number of the push that made it."),
        Column("push_date", "TIMESTAMPTZ", "push/date", "When that push was made (UTC)."),
        *identity("push_pushed_by", "push/pushedBy", "Who made that push"),
        Column("has_more_commits", "BOOLEAN", "hasMoreCommits", "True when it has more commits than the API lists."),
        Column("old_target_ref_name", "VARCHAR", "oldTargetRefName", "Target branch before; retargeted ones only."),
        Column("new_target_ref_name", "VARCHAR", "newTargetRefName", "Target branch after; retargeted ones only."),
    ),
)

PULL_REQUEST_ITERATION_CHANGES: Final = Table(
    name="pull_request_iteration_changes",
    about="One row is a file that an iteration of a pull request changes against the common base.",
    connector="repos",
    source="git/7.1: GET _apis/git/repositories/{repository}/pullRequests/{id}/iterations/{iteration}/changes",
    key=("repository_id", "pull_request_id", "iteration_id", "change_tracking_id"),
    records="changeEntries",
    parent=Parent(
        "pull_request_iterations",
        {"repository_id": "repository_id", "pull_request_id": "pull_request_id", "iteration_id": "id"},
    ),
    ignored=NAVIGATION,
    columns=(
        *_OWNER_COLUMNS,
        Column("iteration_id", "BIGINT", "@iteration_id", "Number of the iteration."),
        Column("change_tracking_id", "BIGINT", "changeTrackingId", "Number of the file through all iterations."),
        Column("change_id", "BIGINT", "changeId", "Number of the change in the iteration."),
        Column("change_type", "VARCHAR", "changeType", "add, edit, delete, rename; several joined by `, `."),
        Column("item_path", "VARCHAR", "item/path", "Path of the file, from /; may be null for a deleted file."),
        Column("original_path", "VARCHAR", "originalPath", "Path before, for renamed and some deleted files."),
        Column("source_server_item", "VARCHAR", "sourceServerItem", "Path before, for renamed files; older form."),
        Column("item_object_id", "VARCHAR", "item/objectId", "Git object of the content after."),
        Column("item_original_object_id", "VARCHAR", "item/originalObjectId", "Git object of the content before."),
        Column("item_git_object_type", "VARCHAR", "item/gitObjectType", "blob, tree or others."),
        Column("item_commit_id", "VARCHAR", "item/commitId", "Commit the item was read at."),
        Column("item_is_folder", "BOOLEAN", "item/isFolder", "True for a folder."),
        Column("item_is_sym_link", "BOOLEAN", "item/isSymLink", "True for a symbolic link."),
    ),
)

PULL_REQUEST_THREADS: Final = Table(
    name="pull_request_threads",
    about=(
        "One row is a thread on a pull request: a discussion, or an event the system wrote down "
        "(vote, push, reviewers, merge), which thread_type tells."
    ),
    connector="repos",
    source="git/7.1: GET _apis/git/repositories/{repository}/pullRequests/{id}/threads",
    key=("repository_id", "pull_request_id", "id"),
    parent=_PULL_REQUEST,
    ignored=NAVIGATION,
    columns=(
        *_OWNER_COLUMNS,
        Column("id", "BIGINT", "id", "Number of the thread; not counted from 1."),
        Column("published_date", "TIMESTAMPTZ", "publishedDate", "When it was published (UTC)."),
        Column("last_updated_date", "TIMESTAMPTZ", "lastUpdatedDate", "When it last changed (UTC)."),
        Column(
            "status",
            "VARCHAR",
            "status",
            "active, pending, fixed, wontFix, closed, byDesign or unknown; null for the system's threads.",
        ),
        Column("is_deleted", "BOOLEAN", "isDeleted", "True when all its comments were deleted."),
        Column(
            "thread_type",
            "VARCHAR",
            "properties/CodeReviewThreadType/$value",
            "Event of a system thread: VoteUpdate, ReviewersUpdate, RefUpdate, MergeAttempt, …; null for discussions.",
        ),
        Column(
            "vote_result",
            "BIGINT",
            "properties/CodeReviewVoteResult/$value",
            "The vote of a VoteUpdate, from 10 (approved) to -10 (rejected).",
        ),
        Column("thread_context_file_path", "VARCHAR", "threadContext/filePath", "File it is about, from /; else null."),
        *_positions("thread_context", "threadContext/", "Where the thread"),
        Column(
            "pull_request_thread_context_change_tracking_id",
            "BIGINT",
            "pullRequestThreadContext/changeTrackingId",
            "File it is about, as in pull_request_iteration_changes.",
        ),
        Column(
            "pull_request_thread_context_first_comparing_iteration",
            "BIGINT",
            "pullRequestThreadContext/iterationContext/firstComparingIteration",
            "Iteration on the left side of the diff it was written on.",
        ),
        Column(
            "pull_request_thread_context_second_comparing_iteration",
            "BIGINT",
            "pullRequestThreadContext/iterationContext/secondComparingIteration",
            "Iteration on the right side of the diff it was written on.",
        ),
        Column(
            "pull_request_thread_context_tracking_criteria",
            "JSON",
            "pullRequestThreadContext/trackingCriteria",
            "Where it stood before the service moved it to newer iterations.",
        ),
        Column("identities", "JSON", "identities", "People named in properties: index -> identity."),
        Column("properties", "JSON", "properties", "Details of the event: name -> {$type, $value}."),
    ),
)

PULL_REQUEST_COMMENTS: Final = Table(
    name="pull_request_comments",
    about="One row is a comment in a thread of a pull request, by a person or by the system.",
    connector="repos",
    source="git/7.1: GET _apis/git/repositories/{repository}/pullRequests/{id}/threads (comments)",
    key=("repository_id", "pull_request_id", "thread_id", "id"),
    feed="pull_request_threads",
    array="comments",
    parent=Parent(
        "pull_request_threads",
        {"repository_id": "repository_id", "pull_request_id": "pull_request_id", "thread_id": "id"},
    ),
    ignored=NAVIGATION,
    columns=(
        *_OWNER_COLUMNS,
        Column("thread_id", "BIGINT", "^id", "Number of the thread."),
        Column("id", "BIGINT", "id", "Number of the comment; starts at 1 in each thread."),
        Column("parent_comment_id", "BIGINT", "parentCommentId", "Comment it replies to; 0 for the first."),
        *identity("author", "author", "Who wrote it"),
        Column("content", "VARCHAR", "content", "Text in Markdown; null once deleted."),
        Column("comment_type", "VARCHAR", "commentType", "text by a person, system or codeChange by the service."),
        Column("is_deleted", "BOOLEAN", "isDeleted", "True when it was deleted."),
        Column("published_date", "TIMESTAMPTZ", "publishedDate", "When it was first published (UTC)."),
        Column("last_updated_date", "TIMESTAMPTZ", "lastUpdatedDate", "When anything of it last changed (UTC)."),
        Column(
            "last_content_updated_date", "TIMESTAMPTZ", "lastContentUpdatedDate", "When its text last changed (UTC)."
        ),
        Column("users_liked", "JSON", "usersLiked", "Who liked it: array of identities."),
    ),
)

PULL_REQUEST_WORK_ITEMS: Final = Table(
    name="pull_request_work_items",
    about="One row is a work item linked to a pull request.",
    connector="repos",
    source="git/7.1: GET _apis/git/repositories/{repository}/pullRequests/{id}/workitems",
    key=("repository_id", "pull_request_id", "work_item_id"),
    parent=_PULL_REQUEST,
    ignored=NAVIGATION,
    columns=(
        *_OWNER_COLUMNS,
        Column("work_item_id", "BIGINT", "id", "Number of the work item; the API sends it as text."),
    ),
)
