"""The vendor's own Python package reads the sample organization without trouble and sees exactly its truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ado_assets.sample.server import SampleServer
from ado_assets.sample.world import World
from ado_assets_tests.official_client import (
    RESOURCES,
    GitPullRequestSearchCriteria,
    GitQueryCommitsCriteria,
    Reader,
    Refusal,
    Rows,
    collect,
    connect,
    read_everything,
)

NAMES = {"timeline_records": "build_timeline_records", "area": "areas", "iteration": "iterations"}
"""Resources (and kinds of nodes) of the truth that the warehouse calls differently."""


@pytest.fixture(scope="module", params=["at rest", "after every scenario"])
def server(request: pytest.FixtureRequest) -> Iterator[SampleServer]:
    with SampleServer("tiny") as running:
        if request.param == "after every scenario":
            for name in running.world.scenarios():
                running.world.run_scenario(name)
            running.world.tick(5)
        yield running


@pytest.fixture(scope="module")
def read(server: SampleServer) -> Rows:
    return read_everything(server.base_url, server.organization, "sample-all-token")


@pytest.fixture(scope="module")
def truth(server: SampleServer) -> Rows:
    return truth_of(server.world)


def truth_of(world: World) -> Rows:
    """Return the truth in the shape of what the package read."""
    found: Rows = {}
    for resource, scope, record in world.truth():
        name = record["structureType"] if resource == "classification_nodes" else resource
        name = NAMES.get(name, name)
        if name in RESOURCES:
            collect(found, name, record, scope)
    return found


@pytest.mark.parametrize("resource", RESOURCES)
def test_package_sees_the_truth(read: Rows, truth: Rows, resource: str) -> None:
    """The package finds every record once, none besides, and its own models hold the same properties."""
    assert set(read[resource]) == set(truth[resource])
    assert read[resource] == truth[resource]
    assert read[resource]


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_compared_property_is_somewhere_set(read: Rows, resource: str) -> None:
    """No property is compared under a name that neither side knows."""
    unset = {
        column
        for column in RESOURCES[resource].properties
        if all(row[column] is None for row in read[resource].values())
    }

    assert unset == set()


def test_both_ways_to_get_work_items_agree(server: SampleServer, read: Rows) -> None:
    """The get by ids in the URL gives what the batch gave."""
    reader = Reader(connect(server.base_url, server.organization, "sample-all-token"))
    ids = [item_id for (item_id,) in read["work_items"]]

    for item in reader.work.get_work_items(ids[:200], expand="all"):
        collect(reader.found, "work_items", item, {})

    assert reader.found["work_items"] == dict(list(read["work_items"].items())[:200])


def test_package_finds_what_is_not_read_above(server: SampleServer) -> None:
    """The location table leads to the other operations that are served, so that they answer the package, too."""
    reader = Reader(connect(server.base_url, server.organization, "sample-all-token"))
    project = reader.core.get_projects()[0].id
    repository = next(each for each in reader.git.get_repositories(project) if each.default_branch)
    pull_request = reader.git.get_pull_requests(repository.id, GitPullRequestSearchCriteria(status="all"))[0]
    commit = reader.git.get_commits(repository.id, GitQueryCommitsCriteria())[0]

    assert reader.build.get_definitions(project)
    assert reader.release.get_release_definitions(project)
    assert reader.release.get_deployments(project)
    assert reader.git.get_branches(repository.id)
    assert reader.git.get_changes(commit.commit_id, repository.id).changes
    assert reader.git.get_pull_request_iteration_commits(repository.id, pull_request.pull_request_id, 1)
    assert reader.git.get_recycle_bin_repositories(project) is not None
    assert reader.work.get_work_item_types(project)
    # The package's models of the feeds were generated without their values.
    assert reader.work.get_reporting_links_by_link_type().additional_properties["values"]
    assert reader.work.read_reporting_revisions_get(include_deleted=True).additional_properties["values"]
    assert reader.graph.list_groups().graph_groups


def test_package_understands_a_refusal(server: SampleServer) -> None:
    """The error body is the one the package knows, so that its exception carries the service's message."""
    reader = Reader(connect(server.base_url, server.organization, "sample-all-token"))

    with pytest.raises(Refusal, match="TF200016: The following project does not exist: nowhere"):
        reader.build.get_builds("nowhere")
