"""
The reporting feeds: revisions and links in the order they happened.

A token is a place in that order; it never expires, and reading on from it later gives what has come since.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.boards import ID_BITS, REV_BITS, Boards, feed_key
from ado_assets.sample.boards_history import Link, WorkItem, milliseconds
from ado_assets.sample.boards_rendering import render_link, render_reported
from ado_assets.sample.core import Project
from ado_assets.sample.http import (
    Operation,
    bad_request,
    flag,
    json_response,
    number,
    optional_project_of,
    parameter,
    parse_time,
    world_of,
)

PAGE = 1_000
LOOKED_AT = 2
"""A page gives up after looking at this many times its size, so filtered feeds have pages that are short or empty."""


@dataclass(frozen=True)
class Filter:
    """What a reader of the revisions feed asked for."""

    fields: frozenset[str] | None
    types: frozenset[str] | None
    identities: bool
    deleted: bool
    latest_only: bool
    full: bool
    project: Project | None

    def admits(self, boards: Boards, item: WorkItem, rev: int) -> bool:
        """Tell whether a revision belongs in this reader's feed."""
        if item.status == "destroyed" or (item.status == "recycled" and not self.deleted):
            return False
        if boards.world.projects[item.project_id].state != "wellFormed":
            return False
        if self.project is not None and item.project_id != self.project.id:
            return False
        if self.latest_only and rev != item.rev:
            return False
        return self.types is None or boards.type_at(item, rev) in self.types


def _names(value: Any) -> frozenset[str] | None:
    if isinstance(value, str):
        value = value.split(",")
    return frozenset(value) if value else None


def _filter_of(request: Request, body: Mapping[str, Any]) -> Filter:
    def asked(name: str) -> bool:
        return bool(body[name]) if name in body else flag(request, name)

    fields = _names(body.get("fields") or parameter(request, "fields"))
    full = (parameter(request, "$expand") or "").lower() == "fields"
    if fields and full:
        message = "The expand parameter can not be used with the fields parameter."
        raise bad_request(message, "ConflictingParametersException")
    return Filter(
        fields=fields,
        types=_names(body.get("types") or parameter(request, "types")),
        identities=asked("includeIdentityRef"),
        deleted=asked("includeDeleted"),
        latest_only=asked("includeLatestOnly"),
        full=full,
        project=optional_project_of(request),
    )


def _start(request: Request, total: int, first_since: Callable[[int], int]) -> int:
    """Return where to read on: the token's place, the first entry not before ``startDateTime``, or the beginning."""
    token, since = parameter(request, "continuationToken"), parameter(request, "startDateTime")
    if token and since:
        message = "The parameters continuationToken and startDateTime cannot be used together."
        raise bad_request(message, "ConflictingParametersException")
    if since:
        return first_since(milliseconds(parse_time(since)))
    if not token:
        return 0
    head = token.partition(";")[0]
    if not head.isdigit() or int(head) > total:
        message = f"VS403318: The continuation token '{token}' is not valid."
        raise bad_request(message, "ReportingContinuationTokenException")
    return int(head)


def _batch(request: Request, values: list[Any], end: int, total: int) -> Response:
    token = f"{end};{end * 31 % 997};1"
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    host = world_of(request).base_url.removesuffix("/" + world_of(request).organization)
    link = f"{host}{path}?continuationToken={quote(token, safe='')}&api-version=7.1"
    return json_response({"values": values, "nextLink": link, "continuationToken": token, "isLastBatch": end >= total})


async def read_revisions(request: Request) -> Response:
    """Answer a batch of revisions; the token is to be kept also when ``isLastBatch`` is true."""
    body = orjson.loads(await request.body() or b"{}") if request.method == "POST" else {}
    boards, wanted = world_of(request).boards, _filter_of(request, body)
    size = max(1, min(PAGE, number(request, "$maxPageSize", PAGE)))
    position = _start(request, len(boards.feed), lambda since: bisect_left(boards.feed, feed_key(since, 0, 0)))
    last = min(len(boards.feed), position + size * LOOKED_AT)
    values: list[Any] = []
    while position < last and len(values) < size:
        key = boards.feed[position]
        item, rev = boards.items[key >> REV_BITS & (1 << ID_BITS) - 1], key & (1 << REV_BITS) - 1
        position += 1
        if wanted.admits(boards, item, rev):
            values.append(
                render_reported(boards, item, rev, identities=wanted.identities, full=wanted.full, only=wanted.fields)
            )
    return _batch(request, values, position, len(boards.feed))


async def read_links(request: Request) -> Response:
    """Answer a batch of links between items, made and removed; hyperlinks and artifact links are not among them."""
    boards, project = world_of(request).boards, optional_project_of(request)
    rels, types = _names(parameter(request, "linkTypes")), _names(parameter(request, "types"))
    position = _start(
        request, len(boards.links), lambda since: bisect_left(boards.links, since, key=lambda link: link.at)
    )
    end = min(len(boards.links), position + PAGE)

    def admits(link: Link) -> bool:
        source = boards.items[link.source]
        ends = (source, boards.items[link.target])
        if all(boards.world.projects[end.project_id].state != "wellFormed" for end in ends):
            return False
        if project is not None and source.project_id != project.id:
            return False
        return (rels is None or link.rel in rels) and (types is None or boards.type_at(source, source.rev) in types)

    values = [render_link(boards, link) for link in boards.links[position:end] if admits(link)]
    return _batch(request, values, end, len(boards.links))


REPORTING = "{project}/_apis/wit/reporting"
OPERATIONS = [
    Operation("GET", f"{REPORTING}/workitemrevisions", read_revisions, "vso.work", optional_project=True),
    Operation("POST", f"{REPORTING}/workitemrevisions", read_revisions, "vso.work", optional_project=True),
    Operation("GET", f"{REPORTING}/workitemlinks", read_links, "vso.work", optional_project=True),
]
