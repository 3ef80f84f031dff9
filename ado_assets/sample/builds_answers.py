"""The JSON of builds and build definitions, as the REST API renders them. Facts come from `builds`; no HTTP here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from ado_assets.sample.clock import iso
from ado_assets.sample.timelines import plan_id

if TYPE_CHECKING:
    from ado_assets.sample.builds import Build
    from ado_assets.sample.core import Project
    from ado_assets.sample.pipelines_definitions import BuildDefinition, BuildRepository
    from ado_assets.sample.world import World

SERVICE_ID = "00000002-0000-8888-8000-000000000000"


def service_identity(world: World) -> dict[str, Any]:
    """Return the IdentityRef of the service itself, which triggers builds and is in no list of users."""
    url = f"{world.base_url}/_apis/Identities/{SERVICE_ID}"
    return {
        "displayName": "Microsoft.VisualStudio.Services.TFS",
        "url": url,
        "id": SERVICE_ID,
        "uniqueName": f"{SERVICE_ID}@2c895908-04e0-4952-89fd-54b0046d6288",
        "imageUrl": f"{world.base_url}/_apis/GraphProfile/MemberAvatars/s2s.MDAwMDAwMDI",
        "descriptor": "s2s.MDAwMDAwMDItMDAwMC04ODg4LTgwMDAtMDAwMDAwMDAwMDAw",
    }


def build_answer(world: World, build: Build) -> dict[str, Any]:
    """Return one build as both the list and the single read give it. Unset fields are left out."""
    project = world.projects[build.project_id]
    base = f"{world.base_url}/{build.project_id}/_apis/build"
    url = f"{base}/Builds/{build.id}"
    automatic = build.reason != "manual"
    row: dict[str, Any] = {
        "_links": _build_links(world, build, url),
        "properties": {},
        "tags": list(build.tags),
        "validationResults": [],
        "plans": [],
        "triggerInfo": _trigger_info(build),
        "id": build.id,
        "buildNumber": build.number,
        "status": build.status,
        "queueTime": iso(build.queued),
        "url": url,
        "definition": definition_reference(world, build.definition, project),
        "project": project.ref(),
        "uri": f"vstfs:///Build/Build/{build.id}",
        "sourceBranch": build.branch,
        "queue": _queue(build.definition),
        "priority": "normal",
        "reason": build.reason,
        "requestedFor": build.requested_for.ref(),
        "requestedBy": service_identity(world) if automatic else build.requested_for.ref(),
        "lastChangedDate": iso(build.changed),
        "lastChangedBy": build.changed_by.ref() if build.changed_by else service_identity(world),
        "logs": {"id": 0, "type": "Container", "url": f"{base}/builds/{build.id}/logs"},
        "repository": _repository(build.definition.repository),
        "retainedByRelease": build.retained,
        "appendCommitMessageToRunName": True,
    }
    if build.planned:
        plan = {"planId": plan_id(world, build)}
        row["plans"] = [plan]
        row["orchestrationPlan"] = plan
    if build.status in ("notStarted", "postponed"):
        row["queuePosition"] = 1 + build.id % 5
    _add_outcome(row, build)
    _add_inputs(world, row, build)
    return row


def _add_outcome(row: dict[str, Any], build: Build) -> None:
    if build.version and build.started is not None:
        row["sourceVersion"] = build.version
    if build.result is not None:
        row["result"] = build.result
    if build.started is not None:
        row["startTime"] = iso(build.started)
    if build.finished is not None:
        row["finishTime"] = iso(build.finished)
    if build.status == "completed" and not build.planned and build.result == "failed":
        message = "/azure-pipelines.yml (Line: 14, Col: 5): While parsing a block mapping, did not find expected key."
        row["validationResults"] = [{"result": "error", "message": message}]
    if build.deleted_on is not None:
        row["deleted"] = True
        row["deletedDate"] = iso(build.deleted_on)
        row["deletedBy"] = row["lastChangedBy"]
        row["deletedReason"] = build.deleted_reason


def _add_inputs(world: World, row: dict[str, Any], build: Build) -> None:
    if build.definition.staged:
        row["templateParameters"] = {"configuration": "Release", "runTests": str(build.id % 3 != 0)}
        row["agentSpecification"] = {"identifier": "ubuntu-22.04"}
    if build.reason in ("manual", "pullRequest"):
        parameters = {"system.debug": "false"}
        if build.pull_request is not None:
            parameters["system.pullRequest.pullRequestId"] = str(build.pull_request)
        row["parameters"] = orjson.dumps(parameters).decode()
    if build.triggered_by is not None:
        row["triggeredByBuild"] = {
            "id": build.triggered_by,
            "url": f"{world.base_url}/{build.project_id}/_apis/build/Builds/{build.triggered_by}",
            "uri": f"vstfs:///Build/Build/{build.triggered_by}",
        }


def _trigger_info(build: Build) -> dict[str, str]:
    if build.pull_request is not None:
        return {
            "pr.number": str(build.pull_request),
            "pr.isFork": "False",
            "pr.sourceBranch": f"refs/heads/feature/{build.pull_request}",
            "pr.sourceSha": build.version,
            "pr.triggerRepository": build.definition.repository.id,
        }
    if build.reason in ("individualCI", "batchedCI"):
        return {
            "ci.sourceBranch": build.branch,
            "ci.sourceSha": build.version,
            "ci.message": "Merge the release notes 📝",
            "ci.triggerRepository": build.definition.repository.id,
        }
    return {"scheduleName": "Nightly"} if build.reason == "schedule" else {}


def _build_links(world: World, build: Build, url: str) -> dict[str, Any]:
    web = f"{world.base_url}/{build.project_id}/_build/results?buildId={build.id}"
    return {
        "self": {"href": url},
        "web": {"href": web},
        "sourceVersionDisplayUri": {"href": f"{url}/sources"},
        "timeline": {"href": f"{url}/Timeline"},
        "badge": {
            "href": f"{world.base_url}/{build.project_id}/_apis/build/status/{build.definition.id}",
        },
    }


def _queue(definition: BuildDefinition) -> dict[str, Any]:
    return {
        "id": definition.queue_id,
        "name": definition.queue_name,
        "pool": {
            "id": definition.queue_id - 8,
            "name": definition.queue_name,
            "isHosted": definition.queue_name != "Default",
        },
    }


def _repository(repository: BuildRepository) -> dict[str, Any]:
    row: dict[str, Any] = {"id": repository.id, "type": repository.type, "checkoutSubmodules": False}
    if repository.type != "GitHub":
        row["name"] = repository.name
    if repository.url:
        row["url"] = repository.url
    return row


def definition_reference(world: World, definition: BuildDefinition, project: Project) -> dict[str, Any]:
    """Return the DefinitionReference a build nests."""
    return {
        "drafts": [],
        "id": definition.id,
        "name": definition.name,
        "url": f"{world.base_url}/{definition.project_id}/_apis/build/Definitions/{definition.id}"
        f"?revision={definition.revision}",
        "uri": f"vstfs:///Build/Definition/{definition.id}",
        "path": definition.path,
        "type": "build",
        "queueStatus": "enabled",
        "revision": definition.revision,
        "project": project.ref(),
    }


def definition_answer(world: World, definition: BuildDefinition) -> dict[str, Any]:
    """Return a row of the definitions list."""
    return {
        **definition_reference(world, definition, world.projects[definition.project_id]),
        "quality": "definition",
        "authoredBy": definition.author.ref(),
        "createdDate": iso(definition.created),
        "queue": _queue(definition),
        "_links": {
            "web": {"href": f"{world.base_url}/{definition.project_id}/_build/definition?definitionId={definition.id}"}
        },
    }
