"""
Pull requests: what "changed since" can mean where the API has no such filter.

The search knows the time of creation and of closing, and nothing else (git/7.1, ``queryTimeRangeType``); votes, titles,
pushes and labels leave no trace it could filter by. So an incremental read takes what closed since the last one, all
that are active, and one by one those held as active that came in neither. A pull request cannot be deleted but with
its repository. How a listing is paged is in ``pull_request_listing``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ado_assets.ado import AccessDenied, AdoClient, BadRequest, NotFound, timestamps
from ado_assets.streams.model import Complete, Event, Feed, Held, Page, Request, Skipped, Watermark
from ado_assets.streams.pull_request_listing import Key, PullRequestReader
from ado_assets.streams.repositories import project_repositories
from ado_assets.tables import PULL_REQUEST_LABELS, PULL_REQUEST_REVIEWERS, PULL_REQUESTS

FINAL: Final = ("completed", "abandoned")


#: Repositories that can be read, by id; a fork's name, for pull requests name the fork they come from, None otherwise.
_Repositories = Mapping[str, str | None]


@dataclass(frozen=True)
class _Mark:
    """
    The unit's watermark: when the last read began, and which repositories it could see.

    Written as the instant, a space and a JSON object. A repository that was disabled, deleted or out of sight may have
    had pull requests close that nobody read; it is read whole once it is back. An instant alone, as a person gives
    it, says nothing about repositories (None).
    """

    at: datetime
    repositories: _Repositories | None

    @classmethod
    def parse(cls, text: str) -> _Mark:
        at, _, repositories = text.partition(" ")
        return cls(datetime.fromisoformat(at), json.loads(repositories) if repositories else None)

    def __str__(self) -> str:
        return f"{timestamps.format(self.at)} {json.dumps(self.repositories)}"


async def pull_requests(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the pull requests of the project that may differ from what is held, their descriptions whole.

    A pull request of a repository that cannot be read stays as it is, and the repository is reported as skipped.
    """
    assert request.unit.project is not None
    reader = PullRequestReader(client, request.unit.project.id)
    read = _everything if request.watermark is None else _changes
    async for event in read(client, reader, request):
        yield event


async def _everything(client: AdoClient, reader: PullRequestReader, request: Request) -> AsyncIterator[Event]:
    """
    All pull requests of the project, or those active or closed since the start date.

    The listing is complete for the repositories that could be read before and after it: one that is disabled while
    it is paged drops out of it.
    """
    before = await _readable(client, request)
    async for part in _listings(reader, request.options.start_date):
        yield part
    after = await _readable(client, request)
    readable = {each: name for each, name in after.items() if each in before}
    for each in _changed_forks(before, after):
        async for part in _from_fork(reader, each):
            yield part
    if request.options.start_date is None:
        for repository_id in sorted(readable.keys() - reader.refused):
            yield Complete({"repository_id": repository_id}, request.now)
    async for event in _ending(reader, request, readable):
        yield event


async def _changes(client: AdoClient, reader: PullRequestReader, request: Request) -> AsyncIterator[Event]:
    """
    What closed since the last read, what is active, repositories that are back, and what is held as active.

    The order matters: one that closes between the listings is active when they look for closed ones and closed when
    they look for active ones, but then it is held as active, or it is found by the next read's window. Repositories
    are looked up after the listings, so that one which was out of sight is not taken for read.
    """
    assert request.watermark is not None
    mark = _Mark.parse(request.watermark)
    async for part in _listings(reader, mark.at - request.options.overlap):
        yield part
    readable = await _readable(client, request)
    if mark.repositories is not None:
        for each in sorted(readable.keys() - mark.repositories.keys()):
            async for event in _repository(reader, request, each):
                yield event
        for each in _changed_forks(mark.repositories, readable):
            async for part in _from_fork(reader, each):
                yield part
    held = {Key(row["repository_id"], row["pull_request_id"]) for row in request.held}
    missing = sorted(held - reader.seen)
    async for part in reader.each([key for key in missing if key.repository_id in readable]):
        yield part
    reader.refused.update(key.repository_id for key in missing if key.repository_id not in readable)
    async for event in _ending(reader, request, readable):
        yield event


async def _repository(reader: PullRequestReader, request: Request, repository_id: str) -> AsyncIterator[Event]:
    """All pull requests of a repository that the last read could not see, from the start date on."""
    start = request.options.start_date
    try:
        async for part in _listings(reader, start, repository_id):
            yield part
    except (AccessDenied, NotFound):
        reader.refused.add(repository_id)
        return
    if start is None and repository_id not in reader.refused:
        yield Complete({"repository_id": repository_id}, request.now)


def _changed_forks(before: _Repositories, now: _Repositories) -> list[str]:
    """Forks that came, went or have another name. Those in other projects are not seen here."""
    forks = {each for each, name in (*before.items(), *now.items()) if name is not None}
    return sorted(each for each in forks if before.get(each) != now.get(each))


async def _from_fork(reader: PullRequestReader, repository_id: str) -> AsyncIterator[Page]:
    """Every pull request that comes from the fork: it names the fork as it is now, and leaves it out once deleted."""
    with suppress(BadRequest, NotFound):
        async for part in reader.listing({"status": "all", "sourceRepositoryId": repository_id}):
            yield part


async def _listings(
    reader: PullRequestReader, since: datetime | None, repository_id: str | None = None
) -> AsyncIterator[Page]:
    """
    Every pull request; or with *since* those closed since then, and then those active.

    Whether a window of closing times leaves out active ones is not documented, so completed and abandoned ones are
    asked for by name. Closing times are compared a millisecond or two off (azure-rest-api-specs#26287); the overlap
    in *since* covers it.
    """
    criteria = [{"status": "all"}]
    if since is not None:
        window = {"queryTimeRangeType": "closed", "minTime": timestamps.format(timestamps.floor_seconds(since))}
        criteria = [*({"status": status, **window} for status in FINAL), {"status": "active"}]
    for each in criteria:
        async for part in reader.listing(each, repository_id):
            yield part


async def _readable(client: AdoClient, request: Request) -> dict[str, str | None]:
    """The project's repositories that answer now; a disabled one is listed and answers 404."""
    assert request.unit.project is not None
    answer = await project_repositories(client, request.unit.project.id)
    return {
        record["id"]: record["name"] if record.get("isFork") else None
        for record in answer.records
        if not record.get("isDisabled")
    }


async def _ending(reader: PullRequestReader, request: Request, readable: _Repositories) -> AsyncIterator[Event]:
    for repository_id in sorted(reader.refused):
        yield Skipped("its pull requests cannot be read: it is disabled, or not visible to this token", repository_id)
    read = {each: readable[each] for each in sorted(readable.keys() - reader.refused)}
    yield Watermark(str(_Mark(request.now, read)))


PULL_REQUESTS_FEED: Final = Feed(
    (PULL_REQUESTS, PULL_REQUEST_REVIEWERS, PULL_REQUEST_LABELS),
    "project",
    pull_requests,
    held=Held(("repository_id", "pull_request_id", "status"), unless=("status", FINAL)),
)
