"""
How the timelines of builds are read: the records of the newest attempt and of every earlier one.

A build's main timeline shows each stage's newest attempt; its records name the timelines of the attempts before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Answer, Endpoint
from ado_assets.streams.children import per_parent
from ado_assets.streams.listings import objects, one_by_one
from ado_assets.streams.model import Complete, Due, Event, Feed, Parent, Request, page
from ado_assets.tables import BUILD_TIMELINE_RECORDS

#: 204 without a body for a build that never got a plan (broken YAML, canceled in the queue) or is soft-deleted.
GET_TIMELINE: Final = Endpoint("{project_id}/_apis/build/builds/{build_id}/timeline", records="records")
#: The same of an earlier attempt. It may hold all records of that attempt or only those of the retried stages.
GET_EARLIER_TIMELINE: Final = Endpoint(
    "{project_id}/_apis/build/builds/{build_id}/timeline/{timeline_id}", records="records"
)


async def build_timeline_records(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the records of all timelines of every due build, failed ones included."""
    async for event in per_parent(client, request, _records_of):
        yield event


async def _records_of(client: AdoClient, _request: Request, build: Parent) -> AsyncIterator[Event]:
    scope = {"project_id": build.values["project_id"], "build_id": build.values["id"]}
    main = await client.get(GET_TIMELINE, scope)
    if main.data is None:
        return
    yield page(main, {**scope, "timeline_id": main.data["id"]})
    read, whole = {main.data["id"]}, True
    waiting = _earlier(main) - read
    while waiting:
        read |= waiting
        found = one_by_one(client, GET_EARLIER_TIMELINE, "timeline_id", sorted(waiting), scope)
        waiting = set()
        async for timeline_id, answer in found:
            if answer is None or answer.data is None:
                whole = False
                continue
            yield page(answer, {**scope, "timeline_id": timeline_id})
            waiting |= _earlier(answer) - read
    if whole:
        yield Complete(scope, main.read_at)


def _earlier(timeline: Answer) -> set[str]:
    """Ids of the timelines of earlier attempts that the records of a timeline name."""
    lists = (record.get("previousAttempts") for record in objects(timeline))
    attempts = (attempt for each in lists if isinstance(each, list) for attempt in each if isinstance(attempt, dict))
    return {str(attempt["timelineId"]) for attempt in attempts if attempt.get("timelineId")}


#: A retry changes the build, which makes its timeline due again; an unfinished build's is due at every sync.
BUILD_TIMELINE_RECORDS_FEED: Final = Feed(
    (BUILD_TIMELINE_RECORDS,),
    "project",
    build_timeline_records,
    due=Due("builds", columns=("project_id", "id", "status"), final=("status", ("completed",))),
)
