"""The Git area of the sample organization answers as Azure DevOps does, over real HTTP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from ado_assets.sample.server import SampleServer
from ado_assets.sample.world import World

SPECIFICATION = Path(__file__).parents[2] / "shared" / "ado" / "spec" / "git.json"
Json = dict[str, Any]


class Api:
    """The organization, and a client that may read code."""

    def __init__(self, server: SampleServer) -> None:
        self.world, self.git = server.world, server.world.git
        self.client = httpx.Client(
            base_url=f"{server.base_url}/{server.organization}/_apis/git/",
            auth=("", "sample-repos-token"),
            params={"api-version": "7.1"},
            timeout=30,
        )

    def get(self, path: str, query: Json | None = None) -> httpx.Response:
        return self.client.get(path, params=query or {})

    def json(self, path: str, query: Json | None = None) -> Any:
        answer = self.get(path, query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def values(self, path: str, query: Json | None = None) -> list[Json]:
        return self.json(path, query)["value"]

    def by_skip(self, path: str, query: Json, size: int) -> Iterator[Json]:
        skip = 0
        while page := self.values(path, {**query, "$top": size, "$skip": skip}):
            yield from page
            skip += len(page)

    def by_token(self, path: str, size: int) -> Iterator[Json]:
        query: Json = {"$top": size}
        while True:
            answer = self.get(path, query)
            yield from answer.json()["value"]
            token = answer.headers.get("X-MS-ContinuationToken")
            if token is None:
                return
            query["continuationToken"] = token


def read(api: Api) -> Iterator[tuple[str, Json, Json]]:
    """Read the whole area as a careful client would: (resource, scope, record) as in the truth."""
    for listed in api.values("repositories", {"includeHidden": "true"}):
        repository = api.json(f"repositories/{listed['id']}", {"includeParent": "true"})
        del repository["_links"]
        yield "repositories", {}, repository
        if listed["isDisabled"]:
            continue
        path = f"repositories/{listed['id']}"
        scope = {"project_id": listed["project"]["id"], "repository_id": listed["id"]}
        for commit in api.by_skip(f"{path}/commits", {}, 40):
            yield "commits", scope, commit
        for row in api.by_skip(f"{path}/pullrequests", {"searchCriteria.status": "all"}, 7):
            yield from read_pull_request(api, f"{path}/pullRequests/{row['pullRequestId']}", scope)


def read_pull_request(api: Api, path: str, scope: Json) -> Iterator[tuple[str, Json, Json]]:
    record = api.json(path)
    yield "pull_requests", scope, record
    scope = {**scope, "pull_request_id": record["pullRequestId"]}
    for iteration in api.values(f"{path}/iterations"):
        yield "pull_request_iterations", scope, iteration
        query: Json | None = {"$top": 2000, "$compareTo": 0}
        while query:
            page = api.json(f"{path}/iterations/{iteration['id']}/changes", query)
            for entry in page["changeEntries"]:
                yield "pull_request_iteration_changes", {**scope, "iteration_id": iteration["id"]}, entry
            more = page.get("nextTop")
            query = {"$top": more, "$skip": page["nextSkip"]} if more else None
    for thread in api.values(f"{path}/threads"):
        yield "pull_request_threads", scope, thread
    for reference in api.values(f"{path}/workitems"):
        yield "pull_request_work_items", scope, reference
    for commit in api.by_token(f"{path}/commits", 2):
        yield "pull_request_commits", scope, commit


def bag(rows: Iterator[tuple[str, Json, Json]]) -> Counter[str]:
    return Counter(json.dumps(row, sort_keys=True) for row in rows)


def commit_keys(world: World) -> set[tuple[str, str]]:
    return {(scope["repository_id"], row["commitId"]) for kind, scope, row in world.git.truth() if kind == "commits"}


@pytest.fixture
def api() -> Iterator[Api]:
    with SampleServer("tiny") as server:
        yield Api(server)


@pytest.fixture(scope="module")
def small() -> Iterator[Api]:
    """A larger organization that no test changes."""
    with SampleServer("small") as server:
        yield Api(server)


def test_careful_reader_gets_the_truth_at_rest_and_after_days(api: Api) -> None:
    """Every page of every list together is exactly the truth, before and after five days of activity."""
    assert bag(read(api)) == bag(api.git.truth())
    assert api.world.tick(5)
    assert bag(read(api)) == bag(api.git.truth())


def test_careful_reader_gets_the_truth_after_each_scenario(api: Api) -> None:
    """Each scenario changes what the API answers, and what the API answers stays the truth."""
    before = bag(api.git.truth())
    for name in api.git.scenarios:
        sentence = api.world.run_scenario(name)
        after = bag(api.git.truth())
        assert after != before, sentence
        before = after
    assert bag(read(api)) == before


def test_answers_do_not_depend_on_who_asked_before() -> None:
    """The same seed gives the same organization whether repositories are first looked at late or early."""
    eager, lazy = World("tiny"), World("tiny")
    for repository in reversed(eager.git.repositories.values()):
        assert repository.contents
    assert eager.tick(3) == lazy.tick(3)
    assert bag(eager.git.truth()) == bag(lazy.git.truth())
    assert bag(World("tiny", seed=8).git.truth()) != bag(World("tiny").git.truth())


def specification() -> Json:
    """Return the official definitions, with the two places set right where the service's answers differ from them."""
    document: Json = json.loads(SPECIFICATION.read_text())
    change = document["definitions"]["Change"]["properties"]
    change["item"] = {"type": "object"}
    kinds = "|".join(change["changeType"].pop("enum"))
    change["changeType"] = {"type": "string", "pattern": f"^({kinds})(, ({kinds}))*$"}
    return document


def without_nulls(value: Any) -> Any:
    """Drop what is null: the specification cannot say that the service writes null for "absent"."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the official specification is not beside the repository")
def test_answers_are_valid_against_the_official_definitions(api: Api) -> None:
    """Every record has the types and enum values of the swagger definition of its endpoint."""
    document = specification()
    definitions = {
        "repositories": "GitRepository",
        "commits": "GitCommitRef",
        "pull_requests": "GitPullRequest",
        "pull_request_iterations": "GitPullRequestIteration",
        "pull_request_iteration_changes": "GitPullRequestChange",
        "pull_request_threads": "GitPullRequestCommentThread",
        "pull_request_work_items": "ResourceRef",
        "pull_request_commits": "GitCommitRef",
    }
    repository = api.git.usable()[0]
    path, project = f"repositories/{repository.id}", repository.project.id
    rows = [(kind, record) for kind, _, record in api.git.truth()]
    definitions |= {"pushes": "GitPush", "refs": "GitRef", "stats/branches": "GitBranchStats"}
    rows += [(name, row) for name in ("pushes", "refs", "stats/branches") for row in api.values(f"{path}/{name}")]
    rows.append(("pushes", api.json(f"{path}/pushes/1")))
    definitions["commit"] = "GitCommit"
    rows.append(("commit", api.json(f"{path}/commits/{repository.head}", {"changeCount": 9})))
    definitions["deleted"] = "GitDeletedRepository"
    deleted = api.client.get(
        str(api.client.base_url.copy_with(path=f"/sample/{project}/_apis/git/deletedrepositories"))
    )
    rows += [("deleted", row) for row in deleted.json()["value"]]
    assert set(definitions) == {kind for kind, _ in rows}
    validators = {
        kind: jsonschema.Draft4Validator({**document, "$ref": f"#/definitions/{name}"})
        for kind, name in definitions.items()
    }
    for kind, record in rows:
        validators[kind].validate(without_nulls(record))


def test_pull_request_list_defaults_to_the_101_newest_active_with_cut_descriptions(small: Api) -> None:
    """Without parameters only active ones come; pages hold 101 or at most 1,000; a description is cut at 400."""
    assert {row["status"] for row in small.values("pullrequests")} == {"active"}
    everything = small.values("pullrequests", {"searchCriteria.status": "all", "$top": 5000})
    default = small.values("pullrequests", {"searchCriteria.status": "all"})
    assert len(default) == 101
    assert default == everything[:101]
    assert [row["creationDate"] for row in default] == sorted((row["creationDate"] for row in default), reverse=True)
    cut = next(row for row in everything if len(row.get("description", "")) == 400)
    whole = small.json(f"pullrequests/{cut['pullRequestId']}")
    assert len(whole["description"]) > 400
    assert whole["description"].startswith(cut["description"])
    assert cut["repository"]["project"]["lastUpdateTime"] == "0001-01-01T00:00:00"


def test_closed_window_finds_what_closed_and_nothing_open(small: Api) -> None:
    """queryTimeRangeType=closed compares the closed date, its lower bound included."""
    query = {"searchCriteria.status": "completed", "$top": 1000}
    completed = small.values("pullrequests", query)
    bound = sorted(row["closedDate"] for row in completed)[-5]
    window = {**query, "searchCriteria.queryTimeRangeType": "closed", "searchCriteria.minTime": bound}
    assert len(small.values("pullrequests", window)) == 5
    status = {**window, "searchCriteria.status": "active"}
    assert small.values("pullrequests", status) == []
    wrong = small.get("pullrequests", {**window, "searchCriteria.queryTimeRangeType": "updated"})
    assert wrong.status_code == 400


def test_iteration_with_more_files_than_a_page_continues(small: Api) -> None:
    """A page of changes holds 100, at most 2,000, and names where the next begins until the end."""
    large = small.git.find_pull_request(small.git.large_change)
    assert large is not None
    path = f"{large.url.removeprefix(small.world.base_url)}/iterations/1/changes"
    url = small.client.base_url.copy_with(path="/sample" + path)
    first = small.client.get(url).json()
    assert (len(first["changeEntries"]), first["nextSkip"], first["nextTop"]) == (100, 100, 100)
    second = small.client.get(url, params={"$top": 9999}).json()
    assert (len(second["changeEntries"]), second["nextSkip"]) == (2000, 2000)
    last = small.client.get(url, params={"$top": 2000, "$skip": 2000}).json()
    assert len(last["changeEntries"]) == large.iterations[0].files - 2000
    assert not last.get("nextTop")


def test_what_breaks_toys_is_present(small: Api) -> None:
    """The organization at rest has the oddities that incomplete readers trip over."""
    pull_requests = [each for repository in small.git.usable() for each in repository.pull_requests.values()]
    threads = [thread for each in pull_requests for thread in each.threads]
    assert {each.status for each in pull_requests} == {"active", "completed", "abandoned"}
    assert any(each.fork for each in pull_requests)
    assert any(each.is_draft and each.status == "active" for each in pull_requests)
    assert any(each.is_conflicted and each.merge is None and each.status == "active" for each in pull_requests)
    assert any(not each.supports_iterations and not each.iterations for each in pull_requests)
    assert any(reviewer.voted_for for each in pull_requests for reviewer in each.reviewers.values())
    assert any(reviewer.person.kind == "group" for each in pull_requests for reviewer in each.reviewers.values())
    assert any(iteration.reason == "forcePush" for each in pull_requests for iteration in each.iterations)
    assert any(each.labels for each in pull_requests)
    assert any(thread.is_deleted for thread in threads)
    assert any(comment.is_deleted for thread in threads if not thread.is_deleted for comment in thread.comments)
    repositories = small.git.visible()
    assert any(each.is_disabled for each in repositories)
    assert any(each.default_branch is None for each in repositories)
    assert any(each.is_hidden for each in repositories)
    shared = Counter(sha for _, sha in commit_keys(small.world))
    assert max(shared.values()) > 1
    late = [c for each in small.git.usable() for c in each.history.commits if c.push is not None]
    assert any(c.push.date.timestamp() - c.committed > 5 * 86400 for c in late if c.push)


def test_disabled_repository_is_listed_and_answers_nothing_below(small: Api) -> None:
    """Every call below a disabled repository looks like a repository that does not exist."""
    disabled = next(each for each in small.git.visible() if each.is_disabled)
    assert disabled.id in {row["id"] for row in small.values("repositories") if row["isDisabled"]}
    number = next(iter(disabled.pull_requests))
    for below in ("commits", "pushes", "refs", "stats/branches", "pullrequests", f"pullrequests/{number}/threads"):
        answer = small.get(f"repositories/{disabled.id}/{below}")
        assert answer.status_code == 404
        assert answer.json()["typeKey"] == "GitRepositoryNotFoundException"
        assert "TF401019" in answer.json()["message"]
    assert small.get(f"pullrequests/{number}").status_code == 404
    everything = small.values("pullrequests", {"searchCriteria.status": "all", "$top": 1000})
    assert number not in {row["pullRequestId"] for row in everything}


def test_empty_repository_has_no_branch_refs_or_commits(small: Api) -> None:
    """An empty repository is listed without a default branch and answers empty lists."""
    empty = next(each for each in small.git.usable() if each.default_branch is None)
    assert "defaultBranch" not in small.json(f"repositories/{empty.id}")
    for below in ("commits", "refs", "pushes", "stats/branches"):
        assert small.values(f"repositories/{empty.id}/{below}") == []


def test_repository_by_name_needs_the_project(small: Api) -> None:
    """A name, with reserved and non-Latin characters, is found below its project only; a GUID everywhere."""
    for project in small.world.live_projects():
        named = [each for each in small.git.repositories_of(project.id) if each.name == project.name]
        for repository in named:
            segment = repository.remote_url.rsplit("/", 1)[1]
            url = f"{small.world.base_url}/{segment}/_apis/git/repositories/{segment}"
            assert small.client.get(url).json()["id"] == repository.id
            assert small.get(f"repositories/{segment}").status_code == 404


def ancestors(parents: dict[str, list[str]], head: str) -> set[str]:
    found, stack = set[str](), [head]
    while stack:
        sha = stack.pop()
        if sha not in found:
            found.add(sha)
            stack += parents[sha]
    return found


def test_commits_between_versions_are_exact(small: Api) -> None:
    """itemVersion and compareVersion, as branch or hash, give what one reaches and the other does not."""
    repository = max(small.git.usable(), key=lambda each: len(each.history.commits))
    history, path = repository.history, f"repositories/{repository.id}/commits"
    parents = {each.sha: [history[number].sha for number in each.parents] for each in history.commits}
    head = repository.head
    assert head is not None
    heads = {ref.name: history[ref.head].sha for ref in repository.branches()}
    names = [*heads][:12]
    for compare, item in zip(names, reversed(names), strict=True):
        query = {
            "searchCriteria.itemVersion.version": item.removeprefix("refs/heads/"),
            "searchCriteria.compareVersion.version": heads[compare],
            "searchCriteria.compareVersion.versionType": "commit",
        }
        found = [row["commitId"] for row in small.by_skip(path, query, 500)]
        assert len(found) == len(set(found))
        assert set(found) == ancestors(parents, heads[item]) - ancestors(parents, heads[compare])
    everything = [row["commitId"] for row in small.by_skip(path, {}, 500)]
    assert set(everything) == ancestors(parents, head)
    whole = small.json(f"{path}/{head}")
    assert whole["parents"] == parents[head]
    unknown = small.get(path, {"searchCriteria.itemVersion.version": "no-such-branch"})
    assert (unknown.status_code, unknown.json()["typeKey"]) == (404, "GitUnresolvableToCommitException")


def test_commit_dates_ids_order_and_batch(small: Api) -> None:
    """Dates bound the committer's date, ids pick exactly, oldest-first turns the list, the batch takes a body."""
    repository = max(small.git.usable(), key=lambda each: len(each.history.commits))
    path = f"repositories/{repository.id}/commits"
    everything = list(small.by_skip(path, {}, 1000))
    assert len(small.values(path)) == 100
    bounds = {"searchCriteria.fromDate": "2025-06-01", "searchCriteria.toDate": "2025-09-01T00:00:00Z"}
    inside = [row for row in everything if "2025-06-01T" <= row["committer"]["date"] <= "2025-09-01T00:00:00Z"]
    assert inside
    assert list(small.by_skip(path, bounds, 1000)) == inside
    turned = list(small.by_skip(path, {"searchCriteria.showOldestCommitsFirst": "true"}, 1000))
    assert turned == everything[::-1]
    ids = [everything[5]["commitId"], everything[2]["commitId"]]
    assert [row["commitId"] for row in small.values(path, {"searchCriteria.ids": ",".join(ids)})] == ids
    body = {"itemVersion": {"version": everything[9]["commitId"], "versionType": "commit"}, "includePushData": True}
    batch = small.client.post(f"{path}batch", params={"$top": 3}, json=body).json()["value"]
    assert batch[0]["commitId"] == everything[9]["commitId"]
    assert all(row["push"]["pushId"] >= 1 for row in batch)


def test_refs_come_in_pages_only_when_asked(small: Api) -> None:
    """All refs of a filter come at once; with $top they come in pages that together are the same."""
    repository = max(small.git.usable(), key=lambda each: len(each.refs))
    path = f"repositories/{repository.id}/refs"
    whole = small.values(path)
    assert len(whole) == len(repository.refs) > 3
    assert list(small.by_token(path, 3)) == whole
    assert all(row["name"].startswith("refs/heads/") for row in small.values(path, {"filter": "heads/"}))


def test_late_push_is_newest_push_of_old_commits(api: Api) -> None:
    """A late push shows as a push of today whose commits are dated months ago."""
    before = commit_keys(api.world)
    since = api.world.clock.now()
    api.world.run_scenario("late-push")
    came = commit_keys(api.world) - before
    repository = next(iter(came))[0]
    pushes = api.values(f"repositories/{repository}/pushes", {"searchCriteria.fromDate": since.isoformat()})
    assert len(pushes) == 1
    listed = api.values(f"repositories/{repository}/commits", {"pushId": pushes[0]["pushId"]})
    assert {row["commitId"] for row in listed} == {sha for _, sha in came}
    assert all(row["committer"]["date"] < "2026-01" for row in listed)


@pytest.mark.parametrize("name", ["force-push", "default-branch-switched"])
def test_commits_no_longer_reachable_are_gone(api: Api, name: str) -> None:
    """What a moved default branch lets go is known as gone, and can still be got by its hash."""
    before = commit_keys(api.world)
    api.world.run_scenario(name)
    lost = before - commit_keys(api.world)
    gone = {(scope["repository_id"], key["commitId"]) for kind, scope, key, _ in api.git.gone if kind == "commits"}
    assert lost
    assert gone == lost
    for repository, sha in lost:
        assert api.json(f"repositories/{repository}/commits/{sha}")["commitId"] == sha


def test_renamed_default_branch_keeps_its_commits(api: Api) -> None:
    """Renaming the default branch changes the repository's row and no commit."""
    before, repositories = commit_keys(api.world), {each.id: each.default_branch for each in api.git.visible()}
    api.world.run_scenario("default-branch-renamed")
    assert commit_keys(api.world) == before
    renamed = [each for each in api.git.visible() if repositories[each.id] != each.default_branch]
    assert len(renamed) == 1
    names = {row["name"] for row in api.values(f"repositories/{renamed[0].id}/refs")}
    assert renamed[0].default_branch in names
    assert repositories[renamed[0].id] not in names


def test_deleted_repository_waits_in_the_recycle_bin_until_restored(api: Api) -> None:
    """A deleted repository leaves the list for the recycle bin and is gone; restored, it is neither."""
    before = {row["id"] for row in api.values("repositories")}
    api.world.run_scenario("repository-deleted")
    (lost,) = before - {row["id"] for row in api.values("repositories")}
    project = api.git.repositories[lost].project.id
    url = f"{api.world.base_url}/{project}/_apis/git/recycleBin/repositories"
    assert lost in {row["id"] for row in api.client.get(url).json()["value"]}
    assert ("repositories", {}, {"id": lost}, "recycled") in api.git.gone
    assert api.get(f"repositories/{lost}/pushes").status_code == 404
    while api.git.repositories[lost].deleted:
        api.world.run_scenario("repository-restored")
    assert lost in {row["id"] for row in api.values("repositories")}
    assert ("repositories", {}, {"id": lost}, "recycled") not in api.git.gone


def test_recycle_bin_forgets_after_a_month(api: Api) -> None:
    """What has been in the recycle bin for 30 days is destroyed; only the list of deleted ones still has it."""

    def listed(name: str) -> set[str]:
        first = api.git.visible()[0].project.id
        rows = api.client.get(f"{api.world.base_url}/{first}/_apis/git/{name}").json()["value"]
        return {row["id"] for row in rows}

    waiting, deleted = listed("recycleBin/repositories"), listed("deletedrepositories")
    assert waiting < deleted
    api.world.tick(31)
    assert listed("recycleBin/repositories") == set()
    assert listed("deletedrepositories") == deleted
    destroyed = {key["id"] for _, _, key, reason in api.git.gone if reason == "destroyed"}
    assert waiting <= destroyed
    for repository in deleted:
        assert api.get(f"repositories/{repository}").status_code == 404


def test_reactivated_pull_request_has_no_closed_date(api: Api) -> None:
    """An abandoned pull request that is active again lost its closed date."""
    path = "pullrequests"
    before = {row["pullRequestId"] for row in api.values(path)}
    api.world.run_scenario("pr-reactivated")
    (revived,) = [row for row in api.values(path) if row["pullRequestId"] not in before]
    assert "closedDate" not in revived
