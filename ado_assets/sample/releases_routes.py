"""
HTTP of releases, deployments and release definitions: filters, order, paging. Rendering is `releases_answers`.

The token of releases and deployments is the id of the first row of the next page: the page includes it. On the
organization-wide route, where ids of projects collide, it is the position in the order of creation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    flag,
    json_response,
    number,
    optional_project_of,
    page_by_token,
    parameter,
    parse_time,
    project_of,
    world_of,
)
from ado_assets.sample.releases import Deployment, Environment, Release
from ado_assets.sample.releases_answers import definition_answer, deployment_answer, release_answer, release_row

T = TypeVar("T")
Deployed = tuple[Release, Environment, Deployment]
DEFAULT_TOP = 50
MAXIMUM_TOP = 100
STATUSES = ("undefined", "draft", "active", "abandoned")
DEPLOYMENT_STATUSES = ("undefined", "notdeployed", "inprogress", "succeeded", "partiallysucceeded", "failed", "all")


async def releases_list(request: Request) -> Response:
    """Answer one page of releases, of a project or of the organization, newest first by default."""
    world, project = world_of(request), optional_project_of(request)
    projects = world.live_projects() if project is None else [project]
    predicates = list(_release_filters(request))
    found = [
        release
        for each in projects
        for release in world.pipelines.releases.of(each.id)
        if all(keep(release) for keep in predicates)
    ]
    expand = frozenset((parameter(request, "$expand") or "none").lower().replace(" ", "").split(","))
    key: Callable[[Release], int] = (lambda release: release.sequence) if project is None else (lambda each: each.id)
    return _page(request, found, key, lambda release: release_row(world, release, expand))


def _page(request: Request, found: list[T], key: Callable[[T], int], render: Callable[[T], Any]) -> Response:
    """Answer one page by an inclusive integer token in the order ``queryOrder`` asks for."""
    order = _choice(request, "queryOrder", ("ascending", "descending")) or "descending"
    token = parameter(request, "continuationToken")
    if token:
        if not token.isdigit():
            raise bad_request(f"The value '{token}' is not valid for Nullable`1.", "InvalidRequestException")
        start = int(token)
        found = [each for each in found if (key(each) >= start if order == "ascending" else key(each) <= start)]
    found.sort(key=key, reverse=order == "descending")
    top = min(number(request, "$top", DEFAULT_TOP) or DEFAULT_TOP, MAXIMUM_TOP)
    headers = {"x-ms-continuationtoken": str(key(found[top]))} if top < len(found) else None
    return envelope([render(each) for each in found[:top]], headers)


def _choice(request: Request, name: str, known: Iterable[str]) -> str | None:
    value = (parameter(request, name) or "").lower()
    if value and value not in known:
        raise bad_request(f"The value '{value}' is not valid for {name}.", "InvalidRequestException")
    return value or None


def _time(request: Request, name: str) -> datetime | None:
    text = parameter(request, name)
    return parse_time(text) if text else None


def _release_filters(request: Request) -> Iterator[Callable[[Release], bool]]:
    deleted = flag(request, "isDeleted")
    yield lambda release: release.deleted == deleted
    least, most = _time(request, "minCreatedTime"), _time(request, "maxCreatedTime")
    if least is not None:
        yield lambda release: release.created >= least
    if most is not None:
        yield lambda release: release.created <= most
    status = _choice(request, "statusFilter", STATUSES)
    if status and status != "undefined":
        yield lambda release: release.status == status
    definition = number(request, "definitionId", 0)
    if definition:
        yield lambda release: release.definition.id == definition
    ids = frozenset((parameter(request, "releaseIdFilter") or "").split(",")) - {""}
    if ids:
        yield lambda release: str(release.id) in ids
    text = (parameter(request, "searchText") or "").casefold()
    if text:
        yield lambda release: text in release.name.casefold()
    tags = frozenset((parameter(request, "tagFilter") or "").split(",")) - {""}
    if tags:
        yield lambda release: tags <= frozenset(release.tags)


async def release_single(request: Request) -> Response:
    """Answer one release whole; a soft-deleted one is not found."""
    world, project = world_of(request), project_of(request)
    text = request.path_params["releaseId"]
    release = world.pipelines.releases.get(project.id, int(text)) if text.isdigit() else None
    if release is None or release.deleted:
        message = f"VS402881: Release with ID {text} does not exist. Please correct the ID and try again."
        raise ApiError(404, "ReleaseNotFoundException", message)
    return json_response(release_answer(world, release))


async def deployments_list(request: Request) -> Response:
    """Answer one page of a project's deployments, those of soft-deleted releases left out."""
    world, project = world_of(request), project_of(request)
    predicates = list(_deployment_filters(request))
    latest = flag(request, "latestAttemptsOnly")
    found = [
        (release, environment, deployment)
        for release in world.pipelines.releases.of(project.id)
        if not release.deleted
        for environment in release.environments
        for deployment in (environment.deployments[-1:] if latest else environment.deployments)
        if all(keep((release, environment, deployment)) for keep in predicates)
    ]
    return _page(request, found, lambda each: each[2].id, lambda each: deployment_answer(world, *each))


def _deployment_filters(request: Request) -> Iterator[Callable[[Deployed], bool]]:
    yield from _between(request, "Modified", lambda each: each[2].modified)
    yield from _between(request, "Started", lambda each: each[2].requested)
    status = _choice(request, "deploymentStatus", DEPLOYMENT_STATUSES)
    if status not in (None, "undefined", "all"):
        yield lambda each: each[2].status.lower() == status
    operation = (parameter(request, "operationStatus") or "all").lower()
    if operation not in ("undefined", "all"):
        yield lambda each: each[2].operation.lower() == operation
    definition = number(request, "definitionId", 0)
    if definition:
        yield lambda each: each[0].definition.id == definition
    environment = number(request, "definitionEnvironmentId", 0)
    if environment:
        yield lambda each: each[1].definition.id == environment


def _between(request: Request, name: str, time: Callable[[Deployed], datetime]) -> Iterator[Callable[[Deployed], bool]]:
    least, most = _time(request, f"min{name}Time"), _time(request, f"max{name}Time")
    if least is not None:
        yield lambda each: time(each) >= least
    if most is not None:
        yield lambda each: time(each) <= most


async def definitions_list(request: Request) -> Response:
    """Answer a page of release definitions; none is ever deleted."""
    world, project = world_of(request), project_of(request)
    found: Sequence[Any] = () if flag(request, "isDeleted") else world.pipelines.definitions.releases_of(project)
    if (
        _choice(request, "queryOrder", ("idascending", "iddescending", "nameascending", "namedescending")) or ""
    ).endswith("descending"):
        found = found[::-1]
    expand = frozenset((parameter(request, "$expand") or "none").lower().split(","))
    return page_by_token(request, found, lambda each: definition_answer(world, each, expand), default=100, maximum=1000)


async def definition_single(request: Request) -> Response:
    """Answer one release definition whole."""
    world, project = world_of(request), project_of(request)
    text = request.path_params["definitionId"]
    for definition in world.pipelines.definitions.releases_of(project):
        if str(definition.id) == text:
            return json_response(definition_answer(world, definition, None))
    message = f"VS402884: Release definition with ID {text} does not exist."
    raise ApiError(404, "ReleaseDefinitionNotFoundException", message)


SCOPE = "vso.release"
ROOT = "{project}/_apis/release"
OPERATIONS = [
    Operation("GET", f"{ROOT}/releases", releases_list, SCOPE, optional_project=True),
    Operation("GET", f"{ROOT}/releases/{{releaseId}}", release_single, SCOPE),
    Operation("GET", f"{ROOT}/deployments", deployments_list, SCOPE),
    Operation("GET", f"{ROOT}/definitions", definitions_list, SCOPE),
    Operation("GET", f"{ROOT}/definitions/{{definitionId}}", definition_single, SCOPE),
]
