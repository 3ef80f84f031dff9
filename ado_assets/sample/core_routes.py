"""The core and Graph operations: parameters in, rows of core out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.core import Project, Team
from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    flag,
    json_response,
    number,
    page_by_skip,
    page_by_token,
    parameter,
    project_of,
    world_of,
)
from ado_assets.sample.people import Person

PROJECT_STATES = ("wellformed", "deleted", "deleting", "new", "createpending", "all", "unchanged")
SUBJECT_PREVIEW = "7.1-preview.1"


async def list_projects(request: Request) -> Response:
    """List projects by ``stateFilter``; ``all`` leaves out the deleted ones. Next position in header and parameter."""
    state = (parameter(request, "stateFilter") or "wellFormed").lower()
    if state not in PROJECT_STATES:
        raise bad_request(f"The value '{state}' is not valid for stateFilter.", "ArgumentException")
    projects = [
        project
        for project in world_of(request).projects.values()
        if (project.state != "deleted" if state in ("all", "unchanged") else project.state.lower() == state)
    ]
    projects.sort(key=lambda project: project.name.casefold())
    start = number(request, "continuationToken", number(request, "$skip", 0))
    end = start + number(request, "$top", 100)
    headers = {"x-ms-continuationtoken": str(end)} if end < len(projects) else None
    return envelope([project.ref() for project in projects[start:end]], headers)


async def get_project(request: Request) -> Response:
    """Answer one live project; capabilities only when asked for."""
    project = project_of(request)
    row = world_of(request).core.render_project(project)
    if not flag(request, "includeCapabilities"):
        del row["capabilities"]
    return json_response(row)


async def list_teams(request: Request) -> Response:
    """List a project's teams, silently 100 at most by default."""
    project, core = project_of(request), world_of(request).core
    teams = list(core.teams[project.id].values())
    return page_by_skip(request, teams, lambda team: core.render_team(project, team), default=100, maximum=None)


async def list_all_teams(request: Request) -> Response:
    """List the teams of every live project."""
    world = world_of(request)
    teams = [(project, team) for project in world.live_projects() for team in world.core.teams[project.id].values()]
    return page_by_skip(request, teams, lambda pair: world.core.render_team(*pair), default=100, maximum=None)


def _team_of(request: Request, project: Project) -> Team:
    key = request.path_params["teamId"]
    teams = world_of(request).core.teams[project.id]
    team = teams.get(key.lower()) or next((each for each in teams.values() if each.name.lower() == key.lower()), None)
    if team is None:
        message = f"The team with id '{key}' does not exist, or you do not have permission to access it."
        raise ApiError(404, "TeamNotFoundException", message)
    return team


async def get_team(request: Request) -> Response:
    """Answer one team, by id or name."""
    project = project_of(request)
    return json_response(world_of(request).core.render_team(project, _team_of(request, project)))


async def list_members(request: Request) -> Response:
    """List a team's members, 100 by default; nested groups stay groups."""
    team = _team_of(request, project_of(request))
    render = world_of(request).core.render_member
    return page_by_skip(request, list(team.members.values()), render, default=100, maximum=None)


def _page_of_subjects(request: Request, subjects: list[Person]) -> Response:
    """Answer a page of irregular size, as Graph does: 33 rows in the middle of the listing, else 50."""
    started = (parameter(request, "continuationToken") or "0").partition(";")[0]
    size = 33 if started == "50" else 50
    return page_by_token(request, subjects, world_of(request).core.render_subject, default=size, maximum=size)


async def list_users(request: Request) -> Response:
    """List users; service principals are not among them. ``subjectTypes`` filters on the descriptor's prefix."""
    users = world_of(request).core.users()
    types = parameter(request, "subjectTypes")
    if types:
        users = [user for user in users if user.descriptor.split(".")[0] in types.lower().split(",")]
    return _page_of_subjects(request, users)


async def list_service_principals(request: Request) -> Response:
    """List service principals."""
    return _page_of_subjects(request, world_of(request).core.service_principals())


async def list_groups(request: Request) -> Response:
    """List groups."""
    return _page_of_subjects(request, world_of(request).core.groups())


def _subject_of(request: Request) -> Person:
    descriptor = request.path_params["subjectDescriptor"]
    subject = next((one for one in world_of(request).people if one.descriptor == descriptor), None)
    if subject is None:
        raise ApiError(404, "GraphSubjectNotFoundException", f"VS403325: No subject has the descriptor '{descriptor}'.")
    return subject


async def get_subject(request: Request) -> Response:
    """Answer one user, group or service principal."""
    return json_response(world_of(request).core.render_subject(_subject_of(request)))


async def get_storage_key(request: Request) -> Response:
    """Answer the storage key (the id of IdentityRef) of a descriptor."""
    return json_response({"value": _subject_of(request).id})


async def get_descriptor(request: Request) -> Response:
    """Answer the descriptor of a storage key."""
    key = request.path_params["storageKey"].lower()
    for one in world_of(request).people:
        if one.id == key:
            return json_response({"value": one.descriptor})
    raise ApiError(404, "StorageKeyNotFoundException", f"VS403369: No subject has the storage key '{key}'.")


async def get_connection_data(request: Request) -> Response:
    """Answer who the credential is and the instance id; the cheapest probe of a credential."""
    world = world_of(request)
    caller = world.people[0]
    identity = {
        "id": caller.id,
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{caller.unique_name}",
        "subjectDescriptor": caller.descriptor,
        "providerDisplayName": caller.display_name,
        "isActive": True,
        "properties": {"Account": {"$type": "System.String", "$value": caller.unique_name}},
    }
    answer = {
        "authenticatedUser": identity,
        "authorizedUser": identity,
        "instanceId": world.guid("instance"),
        "deploymentId": world.guid("deployment"),
        "deploymentType": "hosted",
        "locationServiceData": {
            "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
            "defaultAccessMappingMoniker": "PublicAccessMapping",
            "lastChangeId": 1,
            "clientCacheTimeToLive": 3600,
        },
    }
    return json_response(answer)


OPERATIONS = [
    Operation("GET", "_apis/connectionData", get_connection_data, "", preview="7.1-preview.1"),
    Operation("GET", "_apis/projects", list_projects, "vso.project"),
    Operation("GET", "_apis/projects/{projectId}", get_project, "vso.project"),
    Operation("GET", "_apis/projects/{projectId}/teams", list_teams, "vso.project"),
    Operation("GET", "_apis/projects/{projectId}/teams/{teamId}", get_team, "vso.project"),
    Operation("GET", "_apis/projects/{projectId}/teams/{teamId}/members", list_members, "vso.project"),
    Operation("GET", "_apis/teams", list_all_teams, "vso.project", preview="7.1-preview.3"),
    Operation("GET", "_apis/graph/users", list_users, "vso.graph", preview=SUBJECT_PREVIEW),
    Operation("GET", "_apis/graph/users/{subjectDescriptor}", get_subject, "vso.graph", preview=SUBJECT_PREVIEW),
    Operation("GET", "_apis/graph/groups", list_groups, "vso.graph", preview=SUBJECT_PREVIEW),
    Operation("GET", "_apis/graph/groups/{subjectDescriptor}", get_subject, "vso.graph", preview=SUBJECT_PREVIEW),
    Operation("GET", "_apis/graph/serviceprincipals", list_service_principals, "vso.graph", preview=SUBJECT_PREVIEW),
    Operation(
        "GET", "_apis/graph/serviceprincipals/{subjectDescriptor}", get_subject, "vso.graph", preview=SUBJECT_PREVIEW
    ),
    Operation("GET", "_apis/graph/storagekeys/{subjectDescriptor}", get_storage_key, "vso.graph"),
    Operation("GET", "_apis/graph/descriptors/{storageKey}", get_descriptor, "vso.graph"),
]
