"""
The bare listings of what a complete read asks for row by row: the same pages, without the single reads.

Each yields pages and says what they are complete for, as a feed's read does, but nothing that could be landed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

from ado_assets.ado import AccessDenied, AdoClient, Answer, NotFound, merge
from ado_assets.streams.commits import COMMITS_FEED
from ado_assets.streams.model import Complete, Event, Page, Parent, Request, Skipped, Unit, page
from ado_assets.streams.pull_request_listing import PROJECT_PULL_REQUESTS
from ado_assets.streams.release_lists import LIST_RELEASES, OLDEST_FIRST
from ado_assets.streams.repositories import project_repositories
from ado_assets.streams.work_item_ids import live_ids

DISABLED: Final = "repository is disabled"
_REPOSITORIES_AT_ONCE: Final = 8


async def work_items(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the ids of the project's live work items, paged by id (WIQL)."""
    scope = {"project_id": _project_id(request)}
    async for ids in live_ids(client, scope["project_id"]):
        yield Page(scope, b"", [{"id": each} for each in ids], request.now)
    yield Complete(scope, request.now)


async def releases(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the project's releases as they are listed."""
    scope = {"project_id": _project_id(request)}
    async for answer in client.pages(LIST_RELEASES, scope, {**OLDEST_FIRST, "isDeleted": False}):
        yield page(answer, scope)
    yield Complete(scope, request.now)


async def repositories(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the project's repositories, disabled and hidden ones too."""
    scope = {"project_id": _project_id(request)}
    yield page(await project_repositories(client, scope["project_id"]), scope)
    yield Complete(scope, request.now)


async def pull_requests(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the project's pull requests, complete for the repositories that could be read before and after it."""
    scope = {"project_id": _project_id(request)}
    before = await project_repositories(client, scope["project_id"])
    async for answer in client.pages(PROJECT_PULL_REQUESTS, scope, {"searchCriteria.status": "all"}):
        yield page(answer, scope)
    after = await project_repositories(client, scope["project_id"])
    for repository_id in sorted(_readable(before) & _readable(after)):
        yield Complete({"repository_id": repository_id}, request.now)
    for repository_id in sorted({record["id"] for record in after.records} - _readable(after)):
        yield Skipped(DISABLED, repository_id)


async def commits(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield what the default branch of each of the project's repositories reaches, complete for the repository."""
    answer = await project_repositories(client, _project_id(request))
    reads = (_commits_of(client, request, record) for record in answer.records)
    async with aclosing(merge(reads, _REPOSITORIES_AT_ONCE)) as events:
        async for event in events:
            yield event


async def _commits_of(client: AdoClient, request: Request, repository: Any) -> AsyncIterator[Event]:
    """The complete read of one repository; one that refuses is left out with the reason and stops no other."""
    values = {
        "id": repository["id"],
        "project_id": _project_id(request),
        "name": repository["name"],
        "default_branch": repository.get("defaultBranch"),
        "is_disabled": repository.get("isDisabled"),
    }
    unit = Unit(f"repository:{values['id']}", request.unit.project, values["id"])
    one = Request(unit, None, request.now, parents=(Parent(values, 0),))
    try:
        async for event in COMMITS_FEED.read(client, one):
            yield event
    except (AccessDenied, NotFound) as error:
        yield Skipped(str(error), values["id"])


def _readable(answer: Answer) -> set[str]:
    """Ids of the listed repositories below which the API answers."""
    return {record["id"] for record in answer.records if not record.get("isDisabled")}


def _project_id(request: Request) -> str:
    assert request.unit.project is not None
    return request.unit.project.id
