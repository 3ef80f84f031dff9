"""What the listings below one pull request have in common; each listing is in the module of its table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from ado_assets.ado import AdoClient, Endpoint, Params
from ado_assets.streams.model import Complete, Due, Event, Parent, page

PULL_REQUEST_PATH: Final = "{project_id}/_apis/git/repositories/{repository_id}/pullRequests/{pull_request_id}"

COLUMNS: Final = ("project_id", "repository_id", "pull_request_id")

#: For what follows from the commits: a push, retarget or rebase changes the pull request's own row, be it only the
#: ``mergeId`` of the trial merge that follows each.
WHEN_CHANGED: Final = Due("pull_requests", (*COLUMNS, "supports_iterations"))

#: For what changes without a trace in the pull request's row: while it is active, and now and then after it closed.
WHILE_OPEN: Final = Due(
    "pull_requests",
    (*COLUMNS, "status", "closed_date"),
    final=("status", ("completed", "abandoned")),
    revisit=("closed_date", (timedelta(hours=1), timedelta(days=1), timedelta(days=3))),
)

_NO_PARAMS: Final[Params] = MappingProxyType({})


def path_of(parent: Parent) -> dict[str, Any]:
    """The ids of a pull request, which are in the address and not in the records of what hangs below it."""
    return {name: parent.values[name] for name in COLUMNS}


async def complete_listing(
    client: AdoClient, endpoint: Endpoint, scope: Mapping[str, Any], params: Params = _NO_PARAMS
) -> AsyncIterator[Event]:
    """Yield the pages of a listing and that it is complete for *scope*, which also fills the endpoint's path."""
    begun = None
    async for answer in client.pages(endpoint, scope, params):
        begun = begun or answer.read_at
        if answer.records:
            yield page(answer, scope)
    assert begun is not None
    yield Complete({name: value for name, value in scope.items() if name != "project_id"}, begun)
