"""Every answer of the sample organization is one that the official API description allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ado_assets.sample.server import SampleServer, operations
from ado_assets_tests.spec import Described, Specification, needs_spec

Json = dict[str, Any]
pytestmark = needs_spec


class Reader:
    """Reads an organization and holds every answer against the description."""

    def __init__(self, server: SampleServer, specification: Specification) -> None:
        self.specification = specification
        self.faults: dict[Described, Counter[str]] = {}
        self._http = httpx.Client(
            base_url=f"{server.base_url}/{server.organization}", auth=("", "sample-all-token"), timeout=30
        )

    def read(self, path: str, query: Json | None = None, body: Json | None = None) -> httpx.Response:
        method = "GET" if body is None else "POST"
        version = "7.1-preview" if "/graph/" in path or path == "_apis/teams" else "7.1"
        answer = self._http.request(method, path, params={"api-version": version, **(query or {})}, json=body)
        assert answer.status_code in (200, 204), f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        operation = self.specification.find(method, path, query or ())
        if operation is not None:
            found = self.faults.setdefault(operation, Counter())
            if answer.status_code == 200:
                found.update(self.specification.faults(operation, answer.json()))
        return answer

    def complaints(self) -> str:
        """Return a line for each fault and operation, with how often it was met."""
        return "\n".join(
            f"{operation.method} {operation.template}: {fault} ({times} times)"
            for operation, faults in self.faults.items()
            for fault, times in faults.items()
        )

    def one(self, path: str, query: Json | None = None, body: Json | None = None) -> Json:
        found: Json = self.read(path, query, body).json()
        return found

    def rows(self, path: str, query: Json | None = None, body: Json | None = None) -> list[Json]:
        """Return one page."""
        answer = self.one(path, query, body)
        assert answer["count"] == len(answer["value"])
        found: list[Json] = answer["value"]
        return found

    def by_skip(self, path: str, size: int, query: Json | None = None) -> list[Json]:
        found: list[Json] = []
        while page := self.rows(path, {"$top": size, "$skip": len(found), **(query or {})}):
            found += page
        return found

    def by_token(self, path: str, query: Json | None = None) -> list[Json]:
        found: list[Json] = []
        token: str | None = ""
        while token is not None:
            answer = self.read(path, {**(query or {}), **({"continuationToken": token} if token else {})})
            found += answer.json()["value"]
            token = answer.headers.get("x-ms-continuationtoken")
        return found


def read_core(reader: Reader) -> None:
    reader.by_skip("_apis/teams", 10)
    for state in ("all", "deleted"):
        reader.by_skip("_apis/projects", 2, {"stateFilter": state})
    for project in reader.by_token("_apis/projects", {"$top": 1}):
        path = f"_apis/projects/{project['id']}"
        reader.one(path, {"includeCapabilities": "true"})
        for team in reader.by_skip(f"{path}/teams", 5):
            reader.one(f"{path}/teams/{team['id']}")
            reader.by_skip(f"{path}/teams/{team['id']}/members", 5)


def read_graph(reader: Reader) -> None:
    for kind in ("users", "groups", "serviceprincipals"):
        for subject in reader.by_token(f"_apis/graph/{kind}"):
            descriptor = subject["descriptor"]
            reader.one(f"_apis/graph/{kind}/{descriptor}")
            key = reader.one(f"_apis/graph/storagekeys/{descriptor}")["value"]
            assert reader.one(f"_apis/graph/descriptors/{key}") == {"value": descriptor}


def read_work_item_tracking(reader: Reader) -> None:
    for project in reader.rows("_apis/projects"):
        read_schema(reader, f"{project['id']}/_apis/wit")
        reader.one(f"{project['id']}/_apis/wit/wiql", body={"query": "SELECT [System.Id] FROM WorkItems"})
    query = "SELECT [System.Id], [System.Title] FROM WorkItems ORDER BY [System.Id]"
    ids = [row["id"] for row in reader.one("_apis/wit/wiql", {"timePrecision": "true"}, {"query": query})["workItems"]]
    for expand in ("all", "relations", "none"):
        reader.rows("_apis/wit/workitemsbatch", body={"ids": ids[:200], "$expand": expand})
        reader.rows("_apis/wit/workitems", {"ids": ",".join(map(str, ids[:200])), "$expand": expand})
    for key in ids:
        path = f"_apis/wit/workitems/{key}"
        reader.one(path, {"$expand": "all"})
        for update in reader.by_skip(f"{path}/updates", 3):
            reader.one(f"{path}/updates/{update['id']}")
        reader.by_skip(f"{path}/revisions", 3)
    read_feeds(reader)
    deleted = [str(row["id"]) for row in reader.rows("_apis/wit/recyclebin")]
    reader.rows("_apis/wit/recyclebin", {"ids": ",".join(deleted)})
    for key in deleted:
        reader.one(f"_apis/wit/recyclebin/{key}")


def read_schema(reader: Reader, path: str) -> None:
    reader.rows(f"{path}/classificationnodes", {"$depth": 20})
    for group in ("Areas", "Iterations"):
        root = reader.one(f"{path}/classificationnodes/{group}", {"$depth": 1})
        for child in root["children"]:
            reader.one(f"{path}/classificationnodes/{group}/{quote(child['name'], safe='')}", {"$depth": 5})
        ids = ",".join(str(child["id"]) for child in root["children"])
        reader.rows(f"{path}/classificationnodes", {"ids": ids, "$depth": 2})
    reader.rows(f"{path}/workitemtypecategories")
    for kind in reader.rows(f"{path}/workitemtypes"):
        one = f"{path}/workitemtypes/{quote(kind['name'], safe='')}"
        reader.one(one)
        reader.rows(f"{one}/states")
    for field in reader.rows(f"{path}/fields")[::5]:
        reader.one(f"{path}/fields/{field['referenceName']}")


def read_feeds(reader: Reader) -> None:
    feed = "_apis/wit/reporting"
    for query in ({"includeDeleted": "true", "includeIdentityRef": "true", "$maxPageSize": 50}, {"$expand": "fields"}):
        for _ in batches(reader, f"{feed}/workitemrevisions", query):
            pass
    for _ in batches(reader, f"{feed}/workitemlinks", {}):
        pass
    reader.one(f"{feed}/workitemrevisions", body={"includeLatestOnly": True, "fields": ["System.Title"]})


def batches(reader: Reader, path: str, query: Json) -> Iterator[Json]:
    """Yield the batches of a reporting feed to its end."""
    answer = reader.one(path, query)
    while not answer["isLastBatch"]:
        yield answer
        answer = reader.one(path, {**query, "continuationToken": answer["continuationToken"]})
    yield answer


def read_builds(reader: Reader) -> None:
    for project in reader.rows("_apis/projects"):
        path = f"{project['id']}/_apis/build"
        for definition in reader.by_token(f"{path}/definitions", {"$top": 2}):
            reader.one(f"{path}/definitions/{definition['id']}")
        for build in reader.by_token(f"{path}/builds", {"$top": 7, "deletedFilter": "includeDeleted"}):
            one = f"{path}/builds/{build['id']}"
            reader.one(one)
            main = reader.read(f"{one}/timeline")
            if main.status_code == 204:
                continue
            attempts = [earlier for record in main.json()["records"] for earlier in record["previousAttempts"]]
            for timeline in {attempt["timelineId"] for attempt in attempts}:
                reader.one(f"{one}/timeline/{timeline}")


def read_releases(reader: Reader) -> None:
    for project in reader.rows("_apis/projects"):
        path = f"{project['id']}/_apis/release"
        for definition in reader.by_token(f"{path}/definitions", {"$top": 2, "$expand": "environments,artifacts"}):
            reader.one(f"{path}/definitions/{definition['id']}")
        reader.by_token(f"{path}/deployments", {"$top": 5})
        reader.by_token(f"{path}/releases", {"$top": 5, "isDeleted": "true"})
        listed = reader.by_token(f"{path}/releases", {"$top": 5, "$expand": "environments,artifacts,approvals,tags"})
        for key in {release["id"] for release in listed}:
            reader.one(f"{path}/releases/{key}", {"$expand": "tasks"})
    reader.by_token("_apis/release/releases")


def read_git(reader: Reader) -> None:
    for project in reader.rows("_apis/projects"):
        path = f"{project['id']}/_apis/git"
        reader.rows(f"{path}/deletedrepositories")
        reader.rows(f"{path}/recycleBin/repositories")
        reader.by_skip(f"{path}/pullrequests", 7, {"searchCriteria.status": "all"})
    for repository in reader.rows("_apis/git/repositories", {"includeHidden": "true", "includeLinks": "true"}):
        if not repository["isDisabled"]:
            read_repository(reader, f"_apis/git/repositories/{repository['id']}")


def read_repository(reader: Reader, path: str) -> None:
    reader.one(path)
    reader.one(path, {"includeParent": "true"})
    reader.by_token(f"{path}/refs", {"filter": "heads/", "$top": 2})
    branches = reader.rows(f"{path}/stats/branches")
    for push in reader.by_skip(f"{path}/pushes", 20, {"searchCriteria.includeRefUpdates": "true"}):
        reader.one(f"{path}/pushes/{push['pushId']}", {"includeCommits": 10, "includeRefUpdates": "true"})
    more = {"searchCriteria.includePushData": "true", "searchCriteria.includeWorkItems": "true"}
    for commit in reader.by_skip(f"{path}/commits", 50, more)[::5]:
        reader.one(f"{path}/commits/{commit['commitId']}")
        reader.one(f"{path}/commits/{commit['commitId']}/changes")
    if branches:
        reader.rows(f"{path}/commitsbatch", {"$top": 20}, {"includeWorkItems": True})
    for row in reader.by_skip(f"{path}/pullrequests", 7, {"searchCriteria.status": "all"}):
        read_pull_request(reader, row["pullRequestId"], f"{path}/pullRequests/{row['pullRequestId']}")


def read_pull_request(reader: Reader, number: int, path: str) -> None:
    reader.one(f"_apis/git/pullrequests/{number}")
    reader.one(path, {"includeCommits": "true", "includeWorkItemRefs": "true"})
    for kind in ("workitems", "reviewers", "labels"):
        reader.rows(f"{path}/{kind}")
    reader.by_token(f"{path}/commits", {"$top": 2})
    for thread in reader.rows(f"{path}/threads")[:3]:
        reader.one(f"{path}/threads/{thread['id']}")
    for iteration in reader.rows(f"{path}/iterations", {"includeCommits": "true"}):
        one = f"{path}/iterations/{iteration['id']}"
        reader.one(one)
        reader.rows(f"{one}/commits")
        position: Json = {"$top": 2000, "$skip": 0}
        while position["$top"]:
            page = reader.one(f"{one}/changes", position)
            position = {"$top": page.get("nextTop", 0), "$skip": page.get("nextSkip", 0)}


WALKS = {
    "core": read_core,
    "graph": read_graph,
    "wit": read_work_item_tracking,
    "build": read_builds,
    "release": read_releases,
    "git": read_git,
}


def read_small(reader: Reader) -> None:
    """Read what a larger organization has more kinds of, by its listings alone."""
    read_core(reader)
    read_graph(reader)
    query = {"query": "SELECT [System.Id] FROM WorkItems ORDER BY [System.Id]"}
    ids = [row["id"] for row in reader.one("_apis/wit/wiql", body=query)["workItems"]]
    for start in range(0, len(ids), 200):
        reader.rows("_apis/wit/workitemsbatch", body={"ids": ids[start : start + 200], "$expand": "all"})
    for project in reader.rows("_apis/projects"):
        read_schema(reader, f"{project['id']}/_apis/wit")
        reader.rows(f"{project['id']}/_apis/build/builds", {"$top": 200})
        reader.rows(f"{project['id']}/_apis/release/releases", {"$top": 30, "$expand": "environments,artifacts"})
        reader.by_token(f"{project['id']}/_apis/release/deployments", {"$top": 100})
    for row in reader.rows("_apis/git/pullrequests", {"searchCriteria.status": "all", "$top": 25}):
        read_pull_request(reader, row["pullRequestId"], row["url"].partition("/sample/")[2])


@pytest.fixture(scope="module")
def specification() -> Specification:
    return Specification()


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with SampleServer("tiny") as running:
        yield running


@pytest.mark.parametrize("area", WALKS)
def test_answers_are_as_described(server: SampleServer, specification: Specification, area: str) -> None:
    """Every operation of an area that is served and described was asked for all it has, and never answered wrongly."""
    reader = Reader(server, specification)

    WALKS[area](reader)

    assert reader.complaints() == ""
    served = {specification.find(each.method, each.template) for each in operations()} - {None}
    missed = {each for each in served if each.area == area} - set(reader.faults)
    assert {each.template for each in missed} == set()


def test_answers_of_a_larger_organization_are_as_described(specification: Specification) -> None:
    """Custom fields of every type, awkward names, groups, forks and huge changes are answered as described, too."""
    with SampleServer("small") as running:
        reader = Reader(running, specification)

        read_small(reader)

        assert reader.complaints() == ""


def test_answers_of_a_lived_in_organization_are_as_described(specification: Specification) -> None:
    """What is moved, deleted, restored, retried or cleared by any scenario is answered as described."""
    with SampleServer("tiny") as running:
        for name in running.world.scenarios():
            running.world.run_scenario(name)
        running.world.tick(5)
        reader = Reader(running, specification)

        for walk in WALKS.values():
            walk(reader)

        assert reader.complaints() == ""


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("status", "finished"),
        ("id", "7"),
        ("queueTime", "2026-03-02 09:00"),
        ("queueTime", None),
        ("buildNumberRevision", 2**31),
        ("tags", "nightly"),
        ("project/id", "1234"),
        ("requestedFor/unknown", "x"),
        ("_links/web", {"url": "x"}),
        ("deletedReason", 0),
    ],
)
def test_a_wrong_answer_is_found(server: SampleServer, specification: Specification, path: str, change: Any) -> None:
    """What the tests above rely on: one wrong property anywhere in an answer is reported with its place."""
    project = server.world.live_projects()[0].id
    operation = specification.find("GET", f"{project}/_apis/build/builds")
    assert operation is not None
    answer = Reader(server, specification).one(f"{project}/_apis/build/builds", {"$top": 2})
    assert specification.faults(operation, answer) == []
    *parents, name = path.split("/")
    changed = answer["value"][1]
    for parent in parents:
        changed = changed[parent]

    changed[name] = change

    (fault,) = specification.faults(operation, answer)
    assert name in fault
