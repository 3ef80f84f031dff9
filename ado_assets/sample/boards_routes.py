"""The operations on work items: queries, gets, updates, revisions and the recycle bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample import boards_metadata_routes, boards_reporting_routes
from ado_assets.sample.boards import Boards
from ado_assets.sample.boards_history import WorkItem, milliseconds
from ado_assets.sample.boards_rendering import (
    item_url,
    relations,
    render_deleted,
    render_item,
    render_revision,
    render_shallow_deleted,
    render_updates,
)
from ado_assets.sample.boards_wiql import Search, parse
from ado_assets.sample.clock import iso
from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    flag,
    json_response,
    number,
    optional_project_of,
    page_by_skip,
    parameter,
    parse_time,
    world_of,
)

MOST_IDS = 200
EXPANSIONS = ("none", "relations", "fields", "links", "all")


def _missing(item_id: int) -> ApiError:
    message = f"TF401232: Work item {item_id} does not exist, or you do not have permissions to read it."
    return ApiError(404, "WorkItemUnauthorizedAccessException", message)


def _too_many(count: int) -> ApiError:
    message = f"VS402337: The number of work items returned exceeds the size limit of {count}. Ask for fewer items."
    return bad_request(message, "WorkItemTrackingQueryResultSizeLimitExceededException")


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError:
        raise bad_request("The request body is not valid JSON.", "VssPropertyValidationException") from None
    if not isinstance(body, dict):
        raise bad_request("The request body must be an object.", "VssPropertyValidationException")
    return body


async def query(request: Request) -> Response:
    """Run a query and answer ids. More than the cap is refused, unless ``$top`` stays below it: then it is cut."""
    world, project = world_of(request), optional_project_of(request)
    parsed = parse(str((await _body(request)).get("query", "")))
    search = Search(world.boards, parsed, project.name if project else None, precise=flag(request, "timePrecision"))
    ids = search.ids()
    top = number(request, "$top", world.wiql_cap)
    if len(ids) > world.wiql_cap and top >= world.wiql_cap:
        raise _too_many(world.wiql_cap)

    def reference(name: str) -> dict[str, str]:
        display = next((each.name for each in world.boards.schema.fields if each.reference_name == name), name)
        return {"referenceName": name, "name": display, "url": f"{world.base_url}/_apis/wit/fields/{name}"}

    answer: dict[str, Any] = {
        "queryType": "flat",
        "queryResultType": "workItem",
        "asOf": iso(parse_time(parsed.as_of) if parsed.as_of else world.clock.now()),
        "columns": [reference(name) for name in parsed.columns],
        "workItems": [{"id": key, "url": item_url(world.boards, key)} for key in ids[:top]],
    }
    if parsed.order:
        answer["sortColumns"] = [{"field": reference(name), "descending": down} for name, down in parsed.order]
    return json_response(answer)


def _expansion(text: str | None, fields: frozenset[str] | None) -> str:
    expand = (text or "none").lower()
    if expand not in EXPANSIONS:
        raise bad_request(f"The value '{expand}' is not valid for $expand.", "ArgumentException")
    if fields is not None and expand not in ("none", "links"):
        message = "The expand parameter can not be used with the fields parameter."
        raise bad_request(message, "ConflictingParametersException")
    return expand


def _fields(boards: Boards, names: Sequence[str] | None) -> frozenset[str] | None:
    if not names:
        return None
    known = {field.reference_name.lower(): field.reference_name for field in boards.schema.fields}
    for name in names:
        if name.lower() not in known:
            raise bad_request(f"TF51535: Cannot find field {name}.", "InvalidFieldReferenceException")
    return frozenset(known[name.lower()] for name in names)


def _find(request: Request, item_id: int, as_of: int | None = None) -> WorkItem | None:
    """Return a visible item that existed *as_of* and, when the route names a project, is in it."""
    item, project = world_of(request).boards.find(item_id), optional_project_of(request)
    if item is None or (project is not None and item.project_id != project.id):
        return None
    return None if as_of is not None and item.times[0] > as_of else item


def _answer_items(
    request: Request, ids: Sequence[int], fields: Sequence[str] | None, expand: str | None, as_of: str | None
) -> list[dict[str, Any] | None]:
    """Return the asked items in order, None for those that do not answer."""
    boards = world_of(request).boards
    if len(ids) > MOST_IDS:
        message = f"VS403474: You requested {len(ids)} work items, which exceeds the limit of {MOST_IDS}."
        raise bad_request(message, "WorkItemPageSizeExceededException")
    only = _fields(boards, fields)
    expansion = _expansion(expand, only)
    moment = milliseconds(parse_time(as_of)) if as_of else None
    found = [_find(request, key, moment) for key in ids]
    return [
        None if item is None else render_item(boards, item, expand=expansion, only=only, as_of=moment) for item in found
    ]


def _refuse_missing(ids: Sequence[int], rows: Sequence[Any], policy: str | None) -> None:
    if (policy or "fail").lower() == "omit":
        return
    for key, row in zip(ids, rows, strict=True):
        if row is None:
            raise _missing(key)


async def get_batch(request: Request) -> Response:
    """Answer up to 200 items by id; with ``errorPolicy`` omit a missing one is null."""
    body = await _body(request)
    ids = body.get("ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(key, int) for key in ids):
        raise bad_request("VS402361: The parameter ids must be a list of work item ids.", "ArgumentException")
    rows = _answer_items(request, ids, body.get("fields"), body.get("$expand"), body.get("asOf"))
    _refuse_missing(ids, rows, body.get("errorPolicy"))
    return envelope(rows)


async def list_items(request: Request) -> Response:
    """Answer up to 200 items by ``ids``; with ``errorPolicy`` omit a missing one is left out."""
    text = parameter(request, "ids") or ""
    if not text or not all(part.strip().isdigit() for part in text.split(",")):
        raise bad_request("VS402361: The parameter ids must be a list of work item ids.", "ArgumentException")
    ids = [int(part) for part in text.split(",")]
    names = parameter(request, "fields")
    rows = _answer_items(
        request, ids, names.split(",") if names else None, parameter(request, "$expand"), parameter(request, "asOf")
    )
    _refuse_missing(ids, rows, parameter(request, "errorPolicy"))
    return envelope([row for row in rows if row is not None])


def _item_of(request: Request) -> WorkItem:
    text = request.path_params["id"]
    if not text.isdigit():
        raise bad_request(f"The value '{text}' is not a work item id.", "ArgumentException")
    item = _find(request, int(text))
    if item is None:
        raise _missing(int(text))
    return item


async def get_item(request: Request) -> Response:
    """Answer one item."""
    item, names = _item_of(request), parameter(request, "fields")
    rows = _answer_items(
        request,
        [item.id],
        names.split(",") if names else None,
        parameter(request, "$expand"),
        parameter(request, "asOf"),
    )
    _refuse_missing([item.id], rows, None)
    return json_response(rows[0])


async def list_updates(request: Request) -> Response:
    """List an item's updates, oldest first, at most 200 a page."""
    updates = list(render_updates(world_of(request).boards, _item_of(request)))
    return page_by_skip(request, updates, lambda update: update, default=200, maximum=200)


async def get_update(request: Request) -> Response:
    """Answer one update by its number."""
    item, wanted = _item_of(request), request.path_params["updateNumber"]
    for update in render_updates(world_of(request).boards, item):
        if str(update["id"]) == wanted:
            return json_response(update)
    raise ApiError(404, "WorkItemUpdateNotFoundException", f"Work item {item.id} has no update {wanted}.")


async def list_revisions(request: Request) -> Response:
    """List an item's revisions in full, oldest first, at most 200 a page; relations with ``$expand``."""
    boards, item = world_of(request).boards, _item_of(request)
    related = (parameter(request, "$expand") or "none").lower() in ("all", "relations")

    def render(rev: int) -> dict[str, Any]:
        row = render_revision(boards, item, rev)
        if related:
            row["relations"] = relations(boards, item, item.times[rev - 1])
        return row

    return page_by_skip(request, range(1, item.rev + 1), render, default=200, maximum=200)


def _recycled(request: Request) -> list[WorkItem]:
    world, project = world_of(request), optional_project_of(request)
    return [
        item
        for item in world.boards.items.values()
        if item.status == "recycled"
        and world.projects[item.project_id].state == "wellFormed"
        and (project is None or item.project_id == project.id)
    ]


async def list_recycled(request: Request) -> Response:
    """List the recycle bin: references, or details of the ``ids`` that are in it."""
    world, items = world_of(request), _recycled(request)
    wanted = parameter(request, "ids")
    if wanted:
        keys = set(wanted.split(","))
        return envelope([render_deleted(world.boards, item, local=True) for item in items if str(item.id) in keys])
    if len(items) > world.wiql_cap:
        raise _too_many(world.wiql_cap)
    return envelope([render_shallow_deleted(world.boards, item) for item in items])


async def get_recycled(request: Request) -> Response:
    """Answer one item of the recycle bin."""
    for item in _recycled(request):
        if str(item.id) == request.path_params["id"]:
            row = render_deleted(world_of(request).boards, item, local=False)
            row["resource"] = render_item(world_of(request).boards, item, expand="none")
            return json_response(row)
    raise ApiError(404, "WorkItemNotFoundException", f"TF401232: Work item {request.path_params['id']} is not deleted.")


WIT = "{project}/_apis/wit"
OPERATIONS = [
    *boards_metadata_routes.OPERATIONS,
    *boards_reporting_routes.OPERATIONS,
    Operation("POST", f"{WIT}/wiql", query, "vso.work", optional_project=True),
    Operation("POST", "{project}/{team}/_apis/wit/wiql", query, "vso.work"),
    Operation("POST", f"{WIT}/workitemsbatch", get_batch, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/workitems", list_items, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/workitems/{{id}}", get_item, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/workitems/{{id}}/updates", list_updates, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/workitems/{{id}}/updates/{{updateNumber}}", get_update, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/workitems/{{id}}/revisions", list_revisions, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/recyclebin", list_recycled, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/recyclebin/{{id}}", get_recycled, "vso.work", optional_project=True),
]
