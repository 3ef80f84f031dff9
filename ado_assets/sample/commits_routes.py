"""The operations of commits: search criteria in, rows of the graph out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.commits import Commit, render_row, render_whole
from ado_assets.sample.git_words import path
from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    json_response,
    number,
    page_by_skip,
    parameter,
    parameters,
    parse_time,
    world_of,
)
from ado_assets.sample.repositories import Repository
from ado_assets.sample.repositories_routes import BELOW, SCOPE, commit_named, push_numbered, repository_of

Criteria = Mapping[str, str]
"""Search criteria by lower-case name without prefix, nested ones as ``itemversion.version``."""


def _true(criteria: Criteria, name: str) -> bool:
    return criteria.get(name, "").lower() in ("true", "1")


def _search(repository: Repository, criteria: Criteria, ids: list[str]) -> list[int]:
    """
    Return the numbers of the commits that fit, newest first.

    *ids* excludes every other criterion; showOldestCommitsFirst ignores both versions (git/7.1). Dates are the
    committer's. An empty repository has no commits as long as no version is asked for.
    """
    history = repository.history
    if ids:
        return [commit_named(repository, sha, "commit").number for sha in ids]
    oldest_first = _true(criteria, "showoldestcommitsfirst")
    item = None if oldest_first else _version(repository, criteria, "itemversion")
    head = repository.default_head if item is None else item.number
    if head is None:
        return []
    compare = None if oldest_first else _version(repository, criteria, "compareversion")
    found = history.reachable(head) if compare is None else history.between(head, compare.number)
    found = _filtered(repository, criteria, found)
    return found[::-1] if oldest_first else found


def _version(repository: Repository, criteria: Criteria, name: str) -> Commit | None:
    version = criteria.get(f"{name}.version")
    if not version:
        return None
    return commit_named(repository, version, criteria.get(f"{name}.versiontype", "branch").lower())


def _filtered(repository: Repository, criteria: Criteria, numbers: list[int]) -> list[int]:
    history = repository.history
    since, until = criteria.get("fromdate"), criteria.get("todate")
    if since:
        earliest = parse_time(since).timestamp()
        numbers = [each for each in numbers if history[each].committed >= earliest]
    if until:
        latest = parse_time(until).timestamp()
        numbers = [each for each in numbers if history[each].committed <= latest]
    author, user = criteria.get("author", "").lower(), criteria.get("user", "").lower()
    if author:
        numbers = [each for each in numbers if author in " ".join(history[each].author).lower()]
    if user:
        numbers = [each for each in numbers if user in " ".join(history[each].committer).lower()]
    return numbers


def _page(
    request: Request, repository: Repository, criteria: Criteria, ids: list[str], maximum: int | None
) -> Response:
    pushes = _true(criteria, "includepushdata")
    return page_by_skip(
        request,
        _search(repository, criteria, ids),
        lambda each: render_row(repository, repository.history[each], push=pushes),
        default=100,
        maximum=maximum,
    )


async def list_commits(request: Request) -> Response:
    """List the commits a version reaches, by default the default branch; or those of one push."""
    repository = repository_of(request)
    if parameter(request, "pushId") is not None:
        return _commits_of_push(request, repository)
    return _page(request, repository, parameters(request), list(_ids_in_query(request)), None)


def _ids_in_query(request: Request) -> Iterator[str]:
    for name, value in parse_qsl(request.scope["query_string"].decode("latin-1")):
        if name.lower().removeprefix("searchcriteria.").partition("[")[0] == "ids":
            yield from filter(None, value.split(","))


def _commits_of_push(request: Request, repository: Repository) -> Response:
    push = push_numbered(repository, parameter(request, "pushId") or "")
    skip, top = number(request, "skip", 0), number(request, "top", 100)
    commits = [repository.history[each] for each in reversed(push.commits)][skip : skip + top]
    return envelope([render_row(repository, commit) for commit in commits])


async def list_commits_batch(request: Request) -> Response:
    """List commits by criteria in the body; $top and $skip stay in the query."""
    repository = repository_of(request)
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise bad_request("The request body is not valid JSON.", "VssPropertyValidationException") from None
    if not isinstance(body, dict):
        raise bad_request("The request body must be an object.", "VssPropertyValidationException")
    criteria = dict(_flat("", body))
    return _page(request, repository, criteria, [str(each) for each in body.get("ids") or []], 50_000)


def _flat(prefix: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name.lower()}.", value)
        elif value is not None and not isinstance(value, list):
            yield f"{prefix}{name.lower()}", str(value)


def _commit_of(request: Request, repository: Repository) -> Commit:
    sha = request.path_params["commitId"]
    commit = repository.history.find(sha)
    if commit is None:
        message = f"TF401181: The commit {sha} does not exist in repository {repository.name}."
        raise ApiError(404, "GitCommitDoesNotExistException", message)
    return commit


async def get_commit(request: Request) -> Response:
    """Answer one commit, also one that no branch reaches any more."""
    repository = repository_of(request)
    record = render_whole(repository, _commit_of(request, repository))
    changed = number(request, "changeCount", 0)
    if changed:
        record["changes"] = _changes(request, repository, record["commitId"])[:changed]
    return json_response(record)


async def list_commit_changes(request: Request) -> Response:
    """Answer the files of one commit, a page by top and skip."""
    repository = repository_of(request)
    commit = _commit_of(request, repository)
    skip, top = number(request, "skip", 0), number(request, "top", 100)
    counts = render_row(repository, commit)["changeCounts"]
    changes = _changes(request, repository, commit.sha)[skip : skip + top]
    return json_response({"changeCounts": counts, "changes": changes})


def _changes(request: Request, repository: Repository, sha: str) -> list[dict[str, Any]]:
    commit = commit_named(repository, sha, "commit")
    rng = world_of(request).rng("commit changes", sha)
    kinds = ["add"] * commit.counts.add + ["edit"] * commit.counts.edit + ["delete"] * commit.counts.delete
    return [
        {
            "item": {
                "objectId": f"{rng.getrandbits(160):040x}",
                "gitObjectType": "blob",
                "commitId": sha,
                "path": path(rng),
            },
            "changeType": kind,
        }
        for kind in kinds
    ]


OPERATIONS = [
    Operation("GET", f"{BELOW}/commits", list_commits, SCOPE, True),
    Operation("GET", f"{BELOW}/commits/{{commitId}}", get_commit, SCOPE, True),
    Operation("GET", f"{BELOW}/commits/{{commitId}}/changes", list_commit_changes, SCOPE, True),
    Operation("POST", f"{BELOW}/commitsbatch", list_commits_batch, SCOPE, True),
]
