"""Builds, timelines, releases and deployments of the sample organization, read over HTTP as a client would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ado_assets.sample.pipelines import Pipelines
from ado_assets.sample.server import SampleServer
from ado_assets.sample.world import World

SPEC = Path(__file__).resolve().parents[2] / "shared" / "ado" / "spec"
TOKEN = ("", "sample-pipelines-token")
Json = dict[str, Any]


class Reader:
    """A minimal client: paging by header token, nothing else."""

    def __init__(self, server: SampleServer) -> None:
        self.world = server.world
        self.http = httpx.Client(base_url=f"{server.base_url}/{server.organization}", auth=TOKEN)

    def get(self, path: str, **query: Any) -> httpx.Response:
        query = {name.replace("S_", "$"): value for name, value in query.items()}
        return self.http.get(path, params={"api-version": "7.1", **query})

    def rows(self, path: str, **query: Any) -> list[Json]:
        return [row for page in self.pages(path, **query) for row in page]

    def pages(self, path: str, **query: Any) -> Iterator[list[Json]]:
        token: str | None = None
        while True:
            answer = self.get(path, **query, **({"continuationToken": token} if token else {}))
            assert answer.status_code == 200, answer.text
            yield answer.json()["value"]
            following = answer.headers.get("x-ms-continuationtoken")
            assert following is None or following != token
            if following is None:
                return
            token = following

    def projects(self) -> list[str]:
        return [project.id for project in self.world.live_projects()]

    def builds(self, **query: Any) -> list[Json]:
        return [row for project in self.projects() for row in self.rows(f"{project}/_apis/build/builds", **query)]

    def truth(self, resource: str) -> list[tuple[Json, Json]]:
        return [(scope, row) for name, scope, row in self.world.pipelines.truth() if name == resource]


@pytest.fixture
def reader() -> Iterator[Reader]:
    with SampleServer("tiny") as server:
        yield Reader(server)


def pass_days(world: World, days: int) -> None:
    """Let days pass for this area alone, so that a deleted project or user plays no part."""
    for _ in range(days):
        world.clock.advance(timedelta(days=1))
        world.pipelines.day(world.rng("test", world.clock.now()))


def by_id(rows: list[Json]) -> dict[int, Json]:
    assert len({row["id"] for row in rows}) == len(rows), "a row came twice"
    return {row["id"]: row for row in rows}


@pytest.mark.parametrize("order", ["finishTimeAscending", "finishTimeDescending", "queueTimeAscending", None])
def test_builds_page_by_page_are_all_builds_once(reader: Reader, order: str | None) -> None:
    """Small pages of any order give every build that is not deleted, unfinished ones included."""
    query = {"S_top": 7} | ({"queryOrder": order} if order else {})

    rows = reader.builds(**query)

    assert by_id(rows) == by_id([row for _, row in reader.truth("builds")])
    assert {"completed", "inProgress", "notStarted"} <= {row["status"] for row in rows}


def test_token_of_builds_is_a_timestamp_that_must_be_encoded(reader: Reader) -> None:
    """The token parses as an instant; sent without percent-encoding its plus sign is lost and the call refused."""
    path = f"{reader.projects()[0]}/_apis/build/builds"
    token = reader.get(path, S_top=2).headers["x-ms-continuationtoken"]

    assert datetime.fromisoformat(token).tzinfo is not None
    assert reader.http.get(f"{path}?api-version=7.1&$top=2&continuationToken={quote(token)}").status_code == 200
    assert reader.http.get(f"{path}?api-version=7.1&$top=2&continuationToken={token}").status_code == 400


def test_time_bounds_apply_to_the_time_of_the_order(reader: Reader) -> None:
    """A build that finished days after it was queued is inside a finish window and outside a queue window."""
    slow = max(
        (row for _, row in reader.truth("builds") if "finishTime" in row and "startTime" in row),
        key=lambda row: datetime.fromisoformat(row["finishTime"]) - datetime.fromisoformat(row["queueTime"]),
    )
    since = (datetime.fromisoformat(slow["queueTime"]) + timedelta(days=1)).isoformat()

    finished = reader.builds(queryOrder="finishTimeAscending", minTime=since)
    queued = reader.builds(queryOrder="queueTimeAscending", minTime=since)

    assert slow["id"] in by_id(finished)
    assert slow["id"] not in by_id(queued)
    assert all("finishTime" in row for row in finished)


def test_status_filter_takes_combined_flags(reader: Reader) -> None:
    """Unfinished builds of several states come with one call."""
    rows = reader.builds(statusFilter="inProgress,notStarted")

    expected = {row["id"] for _, row in reader.truth("builds") if row["status"] in ("inProgress", "notStarted")}
    assert set(by_id(rows)) == expected


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({"resultFilter": "failed,canceled"}, lambda row: row.get("result") in ("failed", "canceled")),
        ({"reasonFilter": "pullRequest"}, lambda row: row["reason"] == "pullRequest"),
        ({"definitions": "1,3"}, lambda row: row["definition"]["id"] in (1, 3)),
        ({"branchName": "refs/heads/main"}, lambda row: row["sourceBranch"] == "refs/heads/main"),
        ({"tagFilters": "nightly"}, lambda row: "nightly" in row["tags"]),
    ],
)
def test_builds_filter(reader: Reader, query: Json, matches: Any) -> None:
    """Each filter gives exactly the builds it names."""
    rows = reader.builds(**query)

    assert set(by_id(rows)) == {row["id"] for _, row in reader.truth("builds") if matches(row)}
    assert rows


def test_deleted_build_answers_until_it_is_purged(reader: Reader) -> None:
    """A soft-deleted build leaves the list and loses its timeline, yet answers by id; a purged one is not found."""
    deleted = reader.builds(deletedFilter="onlyDeleted")[0]
    path = f"{deleted['project']['id']}/_apis/build/builds/{deleted['id']}"

    assert deleted["id"] not in by_id(reader.builds())
    assert deleted["id"] in by_id(reader.builds(deletedFilter="includeDeleted"))
    assert reader.get(path).json()["deleted"] is True
    assert reader.get(f"{path}/timeline").status_code == 204
    assert reader.get(f"{path}/timeline").content == b""
    pass_days(reader.world, 31)
    assert reader.get(path).status_code == 404
    assert ("builds", deleted["id"], "destroyed") in [
        (name, key["id"], why) for name, _, key, why in reader.world.pipelines.gone
    ]


def read_timelines(reader: Reader, scope: Json, build: Json) -> list[tuple[Json, Json]]:
    """Return the records of a build's timelines, following previousAttempts, with their scope."""
    path = f"{scope['project_id']}/_apis/build/builds/{build['id']}/timeline"
    answer = reader.get(path)
    if answer.status_code == 204:
        return []
    timelines = {answer.json()["id"]: answer.json()}
    for record in answer.json()["records"]:
        for attempt in record["previousAttempts"]:
            if attempt["timelineId"] not in timelines:
                timelines[attempt["timelineId"]] = reader.get(f"{path}/{attempt['timelineId']}").json()
    return [
        ({**scope, "build_id": build["id"], "timeline_id": timeline_id}, record)
        for timeline_id, timeline in timelines.items()
        for record in timeline["records"]
    ]


def test_timelines_with_their_earlier_attempts_are_the_truth(reader: Reader) -> None:
    """Following previousAttempts from the main timeline reaches every record of every attempt."""
    found = [each for scope, row in reader.truth("builds") for each in read_timelines(reader, scope, row)]

    def keyed(rows: list[tuple[Json, Json]]) -> dict[tuple[int, str, str], Json]:
        keys = {(scope["build_id"], scope["timeline_id"], row["id"]): row for scope, row in rows}
        assert len(keys) == len(rows)
        return keys

    assert keyed(found) == keyed(reader.truth("timeline_records"))
    assert {1, 2, 3} <= {row["attempt"] for _, row in found}
    without = {row["id"] for _, row in reader.truth("builds")} - {scope["build_id"] for scope, _ in found}
    assert without, "some builds never got a timeline"


def test_retry_gives_a_new_attempt_and_a_new_finish_time(reader: Reader) -> None:
    """A retried build finishes again inside the window since the retry, with its old try in an older timeline."""
    since = reader.world.clock.now()

    reader.world.run_scenario("build-retried")

    (row,) = reader.builds(queryOrder="finishTimeAscending", minTime=since.isoformat())
    scope = {"project_id": row["project"]["id"]}
    records = read_timelines(reader, scope, row)
    newest = max(record["attempt"] for _, record in records)
    assert newest > 1
    assert len({scope["timeline_id"] for scope, _ in records}) == newest
    assert datetime.fromisoformat(row["lastChangedDate"]) == datetime.fromisoformat(row["finishTime"]) > since


def release_paths(reader: Reader) -> list[str]:
    return [f"{project}/_apis/release" for project in reader.projects()]


def test_release_pages_start_with_the_token_and_lose_nothing(reader: Reader) -> None:
    """The token is the id of the next page's first row: dropping that row would lose it."""
    for order in ("ascending", "descending"):
        for path in release_paths(reader):
            project = path.partition("/")[0]
            expected = [row["id"] for scope, row in reader.truth("releases") if scope["project_id"] == project]
            answer = reader.get(f"{path}/releases", S_top=2, queryOrder=order)
            if "x-ms-continuationtoken" in answer.headers:
                token = answer.headers["x-ms-continuationtoken"]
                following = reader.get(f"{path}/releases", S_top=2, queryOrder=order, continuationToken=token)
                assert following.json()["value"][0]["id"] == int(token)
            rows = reader.rows(f"{path}/releases", S_top=2, queryOrder=order)
            assert [row["id"] for row in rows] == sorted(expected, reverse=order == "descending")


def test_organization_route_lists_the_releases_of_every_project(reader: Reader) -> None:
    """Ids of two projects collide, yet the organization-wide pages hold each release once."""
    rows = reader.rows("_apis/release/releases", S_top=5)

    found = sorted((row["projectReference"]["id"], row["id"]) for row in rows)
    assert found == sorted((scope["project_id"], row["id"]) for scope, row in reader.truth("releases"))


def test_list_rows_of_releases_lack_what_the_single_read_has(reader: Reader) -> None:
    """Environments come only when asked for, and then without deployment attempts; the single read is the truth."""
    for scope, truth in reader.truth("releases"):
        path = f"{scope['project_id']}/_apis/release/releases"
        assert reader.get(f"{path}/{truth['id']}").json() == truth
    path = release_paths(reader)[0]
    plain = reader.rows(f"{path}/releases")
    expanded = reader.rows(f"{path}/releases", **{"$expand": "environments,approvals"})
    assert all("environments" not in row for row in plain)
    assert all(not each["deploySteps"] for row in expanded for each in row["environments"])
    assert any(each["preDeployApprovals"] for row in expanded for each in row["environments"])


def test_deleted_release_is_listed_only_as_deleted(reader: Reader) -> None:
    """Deleting hides a release and its deployments; restoring brings them back and clears the note of the loss."""
    reader.world.run_scenario("release-deleted")
    paths = release_paths(reader)
    deleted = [(path, row) for path in paths for row in reader.rows(f"{path}/releases", isDeleted="true")]
    listed = [(path, row["id"]) for path in paths for row in reader.rows(f"{path}/releases")]
    deployed = [(path, row["release"]["id"]) for path in paths for row in reader.rows(f"{path}/deployments")]

    for path, row in deleted:
        assert reader.get(f"{path}/releases/{row['id']}").status_code == 404
        assert (path, row["id"]) not in listed
        assert (path, row["id"]) not in deployed
    noted = len([entry for entry in reader.world.pipelines.gone if entry[0] == "releases"])
    assert noted == len(deleted)
    reader.world.run_scenario("release-restored")
    assert len([entry for entry in reader.world.pipelines.gone if entry[0] == "releases"]) == noted - 1


def test_redeployment_is_seen_by_modified_time_only(reader: Reader) -> None:
    """Deploying the oldest release again shows in the deployments modified since, not among releases created since."""
    since = reader.world.clock.now().isoformat()

    reader.world.run_scenario("release-redeployed")

    rows = [row for path in release_paths(reader) for row in reader.rows(f"{path}/deployments", minModifiedTime=since)]
    created = [row for path in release_paths(reader) for row in reader.rows(f"{path}/releases", minCreatedTime=since)]
    assert len(rows) == 1
    assert rows[0]["attempt"] > 1
    assert created == []


def test_deployments_are_the_truth_and_carry_a_stub_of_the_release(reader: Reader) -> None:
    """All pages of deployments are the truth; the release nested in each has a creation time that is none."""
    for path in release_paths(reader):
        project = path.partition("/")[0]
        expected = [row for scope, row in reader.truth("deployments") if scope["project_id"] == project]
        rows = reader.rows(f"{path}/deployments", S_top=3)
        assert by_id(rows) == by_id(expected)
        assert {row["release"]["createdOn"] for row in rows} == {"0001-01-01T00:00:00"}
        latest = reader.rows(f"{path}/deployments", latestAttemptsOnly="true")
        assert len({(row["release"]["id"], row["releaseEnvironment"]["id"]) for row in rows}) == len(latest)


STAMPS = {"builds": "lastChangedDate", "releases": "modifiedOn", "deployments": "lastModifiedOn"}


def stamped(pipelines: Pipelines) -> dict[tuple[str, str, int], Json]:
    return {(name, scope["project_id"], row["id"]): row for name, scope, row in pipelines.truth() if name in STAMPS}


def stamp_of(
    key: tuple[str, str, int], row: Json, rows: dict[tuple[str, str, int], Json], *, returned: bool
) -> datetime:
    """Return when a record says it changed; a deployment that returned with its restored release says it there."""
    if key[0] == "deployments" and returned:
        return datetime.fromisoformat(rows["releases", key[1], row["release"]["id"]]["modifiedOn"])
    return datetime.fromisoformat(row[STAMPS[key[0]]])


def test_every_change_moves_its_time_stamp() -> None:
    """Over thirty days no record differs from the day before without its own stamp lying inside the day."""
    world = World("tiny")
    before = stamped(world.pipelines)
    changed = set()
    for _ in range(30):
        since = world.clock.now()
        pass_days(world, 1)
        after = stamped(world.pipelines)
        for key, row in after.items():
            if row != before.get(key):
                assert since < stamp_of(key, row, after, returned=key not in before) <= world.clock.now(), key
                changed.add((key[0], key in before))
        before = after
    assert changed == {(name, known) for name in STAMPS for known in (True, False)}


def test_same_seed_gives_the_same_organization_after_the_same_days() -> None:
    """Two organizations of one seed agree on every record at rest and after days; another seed differs."""

    def after_days(seed: int) -> str:
        world = World("tiny", seed)
        pass_days(world, 3)
        return json.dumps([world.pipelines.gone, list(world.pipelines.truth())])

    assert after_days(7) == after_days(7)
    assert after_days(7) != after_days(8)


@pytest.mark.parametrize("name", sorted(World("tiny").pipelines.scenarios))
def test_scenario_can_be_repeated(name: str) -> None:
    """Each named scenario changes what a reader would find, every time it is asked for."""
    world = World("tiny")
    for _ in range(2):
        before = json.dumps([list(world.pipelines.truth()), world.pipelines.gone])
        assert world.run_scenario(name)
        assert json.dumps([list(world.pipelines.truth()), world.pipelines.gone]) != before


def strict(schema: Json) -> Json:
    """
    Return swagger *schema* as JSON schema: formats checked, and null allowed, which the official examples contain.
    """
    if isinstance(schema, list):
        return [strict(each) for each in schema]  # type: ignore[return-value]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if schema.get("format") == "date-time":
        made["pattern"] = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d((\.\d{1,7})?Z)?$"
    if schema.get("format") == "uuid":
        made["pattern"] = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
    if schema.get("format") == "int32":
        made["maximum"] = 2**31 - 1
    return made


def faults(area: str, definition: str, rows: list[Json]) -> list[str]:
    """Return what in *rows* disagrees with a definition of the official swagger; skips when it is not at hand."""
    jsonschema = pytest.importorskip("jsonschema")
    path = SPEC / f"{area}.json"
    if not path.exists():
        pytest.skip("the official swagger files are not beside the repository")
    definitions = strict(json.loads(path.read_text())["definitions"])
    validator = jsonschema.Draft4Validator({"definitions": definitions, "$ref": f"#/definitions/{definition}"})
    return [f"{list(error.path)}: {error.message[:200]}" for row in rows for error in validator.iter_errors(row)]


@pytest.mark.parametrize(
    ("area", "definition", "resource"),
    [
        ("build", "Build", "builds"),
        ("build", "TimelineRecord", "timeline_records"),
        ("release", "Release", "releases"),
        ("release", "Deployment", "deployments"),
    ],
)
def test_records_are_valid_against_the_swagger(area: str, definition: str, resource: str) -> None:
    """Types, enums and formats of every record agree with the official definitions."""
    world = World("tiny")
    pass_days(world, 3)
    rows = [row for name, _, row in world.pipelines.truth() if name == resource]

    assert rows
    assert faults(area, definition, rows) == []


def test_other_answers_are_valid_against_the_swagger(reader: Reader) -> None:
    """So do deleted builds, definitions, whole timelines and the rows of the releases list."""
    scope, build = next((scope, row) for scope, row in reader.truth("builds") if row["plans"])
    expanded = {"$expand": "environments,artifacts,approvals,tags,variables"}
    for area, definition, rows in (
        ("build", "Build", reader.builds(deletedFilter="onlyDeleted")),
        ("build", "BuildDefinitionReference", reader.rows(f"{scope['project_id']}/_apis/build/definitions")),
        (
            "build",
            "Timeline",
            [reader.get(f"{scope['project_id']}/_apis/build/builds/{build['id']}/timeline").json()],
        ),
        ("release", "Release", reader.rows("_apis/release/releases", **expanded)),
        (
            "release",
            "ReleaseDefinition",
            reader.rows(f"{scope['project_id']}/_apis/release/definitions", **expanded),
        ),
    ):
        assert rows
        assert faults(area, definition, rows) == [], definition
