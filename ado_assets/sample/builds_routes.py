"""
HTTP of builds, timelines and build definitions: filters, order, paging. Rendering is `builds_answers`.

The builds list pages by a header token that looks like a timestamp: the time, under the query's order, of the first
build of the next page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.builds import Build
from ado_assets.sample.builds_answers import build_answer, definition_answer
from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    json_response,
    number,
    page_by_token,
    parameter,
    parse_time,
    project_of,
    world_of,
)
from ado_assets.sample.pipelines_definitions import BuildDefinition
from ado_assets.sample.timelines import timeline

Predicate = Callable[[Build], bool]
DEFAULT_TOP = 1000
MAXIMUM_TOP = 5000
STATUSES = ("none", "inprogress", "completed", "cancelling", "postponed", "notstarted", "all")
RESULTS = ("none", "succeeded", "partiallysucceeded", "failed", "canceled")
REASONS = (
    "none",
    "manual",
    "individualci",
    "batchedci",
    "schedule",
    "scheduleforced",
    "usercreated",
    "validateshelveset",
    "checkinshelveset",
    "pullrequest",
    "buildcompletion",
    "resourcetrigger",
    "triggered",
    "all",
)
TRIGGERED = frozenset(("individualci", "batchedci", "schedule", "pullrequest", "buildcompletion", "resourcetrigger"))
DELETED = ("excludedeleted", "includedeleted", "onlydeleted")
ORDERS = tuple(f"{time}time{way}" for time in ("finish", "start", "queue") for way in ("ascending", "descending"))
BEFORE_ALL = datetime(1900, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(9000, 1, 1, tzinfo=UTC)


async def builds_list(request: Request) -> Response:
    """Answer one page of a project's builds."""
    world, project = world_of(request), project_of(request)
    order = _order(request)
    predicates = [*_state_filters(request), *_identity_filters(request), *_time_filters(request, order)]
    found = [build for build in world.pipelines.builds.of(project.id) if all(keep(build) for keep in predicates)]
    found.sort(key=lambda build: (_position(build, order), build.id), reverse=order.endswith("descending"))
    found = _capped(found, number(request, "maxBuildsPerDefinition", 0))
    top = min(number(request, "$top", DEFAULT_TOP) or DEFAULT_TOP, MAXIMUM_TOP)
    rest = _from_token(found, parameter(request, "continuationToken"), order)
    headers = {"x-ms-continuationtoken": _token(_position(rest[top], order))} if len(rest) > top else None
    return envelope([build_answer(world, build) for build in rest[:top]], headers)


def _order(request: Request) -> str:
    order = (parameter(request, "queryOrder") or "finishTimeDescending").lower()
    if order not in ORDERS:
        raise bad_request(f"The value '{order}' is not valid for queryOrder.", "ArgumentException")
    return order


def _time(build: Build, order: str) -> datetime | None:
    if order.startswith("finish"):
        return build.finished
    return build.started if order.startswith("start") else build.queued


def _position(build: Build, order: str) -> datetime:
    """Return where *build* stands in *order*; builds without that time stand last, by id, in either direction."""
    time = _time(build, order)
    if time is not None:
        return time
    offset = timedelta(seconds=build.id)
    return BEFORE_ALL - offset if order.endswith("descending") else AFTER_ALL + offset


def _token(position: datetime) -> str:
    return position.strftime("%Y-%m-%dT%H:%M:%S") + f".{position.microsecond:06d}0+00:00"


def _from_token(found: list[Build], token: str | None, order: str) -> list[Build]:
    if not token:
        return found
    start = parse_time(token)
    if order.endswith("descending"):
        return [build for build in found if _position(build, order) <= start]
    return [build for build in found if _position(build, order) >= start]


def _capped(found: list[Build], maximum: int) -> list[Build]:
    if maximum == 0:
        return found
    seen: Counter[int] = Counter()
    kept = []
    for build in found:
        seen[build.definition.id] += 1
        if seen[build.definition.id] <= maximum:
            kept.append(build)
    return kept


def _flags(request: Request, name: str, known: Iterable[str]) -> frozenset[str]:
    """Return a comma-separated set of enum values; empty when absent, ``none`` or ``all``."""
    text = (parameter(request, name) or "").lower()
    values = frozenset(value.strip() for value in text.split(",") if value.strip())
    if not values <= frozenset(known):
        raise bad_request(f"The value '{text}' is not valid for {name}.", "ArgumentException")
    return frozenset() if "all" in values else values - {"none"}


def _numbers(request: Request, name: str) -> frozenset[int]:
    text = parameter(request, name) or ""
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not all(value.isdigit() for value in values):
        raise bad_request(f"The value '{text}' is not valid for {name}.", "ArgumentException")
    return frozenset(int(value) for value in values)


def _state_filters(request: Request) -> Iterable[Predicate]:
    statuses = _flags(request, "statusFilter", STATUSES)
    results = _flags(request, "resultFilter", RESULTS)
    reasons = _flags(request, "reasonFilter", REASONS)
    deleted = (parameter(request, "deletedFilter") or "excludeDeleted").lower()
    if deleted not in DELETED:
        raise bad_request(f"The value '{deleted}' is not valid for deletedFilter.", "ArgumentException")
    if "triggered" in reasons:
        reasons |= TRIGGERED
    if statuses:
        yield lambda build: build.status.lower() in statuses
    if results:
        yield lambda build: (build.result or "none").lower() in results
    if reasons:
        yield lambda build: build.reason.lower() in reasons
    if deleted != "includedeleted":
        yield lambda build: (build.deleted_on is not None) == (deleted == "onlydeleted")


def _identity_filters(request: Request) -> Iterable[Predicate]:
    ids, definitions, queues = (_numbers(request, name) for name in ("buildIds", "definitions", "queues"))
    if ids:
        yield lambda build: build.id in ids
    if definitions:
        yield lambda build: build.definition.id in definitions
    if queues:
        yield lambda build: build.definition.queue_id in queues
    branch = parameter(request, "branchName")
    if branch:
        yield lambda build: build.branch == branch
    yield from _repository_filters(request)
    tags = frozenset(tag for tag in (parameter(request, "tagFilters") or "").split(",") if tag)
    if tags:
        yield lambda build: tags <= frozenset(build.tags)
    text = parameter(request, "buildNumber")
    if text:
        exact = not text.endswith("*")
        yield lambda build: build.number == text if exact else build.number.startswith(text[:-1])
    requested_for = (parameter(request, "requestedFor") or "").casefold()
    if requested_for:
        yield (
            lambda build: (
                requested_for
                in (
                    build.requested_for.id,
                    build.requested_for.unique_name.casefold(),
                    build.requested_for.display_name.casefold(),
                )
            )
        )


def _repository_filters(request: Request) -> Iterable[Predicate]:
    repository, kind = parameter(request, "repositoryId"), parameter(request, "repositoryType")
    if repository and not kind:
        raise bad_request("repositoryType is required when repositoryId is given.", "ArgumentNullException")
    if repository:
        yield lambda build: build.definition.repository.id.lower() == repository.lower()
    if kind:
        yield lambda build: build.definition.repository.type.lower() == kind.lower()


def _time_filters(request: Request, order: str) -> Iterable[Predicate]:
    """Yield the bounds on the time that *order* names; a build without that time is outside any bound."""
    earliest, latest = parameter(request, "minTime"), parameter(request, "maxTime")
    if earliest:
        least = parse_time(earliest)
        yield lambda build: (_time(build, order) or BEFORE_ALL) >= least
    if latest:
        most = parse_time(latest)
        yield lambda build: (_time(build, order) or AFTER_ALL) <= most


def _build_of(request: Request) -> Build:
    project = project_of(request)
    text = request.path_params["buildId"]
    if not text.isdigit():
        raise bad_request(f"The value '{text}' is not valid for buildId.", "ArgumentException")
    build = world_of(request).pipelines.builds.get(int(text))
    if build is None or build.project_id != project.id:
        raise ApiError(404, "BuildNotFoundException", f"The requested build {text} could not be found.")
    return build


async def build_single(request: Request) -> Response:
    """Answer one build; soft-deleted ones still answer, with ``deleted``."""
    return json_response(build_answer(world_of(request), _build_of(request)))


async def build_timeline(request: Request) -> Response:
    """Answer a timeline, or 204 without a body when there is none."""
    build = _build_of(request)
    answer = timeline(world_of(request), build, request.path_params.get("timelineId"))
    return Response(status_code=204) if answer is None else json_response(answer)


async def definitions_list(request: Request) -> Response:
    """Answer a page of build definitions, ordered by id unless a name order is asked for."""
    world, project = world_of(request), project_of(request)
    found = list(world.pipelines.definitions.builds_of(project))
    wanted = _numbers(request, "definitionIds")
    name = (parameter(request, "name") or "").casefold()
    found = [each for each in found if (not wanted or each.id in wanted) and _named(each, name)]
    order = (parameter(request, "queryOrder") or "none").lower()
    if order.startswith("definitionname"):
        found.sort(key=lambda each: each.name.casefold())
    if order.startswith("lastmodified"):
        found.sort(key=lambda each: each.created)
    if order.endswith("descending"):
        found.reverse()
    return page_by_token(request, found, lambda each: definition_answer(world, each), default=1000, maximum=10_000)


def _named(definition: BuildDefinition, name: str) -> bool:
    if name.endswith("*"):
        return definition.name.casefold().startswith(name[:-1])
    return not name or definition.name.casefold() == name


async def definition_single(request: Request) -> Response:
    """Answer one build definition."""
    world, project = world_of(request), project_of(request)
    text = request.path_params["definitionId"]
    for definition in world.pipelines.definitions.builds_of(project):
        if str(definition.id) == text:
            return json_response(definition_answer(world, definition))
    raise ApiError(404, "DefinitionNotFoundException", f"Definition {text} could not be found.")


SCOPE = "vso.build"
ROOT = "{project}/_apis/build"
OPERATIONS = [
    Operation("GET", f"{ROOT}/builds", builds_list, SCOPE),
    Operation("GET", f"{ROOT}/builds/{{buildId}}", build_single, SCOPE),
    Operation("GET", f"{ROOT}/builds/{{buildId}}/timeline", build_timeline, SCOPE),
    Operation("GET", f"{ROOT}/builds/{{buildId}}/timeline/{{timelineId}}", build_timeline, SCOPE),
    Operation("GET", f"{ROOT}/definitions", definitions_list, SCOPE),
    Operation("GET", f"{ROOT}/definitions/{{definitionId}}", definition_single, SCOPE),
]
