"""The operations of repositories, pushes, refs and branch statistics: parameters in, rows out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.commits import Commit, render_reference, render_row
from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    flag,
    json_response,
    number,
    optional_project_of,
    page_by_skip,
    page_by_token,
    parameter,
    parse_time,
    project_of,
    world_of,
)
from ado_assets.sample.repositories import HEADS, Push, Ref, Repository, render_push, render_ref

BELOW = "{project}/_apis/git/repositories/{repositoryId}"
SCOPE = "vso.code"


def repository_missing(name: str) -> ApiError:
    """Return the one refusal for a repository that is unknown, deleted, disabled or not permitted."""
    message = (
        f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have permissions "
        "for the operation you are attempting."
    )
    return ApiError(404, "GitRepositoryNotFoundException", message)


def repository_of(request: Request) -> Repository:
    """Return the repository below which the request asks; 404 also when it is disabled."""
    repository = _any_repository_of(request)
    if repository.is_disabled:
        raise repository_missing(request.path_params["repositoryId"])
    return repository


def _any_repository_of(request: Request) -> Repository:
    name = request.path_params["repositoryId"]
    repository = world_of(request).git.find(name, optional_project_of(request))
    if repository is None:
        raise repository_missing(name)
    return repository


def commit_named(repository: Repository, version: str, kind: str) -> Commit:
    """Return the commit a version names; 404 when branch, tag or hash is unknown."""
    if kind not in ("branch", "tag", "commit"):
        raise bad_request(f"The value '{kind}' is not valid for versionType.", "ArgumentException")
    commit = repository.find_commit(version, kind)
    if commit is None:
        message = (
            f"TF401175: The version descriptor <{kind.capitalize()}: {version} > could not be resolved to a version "
            f"in the repository {repository.name}."
        )
        raise ApiError(404, "GitUnresolvableToCommitException", message)
    return commit


async def list_repositories(request: Request) -> Response:
    """List the visible repositories at once; wikis and the like only with includeHidden."""
    project, git = optional_project_of(request), world_of(request).git
    found = git.visible() if project is None else git.repositories_of(project.id)
    hidden, links = flag(request, "includeHidden"), flag(request, "includeLinks")
    return envelope([_with_links(each, each.record(), links) for each in found if hidden or not each.is_hidden])


def _with_links(repository: Repository, record: dict[str, Any], wanted: bool) -> dict[str, Any]:
    return record | {"_links": repository.links()} if wanted else record


async def get_repository(request: Request) -> Response:
    """Answer one repository, disabled or not, with links; the parent of a fork only with includeParent."""
    repository = _any_repository_of(request)
    record = repository.record(whole=flag(request, "includeParent"))
    return json_response(_with_links(repository, record, True))


def _deleted_repositories(request: Request) -> list[Repository]:
    project, git = project_of(request), world_of(request).git
    return [each for each in git.repositories.values() if each.project is project and each.deleted is not None]


async def list_deleted_repositories(request: Request) -> Response:
    """List what was deleted from a project, whether it can be restored or not."""
    return envelope([each.deleted_record() for each in _deleted_repositories(request)])


async def list_recycle_bin(request: Request) -> Response:
    """List what was deleted from a project and can be restored."""
    return envelope([each.deleted_record() for each in _deleted_repositories(request) if not each.is_purged])


async def list_pushes(request: Request) -> Response:
    """List pushes, newest first, by push date, ref and person."""
    repository = repository_of(request)
    fits, updates = _push_filter(request), flag(request, "includeRefUpdates")
    pushes = [push for push in reversed(repository.contents.pushes) if fits(push)]
    return page_by_skip(
        request, pushes, lambda push: render_push(repository, push, updates=updates), default=100, maximum=None
    )


def _push_filter(request: Request) -> Callable[[Push], bool]:
    since, until = parameter(request, "fromDate"), parameter(request, "toDate")
    earliest, latest = (parse_time(text) if text else None for text in (since, until))
    name, person = parameter(request, "refName"), parameter(request, "pusherId")

    def fits(push: Push) -> bool:
        return (
            (earliest is None or push.date >= earliest)
            and (latest is None or push.date <= latest)
            and (not name or any(each.name == name for each in push.updates))
            and (not person or push.person.id == person.lower())
        )

    return fits


def push_numbered(repository: Repository, text: str) -> Push:
    """Return the push of that number; 404 when there is none."""
    pushes = repository.contents.pushes
    if not text.isdigit() or not 1 <= int(text) <= len(pushes):
        message = f"TF401035: The object '{text}' does not exist."
        raise ApiError(404, "GitPushNotFoundException", message)
    return pushes[int(text) - 1]


async def get_push(request: Request) -> Response:
    """Answer one push with up to includeCommits of its commits, and its ref updates unless not wanted."""
    repository = repository_of(request)
    push = push_numbered(repository, request.path_params["pushId"])
    record = render_push(repository, push, updates=flag(request, "includeRefUpdates", True))
    wanted = number(request, "includeCommits", 100)
    commits = [repository.history[each] for each in reversed(push.commits)][:wanted]
    record["commits"] = [render_row(repository, commit) for commit in commits]
    record["_links"] = {"self": {"href": push.url}, "repository": {"href": repository.url}}
    return json_response(record)


async def list_refs(request: Request) -> Response:
    """List refs by name: all at once unless $top or a token asks for pages."""
    repository = repository_of(request)
    start, part = parameter(request, "filter") or "", (parameter(request, "filterContains") or "").lower()
    names = sorted(name for name in repository.refs if name.startswith(f"refs/{start}") and part in name.lower())
    refs: list[Ref] = [repository.refs[name] for name in names]
    default = 100 if parameter(request, "continuationToken") else max(1, len(refs))
    # the maximum binds a $top only: without one the service answers all
    maximum = 1000 if parameter(request, "$top") else None
    return page_by_token(request, refs, lambda ref: render_ref(repository, ref), default=default, maximum=maximum)


async def list_branch_statistics(request: Request) -> Response:
    """Answer how far each branch, or the one named, is ahead of and behind the base version."""
    repository = repository_of(request)
    version = parameter(request, "baseVersionDescriptor.version")
    if version is None and repository.default_head is None:
        return envelope([])
    base_name = version or (repository.default_branch or "").removeprefix(HEADS)
    base = commit_named(repository, base_name, parameter(request, "baseVersionDescriptor.versionType") or "branch")
    name = parameter(request, "name")
    if name is None:
        return envelope([_statistics(repository, ref, base) for ref in repository.branches()])
    ref = repository.refs.get(HEADS + name.removeprefix(HEADS))
    if ref is None:
        message = f"TF401175: The version descriptor <Branch: {name} > could not be resolved to a version."
        raise bad_request(message, "GitUnresolvableToCommitException")
    return json_response(_statistics(repository, ref, base))


def _statistics(repository: Repository, ref: Ref, base: Commit) -> dict[str, Any]:
    history = repository.history
    return {
        "commit": render_reference(repository, history[ref.head]),
        "name": ref.name.removeprefix(HEADS),
        "aheadCount": len(history.between(ref.head, base.number)),
        "behindCount": len(history.between(base.number, ref.head)),
        "isBaseVersion": ref.head == base.number,
    }


OPERATIONS = [
    Operation("GET", "{project}/_apis/git/repositories", list_repositories, SCOPE, True),
    Operation("GET", BELOW, get_repository, SCOPE, True),
    Operation("GET", "{project}/_apis/git/deletedrepositories", list_deleted_repositories, SCOPE),
    Operation("GET", "{project}/_apis/git/recycleBin/repositories", list_recycle_bin, SCOPE),
    Operation("GET", f"{BELOW}/pushes", list_pushes, SCOPE, True),
    Operation("GET", f"{BELOW}/pushes/{{pushId}}", get_push, SCOPE, True),
    Operation("GET", f"{BELOW}/refs", list_refs, SCOPE, True),
    Operation("GET", f"{BELOW}/stats/branches", list_branch_statistics, SCOPE, True),
]
