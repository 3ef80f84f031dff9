"""Commits that pull requests bring to their target. Those of the default branch are in ``commits``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Endpoint, by_continuation_header
from ado_assets.streams.children import per_parent
from ado_assets.streams.model import Event, Feed, Parent, Request
from ado_assets.streams.pull_request_children import PULL_REQUEST_PATH, WHEN_CHANGED, complete_listing, path_of
from ado_assets.tables import PULL_REQUEST_COMMITS

#: The largest page is not documented, so the default is asked for; the token leads through the rest.
COMMITS_OF_PULL_REQUEST: Final = Endpoint(f"{PULL_REQUEST_PATH}/commits", paging=by_continuation_header, page_size=100)


async def pull_request_commits(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the present commits of the pull requests that changed; those a force push took away are gone.

    A push while the pages are read can shift them; it also changes the pull request, which is due again then.
    """
    async for event in per_parent(client, request, _commits):
        yield event


async def _commits(client: AdoClient, _request: Request, parent: Parent) -> AsyncIterator[Event]:
    async for event in complete_listing(client, COMMITS_OF_PULL_REQUEST, path_of(parent)):
        yield event


PULL_REQUEST_COMMITS_FEED: Final = Feed((PULL_REQUEST_COMMITS,), "project", pull_request_commits, due=WHEN_CHANGED)
