"""
Ways of asking that several feeds share: a listing that is whole, one that shifts while it is paged, one by one.

Belongs here: what a complete listing is. What is listed belongs to the feed's own module.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ado_assets.ado import AdoClient, Answer, Endpoint, NotFound, Params, PathValues, UnexpectedAnswer, merge
from ado_assets.streams.model import Complete, Event, Reason, Scope, page

ONE_BY_ONE_AT_ONCE = 16
"""How many single reads a feed keeps going; the governor of the credential decides how many requests that makes."""

_MOST_PASSES = 4
SMALLEST_CUT = 50
"""Pages that the service cuts without saying so have a round size: a multiple of this."""

NO_PARAMS: Params = {}

Id = TypeVar("Id", str, int)
Item = TypeVar("Item")


async def whole(
    client: AdoClient,
    endpoint: Endpoint,
    path: PathValues,
    params: Params,
    scope: Scope,
    *,
    reason: Reason = "deleted",
) -> AsyncIterator[Event]:
    """Yield the pages of a listing, then that it was complete for *scope*, which is also the pages' scope."""
    at: datetime | None = None
    async for answer in client.pages(endpoint, path, params):
        at = at or answer.read_at
        yield page(answer, scope)
    if at is not None:
        yield Complete(scope, at, reason)


async def steady(
    client: AdoClient,
    endpoint: Endpoint,
    path: PathValues,
    params: Params,
    identify: Callable[[Any], Hashable],
) -> AsyncIterator[Answer | datetime]:
    """
    Yield the answers of a listing paged by ``$skip``, and last its time if nothing can have slipped through.

    A record that disappears while such a listing is paged moves all later ones one place up, so that one is skipped.
    What came in one answer cannot have shifted. A longer listing is read again until two passes bring the same
    records. If they never agree, no time is yielded: the listing is then not known to be complete.

    Args:
        identify: A record's identity.
    """
    before: set[Hashable] | None = None
    for _ in range(_MOST_PASSES):
        at: datetime | None = None
        sizes: list[int] = []
        seen: set[Hashable] = set()
        async for answer in client.pages(endpoint, path, params):
            at = at or answer.read_at
            sizes.append(len(answer.records))
            seen.update(identify(record) for record in objects(answer))
            yield answer
        if at is not None and (_in_one_answer(sizes) or seen == before):
            yield at
            return
        before = seen


def _in_one_answer(sizes: list[int]) -> bool:
    """Whether the first answer held everything: nothing followed it, and its size is not one the service cuts to."""
    return len(sizes) == 1 or (not any(sizes[1:]) and sizes[0] % SMALLEST_CUT != 0)


async def steady_pages(
    client: AdoClient,
    endpoint: Endpoint,
    path: PathValues,
    params: Params,
    scope: Scope,
    complete: Scope,
    identify: Callable[[Any], Hashable],
) -> AsyncIterator[Event]:
    """Yield the pages of a ``steady`` listing, and that it was complete for *complete* when it is known to be."""
    async for found in steady(client, endpoint, path, params, identify):
        yield Complete(complete, found) if isinstance(found, datetime) else page(found, scope)


async def one_by_one(
    client: AdoClient, endpoint: Endpoint, name: str, ids: Iterable[Id], path: PathValues, params: Params = NO_PARAMS
) -> AsyncIterator[tuple[Id, Answer | None]]:
    """
    Yield each id with the answer of its own, read concurrently; None where there is nothing (404).

    Args:
        name: The value of *endpoint*'s path that the ids fill; *path* holds the others.
    """

    async def read(each: Id) -> AsyncIterator[tuple[Id, Answer | None]]:
        try:
            answer = await client.get(endpoint, {**path, name: each}, params)
        except NotFound:
            yield each, None
        else:
            yield each, answer

    async for found in merge((read(each) for each in ids), ONE_BY_ONE_AT_ONCE):
        yield found


def objects(answer: Answer) -> list[dict[str, Any]]:
    """
    The records of an answer, for streams that look into them before they are landed.

    Raises:
        UnexpectedAnswer: One is no object.
    """
    for position, record in enumerate(answer.records, 1):
        if not isinstance(record, dict):
            raise UnexpectedAnswer(_refusal(answer, position, record), status=answer.status)
    return answer.records


def objects_or_gaps(answer: Answer) -> list[dict[str, Any] | None]:
    """
    The same of an answer in which null stands for a record that was asked for and is not there.

    Raises:
        UnexpectedAnswer: One is neither.
    """
    for position, record in enumerate(answer.records, 1):
        if record is not None and not isinstance(record, dict):
            raise UnexpectedAnswer(_refusal(answer, position, record), status=answer.status)
    return answer.records


def _refusal(answer: Answer, position: int, record: Any) -> str:
    return f"record {position} of {answer.endpoint.template} is {type(record).__name__}, not an object"


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield *items* in order, at most *size* at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
