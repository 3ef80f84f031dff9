"""The JSON of releases, deployments and release definitions. Facts come from `releases`; HTTP is elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ado_assets.sample.clock import SENTINEL, iso

if TYPE_CHECKING:
    from ado_assets.sample.pipelines_definitions import EnvironmentDefinition, ReleaseDefinition
    from ado_assets.sample.releases import Approval, Deployment, Environment, Release
    from ado_assets.sample.world import World

Json = dict[str, Any]
PHASE_OF = {
    "inProgress": "inProgress",
    "succeeded": "succeeded",
    "partiallySucceeded": "partiallySucceeded",
    "failed": "failed",
}
"""Deployment status -> status of its only phase; any other status has no phase yet."""
TASK_OF = {"inProgress": "inProgress", "succeeded": "succeeded", "partiallySucceeded": "succeeded", "failed": "failed"}


def release_row(world: World, release: Release, expand: frozenset[str]) -> Json:
    """
    Return a row of the releases list.

    *expand* holds lower-case ``$expand`` words. Without ``environments`` there are none; with it they still lack what
    was deployed (``deploySteps`` is empty), and their approvals unless ``approvals`` is asked for too.
    """
    row = _release(world, release)
    if "artifacts" in expand:
        row["artifacts"] = _artifacts(world, release)
    if "variables" in expand:
        row["variables"] = _variables(release)
    row["tags"] = list(release.tags) if "tags" in expand else []
    if "environments" in expand:
        row["environments"] = [
            _environment(world, release, environment, detailed=False, approvals="approvals" in expand)
            for environment in release.environments
        ]
    return row


def release_answer(world: World, release: Release) -> Json:
    """Return one release whole: every environment with every deployment attempt."""
    return {
        **_release(world, release),
        "environments": [
            _environment(world, release, environment, detailed=True, approvals=True)
            for environment in release.environments
        ],
        "artifacts": _artifacts(world, release),
        "variables": _variables(release),
        "tags": list(release.tags),
    }


def _release(world: World, release: Release) -> Json:
    url = _release_url(world, release)
    row: Json = {
        "id": release.id,
        "name": release.name,
        "status": release.status,
        "createdOn": iso(release.created),
        "modifiedOn": iso(release.modified),
        "modifiedBy": release.modified_by.ref(),
        "createdBy": release.created_by.ref(),
        "createdFor": release.created_by.ref(),
        "variables": {},
        "variableGroups": [],
        "releaseDefinition": definition_reference(world, release.definition),
        "releaseDefinitionRevision": release.definition.revision,
        "description": release.description,
        "reason": release.reason,
        "releaseNameFormat": "Release-$(rev:r)",
        "keepForever": release.keep_forever,
        "definitionSnapshotRevision": 1,
        "logsContainerUrl": f"{url}/logs",
        "url": url,
        "_links": _links(url, f"{world.base_url}/{release.project_id}/_release?releaseId={release.id}"),
        "projectReference": {"id": release.project_id, "name": world.projects[release.project_id].name},
        "properties": {},
    }
    if release.reason == "continuousIntegration":
        row["triggeringArtifactAlias"] = f"_{release.definition.artifact.name}"
    return row


def _release_url(world: World, release: Release) -> str:
    return f"{world.base_url}/{release.project_id}/_apis/Release/releases/{release.id}"


def _links(own: str, web: str) -> Json:
    return {"self": {"href": own}, "web": {"href": web}}


def _release_reference(world: World, release: Release) -> Json:
    url = _release_url(world, release)
    web = f"{world.base_url}/{release.project_id}/_release?releaseId={release.id}&_a=release-summary"
    return {"id": release.id, "name": release.name, "url": url, "_links": _links(url, web)}


def definition_reference(world: World, definition: ReleaseDefinition) -> Json:
    """Return the shallow definition a release nests; its project has no name, as the service often answers."""
    url = f"{world.base_url}/{definition.project_id}/_apis/Release/definitions/{definition.id}"
    web = f"{world.base_url}/{definition.project_id}/_release?definitionId={definition.id}"
    return {
        "id": definition.id,
        "name": definition.name,
        "path": definition.path,
        "projectReference": {"id": definition.project_id, "name": None},
        "url": url,
        "_links": _links(url, web),
    }


def _variables(release: Release) -> Json:
    return {"Region": {"value": "westeurope"}, "ApiKey": {"value": None, "isSecret": True}} if release.id % 2 else {}


def _artifacts(world: World, release: Release) -> list[Json]:
    definition = release.definition.artifact
    project = world.projects[release.project_id]
    reference: Json = {
        "artifactSourceDefinitionUrl": {"id": f"{world.base_url}/_permalink/{definition.id}", "name": ""},
        "definition": {"id": str(definition.id), "name": definition.name},
        "project": {"id": project.id, "name": project.name},
    }
    if release.build is not None:
        reference["version"] = {"id": str(release.build.id), "name": release.build.number}
        reference["branch"] = {"id": release.build.branch, "name": release.build.branch}
        reference["sourceVersion"] = {"id": release.build.version, "name": ""}
    return [
        {
            "sourceId": f"{project.id}:{definition.id}",
            "type": "Build",
            "alias": f"_{definition.name}",
            "definitionReference": reference,
            "isPrimary": True,
            "isRetained": release.keep_forever,
        }
    ]


def _environment(world: World, release: Release, environment: Environment, *, detailed: bool, approvals: bool) -> Json:
    last = environment.deployments[-1] if environment.deployments else None
    shown = [approval for each in environment.deployments for approval in each.approvals] if approvals else []
    row: Json = {
        "id": environment.id,
        "releaseId": release.id,
        "name": environment.definition.name,
        "status": environment.status,
        "variables": {},
        "variableGroups": [],
        "preDeployApprovals": _approvals(world, release, environment, shown, "preDeploy"),
        "postDeployApprovals": _approvals(world, release, environment, shown, "postDeploy"),
        "preApprovalsSnapshot": _approval_snapshot(environment.definition),
        "postApprovalsSnapshot": {"approvals": [{"rank": 1, "isAutomated": True, "isNotificationOn": False, "id": 0}]},
        "deploySteps": [_attempt(world, release, each) for each in environment.deployments] if detailed else [],
        "rank": environment.definition.rank,
        "definitionEnvironmentId": environment.definition.id,
        "environmentOptions": {"autoLinkWorkItems": False, "badgeEnabled": False, "publishDeploymentStatus": True},
        "conditions": _conditions(release, environment),
        "deployPhasesSnapshot": [
            {"rank": 1, "phaseType": "agentBasedDeployment", "name": "Run on agent", "workflowTasks": []}
        ],
        "owner": release.definition.author.ref(),
        "schedules": [],
        "release": _release_reference(world, release),
        "releaseDefinition": definition_reference(world, release.definition),
        "releaseCreatedBy": release.created_by.ref(),
        "triggerReason": "Manual" if release.reason == "manual" else "After release creation: All",
        "processParameters": {},
        "timeToDeploy": _minutes(last),
    }
    if environment.created is not None and environment.modified is not None:
        row["createdOn"] = iso(environment.created)
        row["modifiedOn"] = iso(environment.modified)
    return row


def _minutes(deployment: Deployment | None) -> float:
    if deployment is None or deployment.completed is None or deployment.queued is None:
        return 0.0
    return round((deployment.completed - deployment.queued) / timedelta(minutes=1), 7)


def _conditions(release: Release, environment: Environment) -> list[Json]:
    if environment.definition.rank == 1:
        return [{"result": True, "name": "ReleaseStarted", "conditionType": "event", "value": ""}]
    before = release.environments[environment.definition.rank - 2]
    met = before.status == "succeeded"
    return [{"result": met, "name": before.definition.name, "conditionType": "environmentState", "value": "4"}]


def _approval_snapshot(definition: EnvironmentDefinition) -> Json:
    step: Json = {"rank": 1, "isAutomated": definition.approver is None, "isNotificationOn": False, "id": 0}
    if definition.approver is not None:
        step["approver"] = definition.approver.ref()
    return {
        "approvals": [step],
        "approvalOptions": {
            "requiredApproverCount": 0,
            "releaseCreatorCanBeApprover": True,
            "autoTriggeredAndPreviousEnvironmentApprovedCanBeSkipped": False,
            "enforceIdentityRevalidation": False,
            "timeoutInMinutes": 43200,
            "executionOrder": "beforeGates",
        },
    }


def _approvals(
    world: World, release: Release, environment: Environment, approvals: list[Approval], kind: str
) -> list[Json]:
    return [_approval(world, release, environment, each) for each in approvals if each.kind == kind]


def _approval(world: World, release: Release, environment: Environment, approval: Approval) -> Json:
    base = f"{world.base_url}/{release.project_id}/_apis/Release"
    row: Json = {
        "id": approval.id,
        "revision": 1 if approval.status == "pending" else 2,
        "approvalType": approval.kind,
        "createdOn": iso(approval.created),
        "modifiedOn": iso(approval.modified),
        "status": approval.status,
        "comments": "Good to go!" if approval.approver and approval.status == "approved" else "",
        "isAutomated": approval.approver is None,
        "isNotificationOn": False,
        "trialNumber": approval.attempt,
        "attempt": approval.attempt,
        "rank": 1,
        "release": _release_reference(world, release),
        "releaseDefinition": definition_reference(world, release.definition),
        "releaseEnvironment": _environment_reference(world, release, environment),
        "url": f"{base}/approvals/{approval.id}",
    }
    if approval.approver is not None:
        row["approver"] = approval.approver.ref()
        if approval.status in ("approved", "rejected"):
            row["approvedBy"] = approval.approver.ref()
    return row


def _environment_reference(world: World, release: Release, environment: Environment) -> Json:
    url = f"{_release_url(world, release)}/environments/{environment.id}"
    return {"id": environment.id, "name": environment.definition.name, "url": url, "_links": {"self": {"href": url}}}


def _attempt(world: World, release: Release, deployment: Deployment) -> Json:
    row: Json = {
        "id": deployment.step_id,
        "deploymentId": deployment.id,
        "attempt": deployment.attempt,
        "reason": deployment.reason,
        "status": deployment.status,
        "operationStatus": deployment.operation,
        "releaseDeployPhases": _phases(world, release, deployment),
        "requestedBy": deployment.requested_by.ref(),
        "requestedFor": release.created_by.ref(),
        "queuedOn": iso(deployment.requested),
        "lastModifiedBy": deployment.modified_by.ref(),
        "lastModifiedOn": iso(deployment.modified),
        "hasStarted": deployment.queued is not None,
        "issues": [],
    }
    if deployment.status == "failed":
        row["issues"] = [{"issueType": "Error", "message": "The deployment job failed: exit code 1.", "data": {}}]
    return row


def _phases(world: World, release: Release, deployment: Deployment) -> list[Json]:
    status = PHASE_OF.get(deployment.status)
    if status is None or deployment.queued is None:
        return []
    key = ("release-phase", release.project_id, deployment.id)
    job: Json = {
        "id": 1,
        "timelineRecordId": world.guid(*key, "record"),
        "name": "Release",
        "startTime": iso(deployment.queued),
        "status": TASK_OF[deployment.status],
        "rank": 1,
        "issues": [],
        "agentName": f"Azure Pipelines {1 + deployment.id % 9}",
        "logUrl": f"{_release_url(world, release)}/deployPhases/{deployment.step_id}/tasks/1/logs",
    }
    if deployment.completed is not None:
        job["finishTime"] = iso(deployment.completed)
    return [
        {
            "id": deployment.step_id,
            "phaseId": str(deployment.step_id),
            "name": "Run on agent",
            "rank": 1,
            "phaseType": "agentBasedDeployment",
            "status": status,
            "startedOn": iso(deployment.queued),
            "runPlanId": world.guid(*key),
            "deploymentJobs": [{"job": job, "tasks": [{**job, "id": 2, "name": "Deploy", "rank": 1}]}],
            "manualInterventions": [],
        }
    ]


def deployment_answer(world: World, release: Release, environment: Environment, deployment: Deployment) -> Json:
    """
    Return a row of the deployments list.

    Its release is a stub with false values (no definition, no artifacts, the 0001 sentinel as creation time), and
    instants that are not set carry the sentinel instead of being left out: so the service answers here.
    """
    return {
        "id": deployment.id,
        "release": {
            **_release_reference(world, release),
            "artifacts": [],
            "webAccessUri": f"{world.base_url}/{release.project_id}/_release?releaseId={release.id}",
            "description": None,
            "releaseDefinition": None,
            "createdOn": SENTINEL,
            "createdBy": None,
            "modifiedBy": None,
            "reason": "none",
        },
        "releaseDefinition": definition_reference(world, release.definition),
        "releaseEnvironment": _environment_reference(world, release, environment),
        "projectReference": {"id": release.project_id, "name": None},
        "definitionEnvironmentId": environment.definition.id,
        "attempt": deployment.attempt,
        "reason": deployment.reason,
        "deploymentStatus": deployment.status,
        "operationStatus": deployment.operation,
        "requestedBy": deployment.requested_by.ref(),
        "requestedFor": release.created_by.ref(),
        "queuedOn": iso(deployment.queued) if deployment.queued else SENTINEL,
        "startedOn": iso(deployment.requested),
        "completedOn": iso(deployment.completed) if deployment.completed else SENTINEL,
        "lastModifiedOn": iso(deployment.modified),
        "lastModifiedBy": deployment.modified_by.ref(),
        "conditions": [],
        "scheduledDeploymentTime": SENTINEL,
        "preDeployApprovals": _approvals(world, release, environment, deployment.approvals, "preDeploy"),
        "postDeployApprovals": _approvals(world, release, environment, deployment.approvals, "postDeploy"),
        "_links": {},
    }


def definition_answer(world: World, definition: ReleaseDefinition, expand: frozenset[str] | None) -> Json:
    """Return a release definition: a row of the list with what *expand* names, or whole when it is None."""
    row: Json = {
        **definition_reference(world, definition),
        "source": "userInterface",
        "revision": definition.revision,
        "createdBy": definition.author.ref(),
        "createdOn": iso(definition.created),
        "modifiedBy": definition.author.ref(),
        "modifiedOn": iso(definition.created + timedelta(hours=definition.revision)),
        "isDeleted": False,
        "releaseNameFormat": "Release-$(rev:r)",
        "tags": [],
        "properties": {},
    }
    if expand is None or "environments" in expand:
        row["environments"] = [
            {"id": each.id, "name": each.name, "rank": each.rank, "preDeployApprovals": _approval_snapshot(each)}
            for each in definition.environments
        ]
    return row
