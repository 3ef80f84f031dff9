"""Tables of classic releases: releases, their environments (stages) and deployments."""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, identity

_RELEASE: Final = Parent("releases", {"project_id": "project_id", "release_id": "id"})
_PROJECT_ID: Final = Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to.")

RELEASES: Final = Table(
    name="releases",
    about="One row is a release of a classic release pipeline.",
    connector="pipelines",
    source="release/7.1: GET {project}/_apis/release/releases; GET {project}/_apis/release/releases/{id}",
    key=("project_id", "id"),
    parent=Parent("projects", {"project_id": "id"}),
    ignored=(*NAVIGATION, "projectReference", "releaseDefinition/projectReference"),
    columns=(
        _PROJECT_ID,
        Column("id", "BIGINT", "id", "Number of the release."),
        Column("name", "VARCHAR", "name", "Name of the release."),
        Column("status", "VARCHAR", "status", "draft, active or abandoned."),
        Column("reason", "VARCHAR", "reason", "Why it was made: manual, continuousIntegration, schedule, pullRequest."),
        Column("description", "VARCHAR", "description", "Description, if any."),
        Column("comment", "VARCHAR", "comment", "Comment on the last change of the release."),
        Column("created_on", "TIMESTAMPTZ", "createdOn", "When it was created (UTC)."),
        *identity("created_by", "createdBy", "Who created it"),
        *identity("created_for", "createdFor", "On whose behalf it was created"),
        Column("modified_on", "TIMESTAMPTZ", "modifiedOn", "When the release itself was last modified (UTC)."),
        *identity("modified_by", "modifiedBy", "Who modified it last"),
        Column("release_definition_id", "BIGINT", "releaseDefinition/id", "Number of the release pipeline."),
        Column("release_definition_name", "VARCHAR", "releaseDefinition/name", "Name of the release pipeline."),
        Column("release_definition_path", "VARCHAR", "releaseDefinition/path", "Folder of the release pipeline."),
        Column(
            "release_definition_revision",
            "BIGINT",
            "releaseDefinitionRevision",
            "Revision of the release pipeline it was made from.",
        ),
        Column(
            "definition_snapshot_revision",
            "BIGINT",
            "definitionSnapshotRevision",
            "Revision of the copy of the pipeline kept in the release.",
        ),
        Column("release_name_format", "VARCHAR", "releaseNameFormat", "Format its name was made with."),
        Column("keep_forever", "BOOLEAN", "keepForever", "True when retention leaves it alone."),
        Column("pool_name", "VARCHAR", "poolName", "Name of the agent pool."),
        Column("logs_container_url", "VARCHAR", "logsContainerUrl", "Address of its logs."),
        Column(
            "triggering_artifact_alias",
            "VARCHAR",
            "triggeringArtifactAlias",
            "Alias of the artifact whose new version triggered it.",
        ),
        Column(
            "artifacts",
            "JSON",
            "artifacts",
            "What it deploys: array of {alias, type, sourceId, isPrimary, definitionReference{version, branch, …}}.",
        ),
        Column("tags", "JSON", "tags", "Tags: array of text."),
        Column(
            "variables", "JSON", "variables", "Variables: name -> {value, isSecret, …}; secrets come without value."
        ),
        Column("variable_groups", "JSON", "variableGroups", "Variable groups it uses: array."),
        Column("properties", "JSON", "properties", "Properties attached to the release."),
    ),
)

RELEASE_ENVIRONMENTS: Final = Table(
    name="release_environments",
    about="One row is an environment (stage) of a release, with its approvals and deployment attempts.",
    connector="pipelines",
    source="release/7.1: GET {project}/_apis/release/releases/{id} (environments)",
    key=("project_id", "release_id", "id"),
    feed="releases",
    array="environments",
    parent=_RELEASE,
    # These repeat the release the environment stands in.
    ignored=(*NAVIGATION, "releaseId", "release", "releaseDefinition", "releaseCreatedBy"),
    columns=(
        _PROJECT_ID,
        Column("release_id", "BIGINT", "^id", "Number of the release."),
        Column("id", "BIGINT", "id", "Number of the environment."),
        Column("name", "VARCHAR", "name", "Name of the environment, for example Production."),
        Column(
            "status",
            "VARCHAR",
            "status",
            "notStarted, queued, scheduled, inProgress, succeeded, partiallySucceeded, rejected or canceled.",
        ),
        Column("rank", "BIGINT", "rank", "Place in the pipeline, from 1."),
        Column(
            "definition_environment_id",
            "BIGINT",
            "definitionEnvironmentId",
            "Number of the environment in the release pipeline; the same in every release.",
        ),
        Column("trigger_reason", "VARCHAR", "triggerReason", "Why its deployment started, as text."),
        Column("created_on", "TIMESTAMPTZ", "createdOn", "When its record was created (UTC)."),
        Column("modified_on", "TIMESTAMPTZ", "modifiedOn", "When its record was last modified (UTC)."),
        Column(
            "scheduled_deployment_time",
            "TIMESTAMPTZ",
            "scheduledDeploymentTime",
            "When its deployment is scheduled for (UTC).",
        ),
        Column(
            "next_scheduled_utc_time",
            "TIMESTAMPTZ",
            "nextScheduledUtcTime",
            "When its schedule starts it the next time (UTC).",
        ),
        Column(
            "time_to_deploy",
            "DOUBLE",
            "timeToDeploy",
            "How long the deployment took; the API does not document the unit.",
        ),
        *identity("owner", "owner", "Who owns the environment"),
        Column(
            "pre_deploy_approvals",
            "JSON",
            "preDeployApprovals",
            "Approvals before it: array of {id, approver, approvedBy, status, comments, attempt, …}.",
        ),
        Column("post_deploy_approvals", "JSON", "postDeployApprovals", "Approvals after it: array, as before it."),
        Column("pre_approvals_snapshot", "JSON", "preApprovalsSnapshot", "Rules for the approvals before it."),
        Column("post_approvals_snapshot", "JSON", "postApprovalsSnapshot", "Rules for the approvals after it."),
        Column("pre_deployment_gates_snapshot", "JSON", "preDeploymentGatesSnapshot", "Gates that open before it."),
        Column("post_deployment_gates_snapshot", "JSON", "postDeploymentGatesSnapshot", "Gates that open after it."),
        Column(
            "deploy_steps",
            "JSON",
            "deploySteps",
            "Deployment attempts: array of {id, deploymentId, attempt, status, queuedOn, releaseDeployPhases, …}.",
        ),
        Column("deploy_phases_snapshot", "JSON", "deployPhasesSnapshot", "Phases and tasks it runs: array."),
        Column("environment_options", "JSON", "environmentOptions", "Options of the environment."),
        Column("conditions", "JSON", "conditions", "What must hold for it to start: array of {name, value, …}."),
        Column("demands", "JSON", "demands", "What the agent must be able to do: array."),
        Column("workflow_tasks", "JSON", "workflowTasks", "Tasks it runs, in the older form: array."),
        Column("schedules", "JSON", "schedules", "Times at which it starts: array."),
        Column("process_parameters", "JSON", "processParameters", "Inputs shared by its tasks."),
        Column(
            "variables", "JSON", "variables", "Variables: name -> {value, isSecret, …}; secrets come without value."
        ),
        Column("variable_groups", "JSON", "variableGroups", "Variable groups it uses: array."),
    ),
)

RELEASE_DEPLOYMENTS: Final = Table(
    name="release_deployments",
    about="One row is one attempt to deploy a release to an environment.",
    connector="pipelines",
    source="release/7.1: GET {project}/_apis/release/deployments",
    key=("project_id", "id"),
    parent=_RELEASE,
    # The nested release is a stub with false values (year 1, null definition, reason none).
    ignored=(
        *NAVIGATION,
        "projectReference",
        "releaseDefinition/projectReference",
        "release/artifacts",
        "release/webAccessUri",
        "release/description",
        "release/releaseDefinition",
        "release/createdOn",
        "release/createdBy",
        "release/modifiedBy",
        "release/reason",
    ),
    columns=(
        _PROJECT_ID,
        Column("id", "BIGINT", "id", "Number of the deployment."),
        Column("release_id", "BIGINT", "release/id", "Number of the release."),
        Column("release_name", "VARCHAR", "release/name", "Name of the release."),
        Column(
            "release_environment_id", "BIGINT", "releaseEnvironment/id", "Number of the environment in the release."
        ),
        Column("release_environment_name", "VARCHAR", "releaseEnvironment/name", "Name of the environment."),
        Column("release_definition_id", "BIGINT", "releaseDefinition/id", "Number of the release pipeline."),
        Column("release_definition_name", "VARCHAR", "releaseDefinition/name", "Name of the release pipeline."),
        Column("release_definition_path", "VARCHAR", "releaseDefinition/path", "Folder of the release pipeline."),
        Column(
            "definition_environment_id",
            "BIGINT",
            "definitionEnvironmentId",
            "Number of the environment in the release pipeline; the same in every release.",
        ),
        Column("attempt", "BIGINT", "attempt", "Number of the attempt in that environment, from 1."),
        Column("reason", "VARCHAR", "reason", "Why it started: manual, automated, scheduled or redeployTrigger."),
        Column(
            "deployment_status",
            "VARCHAR",
            "deploymentStatus",
            "notDeployed, inProgress, succeeded, partiallySucceeded or failed.",
        ),
        Column(
            "operation_status",
            "VARCHAR",
            "operationStatus",
            "What it is doing, finer than the status: queued, pending, approved, phaseInProgress, phaseFailed, ….",
        ),
        Column("queued_on", "TIMESTAMPTZ", "queuedOn", "When it was queued (UTC); null when it never was."),
        Column("started_on", "TIMESTAMPTZ", "startedOn", "When it started (UTC)."),
        Column("completed_on", "TIMESTAMPTZ", "completedOn", "When it was completed (UTC)."),
        Column("last_modified_on", "TIMESTAMPTZ", "lastModifiedOn", "When its record last changed (UTC)."),
        Column(
            "scheduled_deployment_time",
            "TIMESTAMPTZ",
            "scheduledDeploymentTime",
            "When it is scheduled for (UTC); null when it is not.",
        ),
        *identity("requested_by", "requestedBy", "Who or what started it"),
        *identity("requested_for", "requestedFor", "On whose behalf it was started"),
        *identity("last_modified_by", "lastModifiedBy", "Who or what changed it last"),
        Column(
            "pre_deploy_approvals",
            "JSON",
            "preDeployApprovals",
            "Approvals before it: array of {id, approver, approvedBy, status, comments, attempt, …}.",
        ),
        Column("post_deploy_approvals", "JSON", "postDeployApprovals", "Approvals after it: array, as before it."),
        Column("conditions", "JSON", "conditions", "What had to hold for it to start: array of {name, value, …}."),
    ),
)
