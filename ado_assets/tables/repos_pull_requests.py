"""
Pull requests, and what comes inside their record: reviewers and labels.

What is read per pull request (iterations, threads, work items) is in ``repos_pull_request_children``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, identity, project_stub

_PULL_REQUEST: Final = Parent("pull_requests", {"repository_id": "repository_id", "pull_request_id": "pull_request_id"})
_REPOSITORY_STUB: Final = (
    "name",
    "size",
    "defaultBranch",
    "remoteUrl",
    "sshUrl",
    "webUrl",
    "isDisabled",
    "isInMaintenance",
    "isFork",
)
# The list gives a commit's id, the read of one pull request gives more: rows must not differ by how they were read.
_COMMIT_STUB: Final = ("author", "committer", "comment", "commentTruncated", "parents", "changeCounts", "remoteUrl")
_OWNER_COLUMNS: Final = (
    Column("project_id", "VARCHAR", "^repository/project/id", "GUID of the project it belongs to."),
    Column("repository_id", "VARCHAR", "^repository/id", "GUID of the repository with the target branch."),
    Column("pull_request_id", "BIGINT", "^pullRequestId", "Number of the pull request."),
)

PULL_REQUESTS: Final = Table(
    name="pull_requests",
    about="One row is a pull request as it is now: active, completed or abandoned.",
    connector="repos",
    source="git/7.1: GET {project}/_apis/git/pullrequests; GET _apis/git/pullrequests/{id}",
    key=("repository_id", "pull_request_id"),
    parent=Parent("repositories", {"repository_id": "id"}),
    ignored=(
        *NAVIGATION,
        *(f"repository/{name}" for name in _REPOSITORY_STUB),
        *project_stub("repository/project"),
        *(f"forkSource/repository/{name}" for name in _REPOSITORY_STUB if name != "name"),
        *project_stub("forkSource/repository/project"),
        *(f"lastMergeCommit/{name}" for name in _COMMIT_STUB),
        *(f"lastMergeSourceCommit/{name}" for name in _COMMIT_STUB),
        *(f"lastMergeTargetCommit/{name}" for name in _COMMIT_STUB),
        # Only in a read of one pull request that asks for them; they have tables of their own.
        "commits",
        "workItemRefs",
        "remoteUrl",
        # Made of the three ids. Only a read of one pull request sends it, so that a row would change with its source.
        "artifactId",
    ),
    columns=(
        Column("project_id", "VARCHAR", "repository/project/id", "GUID of the project it belongs to.", required=True),
        Column("repository_id", "VARCHAR", "repository/id", "GUID of the repository with the target branch."),
        Column("pull_request_id", "BIGINT", "pullRequestId", "Number of the pull request."),
        Column("code_review_id", "BIGINT", "codeReviewId", "Number of its code review; internal."),
        Column("status", "VARCHAR", "status", "active, completed or abandoned."),
        Column("is_draft", "BOOLEAN", "isDraft", "True while it is a draft."),
        Column("title", "VARCHAR", "title", "Title."),
        Column("description", "VARCHAR", "description", "Description in Markdown, in full."),
        Column("creation_date", "TIMESTAMPTZ", "creationDate", "When it was created (UTC)."),
        *identity("created_by", "createdBy", "Who created it"),
        Column(
            "closed_date", "TIMESTAMPTZ", "closedDate", "When it was completed or abandoned (UTC); null while active."
        ),
        *identity("closed_by", "closedBy", "Who completed or abandoned it"),
        Column(
            "source_ref_name", "VARCHAR", "sourceRefName", "Full ref of the source branch; in the fork, if it is one."
        ),
        Column("target_ref_name", "VARCHAR", "targetRefName", "Full ref of the target branch."),
        Column(
            "merge_status",
            "VARCHAR",
            "mergeStatus",
            "How the last trial merge went: queued, succeeded, conflicts, rejectedByPolicy, failure or notSet.",
        ),
        Column("merge_failure_type", "VARCHAR", "mergeFailureType", "Why the merge failed: caseSensitive and others."),
        Column("merge_failure_message", "VARCHAR", "mergeFailureMessage", "Message of the failed merge."),
        Column("merge_id", "VARCHAR", "mergeId", "GUID of the job of the last trial merge."),
        Column(
            "last_merge_source_commit_id",
            "VARCHAR",
            "lastMergeSourceCommit/commitId",
            "Head of the source branch at the last trial merge.",
        ),
        Column(
            "last_merge_target_commit_id",
            "VARCHAR",
            "lastMergeTargetCommit/commitId",
            "Head of the target branch at the last trial merge.",
        ),
        Column(
            "last_merge_commit_id",
            "VARCHAR",
            "lastMergeCommit/commitId",
            "Commit of the last merge; null while it runs or when it failed.",
        ),
        *identity("auto_complete_set_by", "autoCompleteSetBy", "Who set it to complete by itself"),
        Column("completion_queue_time", "TIMESTAMPTZ", "completionQueueTime", "When it last entered completion (UTC)."),
        Column(
            "completion_options_merge_strategy",
            "VARCHAR",
            "completionOptions/mergeStrategy",
            "How it is merged: noFastForward, squash, rebase or rebaseMerge.",
        ),
        Column(
            "completion_options_squash_merge",
            "BOOLEAN",
            "completionOptions/squashMerge",
            "Older form of the squash strategy.",
        ),
        Column(
            "completion_options_delete_source_branch",
            "BOOLEAN",
            "completionOptions/deleteSourceBranch",
            "True when completion deletes the source branch.",
        ),
        Column(
            "completion_options_transition_work_items",
            "BOOLEAN",
            "completionOptions/transitionWorkItems",
            "True when completion moves linked work items on.",
        ),
        Column(
            "completion_options_merge_commit_message",
            "VARCHAR",
            "completionOptions/mergeCommitMessage",
            "Message of the merge commit.",
        ),
        Column(
            "completion_options_bypass_policy",
            "BOOLEAN",
            "completionOptions/bypassPolicy",
            "True when completion overrides the policies.",
        ),
        Column(
            "completion_options_bypass_reason",
            "VARCHAR",
            "completionOptions/bypassReason",
            "Why the policies are overridden.",
        ),
        Column(
            "completion_options_triggered_by_auto_complete",
            "BOOLEAN",
            "completionOptions/triggeredByAutoComplete",
            "True when it was completed by itself.",
        ),
        Column(
            "completion_options_auto_complete_ignore_config_ids",
            "JSON",
            "completionOptions/autoCompleteIgnoreConfigIds",
            "Optional policies it does not wait for: array of numbers.",
        ),
        Column(
            "merge_options_conflict_authorship_commits",
            "BOOLEAN",
            "mergeOptions/conflictAuthorshipCommits",
            "True when conflict resolutions become commits of their own.",
        ),
        Column(
            "merge_options_detect_rename_false_positives",
            "BOOLEAN",
            "mergeOptions/detectRenameFalsePositives",
            "True when the merge looks for falsely detected renames.",
        ),
        Column(
            "merge_options_disable_renames",
            "BOOLEAN",
            "mergeOptions/disableRenames",
            "True when the merge does not look for renames.",
        ),
        Column("fork_source_name", "VARCHAR", "forkSource/name", "Full ref of the source branch in the fork."),
        Column("fork_source_object_id", "VARCHAR", "forkSource/objectId", "Commit of the source branch in the fork."),
        Column("fork_source_repository_id", "VARCHAR", "forkSource/repository/id", "GUID of the fork; null when gone."),
        Column("fork_source_repository_name", "VARCHAR", "forkSource/repository/name", "Name of the fork."),
        Column(
            "fork_source_repository_project_id",
            "VARCHAR",
            "forkSource/repository/project/id",
            "GUID of the fork's project.",
        ),
        Column("supports_iterations", "BOOLEAN", "supportsIterations", "False for very old ones without iterations."),
        Column(
            "has_multiple_merge_bases",
            "BOOLEAN",
            "hasMultipleMergeBases",
            "True when the branches share several bases.",
        ),
    ),
)

PULL_REQUEST_REVIEWERS: Final = Table(
    name="pull_request_reviewers",
    about="One row is a reviewer (person or group) of a pull request and the vote that stands now.",
    connector="repos",
    source="git/7.1: GET {project}/_apis/git/pullrequests (reviewers)",
    key=("repository_id", "pull_request_id", "id"),
    feed="pull_requests",
    array="reviewers",
    parent=_PULL_REQUEST,
    ignored=(*NAVIGATION, "reviewerUrl"),
    columns=(
        *_OWNER_COLUMNS,
        Column("id", "VARCHAR", "id", "Storage key (GUID) of the reviewer's identity."),
        Column("display_name", "VARCHAR", "displayName", "Reviewer's name as shown."),
        Column("unique_name", "VARCHAR", "uniqueName", "Reviewer's mail, account name or group name."),
        Column("descriptor", "VARCHAR", "descriptor", "Reviewer's descriptor; joins to users."),
        Column(
            "vote",
            "BIGINT",
            "vote",
            "10 approved, 5 approved with suggestions, 0 no vote, -5 waiting for the author, -10 rejected.",
        ),
        Column("is_required", "BOOLEAN", "isRequired", "True when the vote is required; null means no."),
        Column("has_declined", "BOOLEAN", "hasDeclined", "True when the reviewer declined to review."),
        Column("is_flagged", "BOOLEAN", "isFlagged", "True when the reviewer is flagged for attention."),
        Column("is_reapprove", "BOOLEAN", "isReapprove", "True when the approval was given once more unchanged."),
        Column("is_container", "BOOLEAN", "isContainer", "True when the reviewer is a group."),
        Column("inactive", "BOOLEAN", "inactive", "True when the identity is not active any more."),
        Column("voted_for", "JSON", "votedFor", "Groups the vote counts for: array of reviewers."),
    ),
)

PULL_REQUEST_LABELS: Final = Table(
    name="pull_request_labels",
    about="One row is a label (tag) on a pull request.",
    connector="repos",
    source="git/7.1: GET {project}/_apis/git/pullrequests (labels)",
    key=("repository_id", "pull_request_id", "id"),
    feed="pull_requests",
    array="labels",
    parent=_PULL_REQUEST,
    ignored=NAVIGATION,
    columns=(
        *_OWNER_COLUMNS,
        Column("id", "VARCHAR", "id", "GUID of the label."),
        Column("name", "VARCHAR", "name", "Text of the label."),
        Column("active", "BOOLEAN", "active", "True while the label is in use."),
    ),
)
