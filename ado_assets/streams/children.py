"""Reading the children of each due parent row, many at once, so that one parent that is gone stops no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from ado_assets.ado import AccessDenied, AdoClient, NotFound, merge
from ado_assets.streams.model import ChildrenRead, Event, Parent, Request, Skipped

ReadOne = Callable[[AdoClient, Request, Parent], AsyncIterator[Event]]


async def per_parent(client: AdoClient, request: Request, read_one: ReadOne, limit: int = 16) -> AsyncIterator[Event]:
    """
    Yield what *read_one* brings for every due parent, each followed by ``ChildrenRead``; *limit* are read at once.

    A parent that is not found stays due, and nothing of it is deleted: the API answers alike for what is gone and for
    what this token may not see. When it is part of a repository, the repository is skipped with the reason, and its
    other parents are not asked for any more (a disabled repository answers 404 to every call). Other parents that are
    not found are named in one ``Skipped`` of the unit.

    Raises:
        AdoError: Any other error of a parent, after the others were stopped.
    """
    closed: dict[str, str] = {}
    missing: list[Parent] = []

    async def read(parent: Parent) -> AsyncIterator[Event]:
        repository = parent.values.get("repository_id")
        if repository in closed:
            return
        try:
            async for event in read_one(client, request, parent):
                yield event
        except (AccessDenied, NotFound) as error:
            if repository is None and isinstance(error, AccessDenied):
                raise
            if repository is None:
                missing.append(parent)
            else:
                closed.setdefault(repository, str(error))
        else:
            yield ChildrenRead(parent, request.now)

    async for event in merge((read(parent) for parent in request.parents), limit):
        yield event
    for repository, reason in closed.items():
        yield Skipped(reason, repository)
    if missing:
        yield Skipped(f"{len(missing)} rows were not found and stay due, the first of them {_named(missing[0])}")


def _named(parent: Parent) -> str:
    values: dict[str, Any] = {name: value for name, value in parent.values.items() if name.endswith("id")}
    return ", ".join(f"{name} {value}" for name, value in values.items())
