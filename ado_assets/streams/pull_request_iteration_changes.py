"""Files that each iteration of a pull request changes, against the common base of source and target."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Endpoint, by_next_skip
from ado_assets.streams.children import per_parent
from ado_assets.streams.model import Due, Event, Feed, Parent, Request
from ado_assets.streams.pull_request_children import COLUMNS, PULL_REQUEST_PATH, complete_listing, path_of
from ado_assets.tables import PULL_REQUEST_ITERATION_CHANGES

#: 100 changes a page by default and 2,000 at most; the body says where the next one begins (git/7.1).
CHANGES: Final = Endpoint(
    f"{PULL_REQUEST_PATH}/iterations/{{iteration_id}}/changes",
    paging=by_next_skip,
    records="changeEntries",
    page_size=2000,
)


async def pull_request_iteration_changes(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield all changes of the iterations that are new or changed; an old iteration's files never do."""
    async for event in per_parent(client, request, _changes):
        yield event


async def _changes(client: AdoClient, _request: Request, parent: Parent) -> AsyncIterator[Event]:
    scope = {**path_of(parent), "iteration_id": parent.values["id"]}
    async for event in complete_listing(client, CHANGES, scope, {"$compareTo": 0}):
        yield event


PULL_REQUEST_ITERATION_CHANGES_FEED: Final = Feed(
    (PULL_REQUEST_ITERATION_CHANGES,),
    "project",
    pull_request_iteration_changes,
    due=Due("pull_request_iterations", (*COLUMNS, "id")),
)
