"""Git repositories of a project: one listing without pages, and each fork by itself for the sake of its parent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

from ado_assets.ado import AdoClient, Answer, Endpoint, NotFound, merge, split
from ado_assets.streams.model import Complete, Event, Feed, Page, Request, page, regrouped, single
from ado_assets.tables import REPOSITORIES

PROJECT_REPOSITORIES: Final = Endpoint("{project_id}/_apis/git/repositories")
REPOSITORY: Final = Endpoint("{project_id}/_apis/git/repositories/{repository_id}", records=None)

FORKS_AT_ONCE: Final = 16


async def repositories(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield all repositories of the project: disabled and hidden ones too, deleted ones not (git/7.1, no paging).

    The listing leaves out what a fork was made from; only the read of one repository names it.
    """
    assert request.unit.project is not None
    project_id = request.unit.project.id
    answer = await project_repositories(client, project_id)
    scope = {"project_id": project_id}
    forks = {number for number, record in enumerate(answer.records) if _lacks_parent(record)}
    if not forks:
        yield page(answer, scope)
    else:
        raw = split(answer.body, "value")
        rest = [number for number in range(len(raw)) if number not in forks]
        yield regrouped([raw[n] for n in rest], [answer.records[n] for n in rest], scope, answer.read_at)
        reads = (_fork(client, project_id, raw[n], answer.records[n], answer.read_at) for n in sorted(forks))
        async with aclosing(merge(reads, FORKS_AT_ONCE)) as pages:
            async for fork in pages:
                yield fork
    yield Complete(scope, answer.read_at)


async def project_repositories(client: AdoClient, project_id: str) -> Answer:
    """Return the listing of a project's repositories as it is now."""
    return await client.get(PROJECT_REPOSITORIES, {"project_id": project_id}, {"includeHidden": True})


def _lacks_parent(record: Any) -> bool:
    return isinstance(record, dict) and bool(record.get("isFork")) and not record.get("parentRepository")


async def _fork(
    client: AdoClient, project_id: str, raw: bytes, record: dict[str, Any], listed_at: datetime
) -> AsyncIterator[Page]:
    """One fork with its parent; as listed where it cannot be read by itself (a disabled one answers 404)."""
    scope = {"project_id": project_id}
    try:
        path = {"project_id": project_id, "repository_id": record["id"]}
        yield single(await client.get(REPOSITORY, path, {"includeParent": True}), scope)
    except NotFound:
        yield regrouped([raw], [record], scope, listed_at)


REPOSITORIES_FEED: Final = Feed((REPOSITORIES,), "project", repositories)
