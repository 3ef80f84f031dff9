"""Official example answers, served over HTTP as the API would, end in the warehouse without loss."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ado_assets.ado import Endpoint
from ado_assets.streams import FEEDS
from ado_assets.sync import FeedReport, Selection, sync_feed
from ado_assets.tables import TABLES
from ado_assets.warehouse import Warehouse
from ado_assets_tests import example_scenarios as scenarios
from ado_assets_tests.example_ledger import differences, misfits
from ado_assets_tests.example_server import ExampleServer, Organization

SPEC = Path(__file__).parents[2] / "shared" / "ado" / "spec"

#: Operations that the streams read rows from, and the same records read one by one: every example of them is served.
OURS: dict[str, scenarios.Scenario] = {
    "GET _apis/graph/users": scenarios.subjects,
    "GET _apis/graph/users/{userDescriptor}": scenarios.subjects,
    "GET _apis/graph/serviceprincipals": scenarios.subjects,
    "GET _apis/graph/serviceprincipals/{servicePrincipalDescriptor}": scenarios.subjects,
    "GET _apis/projects": scenarios.listed_projects,
    "GET _apis/projects/{projectId}/teams": scenarios.teams,
    "GET _apis/projects/{projectId}/teams/{teamId}": scenarios.teams,
    "GET _apis/projects/{projectId}/teams/{teamId}/members": scenarios.team_members,
    "GET _apis/wit/classificationnodes/{structureGroup}/{path}": scenarios.nodes,
    "GET _apis/wit/classificationnodes?ids={ids}": scenarios.nodes,
    "GET _apis/wit/workitemtypecategories": scenarios.of_process("workitemtypecategories", "work_item_type_categories"),
    "GET _apis/wit/workitemtypecategories/{category}": scenarios.of_process(
        "workitemtypecategories", "work_item_type_categories"
    ),
    "GET _apis/wit/workitemtypes": scenarios.of_process("workitemtypes", "work_item_types"),
    "GET _apis/wit/workitemtypes/{type}": scenarios.of_process("workitemtypes", "work_item_types"),
    "GET _apis/wit/fields": scenarios.of_process("fields", "work_item_fields"),
    "GET _apis/wit/fields/{fieldNameOrRefName}": scenarios.of_process("fields", "work_item_fields"),
    "POST _apis/wit/wiql": scenarios.work_items_found,
    "POST _apis/wit/workitemsbatch": scenarios.work_items,
    "GET _apis/wit/workitems": scenarios.work_items_again,
    "GET _apis/wit/workitems/{id}": scenarios.work_items,
    "GET _apis/wit/workItems/{id}/updates": scenarios.work_item_updates,
    "GET _apis/wit/workItems/{id}/updates/{updateNumber}": scenarios.work_item_updates,
    "GET _apis/wit/workItems/{id}/revisions": scenarios.work_item_history,
    "GET _apis/wit/reporting/workitemrevisions": scenarios.work_item_revisions,
    "POST _apis/wit/reporting/workitemrevisions": scenarios.work_items_changed,
    "GET _apis/wit/reporting/workitemlinks": scenarios.work_items_linked,
    "GET _apis/release/releases": scenarios.releases,
    "GET _apis/release/releases/{releaseId}?": scenarios.releases,
    "GET _apis/release/releases/{releaseId}": scenarios.releases,
    "GET _apis/release/deployments": scenarios.release_deployments,
    "GET _apis/git/repositories": scenarios.repositories,
    "GET _apis/git/repositories/{repositoryId}": scenarios.repositories,
    "GET _apis/git/pullrequests": scenarios.pull_requests,
    "GET _apis/git/pullrequests/{pullRequestId}": scenarios.pull_request,
    "GET _apis/git/repositories/{repositoryId}/pullrequests": scenarios.pull_requests_of_repository,
    "GET _apis/git/repositories/{repositoryId}/pullRequests/{pullRequestId}/reviewers": (
        scenarios.pull_request_reviewers
    ),
    "GET _apis/git/repositories/{repositoryId}/pullRequests/{pullRequestId}/iterations/{iterationId}/changes": (
        scenarios.pull_request_iteration_changes
    ),
    "GET _apis/git/repositories/{repositoryId}/pullRequests/{pullRequestId}/threads": scenarios.of_pull_request(
        "threads", "pull_request_threads"
    ),
    "GET _apis/git/repositories/{repositoryId}/commits": scenarios.commits,
    "GET _apis/git/repositories/{repositoryId}/commits?": scenarios.commits,
    "GET _apis/git/repositories/{repositoryId}/commits/{commitId}": scenarios.commits,
    "POST _apis/git/repositories/{repositoryId}/commitsbatch": scenarios.commits,
    "GET _apis/git/repositories/{repositoryId}/refs": scenarios.commits_of_head,
}

#: Operations that say which rows are gone, and hold none.
GONE = {
    "GET _apis/wit/recyclebin": scenarios.work_items_recycled,
    "GET _apis/wit/recyclebin?ids={ids}": scenarios.work_items_recycled,
}

#: Example files of our operations that are not served, and why.
NOT_SERVED = {
    "release/releases/GET__GetReleaseRevisionOfRelease.json": "a revision is the release's text of then, without body",
    "git/repositories/GET__git_repositories__remoteurl.json": "answer of another address ({remote url}/vsts/info)",
}


@dataclass(frozen=True)
class Operation:
    """One operation of the official specification that has examples, as ``METHOD path`` without its address."""

    name: str
    files: tuple[str, ...]


def operations() -> list[Operation]:
    """Every operation with its example files, relative to the folder of examples; none where there is no copy."""
    if not SPEC.exists():
        return []
    index = json.loads((SPEC / "index.json").read_text())
    return [
        Operation(
            f"{each['method']} {re.sub('^.*?_apis/', '_apis/', each['path'])}",
            tuple(file.removeprefix("./examples/") for file in each["examples"]),
        )
        for each in index
    ]


def examples_of(told: Mapping[str, scenarios.Scenario]) -> Iterable[Any]:
    """The examples of some operations, as parameters of a test; one skipped parameter without the specification."""
    if not SPEC.exists():
        reason = "the official examples are not here"
        return [pytest.param("", scenarios.nodes, id="none", marks=pytest.mark.skip(reason=reason))]
    return [
        pytest.param(file, told[operation.name], id=file.removesuffix(".json"))
        for operation in operations()
        if operation.name in told
        for file in operation.files
        if file not in NOT_SERVED
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[ExampleServer]:
    """One server for all examples, each of which has an organization of its own."""
    with ExampleServer() as running:
        yield running


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """One warehouse file for all organizations."""
    folder = tmp_path_factory.mktemp("examples")
    created = Warehouse(folder / "examples.duckdb", landing=folder / "landing")
    created.prepare()
    return created


def sync(reading: scenarios.Reading, organization: Organization, warehouse: Warehouse) -> FeedReport:
    """Read the feed as the reading says, after those it stands on; the report of its last sync."""
    chosen = Selection(organization.name)
    wanted = [reading.feed]
    while due := FEEDS[wanted[0]].due:
        wanted.insert(0, TABLES[due.parent].feed_name)
    for name in dict.fromkeys(("projects", *wanted)):
        report = sync_feed(FEEDS[name], chosen, organization.client, warehouse)
    if reading.then:
        reading.then()
        report = sync_feed(FEEDS[reading.feed], chosen, organization.client, warehouse)
    assert {each.status for each in report.outcomes} == {"read"}, report.outcomes
    return report


def prepared(server: ExampleServer, file: str) -> tuple[Organization, Any]:
    """An organization with a project, and the body of an example."""
    organization = Organization(server, re.sub("[^a-z0-9]+", "-", file.lower()))
    scenarios.projects(organization, [scenarios.PROJECT])
    return organization, json.loads((SPEC / "examples" / file).read_text())["responses"]["200"]["body"]


@pytest.mark.parametrize(("file", "scenario"), examples_of(OURS))
def test_every_property_of_an_example_is_kept(
    file: str, scenario: scenarios.Scenario, server: ExampleServer, warehouse: Warehouse
) -> None:
    """Each record is one row; each property is in its column, in a JSON column, in ``_extra`` or ignored by name."""
    organization, body = prepared(server, file)
    reading = scenario(organization, body)
    assert reading.rows, "the example holds no record"

    report = sync(reading, organization, warehouse)

    assert differences(organization.name, reading.rows, warehouse) == []
    failures = {name: dict(counts.cast_failures) for name, counts in report.load.tables.items() if counts.cast_failures}
    assert failures == misfits(reading.rows)
    assert [call for call in server.refused if f"/{organization.name}/" in call] == []


@pytest.mark.parametrize(("file", "scenario"), examples_of(GONE))
def test_what_an_example_of_the_recycle_bin_holds_is_gone(
    file: str, scenario: scenarios.Scenario, server: ExampleServer, warehouse: Warehouse
) -> None:
    """Work items that are in the recycle bin are tombstones with that reason."""
    organization, body = prepared(server, file)

    sync(scenario(organization, body), organization, warehouse)

    found = warehouse.rows("SELECT id, _deleted_reason FROM ado.work_items WHERE organization = ?", [organization.name])
    assert dict(found) == {int(each["id"]): "recycled" for each in body}


@pytest.mark.skipif(not SPEC.exists(), reason="the official examples are not here")
def test_no_example_of_an_operation_that_is_read_is_left_out() -> None:
    """Whatever operation a stream calls, its official examples are served above or named with a reason."""
    known = {operation.name: operation.files for operation in operations()}
    served = {file for name in (*OURS, *GONE) for file in known[name]}
    called = {anonymous(endpoint.template) for endpoint in endpoints()}
    belonging = {file for name, files in known.items() if anonymous(name) in called for file in files}
    assert len(called) > 30
    assert belonging - served == set()
    assert set(NOT_SERVED) <= served, "no longer among the examples"


def endpoints() -> list[Endpoint]:
    """Every operation that a module behind the feeds declares."""
    modules = [module for name, module in sys.modules.items() if name.startswith("ado_assets.streams.")]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Endpoint)]


def anonymous(operation: str) -> str:
    """An operation's name without its address, its query and the names of its parts, in lower case."""
    method, _, path = operation.partition(" ")
    path = re.sub("^.*?_apis/", "_apis/", path).partition("?")[0]
    return f"{method} {re.sub('{.*?}', '{}', path).lower()}"
