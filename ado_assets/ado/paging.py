"""
How the next page of a listing is asked for: one generator for each manner the API has.

A style of paging is a value. Called with the caller's parameters and the endpoint it is a generator that yields the
complete parameters of each request and is sent the answer; when it returns, the listing is complete. It knows no
HTTP, and the client's one loop drives all of them under the same ``Guard``. An empty page ends a listing only where
the style says so: a page may be empty while its token goes on (observed for builds and the reporting feeds).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ado_assets.ado.answer import Answer
from ado_assets.ado.endpoint import Endpoint, Params
from ado_assets.ado.errors import PagingLoop, UnexpectedAnswer
from ado_assets.ado.records import raw

Pages = Generator[Params, Answer, None]
Paging = Callable[[Params, Endpoint], Pages]

SMALLEST_CUT = 50
"""The smallest page that an endpoint of the API cuts its answers to by default or at most (releases: 50)."""

_ENDLESS_REPEATS = 2
_ENDLESS_EMPTY = 1_000


def single(params: Params, endpoint: Endpoint) -> Pages:
    """
    One request brings everything, as documented.

    Should the service announce more nevertheless, its token is followed: a list that ends early looks like deletions.
    """
    yield from by_continuation_header(params, endpoint)


def by_continuation_header(params: Params, endpoint: Endpoint) -> Pages:
    """
    The ``x-ms-continuationtoken`` response header goes back as ``continuationToken``; without it the listing is over.

    Neither a short nor an empty page is an end. All other parameters are repeated (a build token is only valid with
    the same ``queryOrder``).
    """
    asked = _sized(params, "$top", endpoint)
    while True:
        answer = yield asked
        token = answer.headers.get("x-ms-continuationtoken")
        if not token:
            return
        asked = {**asked, "continuationToken": token}


def _by_skip(top: str, skip: str) -> Paging:
    def pages(params: Params, endpoint: Endpoint) -> Pages:
        """
        Skip as many records as have come, until there can be no more.

        A page without records is the end. A page of fewer records than were asked for is one too, but only if it
        cannot have been cut short by the service, which lowers a ``$top`` it finds too large without saying so:
        either it returned a full page before in this listing, so the size is accepted, or the page is smaller than
        any cut of this API (``SMALLEST_CUT``). In all other cases, and always when the endpoint names no size, the
        next page is asked for, at the price of one request that may find nothing.
        """
        size = endpoint.page_size
        seen, accepted = 0, False
        while True:
            answer = yield {**_sized(params, top, endpoint), skip: seen}
            count = len(answer.records)
            accepted = accepted or (size is not None and count >= size)
            whole = size is not None and count < size and (accepted or count < SMALLEST_CUT)
            if not count or whole:
                return
            seen += count

    return pages


by_skip = _by_skip("$top", "$skip")
"""``$top`` and ``$skip``; see the docstring of the inner function for where a listing ends."""

by_search_skip = _by_skip("searchCriteria.$top", "searchCriteria.$skip")
"""The same with the names that the commits listing uses."""


def by_next_skip(params: Params, endpoint: Endpoint) -> Pages:
    """
    The body's ``nextSkip`` and ``nextTop`` are the next ``$skip`` and ``$top`` (changes of an iteration).

    Both 0 or both absent is the end.
    """
    asked = _sized(params, "$top", endpoint)
    while True:
        answer = yield asked
        body = _body(answer)
        skip, top = body.get("nextSkip") or 0, body.get("nextTop") or 0
        if not skip:
            return
        asked = {**asked, "$skip": skip} | ({"$top": top} if top else {})


def by_body_token(params: Params, endpoint: Endpoint) -> Pages:
    """
    The body's ``continuationToken``, or the one inside its ``nextLink``, until ``isLastBatch`` (reporting feeds).

    ``startDateTime`` must not accompany a token, so only the first request carries it. The last answer's token is the
    durable one to start from next time: the caller reads it with ``body_token``. A caller that starts from a token
    passes it as ``continuationToken``.

    Raises:
        UnexpectedAnswer: More is announced and no token says how to ask for it.
    """
    asked = _sized(params, "$maxPageSize", endpoint)
    while True:
        answer = yield asked
        last, token = _body(answer).get("isLastBatch"), body_token(answer)
        if last or (last is None and token is None):
            return
        if token is None:
            raise UnexpectedAnswer(f"{endpoint.template} announces a further batch without a token for it")
        asked = {**asked, "startDateTime": None, "continuationToken": token}


def body_token(answer: Answer) -> str | None:
    """Return the continuation token in a reporting answer's body: its own property, or the one in ``nextLink``."""
    body = _body(answer)
    if token := body.get("continuationToken"):
        return str(token)
    query = parse_qs(urlsplit(body.get("nextLink") or "").query)
    return next((values[0] for name, values in query.items() if name.lower() == "continuationtoken"), None)


def _sized(params: Params, name: str, endpoint: Endpoint) -> Params:
    return params if endpoint.page_size is None else {name: endpoint.page_size, **params}


def _body(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.data, dict):
        raise UnexpectedAnswer(f"the answer of {answer.endpoint.template} is not an object", status=answer.status)
    return answer.data


class Guard:
    """
    Watches one listing, so that a service that repeats itself ends it with an error: never silently, never for ever.

    The same parameters twice are a loop at once. A page whose records are byte for byte those of an earlier one is
    one only when it happens twice in a row: a single one can be a listing that grew by a page while it was read. Empty
    pages are one when a thousand follow each other, each with a new token.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._asked: set[tuple[tuple[str, object], ...]] = set()
        self._pages: set[int] = set()
        self._repeats = self._empty = 0

    def asked(self, params: Params) -> None:
        """
        Note the parameters of the next request.

        Raises:
            PagingLoop: They were asked before.
        """
        key = tuple(sorted(params.items()))
        if key in self._asked:
            raise PagingLoop(f"{self._endpoint.template} gave the same continuation twice")
        self._asked.add(key)

    def answered(self, answer: Answer) -> None:
        """
        Note an answer that is followed by another page.

        Raises:
            PagingLoop: It is the second in a row that brought nothing new.
        """
        key = self._endpoint.records
        if key is None:
            return
        self._empty = 0 if answer.records else self._empty + 1
        if self._empty == _ENDLESS_EMPTY:
            raise PagingLoop(f"{self._endpoint.template} gave {_ENDLESS_EMPTY} pages without a record in a row")
        if not answer.records:
            return
        page = hash(raw(answer.body, key))
        self._repeats = self._repeats + 1 if page in self._pages else 0
        if self._repeats == _ENDLESS_REPEATS:
            raise PagingLoop(f"{self._endpoint.template} gave the same records again and again")
        self._pages.add(page)
