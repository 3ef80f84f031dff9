"""How rows that a census found missing or surplus are read again, the cheapest way first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ado_assets.ado import AdoClient
from ado_assets.streams.census import Key
from ado_assets.streams.model import Event, Feed, Gone, Reason, Request
from ado_assets.streams.project_names import ProjectNames
from ado_assets.streams.work_item_ids import deleted_among
from ado_assets.streams.work_item_rows import WorkItemRows

#: Feeds that have no other read than the complete one.
SNAPSHOTS: Final = ("users", "projects", "teams", "repositories")


@dataclass(frozen=True)
class Repair:
    """
    One read that may settle what differs.

    Args:
        feed: What to sync.
        full_refresh: Whether to read everything again.
        whole: Whether to sync for all projects, since rows may have moved between them.
    """

    feed: Feed
    full_refresh: bool = False
    whole: bool = False


def repairs(feed: Feed, missing: Collection[Key], surplus: Collection[Key], start: datetime | None) -> Sequence[Repair]:
    """
    The reads to try in turn.

    An ordinary sync comes first: what changed since the last one is not worth a complete read. Work items are read by
    their ids instead, which also tells a destroyed one from one that moved.

    Args:
        missing, surplus: Keys of the feed's main table.
        start: The start date. With one, no complete read says what is gone, so that the census has to.
    """
    if feed.name == "work_items":
        ids = {int(key[0]) for key in (*missing, *surplus)}
        return [Repair(_work_items_by_id(feed, ids), whole=True)]
    if feed.name in SNAPSHOTS:
        return [Repair(feed, full_refresh=True)]
    complete = feed if start is None else _with_gone(feed, surplus)
    return [Repair(feed), Repair(complete, full_refresh=True)]


def _work_items_by_id(feed: Feed, ids: Iterable[int]) -> Feed:
    """The feed of work items, but that it reads these and moves no watermark."""
    wanted = sorted(ids)

    async def read(client: AdoClient, request: Request) -> AsyncIterator[Event]:
        projects = await ProjectNames.listed(client)
        rows = WorkItemRows(client, projects, (each.id for each in request.projects))
        async for found in rows.pages(wanted):
            yield found
        for each in sorted(rows.outside):
            yield Gone({"id": each}, "unreachable", request.now)
        missing = sorted(rows.missing)
        recycled = await deleted_among(client, missing)
        for each in missing:
            reason: Reason = "deleted" if recycled is None else "recycled" if each in recycled else "destroyed"
            yield Gone({"id": each}, reason, request.now)

    return replace(feed, read=read)


def _with_gone(feed: Feed, surplus: Collection[Key]) -> Feed:
    """The feed, but that it also says that these rows are gone; one that is listed again by now stays."""
    key = feed.tables[0].key

    async def read(client: AdoClient, request: Request) -> AsyncIterator[Event]:
        for values in surplus:
            yield Gone(dict(zip(key, values, strict=True)), "deleted", request.now)
        async for event in feed.read(client, request):
            yield event

    return replace(feed, read=read)
