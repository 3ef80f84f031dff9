"""
How deployments of classic releases are read.

The one list of the pipelines area that filters by when its rows were last modified.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Answer, Endpoint, Params, by_continuation_header
from ado_assets.streams.listings import whole
from ado_assets.streams.model import Event, Feed, Request, Watermark, page
from ado_assets.streams.windows import Window, next_window
from ado_assets.tables import RELEASE_DEPLOYMENTS

#: 50 without ``$top``, 100 at most. The token is the id of the next page's first row.
LIST_DEPLOYMENTS: Final = Endpoint(
    "{project_id}/_apis/release/deployments", host="release", paging=by_continuation_header, page_size=100
)

_ORDER: Final[Params] = {"queryOrder": "ascending", "latestAttemptsOnly": False}


async def release_deployments(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the project's deployments that were modified since the watermark; all of them when there is none."""
    assert request.unit.project is not None
    scope = {"project_id": request.unit.project.id}
    window = next_window(request.watermark, request.now, request.options)
    if window.start is None:
        async for event in whole(client, LIST_DEPLOYMENTS, scope, _ORDER, scope):
            yield event
    else:
        async for answer in modified_deployments(client, request.unit.project.id, window):
            yield page(answer, scope)
    yield Watermark(window.watermark)


async def modified_deployments(client: AdoClient, project_id: str, window: Window) -> AsyncIterator[Answer]:
    """Yield the answers of the deployments that were modified in *window*, every attempt on its own."""
    params: Params = {**_ORDER, "minModifiedTime": window.earliest}
    async for answer in client.pages(LIST_DEPLOYMENTS, {"project_id": project_id}, params):
        yield answer


RELEASE_DEPLOYMENTS_FEED: Final = Feed((RELEASE_DEPLOYMENTS,), "project", release_deployments)
