"""
How the updates of work items are read: the history that only grows.

An update that is there does not change, with one exception: ``revisedDate`` of the newest change of fields is open
until the next change of fields closes it. So what is read again overlaps what is held, back to such a change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from ado_assets.ado import AdoClient, Answer, Endpoint, Params
from ado_assets.streams.children import per_parent
from ado_assets.streams.listings import SMALLEST_CUT
from ado_assets.streams.model import Complete, Due, Event, Feed, Parent, Request, Watermark, page
from ado_assets.tables import WORK_ITEM_UPDATES

#: Oldest first. The largest page is not documented; 200 is what is seen.
LIST_UPDATES: Final = Endpoint("_apis/wit/workItems/{id}/updates")

_PAGE_SIZE: Final = 200
_OVERLAP: Final = 20


async def work_item_updates(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the new updates of every due work item; all of them when nothing is held or there is no watermark.

    The watermark only says that histories were read before.
    """
    async for event in per_parent(client, request, _updates_of):
        yield event
    yield Watermark(request.now.isoformat())


async def _updates_of(client: AdoClient, request: Request, item: Parent) -> AsyncIterator[Event]:
    scope = {"project_id": item.values["project_id"]}
    held = item.children if request.watermark else 0
    if held > _OVERLAP:
        answers = [answer async for answer in _answers(client, item, held - _OVERLAP)]
        if _continues([record for answer in answers for record in answer.records]):
            for answer in answers:
                yield page(answer, scope)
            return
    async for answer in _answers(client, item, 0):
        yield page(answer, scope)
    yield Complete({"work_item_id": item.values["id"]}, request.now)


def _continues(tail: list[Any]) -> bool:
    """
    Whether updates read from the overlap on make the held ones whole again.

    They do not when there are fewer than are held, when no change of fields is in the overlap, or when the item moved
    to another project: then the held ones belong there too.
    """
    if len(tail) < _OVERLAP or not any(update.get("fields") for update in tail[:_OVERLAP]):
        return False
    return not any("System.TeamProject" in (update.get("fields") or {}) for update in tail)


async def _answers(client: AdoClient, item: Parent, skip: int) -> AsyncIterator[Answer]:
    """
    The pages of an item's updates from the one after *skip* on, to the last.

    A short page is the end only if it reaches the item's revision and is not as long as a service might cut it.
    """
    while True:
        params: Params = {"$top": _PAGE_SIZE, "$skip": skip}
        answer = await client.get(LIST_UPDATES, item.values, params)
        count = len(answer.records)
        if count:
            yield answer
        if not count or (count % SMALLEST_CUT and answer.records[-1]["rev"] >= item.values["rev"]):
            return
        skip += count


WORK_ITEM_UPDATES_FEED: Final = Feed(
    (WORK_ITEM_UPDATES,),
    "project",
    work_item_updates,
    due=Due("work_items", columns=("project_id", "id", "rev")),
)
