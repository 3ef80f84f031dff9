"""
The reporting feeds of work items: everything that changed since a place in the order of changes.

A place is kept as text: the service's durable token, or ``@`` and an instant where the service gave no token. Both
feeds are read at the level of the organization: one that is filtered by project loses items that move.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from ado_assets.ado import AdoClient, Answer, Endpoint, Params, body_token, by_body_token, timestamps

#: As POST it takes the fields to return; deleted items only appear with ``includeDeleted``, destroyed ones never do.
LIST_CHANGED_REVISIONS: Final = Endpoint(
    "_apis/wit/reporting/workitemrevisions", method="POST", records="values", paging=by_body_token
)
#: Links between work items that were made or removed. A link is no revision of either item.
LIST_CHANGED_LINKS: Final = Endpoint("_apis/wit/reporting/workitemlinks", records="values", paging=by_body_token)

_LATEST_OF_ALL: Final = {"fields": ["System.Id"], "includeDeleted": True, "includeLatestOnly": True}


def place_at(instant: datetime) -> str:
    """The place in any feed from which nothing that changed at or after *instant* is missed."""
    return "@" + timestamps.format(timestamps.floor_seconds(instant))


class Changes:
    """
    Follows a feed from a place to its end.

    Attributes:
        place: Where the feed has been read to; to be kept once everything before it is.
    """

    def __init__(self, client: AdoClient, endpoint: Endpoint, place: str, *, json: Any = None) -> None:
        self._client = client
        self._endpoint = endpoint
        self._json = json
        self.place = place

    async def answers(self, params: Params | None = None) -> AsyncIterator[Answer]:
        """
        Yield the feed's answers until its last batch. Some records may come twice.

        Raises:
            BadRequest: The service does not accept the place any more.
        """
        start = self.place
        begin: Params = {"startDateTime": start[1:]} if start.startswith("@") else {"continuationToken": start}
        async for answer in self._client.pages(self._endpoint, {}, {**(params or {}), **begin}, self._json):
            yield answer
            self.place = body_token(answer) or self.place


def changed_items(client: AdoClient, place: str) -> Changes:
    """The feed of work items with a new revision, each with its id alone, deleted ones included."""
    return Changes(client, LIST_CHANGED_REVISIONS, place, json=_LATEST_OF_ALL)


def changed_links(client: AdoClient, place: str) -> Changes:
    """The feed of links that were made or removed, each with its ``sourceId`` and ``targetId``."""
    return Changes(client, LIST_CHANGED_LINKS, place)
