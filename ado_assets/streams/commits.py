"""
Commits of the default branch: what its head reaches, nothing else.

Driven by the branch's head and not by dates: a commit's dates are those of its author's and committer's clocks, so
that a late push, a merge of old work or a rebase brings commits that are old at birth (git/7.1: ``fromDate`` filters
the committer's date). Commits of pull requests are in ``pull_request_commits``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

from ado_assets.ado import (
    AdoClient,
    Answer,
    BadRequest,
    Endpoint,
    NotFound,
    by_continuation_header,
    by_search_skip,
)
from ado_assets.streams.model import Complete, Due, Event, Feed, Gone, Request, Skipped, Watermark, page
from ado_assets.streams.repositories import REPOSITORY
from ado_assets.tables import COMMITS

_HEADS: Final = "refs/heads/"

REFS: Final = Endpoint(
    "{project_id}/_apis/git/repositories/{repository_id}/refs", paging=by_continuation_header, page_size=1000
)
COMMITS_OF_VERSION: Final = Endpoint(
    "{project_id}/_apis/git/repositories/{repository_id}/commits", paging=by_search_skip, page_size=1000
)


@dataclass(frozen=True)
class Head:
    """Where the default branch stood: its full name and its commit. Both None while there is no commit."""

    branch: str | None = None
    sha: str | None = None

    @classmethod
    def parse(cls, watermark: str) -> Head:
        """Return the head that a watermark names."""
        found = json.loads(watermark)
        return cls(found["branch"], found["head"])

    def watermark(self) -> Watermark:
        """Return the watermark that says the table holds what this head reaches."""
        return Watermark(json.dumps({"head": self.sha, "branch": self.branch}))


async def commits(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield what the head of the default branch reaches and did not reach at the last read, and what it no longer does.

    A head that did not move costs one call, and a repository that is empty or disabled none.
    """
    repository = request.parents[0].values
    if repository["is_disabled"]:
        yield Skipped("repository is disabled", request.unit.repository_id)
        return
    held = None if request.watermark is None else Head.parse(request.watermark)
    scope = {"project_id": repository["project_id"], "repository_id": repository["id"]}
    head = await _head(client, scope, repository["default_branch"])
    if head == held:
        return
    async for event in _reachable(client, request, scope, held, head):
        yield event
    yield head.watermark()


async def _reachable(
    client: AdoClient, request: Request, scope: Mapping[str, str], held: Head | None, head: Head
) -> AsyncIterator[Event]:
    if head.sha is None:
        yield Complete({"repository_id": scope["repository_id"]}, request.now)
        return
    if held is not None and held.sha == head.sha:
        return
    if held is not None and held.sha is not None:
        try:
            async for event in _difference(client, scope, held.sha, head.sha):
                yield event
            return
        except (BadRequest, NotFound, _NotComparable):
            # The service no longer knows the old head (garbage after a force push, repository made anew), or does not
            # compare as expected. A repository that is gone or disabled answers the listing below alike.
            pass
    async for event in _all(client, scope, head.sha):
        yield event


async def _all(client: AdoClient, scope: Mapping[str, str], sha: str) -> AsyncIterator[Event]:
    """Everything a commit reaches. Asked for by hash, not by branch: pushes meanwhile do not shift the pages."""
    begun = None
    async for answer in client.pages(COMMITS_OF_VERSION, scope, _version("itemVersion", sha)):
        begun = begun or answer.read_at
        if answer.records:
            yield page(answer, scope)
    assert begun is not None
    yield Complete({"repository_id": scope["repository_id"]}, begun)


class _NotComparable(Exception):
    """The service's two differences do not fit together as those of two commits do."""


async def _difference(client: AdoClient, scope: Mapping[str, str], old: str, new: str) -> AsyncIterator[Event]:
    """
    What *new* reaches and *old* does not, as pages; and the other way round (a force push), as gone.

    ``compareVersion`` is described as "start walking history starting at this commit" (git/7.1), and clients in the
    wild disagree on which of the two versions is left out. So nothing is relied on but that an answer is one of the
    two differences: each begins with its own tip, which tells which one it is. Both are asked for; if they are not
    one of each (or an empty one), or share a commit, the versions were not compared.
    """
    came: set[str] = set()
    gone: list[Gone] = []
    sides: list[str] = []
    for item, compare in ((new, old), (old, new)):
        params = _version("itemVersion", item) | _version("compareVersion", compare)
        side = None
        async for answer in client.pages(COMMITS_OF_VERSION, scope, params):
            side = side or _side(answer, old, new)
            shas = [record["commitId"] for record in answer.records]
            if side == "came" and shas:
                came.update(shas)
                yield page(answer, scope)
            else:
                gone += (_gone(scope["repository_id"], sha, answer) for sha in shas)
        sides += [side] if side else []
    if not sides or len(set(sides)) < len(sides) or any(each.key["commit_id"] in came for each in gone):
        raise _NotComparable
    for each in gone:
        yield each


def _side(answer: Answer, old: str, new: str) -> Literal["came", "gone"] | None:
    """Which difference a first page begins; None when it is empty."""
    shas = {record["commitId"] for record in answer.records}
    if not shas:
        return None
    if (old in shas) == (new in shas):
        raise _NotComparable
    return "came" if new in shas else "gone"


def _gone(repository_id: str, sha: str, answer: Answer) -> Gone:
    return Gone({"repository_id": repository_id, "commit_id": sha}, "deleted", answer.read_at)


def _version(name: str, sha: str) -> dict[str, str]:
    return {f"searchCriteria.{name}.version": sha, f"searchCriteria.{name}.versionType": "commit"}


async def _head(client: AdoClient, scope: Mapping[str, str], branch: str | None) -> Head:
    """
    Where the default branch stands.

    When the branch that the held row names does not exist (renamed since the row was read), the repository is asked
    which one is the default now.
    """
    if branch is None:
        return Head()
    if sha := await _sha(client, scope, branch):
        return Head(branch, sha)
    now = (await client.get(REPOSITORY, scope)).data.get("defaultBranch")
    if now is None or now == branch:
        return Head()
    sha = await _sha(client, scope, now)
    return Head(now, sha) if sha else Head()


async def _sha(client: AdoClient, scope: Mapping[str, str], branch: str) -> str | None:
    """The commit of a branch; None when there is no such branch. The filter only says how a name begins (git/7.1)."""
    name = branch if branch.startswith("refs/") else f"{_HEADS}{branch}"
    async with aclosing(client.pages(REFS, scope, {"filter": name.removeprefix("refs/")})) as answers:
        async for answer in answers:
            for ref in answer.records:
                if ref["name"] == name:
                    return str(ref["objectId"])
    return None


COMMITS_FEED: Final = Feed(
    (COMMITS,),
    "repository",
    commits,
    # Always due: the row only says where to look. Its own changes do not follow pushes to the branch.
    due=Due("repositories", ("id", "project_id", "name", "default_branch", "is_disabled"), final=("id", ())),
)
