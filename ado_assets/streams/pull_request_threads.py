"""Threads of pull requests with their comments: discussions, and what the service notes (votes, pushes, merges)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Endpoint
from ado_assets.streams.children import per_parent
from ado_assets.streams.model import Event, Feed, Parent, Request
from ado_assets.streams.pull_request_children import PULL_REQUEST_PATH, WHILE_OPEN, complete_listing, path_of
from ado_assets.tables import PULL_REQUEST_COMMENTS, PULL_REQUEST_THREADS

THREADS: Final = Endpoint(f"{PULL_REQUEST_PATH}/threads")


async def pull_request_threads(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield all threads of the pull requests that are due, deleted ones and deleted comments included.

    Nothing in a pull request's row tells that somebody commented, and comments come after it closed, too.
    """
    async for event in per_parent(client, request, _threads):
        yield event


async def _threads(client: AdoClient, _request: Request, parent: Parent) -> AsyncIterator[Event]:
    async for event in complete_listing(client, THREADS, path_of(parent)):
        yield event


PULL_REQUEST_THREADS_FEED: Final = Feed(
    (PULL_REQUEST_THREADS, PULL_REQUEST_COMMENTS), "project", pull_request_threads, due=WHILE_OPEN
)
