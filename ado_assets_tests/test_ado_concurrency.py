"""Many readers at once: bounded, lazy, and everything closed whatever happens."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from ado_assets.ado import merge


class Readers:
    """Makes readers and knows how many are open."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.made = 0

    async def read(self, *items: int, fail: bool = False, forever: bool = False) -> AsyncGenerator[int, None]:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            for item in items:
                await asyncio.sleep(0)
                yield item
            if fail:
                raise LookupError("reader failed")
            while forever:
                await asyncio.sleep(0.001)
                yield 0
        finally:
            self.open -= 1

    def many(self, count: int) -> Iterator[AsyncIterator[int]]:
        for n in range(count):
            self.made += 1
            yield self.read(n, n)


async def collect(items: AsyncIterator[int]) -> list[int]:
    return [item async for item in items]


def test_all_items_come_and_no_more_run_than_allowed() -> None:
    """Every item of every reader comes once, with at most *limit* readers open at a time."""
    readers = Readers()

    items = asyncio.run(collect(merge(readers.many(50), 4)))

    assert sorted([*range(50), *range(50)]) == sorted(items)
    assert (readers.most, readers.open) == (4, 0)


def test_readers_are_made_as_they_are_needed() -> None:
    """A hundred thousand readers are not made ahead, and take no memory."""
    readers = Readers()

    async def first() -> None:
        async with aclosing(merge(readers.many(100_000), 3)) as items:
            async for _ in items:
                break

    tracemalloc.start()
    asyncio.run(first())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert readers.made <= 10
    assert peak < 2_000_000


def test_slow_consumer_slows_the_readers() -> None:
    """Readers do not run ahead of who takes their items."""
    taken: list[int] = []

    async def numbers() -> AsyncGenerator[int, None]:
        for n in range(100):
            taken.append(n)
            yield n

    async def slow() -> None:
        async with aclosing(merge([numbers()], 2)) as items:
            async for _ in items:
                await asyncio.sleep(0.01)
                break

    asyncio.run(slow())

    assert len(taken) <= 5


def test_first_error_stops_the_others() -> None:
    """The first error is raised as it is, and every reader that was open is closed."""
    readers = Readers()

    async def read() -> list[int]:
        return await collect(merge([readers.read(forever=True), readers.read(1, fail=True), readers.read(2)], 3))

    with pytest.raises(LookupError, match="reader failed"):
        asyncio.run(asyncio.wait_for(read(), 5))

    assert readers.open == 0


def test_error_of_the_source_is_raised() -> None:
    """An error while the readers are being made is raised too."""

    def source() -> Iterator[AsyncIterator[int]]:
        yield Readers().read(1)
        raise LookupError("no more readers")

    with pytest.raises(LookupError, match="no more readers"):
        asyncio.run(collect(merge(source(), 2)))


def test_leaving_early_closes_the_readers() -> None:
    """Whoever leaves the loop early leaves nothing open and nothing running."""
    readers = Readers()

    async def leave() -> int:
        async with aclosing(merge([readers.read(1, forever=True) for _ in range(5)], 3)) as items:
            async for _ in items:
                break
        return len(asyncio.all_tasks())

    assert asyncio.run(leave()) == 1
    assert readers.open == 0


def test_cancelled_consumer_closes_the_readers() -> None:
    """Cancelling the consumer cancels the readers."""
    readers = Readers()

    async def cancel() -> None:
        task = asyncio.create_task(collect(merge([readers.read(forever=True)], 2)))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert readers.open == 0


def test_nothing_to_read() -> None:
    """No readers, no items."""
    assert asyncio.run(collect(merge([], 3))) == []
