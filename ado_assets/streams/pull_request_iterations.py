"""Iterations of pull requests: one for each push to the source branch, each retarget and each rebase."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Endpoint
from ado_assets.streams.children import per_parent
from ado_assets.streams.model import Event, Feed, Parent, Request
from ado_assets.streams.pull_request_children import PULL_REQUEST_PATH, WHEN_CHANGED, complete_listing, path_of
from ado_assets.tables import PULL_REQUEST_ITERATIONS

ITERATIONS: Final = Endpoint(f"{PULL_REQUEST_PATH}/iterations")


async def pull_request_iterations(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield all iterations of the pull requests that changed.

    A push, retarget or rebase changes the commits that the pull request's row names, so that it is due.
    """
    async for event in per_parent(client, request, _iterations):
        yield event


async def _iterations(client: AdoClient, _request: Request, parent: Parent) -> AsyncIterator[Event]:
    if parent.values["supports_iterations"] is False:
        return
    async for event in complete_listing(client, ITERATIONS, path_of(parent), {"includeCommits": False}):
        yield event


PULL_REQUEST_ITERATIONS_FEED: Final = Feed(
    (PULL_REQUEST_ITERATIONS,), "project", pull_request_iterations, due=WHEN_CHANGED
)
