"""The lists of releases and of deployments, which the streams of both read, each for its own purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from ado_assets.ado import AdoClient, Answer, BadRequest, Endpoint, Params, by_continuation_header
from ado_assets.streams.listings import objects
from ado_assets.streams.windows import Window

#: 50 without ``$top``, 100 at most. The token is a release id and the next page begins with that release.
LIST_RELEASES: Final = Endpoint(
    "{project_id}/_apis/release/releases", host="release", paging=by_continuation_header, page_size=100
)
#: 50 without ``$top``, 100 at most. The one list of the pipelines area that filters by when its rows were modified.
LIST_DEPLOYMENTS: Final = Endpoint(
    "{project_id}/_apis/release/deployments", host="release", paging=by_continuation_header, page_size=100
)
OLDEST_FIRST: Final[Params] = {"queryOrder": "ascending"}


async def listed_releases(client: AdoClient, project_id: str, params: Params) -> AsyncIterator[tuple[Any, datetime]]:
    """Yield the rows of the list of releases, oldest first, each with when it was read; some come twice."""
    async for answer in client.pages(LIST_RELEASES, {"project_id": project_id}, {**OLDEST_FIRST, **params}):
        for row in objects(answer):
            yield row, answer.read_at


async def modified_deployments(client: AdoClient, project_id: str, window: Window) -> AsyncIterator[Answer]:
    """Yield the answers of the deployments that were modified in *window*, every attempt on its own."""
    params: Params = {**OLDEST_FIRST, "latestAttemptsOnly": False, "minModifiedTime": window.earliest}
    async for answer in client.pages(LIST_DEPLOYMENTS, {"project_id": project_id}, params):
        yield answer


async def some_releases(client: AdoClient, project_id: str, place: str | None) -> tuple[list[Any], str | None]:
    """
    One page of the list of releases, and where the next one begins; None when it was the last.

    Args:
        place: Where to begin; None, or a place that the service refuses, is the oldest release.
    """
    params: Params = {**OLDEST_FIRST, "isDeleted": False, "$top": LIST_RELEASES.page_size}
    try:
        answer = await client.get(LIST_RELEASES, {"project_id": project_id}, {**params, "continuationToken": place})
    except BadRequest:
        if place is None:
            raise
        return await some_releases(client, project_id, None)
    return objects(answer), answer.headers.get("x-ms-continuationtoken")
