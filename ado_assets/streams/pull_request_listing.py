"""
How listings of pull requests are paged, and how their descriptions become whole.

Belongs here: what every listing of pull requests needs. Which listings are read, and when, is in ``pull_requests``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from ado_assets.ado import (
    AccessDenied,
    AdoClient,
    Answer,
    Endpoint,
    NotFound,
    PagingLoop,
    Params,
    UnexpectedAnswer,
    merge,
    split,
)
from ado_assets.ado.paging import Pages
from ado_assets.streams.listings import objects
from ado_assets.streams.model import Page, page, regrouped, single

PAGE_SIZE: Final = 1000
OVERLAP: Final = 50
DEFAULT_PAGE: Final = 101
MOST_STEPS_BACK: Final = 20
READS_AT_ONCE: Final = 16

#: The listing cuts descriptions to 400 characters (git/7.1). The service counts UTF-16 units; one less, because a cut
#: may not leave half of a surrogate pair behind.
UNCUT_DESCRIPTION: Final = 399


class Key(NamedTuple):
    """What identifies a pull request."""

    repository_id: str
    pull_request_id: int


def key_of(record: Any) -> Key:
    """
    Return the key of a pull request's record.

    Raises:
        UnexpectedAnswer: The record has none.
    """
    try:
        return Key(record["repository"]["id"], record["pullRequestId"])
    except (KeyError, TypeError) as error:
        raise UnexpectedAnswer(f"a pull request came without {error}") from error


def by_overlapping_skip(params: Params, endpoint: Endpoint) -> Pages:
    """
    Page with ``$top`` and ``$skip`` so that no record is missed while others leave the listing.

    A pull request that closes leaves the listing of active ones, and all that follow move up: plain skipping would
    jump over as many as left. So each page reaches back over the end of the one before. A page that begins with a
    record that has come already joins on without a gap, because the order of the rest does not change; one that does
    not (more left than the overlap holds) is followed by a page further back. Records that enter at the front only
    make the pages overlap more.

    A page that is not full ends the listing, unless the service may have lowered ``$top`` (cf. ``by_skip``): it never
    sends fewer than its default of 101 for that reason.

    Raises:
        PagingLoop: Pages do not join on, however often the reader goes back.
    """
    size = endpoint.page_size or PAGE_SIZE
    seen: set[Key] = set()
    skip, steps_back, accepted = 0, 0, False
    while True:
        answer = yield {**params, "$top": size, "$skip": skip}
        keys = [key_of(record) for record in answer.records]
        if skip and (not keys or keys[0] not in seen):
            if steps_back == MOST_STEPS_BACK:
                raise PagingLoop(f"{endpoint.template} changes faster than its pages can be read")
            steps_back += 1
            # a page may well be asked for again; one record less tells the client's guard that it is meant
            skip, size = max(0, skip - size // 2), size - 1
            continue
        seen.update(keys)
        accepted = accepted or len(keys) >= size
        if len(keys) < size and (accepted or len(keys) < DEFAULT_PAGE):
            return
        skip += max(len(keys) - OVERLAP, 1)


PROJECT_PULL_REQUESTS: Final = Endpoint(
    "{project_id}/_apis/git/pullrequests", paging=by_overlapping_skip, page_size=PAGE_SIZE
)
REPOSITORY_PULL_REQUESTS: Final = Endpoint(
    "{project_id}/_apis/git/repositories/{repository_id}/pullrequests", paging=by_overlapping_skip, page_size=PAGE_SIZE
)
PULL_REQUEST: Final = Endpoint(
    "{project_id}/_apis/git/repositories/{repository_id}/pullrequests/{pull_request_id}", records=None
)


class PullRequestReader:
    """
    Reads pull requests of one project, each with its whole description.

    Attributes:
        seen: Keys of all that were brought.
        refused: Repositories of which a pull request was not to be had by itself (403 or 404).
    """

    def __init__(self, client: AdoClient, project_id: str) -> None:
        self.seen: set[Key] = set()
        self.refused: set[str] = set()
        self._client = client
        self._scope = {"project_id": project_id}

    async def listing(self, criteria: Mapping[str, str], repository_id: str | None = None) -> AsyncIterator[Page]:
        """
        Yield the pull requests of the project, or of one repository, that meet the search criteria.

        Args:
            criteria: Names without the prefix ``searchCriteria.``.
        """
        endpoint, path = PROJECT_PULL_REQUESTS, self._scope
        if repository_id is not None:
            endpoint, path = REPOSITORY_PULL_REQUESTS, {**self._scope, "repository_id": repository_id}
        landed: set[Key] = set()
        params = {f"searchCriteria.{name}": value for name, value in criteria.items()}
        async for answer in self._client.pages(endpoint, path, params):
            async for part in self._whole(answer, landed):
                yield part

    async def each(self, keys: list[Key]) -> AsyncIterator[Page]:
        """Yield these pull requests, read one by one. Those that are not to be had leave a trace in ``refused``."""
        if not keys:
            return
        async with aclosing(merge((self._one(key) for key in keys), min(len(keys), READS_AT_ONCE))) as pages:
            async for one in pages:
                yield one

    async def _whole(self, answer: Answer, landed: set[Key]) -> AsyncIterator[Page]:
        """The records of a page that are new to the listing; those with a cut description are read by themselves."""
        keys = [key_of(record) for record in objects(answer)]
        new = [number for number, key in enumerate(keys) if key not in landed]
        cut = {number for number in new if _may_be_cut(answer.records[number])}
        uncut = [number for number in new if number not in cut]
        landed.update(keys)
        self.seen.update(keys[number] for number in uncut)
        if uncut and len(uncut) == len(keys):
            yield page(answer, self._scope)
        elif uncut:
            raw = split(answer.body, "value")
            records = [answer.records[number] for number in uncut]
            yield regrouped([raw[number] for number in uncut], records, self._scope, answer.read_at)
        async for one in self.each([keys[number] for number in sorted(cut)]):
            yield one

    async def _one(self, key: Key) -> AsyncIterator[Page]:
        path = {**self._scope, **key._asdict()}
        try:
            answer = await self._client.get(PULL_REQUEST, path)
        except (AccessDenied, NotFound):
            self.refused.add(key.repository_id)
            return
        self.seen.add(key)
        yield single(answer, self._scope)


def _may_be_cut(record: dict[str, Any]) -> bool:
    description = record.get("description")
    if not isinstance(description, str):
        return False
    return len(description.encode("utf-16-le", "surrogatepass")) >= 2 * UNCUT_DESCRIPTION
