"""Many async generators read at once, a bounded number of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class _Ended:
    """A worker has nothing left to read, or failed."""

    def __init__(self, worker: asyncio.Task[None]) -> None:
        self.worker = worker


async def merge(iterators: Iterable[AsyncIterator[T]], limit: int) -> AsyncGenerator[T, None]:
    """
    Yield the items of all *iterators* as they come, reading at most *limit* of them at once.

    *iterators* is consumed as places become free, so a generator of very many costs no memory. Each one's own order
    is kept. At most *limit* items wait to be taken; a slow consumer slows the readers. Wrap it in
    ``contextlib.aclosing`` where the loop may be left early: leaving closes what was begun.

    Raises:
        Exception: The first error of any iterator, or of *iterators* itself, after the others were stopped.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    source = iter(iterators)
    arrived: asyncio.Queue[T | _Ended] = asyncio.Queue()
    room = asyncio.Semaphore(limit)
    workers = [asyncio.create_task(_read(source, arrived, room)) for _ in range(limit)]
    for worker in workers:
        worker.add_done_callback(lambda ended: arrived.put_nowait(_Ended(ended)))
    try:
        running = len(workers)
        while running:
            item = await arrived.get()
            if isinstance(item, _Ended):
                item.worker.result()
                running -= 1
            else:
                room.release()
                yield item
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _read(
    source: Iterator[AsyncIterator[T]], arrived: asyncio.Queue[T | _Ended], room: asyncio.Semaphore
) -> None:
    for iterator in source:
        try:
            async for item in iterator:
                await room.acquire()
                arrived.put_nowait(item)
        finally:
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()
