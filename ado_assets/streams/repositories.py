"""Git repositories of a project: one listing without pages, and each fork by itself for the sake of its parent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

from ado_assets.ado import AccessDenied, AdoClient, Answer, Endpoint, NotFound, merge, split
from ado_assets.streams.model import Complete, Event, Feed, Gone, Held, Page, Request, page, regrouped, single
from ado_assets.tables import REPOSITORIES

PROJECT_REPOSITORIES: Final = Endpoint("{project_id}/_apis/git/repositories")
RECYCLE_BIN: Final = Endpoint("{project_id}/_apis/git/recycleBin/repositories")
REPOSITORY: Final = Endpoint("{project_id}/_apis/git/repositories/{repository_id}", records=None)

FORKS_AT_ONCE: Final = 16


async def repositories(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield all repositories of the project: disabled and hidden ones too, deleted ones not (git/7.1, no paging).

    The listing leaves out what a fork was made from; only the read of one repository names it. When one that is held
    is not listed any more, the recycle bin tells whether it can be restored.
    """
    assert request.unit.project is not None
    project_id = request.unit.project.id
    answer = await project_repositories(client, project_id)
    scope = {"project_id": project_id}
    async for part in _with_parents(client, answer, scope):
        yield part
    listed = {record["id"] for record in answer.records}
    missing = {str(row["id"]) for row in request.held} - listed
    recycled = await _recycled(client, scope) & missing if missing else frozenset()
    for repository_id in sorted(recycled):
        yield Gone({"id": repository_id}, "recycled", answer.read_at)
    yield Complete(scope, answer.read_at)


async def project_repositories(client: AdoClient, project_id: str) -> Answer:
    """Return the listing of a project's repositories as it is now."""
    return await client.get(PROJECT_REPOSITORIES, {"project_id": project_id}, {"includeHidden": True})


async def _recycled(client: AdoClient, scope: dict[str, str]) -> frozenset[str]:
    """Ids of the deleted repositories that can still be restored; none where that is not to be seen."""
    try:
        answer = await client.get(RECYCLE_BIN, scope)
    except (AccessDenied, NotFound):
        return frozenset()
    return frozenset(record["id"] for record in answer.records)


async def _with_parents(client: AdoClient, answer: Answer, scope: dict[str, str]) -> AsyncIterator[Page]:
    """The listed repositories; forks whose parent the listing does not name are read one by one."""
    forks = {number for number, record in enumerate(answer.records) if _lacks_parent(record)}
    if not forks:
        yield page(answer, scope)
        return
    raw = split(answer.body, "value")
    rest = [number for number in range(len(raw)) if number not in forks]
    yield regrouped([raw[n] for n in rest], [answer.records[n] for n in rest], scope, answer.read_at)
    reads = (_fork(client, scope, raw[n], answer.records[n], answer.read_at) for n in sorted(forks))
    async with aclosing(merge(reads, min(len(forks), FORKS_AT_ONCE))) as pages:
        async for fork in pages:
            yield fork


def _lacks_parent(record: Any) -> bool:
    return isinstance(record, dict) and bool(record.get("isFork")) and not record.get("parentRepository")


async def _fork(
    client: AdoClient, scope: dict[str, str], raw: bytes, record: dict[str, Any], listed_at: datetime
) -> AsyncIterator[Page]:
    """One fork with its parent; a disabled one, which may answer 404, as listed."""
    try:
        path = {**scope, "repository_id": record["id"]}
        yield single(await client.get(REPOSITORY, path, {"includeParent": True}), scope)
    except NotFound:
        if not record.get("isDisabled"):
            raise
        yield regrouped([raw], [record], scope, listed_at)


REPOSITORIES_FEED: Final = Feed((REPOSITORIES,), "project", repositories, held=Held(("id",)))
