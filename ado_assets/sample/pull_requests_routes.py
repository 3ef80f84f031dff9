"""The operations of pull requests and of what hangs below one: parameters in, rows out."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.commits import render_reference
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
    world_of,
)
from ado_assets.sample.pull_request_threads import render_thread
from ado_assets.sample.pull_requests import Iteration, PullRequest
from ado_assets.sample.repositories import Repository
from ado_assets.sample.repositories_routes import BELOW, SCOPE, repository_of

STATUSES = ("notset", "active", "abandoned", "completed", "all")
ONE = f"{BELOW}/pullRequests/{{pullRequestId}}"
ITERATION = f"{ONE}/iterations/{{iterationId}}"
Fits = Callable[[PullRequest], bool]


async def list_pull_requests(request: Request) -> Response:
    """List pull requests of a repository, a project or the organization, newest created first."""
    repositories, fits = _repositories(request), _filter(request)
    found = [each for repository in repositories for each in repository.pull_requests.values() if fits(each)]
    found.sort(key=attrgetter("id"), reverse=True)
    return page_by_skip(request, found, PullRequest.row, default=101, maximum=1000)


def _repositories(request: Request) -> list[Repository]:
    if "repositoryId" in request.path_params:
        return [repository_of(request)]
    project, git = optional_project_of(request), world_of(request).git
    wanted = (parameter(request, "repositoryId") or "").lower()
    return [
        each
        for each in git.usable()
        if (project is None or each.project is project) and wanted in ("", each.id) and each.default_branch
    ]


def _filter(request: Request) -> Fits:
    """Read the search criteria. The status is active unless asked otherwise, as the service has it."""
    status = (parameter(request, "status") or "active").lower()
    if status not in STATUSES:
        raise bad_request(f"The value '{status}' is not valid for searchCriteria.status.", "ArgumentException")
    tests: list[Fits] = [_in_window(request)]
    if status != "all":
        wanted = "active" if status == "notset" else status
        tests.append(lambda each: each.status == wanted)
    if source_ref := parameter(request, "sourceRefName"):
        tests.append(lambda each: each.source_ref == source_ref)
    if target_ref := parameter(request, "targetRefName"):
        tests.append(lambda each: each.target_ref == target_ref)
    creator, reviewer = (parameter(request, name) for name in ("creatorId", "reviewerId"))
    if creator:
        tests.append(lambda each: each.created_by.id == creator.lower())
    if reviewer:
        tests.append(lambda each: reviewer.lower() in each.reviewers)
    if source := parameter(request, "sourceRepositoryId"):
        tests.append(lambda each: (each.fork or each.repository).id == source.lower())
    return lambda each: all(test(each) for test in tests)


def _in_window(request: Request) -> Fits:
    """Read minTime and maxTime, both inclusive, on the created or the closed date; what is open has no closed date."""
    kind = (parameter(request, "queryTimeRangeType") or "created").lower()
    if kind not in ("created", "closed"):
        message = f"The value '{kind}' is not valid for searchCriteria.queryTimeRangeType."
        raise bad_request(message, "ArgumentException")
    bounds = (parameter(request, name) for name in ("minTime", "maxTime"))
    earliest, latest = (parse_time(text) if text else None for text in bounds)

    def fits(each: PullRequest) -> bool:
        when = each.created if kind == "created" else each.closed
        if when is None:
            return earliest is None and latest is None
        return (earliest is None or when >= earliest) and (latest is None or when <= latest)

    return fits


def pull_request_of(request: Request) -> PullRequest:
    """Return the pull request of the path, by repository or by number alone; 404 otherwise."""
    text = request.path_params["pullRequestId"]
    found = world_of(request).git.find_pull_request(int(text)) if text.isdigit() else None
    if "repositoryId" in request.path_params:
        repository = repository_of(request)
        found = found if found is not None and found.repository is repository else None
    else:
        project = optional_project_of(request)
        if found is not None and project is not None and found.repository.project is not project:
            found = None
    if found is None:
        raise ApiError(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.")
    return found


async def get_pull_request(request: Request) -> Response:
    """Answer one pull request whole; its commits and work items only when asked for."""
    found = pull_request_of(request)
    record = found.record()
    if flag(request, "includeCommits"):
        history = found.repository.history
        record["commits"] = [render_reference(found.repository, history[each]) for each in found.commits()[:100]]
    if flag(request, "includeWorkItemRefs"):
        record["workItemRefs"] = found.work_item_records()
    return json_response(record)


async def list_iterations(request: Request) -> Response:
    """List all iterations, oldest first; with includeCommits each carries the commits it brings."""
    found, commits = pull_request_of(request), flag(request, "includeCommits")
    records = [found.iteration_record(each) for each in found.iterations]
    if commits:
        for iteration, record in zip(found.iterations, records, strict=True):
            record["commits"] = [
                render_reference(found.repository, found.repository.history[each])
                for each in _commits_of(found, iteration)[:100]
            ]
    return envelope(records)


def _commits_of(found: PullRequest, iteration: Iteration) -> list[int]:
    return found.repository.history.between(iteration.source, iteration.target)


def _iteration_of(request: Request, found: PullRequest) -> Iteration:
    text = request.path_params["iterationId"]
    if not text.isdigit() or not 1 <= int(text) <= len(found.iterations):
        message = f"The iteration {text} of pull request {found.id} does not exist."
        raise ApiError(404, "CodeReviewIterationNotFoundException", message)
    return found.iterations[int(text) - 1]


async def get_iteration(request: Request) -> Response:
    """Answer one iteration."""
    found = pull_request_of(request)
    return json_response(found.iteration_record(_iteration_of(request, found)))


async def list_iteration_changes(request: Request) -> Response:
    """
    Answer a page of changed files with where the next begins.

    At the end nextSkip and nextTop are 0 for odd pull requests and absent for even ones: the service does both.
    """
    found = pull_request_of(request)
    iteration, compare_to = _iteration_of(request, found), number(request, "$compareTo", 0)
    if compare_to > iteration.id:
        raise bad_request(f"Iteration {compare_to} is later than {iteration.id}.", "ArgumentOutOfRangeException")
    skip, top = number(request, "$skip", 0), min(number(request, "$top", 100), 2000)
    entries, total = world_of(request).git.changes(found, iteration, compare_to, slice(skip, skip + top))
    body: dict[str, object] = {"changeEntries": entries}
    if skip + top < total:
        body |= {"nextSkip": skip + top, "nextTop": top}
    elif found.id % 2:
        body |= {"nextSkip": 0, "nextTop": 0}
    return json_response(body)


async def list_iteration_commits(request: Request) -> Response:
    """List the commits of one iteration by top and skip, which have no ``$`` here."""
    found = pull_request_of(request)
    skip, top = number(request, "skip", 0), min(number(request, "top", 100), 500)
    numbers = _commits_of(found, _iteration_of(request, found))[skip : skip + top]
    return envelope([render_reference(found.repository, found.repository.history[each]) for each in numbers])


async def list_commits(request: Request) -> Response:
    """List the commits the source brings now, newest first, next position in the header."""
    found = pull_request_of(request)
    repository = found.repository
    return page_by_token(
        request,
        found.commits(),
        lambda each: render_reference(repository, repository.history[each]),
        default=100,
        maximum=1000,
    )


async def list_threads(request: Request) -> Response:
    """List all threads with their comments, deleted and the service's own included."""
    found, base = pull_request_of(request), world_of(request).base_url
    return envelope([render_thread(each, found.url, base) for each in found.threads])


async def get_thread(request: Request) -> Response:
    """Answer one thread."""
    found, text = pull_request_of(request), request.path_params["threadId"]
    for each in found.threads:
        if str(each.id) == text:
            return json_response(render_thread(each, found.url, world_of(request).base_url))
    raise ApiError(404, "DiscussionThreadNotFoundException", f"The thread {text} does not exist.")


async def list_work_items(request: Request) -> Response:
    """List the linked work items."""
    return envelope(pull_request_of(request).work_item_records())


async def list_reviewers(request: Request) -> Response:
    """List the reviewers with their votes."""
    found = pull_request_of(request)
    return envelope([found.reviewer_record(each) for each in found.reviewers.values()])


async def list_labels(request: Request) -> Response:
    """List the labels."""
    return envelope(pull_request_of(request).label_records())


OPERATIONS = [
    Operation("GET", "{project}/_apis/git/pullrequests", list_pull_requests, SCOPE, True),
    Operation("GET", "{project}/_apis/git/pullrequests/{pullRequestId}", get_pull_request, SCOPE, True),
    Operation("GET", f"{BELOW}/pullrequests", list_pull_requests, SCOPE, True),
    Operation("GET", ONE, get_pull_request, SCOPE, True),
    Operation("GET", f"{ONE}/iterations", list_iterations, SCOPE, True),
    Operation("GET", ITERATION, get_iteration, SCOPE, True),
    Operation("GET", f"{ITERATION}/changes", list_iteration_changes, SCOPE, True),
    Operation("GET", f"{ITERATION}/commits", list_iteration_commits, SCOPE, True),
    Operation("GET", f"{ONE}/commits", list_commits, SCOPE, True),
    Operation("GET", f"{ONE}/threads", list_threads, SCOPE, True),
    Operation("GET", f"{ONE}/threads/{{threadId}}", get_thread, SCOPE, True),
    Operation("GET", f"{ONE}/workitems", list_work_items, SCOPE, True),
    Operation("GET", f"{ONE}/reviewers", list_reviewers, SCOPE, True),
    Operation("GET", f"{ONE}/labels", list_labels, SCOPE, True),
]
