"""
How deployments of classic releases are read: by when they were modified.

A deleted release takes its deployments along, and brings them back with their old times when it is restored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson

from ado_assets.ado import AdoClient, timestamps
from ado_assets.streams.model import Complete, Event, Feed, Request, Watermark, page
from ado_assets.streams.release_lists import listed_releases, modified_deployments
from ado_assets.streams.windows import Window, next_window
from ado_assets.tables import RELEASE_DEPLOYMENTS


async def release_deployments(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the project's deployments that were modified since the watermark; all of them when there is none.

    The watermark also holds the deleted releases with when they were created: once one is deleted no more, the window
    reaches back to there.
    """
    assert request.unit.project is not None
    project_id = request.unit.project.id
    before = orjson.loads(request.watermark) if request.watermark else {"since": None, "deleted": {}}
    deleted = {
        str(row["id"]): row.get("createdOn")
        async for row, _ in listed_releases(client, project_id, {"isDeleted": True})
    }
    window = next_window(before["since"], request.now, request.options)
    restored = [created for release, created in before["deleted"].items() if release not in deleted]
    window = reach_back(window, [timestamps.parse_any(created) for created in restored])
    first_read_at: datetime | None = None
    async for answer in modified_deployments(client, project_id, window):
        first_read_at = first_read_at or answer.read_at
        yield page(answer, {"project_id": project_id})
    if window.start is None and first_read_at is not None:
        yield Complete({"project_id": project_id}, first_read_at)
    yield Watermark(orjson.dumps({"since": window.watermark, "deleted": deleted}).decode())


def reach_back(window: Window, instants: list[datetime | None]) -> Window:
    """The window, begun early enough to hold all instants; an unknown one reaches back to the beginning."""
    if window.start is None or None in instants:
        return replace(window, start=None)
    return replace(window, start=min([window.start, *(each for each in instants if each is not None)]))


RELEASE_DEPLOYMENTS_FEED: Final = Feed((RELEASE_DEPLOYMENTS,), "project", release_deployments)
