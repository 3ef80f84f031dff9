"""
Tables of Azure Pipelines: builds with their timelines.

Classic releases are declared in ``pipelines_releases``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, identity

BUILDS: Final = Table(
    name="builds",
    about="One row is a run of a build pipeline (YAML or classic), from queued to finished.",
    connector="pipelines",
    source="build/7.1: GET {project}/_apis/build/builds; GET {project}/_apis/build/builds/{id}",
    key=("project_id", "id"),
    parent=Parent("projects", {"project_id": "id"}),
    # What a definition is like now says nothing about a build it once made.
    ignored=(
        *NAVIGATION,
        "project",
        "definition/project",
        "definition/uri",
        "definition/queueStatus",
        "definition/drafts",
    ),
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to."),
        Column("id", "BIGINT", "id", "Number of the build."),
        Column("build_number", "VARCHAR", "buildNumber", "Name of the build as its pipeline formats it; not unique."),
        Column("build_number_revision", "BIGINT", "buildNumberRevision", "Counter inside the build number's format."),
        Column(
            "status",
            "VARCHAR",
            "status",
            "notStarted, postponed, inProgress, cancelling or completed.",
        ),
        Column(
            "result",
            "VARCHAR",
            "result",
            "succeeded, partiallySucceeded, failed or canceled; null until the build is completed.",
        ),
        Column("queue_time", "TIMESTAMPTZ", "queueTime", "When it was queued (UTC)."),
        Column("start_time", "TIMESTAMPTZ", "startTime", "When it started (UTC); null while it waits."),
        Column("finish_time", "TIMESTAMPTZ", "finishTime", "When it finished (UTC); null while it runs."),
        Column(
            "reason",
            "VARCHAR",
            "reason",
            "Why it ran: manual, individualCI, batchedCI, schedule, pullRequest, buildCompletion and others.",
        ),
        Column(
            "priority", "VARCHAR", "priority", "Priority in the queue: low, belowNormal, normal, aboveNormal, high."
        ),
        Column("definition_id", "BIGINT", "definition/id", "Number of the pipeline."),
        Column("definition_name", "VARCHAR", "definition/name", "Name of the pipeline when the build was last read."),
        Column("definition_path", "VARCHAR", "definition/path", "Folder of the pipeline when the build was last read."),
        Column("definition_revision", "BIGINT", "definition/revision", "Revision of the pipeline that ran."),
        Column("definition_type", "VARCHAR", "definition/type", "build, or xaml for the old kind."),
        Column(
            "definition_created_date",
            "TIMESTAMPTZ",
            "definition/createdDate",
            "When that revision of the pipeline was made (UTC).",
        ),
        Column(
            "source_branch", "VARCHAR", "sourceBranch", "Full ref that was built; refs/pull/{id}/merge for requests."
        ),
        Column("source_version", "VARCHAR", "sourceVersion", "Commit that was built."),
        Column(
            "repository_id",
            "VARCHAR",
            "repository/id",
            "Repository that was built: a GUID that joins to repositories when repository_type is TfsGit, "
            "else what its host calls it.",
        ),
        Column("repository_type", "VARCHAR", "repository/type", "Host of the repository: TfsGit, GitHub and others."),
        Column("repository_name", "VARCHAR", "repository/name", "Name of the repository."),
        Column("repository_url", "VARCHAR", "repository/url", "Address of the repository."),
        Column(
            "repository_default_branch", "VARCHAR", "repository/defaultBranch", "Default branch set in the pipeline."
        ),
        Column("repository_root_folder", "VARCHAR", "repository/rootFolder", "Folder the pipeline builds from."),
        Column("repository_clean", "VARCHAR", "repository/clean", "Whether the folder is cleaned first, as text."),
        Column(
            "repository_checkout_submodules",
            "BOOLEAN",
            "repository/checkoutSubmodules",
            "True when submodules are checked out.",
        ),
        Column("repository_properties", "JSON", "repository/properties", "Further settings of the repository."),
        *identity("requested_for", "requestedFor", "On whose behalf it ran"),
        *identity("requested_by", "requestedBy", "Who or what queued it"),
        Column("last_changed_date", "TIMESTAMPTZ", "lastChangedDate", "When the build record last changed (UTC)."),
        *identity("last_changed_by", "lastChangedBy", "Who or what changed it last"),
        Column("deleted", "BOOLEAN", "deleted", "True when the build was deleted and is still listed."),
        Column("deleted_date", "TIMESTAMPTZ", "deletedDate", "When it was deleted (UTC)."),
        Column("deleted_reason", "VARCHAR", "deletedReason", "How it was deleted, for example by retention."),
        *identity("deleted_by", "deletedBy", "Who or what deleted it"),
        Column("retained_by_release", "BOOLEAN", "retainedByRelease", "True while a release keeps it."),
        Column("tags", "JSON", "tags", "Tags: array of text."),
        Column(
            "trigger_info_pr_number",
            "BIGINT",
            "triggerInfo/pr.number",
            "Pull request that triggered it; of the repository's host.",
        ),
        Column(
            "trigger_info_pr_source_branch",
            "VARCHAR",
            "triggerInfo/pr.sourceBranch",
            "Source branch of the pull request that triggered it.",
        ),
        Column(
            "trigger_info_pr_source_sha",
            "VARCHAR",
            "triggerInfo/pr.sourceSha",
            "Source commit of the pull request that triggered it.",
        ),
        Column(
            "trigger_info_ci_source_branch", "VARCHAR", "triggerInfo/ci.sourceBranch", "Branch whose push triggered it."
        ),
        Column("trigger_info_ci_source_sha", "VARCHAR", "triggerInfo/ci.sourceSha", "Commit whose push triggered it."),
        Column("trigger_info", "JSON", "triggerInfo", "All that is known about the trigger: name -> text."),
        Column("triggered_by_build_id", "BIGINT", "triggeredByBuild/id", "Build whose completion triggered it."),
        Column(
            "triggered_by_build_project_id",
            "VARCHAR",
            "triggeredByBuild/project/id",
            "Project of the build whose completion triggered it.",
        ),
        Column("triggered_by_build", "JSON", "triggeredByBuild", "The build whose completion triggered it, as sent."),
        Column("parameters", "VARCHAR", "parameters", "Queue-time variables: an object as JSON text, as sent."),
        Column("template_parameters", "JSON", "templateParameters", "Parameters of the YAML template: name -> text."),
        Column("queue_id", "BIGINT", "queue/id", "Agent queue; classic pipelines."),
        Column("queue_name", "VARCHAR", "queue/name", "Name of the agent queue."),
        Column("queue_pool_id", "BIGINT", "queue/pool/id", "Agent pool behind the queue."),
        Column("queue_pool_name", "VARCHAR", "queue/pool/name", "Name of the agent pool."),
        Column("queue_pool_is_hosted", "BOOLEAN", "queue/pool/isHosted", "True when the service runs the pool."),
        Column("queue_position", "BIGINT", "queuePosition", "Place in the queue while it waits."),
        Column("queue_options", "VARCHAR", "queueOptions", "none, or doNotRun when it was only queued for checking."),
        Column(
            "agent_specification_identifier",
            "VARCHAR",
            "agentSpecification/identifier",
            "Image asked of a hosted pool, for example ubuntu-24.04.",
        ),
        Column("demands", "JSON", "demands", "What the agent must be able to do: array."),
        Column("controller", "JSON", "controller", "Build controller; the old xaml kind only."),
        Column("quality", "VARCHAR", "quality", "Quality a person gave it; the old xaml kind only."),
        Column("orchestration_plan_id", "VARCHAR", "orchestrationPlan/planId", "GUID of the plan that ran it."),
        Column(
            "orchestration_plan_type",
            "BIGINT",
            "orchestrationPlan/orchestrationType",
            "Number of the plan's kind.",
        ),
        Column("plans", "JSON", "plans", "Plans that ran for it, such as build and cleanup: array."),
        Column("logs_id", "BIGINT", "logs/id", "Number of the build's log container."),
        Column("logs_type", "VARCHAR", "logs/type", "Kind of the build's log container."),
        Column("properties", "JSON", "properties", "Properties attached to the build."),
        Column("validation_results", "JSON", "validationResults", "Errors in the request: array of {result, message}."),
        Column(
            "append_commit_message_to_run_name",
            "BOOLEAN",
            "appendCommitMessageToRunName",
            "True when the run's title shows the commit message.",
        ),
        Column("uri", "VARCHAR", "uri", "vstfs address of the build, as links of work items name it."),
    ),
)

BUILD_TIMELINE_RECORDS: Final = Table(
    name="build_timeline_records",
    about=(
        "One row is a stage, job, task or check of a build's timeline. Earlier attempts are rows of timelines of their "
        "own; the id of a record repeats in other builds and attempts."
    ),
    connector="pipelines",
    source="build/7.1: GET {project}/_apis/build/builds/{id}/timeline; GET …/timeline/{timelineId}",
    key=("project_id", "build_id", "timeline_id", "id"),
    records="records",
    parent=Parent("builds", {"project_id": "project_id", "build_id": "id"}),
    ignored=NAVIGATION,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to."),
        Column("build_id", "BIGINT", "@build_id", "Number of the build."),
        Column("timeline_id", "VARCHAR", "@timeline_id", "GUID of the timeline; earlier attempts have others."),
        Column("id", "VARCHAR", "id", "GUID of the record; unique only in its timeline."),
        Column("parent_id", "VARCHAR", "parentId", "Record it is part of; null at the top; may be missing here."),
        Column("type", "VARCHAR", "type", "Stage, Phase, Job, Task, Checkpoint and others."),
        Column("name", "VARCHAR", "name", "Name as shown."),
        Column("identifier", "VARCHAR", "identifier", "Name for programs; the same in every attempt."),
        Column("record_order", "BIGINT", "order", "Place among the records beside it; `order` in the API."),
        Column("attempt", "BIGINT", "attempt", "Number of the attempt, from 1."),
        Column("state", "VARCHAR", "state", "pending, inProgress or completed."),
        Column(
            "result",
            "VARCHAR",
            "result",
            "succeeded, succeededWithIssues, failed, canceled, skipped or abandoned; null until completed.",
        ),
        Column("result_code", "VARCHAR", "resultCode", "Details of the result, as text of the service."),
        Column("start_time", "TIMESTAMPTZ", "startTime", "When it started (UTC); null when it never did."),
        Column("finish_time", "TIMESTAMPTZ", "finishTime", "When it finished (UTC)."),
        Column("last_modified", "TIMESTAMPTZ", "lastModified", "When the record last changed (UTC); often null."),
        Column("current_operation", "VARCHAR", "currentOperation", "What it is doing now."),
        Column("percent_complete", "BIGINT", "percentComplete", "Progress in per cent."),
        Column("worker_name", "VARCHAR", "workerName", "Agent that ran it."),
        Column("queue_id", "BIGINT", "queueId", "Agent queue it ran on."),
        Column("error_count", "BIGINT", "errorCount", "Number of errors."),
        Column("warning_count", "BIGINT", "warningCount", "Number of warnings."),
        Column("issues", "JSON", "issues", "Errors and warnings: array of {type, category, message, data}."),
        Column("task_id", "VARCHAR", "task/id", "GUID of the task's definition; tasks only."),
        Column("task_name", "VARCHAR", "task/name", "Name of the task's definition."),
        Column("task_version", "VARCHAR", "task/version", "Version of the task's definition."),
        Column("log_id", "BIGINT", "log/id", "Number of its log in the build."),
        Column("log_type", "VARCHAR", "log/type", "Kind of its log."),
        Column("details_id", "VARCHAR", "details/id", "GUID of the timeline with its details."),
        Column("details_change_id", "BIGINT", "details/changeId", "Change number of the timeline with its details."),
        Column("change_id", "BIGINT", "changeId", "Number that rises with each change of the record."),
        Column(
            "previous_attempts",
            "JSON",
            "previousAttempts",
            "Earlier attempts: array of {attempt, timelineId, recordId}; they point to rows of this table.",
        ),
    ),
)
