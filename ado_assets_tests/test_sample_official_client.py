"""The vendor's own Python package reads the sample organization without trouble and sees exactly its truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.devops.exceptions import AzureDevOpsServiceError

from ado_assets.sample.server import SampleServer
from ado_assets.sample.world import World
from ado_assets_tests.official_client import RESOURCES, Reader, Rows, collect, connect, read_everything

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
            around = {"project_id": record["projectId"]} if name == "teams" else {}
            collect(found, name, record, {**scope, **around})
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


def test_package_understands_a_refusal(server: SampleServer) -> None:
    """The error body is the one the package knows, so that its exception carries the service's message."""
    reader = Reader(connect(server.base_url, server.organization, "sample-all-token"))

    with pytest.raises(AzureDevOpsServiceError, match="TF200016: The following project does not exist: nowhere"):
        reader.build.get_builds("nowhere")
