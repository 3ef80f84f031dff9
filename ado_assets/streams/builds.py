"""
How builds are read.

The list filters on the time that ``queryOrder`` names, and on nothing that says "changed". A build that still runs has
no finish time, so running builds are listed by their status. One that finished may run again (a retried stage), which
gives it a new finish time. Timelines are in ``build_timelines``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from ado_assets.ado import (
    AdoClient,
    Answer,
    BadRequest,
    Endpoint,
    Params,
    by_continuation_header,
    split,
    timestamps,
)
from ado_assets.streams.listings import batches, objects, one_by_one, whole
from ado_assets.streams.model import Event, Feed, Gone, Held, Request, Watermark, page, regrouped, single
from ado_assets.streams.windows import Window, next_window
from ado_assets.tables import BUILDS

#: The token is only valid with the same ``queryOrder`` and filters. At most 5000 to a page.
LIST_BUILDS: Final = Endpoint("{project_id}/_apis/build/builds", paging=by_continuation_header, page_size=1000)
GET_BUILD: Final = Endpoint("{project_id}/_apis/build/builds/{build_id}", records=None)

UNFINISHED: Final = ("inProgress", "cancelling", "postponed", "notStarted")
_IDS_AT_ONCE: Final = 200


async def builds(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the builds of the project that may differ from what is held; all of them when there is no watermark.

    A delta is: every unfinished build; those finished since the watermark, reaching back by the lookback because tags
    and leases change a finished build without moving any time that can be filtered; those held as unfinished that were
    in neither list; and what was deleted. With a start date the first read is such a delta too.
    """
    assert request.unit.project is not None
    project_id = request.unit.project.id
    window = next_window(request.watermark, request.now, request.options, look_back=True)
    changed = _all(client, project_id) if window.start is None else _since(client, request, project_id, window)
    async for event in changed:
        yield event
    async for event in _deleted(client, project_id, window if request.watermark else None):
        yield event
    yield Watermark(window.watermark)


async def _all(client: AdoClient, project_id: str) -> AsyncIterator[Event]:
    """Every build; ordered by queue time, which every build has. What the list does not hold any more was purged."""
    params: Params = {"statusFilter": "all", "queryOrder": "queueTimeAscending", "deletedFilter": "excludeDeleted"}
    path = {"project_id": project_id}
    async for event in whole(client, LIST_BUILDS, path, params, path, reason="destroyed"):
        yield event


async def _since(client: AdoClient, request: Request, project_id: str, window: Window) -> AsyncIterator[Event]:
    """The delta. Unfinished builds come first, so that one that finishes meanwhile is in the second list."""
    scope = {"project_id": project_id}
    listed: set[int] = set()
    async for answer in _unfinished(client, project_id):
        listed.update(record["id"] for record in answer.records)
        yield page(answer, scope)
    params: Params = {
        "statusFilter": "completed",
        "queryOrder": "finishTimeAscending",
        "minTime": window.earliest,
        "deletedFilter": "excludeDeleted",
    }
    async for answer in client.pages(LIST_BUILDS, scope, params):
        listed.update(record["id"] for record in answer.records)
        yield page(answer, scope)
    missing = sorted({int(row["id"]) for row in request.held} - listed)
    async for event in _by_id(client, request, project_id, missing):
        yield event


async def _unfinished(client: AdoClient, project_id: str) -> AsyncIterator[Answer]:
    """
    Every build that is not completed.

    The statuses are flags, which the service takes joined by commas; should a server refuse that, one call each.
    """
    path = {"project_id": project_id}
    params: Params = {"queryOrder": "queueTimeAscending", "deletedFilter": "excludeDeleted"}
    try:
        async for answer in client.pages(LIST_BUILDS, path, {**params, "statusFilter": ",".join(UNFINISHED)}):
            yield answer
    except BadRequest:
        for status in UNFINISHED:
            async for answer in client.pages(LIST_BUILDS, path, {**params, "statusFilter": status}):
                yield answer


async def _by_id(client: AdoClient, request: Request, project_id: str, ids: Sequence[int]) -> AsyncIterator[Event]:
    """
    The builds named, deleted ones as gone.

    One that neither the list nor a read of its own finds was purged: the list answered, so permission is not missing.
    """
    scope = {"project_id": project_id}
    unseen = set(ids)
    for batch in batches(ids, _IDS_AT_ONCE):
        params: Params = {"buildIds": ",".join(map(str, batch)), "deletedFilter": "includeDeleted"}
        async for answer in client.pages(LIST_BUILDS, scope, params):
            unseen.difference_update(record["id"] for record in answer.records)
            for event in _live_and_gone(answer, project_id):
                yield event
    async for build_id, found in one_by_one(client, GET_BUILD, "build_id", sorted(unseen), scope):
        if found is None:
            yield Gone({**scope, "id": build_id}, "destroyed", request.now)
        elif found.data.get("deleted"):
            yield _gone(found.data, project_id, found)
        else:
            yield single(found, scope)


def _live_and_gone(answer: Answer, project_id: str) -> list[Event]:
    """The builds of an answer that are not deleted, as one page, and the deleted ones as gone."""
    records = answer.records
    live = [
        (raw, record)
        for raw, record in zip(split(answer.body, "value"), records, strict=True)
        if not record.get("deleted")
    ]
    gone: list[Event] = [_gone(record, project_id, answer) for record in records if record.get("deleted")]
    raw_records, live_records = [raw for raw, _ in live], [record for _, record in live]
    return [regrouped(raw_records, live_records, {"project_id": project_id}, answer.read_at), *gone]


async def _deleted(client: AdoClient, project_id: str, window: Window | None) -> AsyncIterator[Event]:
    """
    The soft-deleted builds as gone; with a *window*, only those deleted since it began.

    The API cannot filter them by when they were deleted. It keeps them for about a month.
    """
    params: Params = {"statusFilter": "all", "queryOrder": "queueTimeAscending", "deletedFilter": "onlyDeleted"}
    async for answer in client.pages(LIST_BUILDS, {"project_id": project_id}, params):
        for record in objects(answer):
            deleted = timestamps.parse_any(record.get("deletedDate"))
            if window is None or window.start is None or deleted is None or deleted >= window.start:
                yield _gone(record, project_id, answer)


def _gone(build: Any, project_id: str, answer: Answer) -> Gone:
    by_retention = "retention" in str(build.get("deletedReason") or "").lower()
    key = {"project_id": project_id, "id": build["id"]}
    return Gone(key, "retention" if by_retention else "deleted", answer.read_at)


BUILDS_FEED: Final = Feed(
    (BUILDS,), "project", builds, held=Held(columns=("id", "status"), unless=("status", ("completed",)))
)
