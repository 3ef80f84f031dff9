"""Work items linked to pull requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Endpoint
from ado_assets.streams.children import per_parent
from ado_assets.streams.model import Event, Feed, Parent, Request
from ado_assets.streams.pull_request_children import PULL_REQUEST_PATH, WHILE_OPEN, complete_listing, path_of
from ado_assets.tables import PULL_REQUEST_WORK_ITEMS

WORK_ITEMS: Final = Endpoint(f"{PULL_REQUEST_PATH}/workitems")


async def pull_request_work_items(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the work items of the pull requests that are due; a link leaves no trace in the pull request's row."""
    async for event in per_parent(client, request, _work_items):
        yield event


async def _work_items(client: AdoClient, _request: Request, parent: Parent) -> AsyncIterator[Event]:
    async for event in complete_listing(client, WORK_ITEMS, path_of(parent)):
        yield event


PULL_REQUEST_WORK_ITEMS_FEED: Final = Feed(
    (PULL_REQUEST_WORK_ITEMS,), "project", pull_request_work_items, due=WHILE_OPEN
)
