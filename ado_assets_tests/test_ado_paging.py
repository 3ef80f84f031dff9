"""Listings: each style of paging reads everything there is, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ado_assets.ado import (
    Endpoint,
    Paging,
    PagingLoop,
    UnexpectedAnswer,
    body_token,
    by_body_token,
    by_continuation_header,
    by_next_skip,
    by_search_skip,
    by_skip,
    single,
)
from ado_assets_tests.ado_peer import Peer, Raw, Seen, client_of, reply

Query = dict[str, str]


def listing(paging: Paging | None, page_size: int | None = None, records: str = "value") -> Endpoint:
    return Endpoint("_apis/things", paging=paging, page_size=page_size, records=records)


def read(endpoint: Endpoint, answer: Callable[[Query], Raw], **params: Any) -> tuple[list[Any], list[Query]]:
    """All records of a listing that *answer* serves, and the queries that were asked for them."""
    asked: list[Query] = []

    def serve(seen: Seen) -> Raw:
        query = dict(parse_qsl(urlsplit(seen.target).query))
        del query["api-version"]
        asked.append(query)
        return answer(query)

    async def pages() -> list[Any]:
        async with Peer(serve) as peer, client_of(peer) as client:
            return [record async for page in client.pages(endpoint, {}, params) for record in page.records]

    return asyncio.run(asyncio.wait_for(pages(), 5)), asked


def cut_at(total: int, most: int, default: int = 100, prefix: str = "") -> Callable[[Query], Raw]:
    """A service that holds *total* records and returns at most *most* of them, whatever is asked."""

    def answer(query: Query) -> Raw:
        skip = int(query.get(f"{prefix}$skip", 0))
        size = min(int(query.get(f"{prefix}$top", default)), most)
        return reply(data={"value": list(range(total))[skip : skip + size]})

    return answer


@pytest.mark.parametrize("total", [0, 1, 49, 50, 99, 100, 101, 199, 200, 201, 250, 1000])
@pytest.mark.parametrize("most", [50, 100, 101, 1000])
@pytest.mark.parametrize("page_size", [None, 20, 100, 200])
def test_skip_reads_everything(total: int, most: int, page_size: int | None) -> None:
    """All records are read, each once, whatever size was asked for and whatever the service makes of it."""
    records, _ = read(listing(by_skip, page_size), cut_at(total, most))

    assert list(range(total)) == records


@pytest.mark.parametrize(
    ("total", "calls", "why"),
    [
        (0, 1, "nothing there"),
        (3, 1, "shorter than any cut of the service"),
        (60, 2, "could be a cut: looked once more"),
        (200, 2, "a full page may have a successor"),
        (260, 2, "a full page came before, so the size is honoured and the short one is the last"),
    ],
)
def test_skip_asks_no_more_than_it_must(total: int, calls: int, why: str) -> None:
    """A further page is only asked for where there could be one."""
    _, asked = read(listing(by_skip, 200), cut_at(total, 1000))

    assert calls == len(asked), why


def test_skip_without_size_reads_to_the_empty_page() -> None:
    """An endpoint that names no size is read until nothing comes."""
    _, asked = read(listing(by_skip), cut_at(3, 100))

    assert asked == [{"$skip": "0"}, {"$skip": "3"}]


def test_search_skip_uses_its_own_names() -> None:
    """The commits listing is paged by its searchCriteria parameters, the others are kept."""
    serve = cut_at(3, 100, prefix="searchCriteria.")

    records, asked = read(listing(by_search_skip, 2), serve, **{"searchCriteria.author": "x"})

    first = {"searchCriteria.author": "x", "searchCriteria.$top": "2", "searchCriteria.$skip": "0"}
    assert [first, first | {"searchCriteria.$skip": "2"}] == asked
    assert records == [0, 1, 2]


def test_service_that_ignores_skip_is_a_loop() -> None:
    """A service that returns the same page for every skip ends the listing with an error."""
    with pytest.raises(PagingLoop) as raised:
        read(listing(by_skip, 2), lambda _: reply(data={"value": [1, 2]}))

    assert (raised.value.organization, raised.value.kind) == ("acme", "unexpected")


def test_listing_that_grows_is_not_a_loop() -> None:
    """New records at the front push a page that was read already to the next place once: no error."""
    pages = {"0": [3, 4], "2": [3, 4], "4": [5]}

    records, _ = read(listing(by_skip, 2), lambda query: reply(data={"value": pages[query["$skip"]]}))

    assert records == [3, 4, 3, 4, 5]


@pytest.mark.parametrize("header", ["x-ms-continuationtoken", "X-MS-ContinuationToken", "X-Ms-Continuationtoken"])
def test_continuation_header_in_any_case(header: str) -> None:
    """The token is found whatever the case of its header, comes back unchanged, and an empty page does not end it."""
    pages = {None: ([1], "2;a+b:c"), "2;a+b:c": ([], "3"), "3": ([2], "")}

    def answer(query: Query) -> Raw:
        values, token = pages[query.get("continuationToken")]
        return reply(data={"value": values}, **({header.replace("-", "_"): token} if token else {}))

    records, asked = read(listing(by_continuation_header, 50), answer, queryOrder="finishTimeAscending")

    assert records == [1, 2]
    assert [{name: value for name, value in query.items() if name != "continuationToken"} for query in asked] == [
        {"$top": "50", "queryOrder": "finishTimeAscending"}
    ] * 3


@pytest.mark.parametrize("tokens", [["A"], ["A", "B"], ["A", "B", "C"]])
def test_repeated_token_is_a_loop(tokens: list[str]) -> None:
    """A token that comes again ends the listing with an error, also after others in between."""
    count = iter(range(1000))

    def answer(_: Query) -> Raw:
        n = next(count)
        return reply(data={"value": [n]}, x_ms_continuationtoken=tokens[n % len(tokens)])

    with pytest.raises(PagingLoop):
        read(listing(by_continuation_header), answer)


def test_new_tokens_for_the_same_page_are_a_loop() -> None:
    """A service that gives a new token each time but always the same records ends the listing with an error."""
    count = iter(range(1000))

    with pytest.raises(PagingLoop):
        read(
            listing(by_continuation_header),
            lambda _: reply(data={"value": [1]}, x_ms_continuationtoken=str(next(count))),
        )


def test_next_skip_is_followed() -> None:
    """The body says where the next page starts; 0 is the end."""
    pages = {None: ([1, 2], 2, 3), "2": ([3], 0, 0)}

    def answer(query: Query) -> Raw:
        entries, skip, top = pages[query.get("$skip")]
        return reply(data={"changeEntries": entries, "nextSkip": skip, "nextTop": top})

    records, asked = read(listing(by_next_skip, 2, "changeEntries"), answer)

    assert records == [1, 2, 3]
    assert asked == [{"$top": "2"}, {"$top": "3", "$skip": "2"}]


def test_next_skip_may_be_absent() -> None:
    """Without nextSkip the first page is the only one."""
    assert read(listing(by_next_skip, None, "changeEntries"), lambda _: reply(data={"changeEntries": [1]})) == (
        [1],
        [{}],
    )


def test_next_skip_that_stays_is_a_loop() -> None:
    """The same nextSkip again ends the listing with an error."""
    with pytest.raises(PagingLoop):
        read(
            listing(by_next_skip, None, "changeEntries"),
            lambda _: reply(data={"changeEntries": [1], "nextSkip": 7, "nextTop": 1}),
        )


def batch(values: list[int], token: str | None = None, link: str | None = None, last: bool | None = None) -> Raw:
    body = {"values": values, "continuationToken": token, "nextLink": link, "isLastBatch": last}
    return reply(data={name: value for name, value in body.items() if value is not None})


def test_reporting_batches_until_the_last() -> None:
    """Batches are followed by token or link, over an empty one, until the last; the start is sent only once."""
    link = "https://x/_apis/wit/reporting/workitemrevisions?api-version=7.1&continuationToken=t%3B2"
    batches = {
        None: batch([1], token="t1", last=False),
        "t1": batch([], link=link, last=False),
        "t;2": batch([2], token="t3", last=True),
    }

    records, asked = read(
        listing(by_body_token, None, "values"),
        lambda query: batches[query.get("continuationToken")],
        startDateTime="2026-01-01T00:00:00Z",
        includeDeleted=True,
    )

    assert records == [1, 2]
    assert asked == [
        {"startDateTime": "2026-01-01T00:00:00Z", "includeDeleted": "true"},
        {"includeDeleted": "true", "continuationToken": "t1"},
        {"includeDeleted": "true", "continuationToken": "t;2"},
    ]


def test_reporting_may_start_from_a_token() -> None:
    """A stored token starts the feed, and the last batch's token is there to be stored."""

    async def last() -> str | None:
        answers = (batch([1], token="t2", last=False), batch([], token="t3", last=True))
        async with Peer(*answers) as peer, client_of(peer) as client:
            pages = client.pages(listing(by_body_token, None, "values"), {}, {"continuationToken": "t1"})
            return [body_token(page) async for page in pages][-1]

    assert asyncio.run(last()) == "t3"


def test_reporting_token_that_stays_is_a_loop() -> None:
    """The token that was sent comes back with more announced: an error."""
    with pytest.raises(PagingLoop):
        read(listing(by_body_token, None, "values"), lambda _: batch([], token="t1", last=False))


def test_reporting_without_a_way_on_is_an_error() -> None:
    """More is announced but no token given: an error, since what is missing would go unnoticed."""
    with pytest.raises(UnexpectedAnswer):
        read(listing(by_body_token, None, "values"), lambda _: batch([1], last=False))


@pytest.mark.parametrize("paging", [None, single])
def test_single_asks_once(paging: Paging | None) -> None:
    """A listing without pages is asked once."""
    assert read(listing(paging), lambda _: reply(data={"value": [1]})) == ([1], [{}])


@pytest.mark.parametrize("paging", [None, single])
def test_single_follows_a_token_that_nobody_expects(paging: Paging | None) -> None:
    """Should the service page what is documented as one answer, the rest is read: it would look deleted otherwise."""

    def answer(query: Query) -> Raw:
        if query:
            return reply(data={"value": [2]})
        return reply(data={"value": [1]}, x_ms_continuationtoken="more")

    assert read(listing(paging), answer) == ([1, 2], [{}, {"continuationToken": "more"}])


def test_one_call_does_not_take_a_first_page_for_the_whole() -> None:
    """A list that is read with one call and announces a further page is an error, not a short list."""

    async def ask() -> None:
        async with (
            Peer(lambda _: reply(data={"value": [1]}, x_ms_continuationtoken="more")) as peer,
            client_of(peer) as client,
        ):
            await client.get(listing(None))

    with pytest.raises(UnexpectedAnswer, match="further page"):
        asyncio.run(asyncio.wait_for(ask(), 5))


def test_a_page_that_fails_ends_the_listing_with_its_error() -> None:
    """A later page without its list is an error of that page, not the end of the listing."""

    def answer(query: Query) -> Raw:
        return reply(data={"value": [1, 2]} if query["$skip"] == "0" else {"count": 0})

    with pytest.raises(UnexpectedAnswer) as raised:
        read(listing(by_skip, 2), answer)

    assert "skip=2" in str(raised.value)


def test_pages_are_asked_for_one_by_one() -> None:
    """Nothing is requested before it is wanted: leaving early asks for no further page."""

    async def first() -> int:
        async with Peer(reply(data={"value": [1]}, x_ms_continuationtoken="more")) as peer, client_of(peer) as client:
            pages: AsyncIterator[Any]
            async with aclosing(client.pages(listing(by_continuation_header))) as pages:
                async for _ in pages:
                    break
            return len(peer.seen)

    assert asyncio.run(first()) == 1
