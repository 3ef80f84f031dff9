"""Answers whose values are of another kind than declared: nothing fails, nothing is dropped, all of it is reported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ado_assets.streams import FEEDS
from ado_assets.sync import FeedReport, Selection, sync_feed
from ado_assets.warehouse import BadRecord, Warehouse
from ado_assets_tests import example_scenarios as scenarios
from ado_assets_tests.example_server import ExampleServer, Organization, listing

IDENTITY = ("created_by_id", "created_by_display_name", "created_by_unique_name", "created_by_descriptor")
BEYOND = 123456789012345678901234567890


@pytest.fixture(scope="module")
def server() -> Iterator[ExampleServer]:
    """One server for all tests."""
    with ExampleServer() as running:
        yield running


@pytest.fixture
def organization(server: ExampleServer) -> Organization:
    """An organization with a project and a repository."""
    server.routes.clear()
    found = Organization(server, "acme")
    scenarios.projects(found, [scenarios.PROJECT])
    found.lists(f"{scenarios.P}/_apis/git/repositories", [scenarios.REPOSITORY])
    return found


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An empty warehouse."""
    created = Warehouse(tmp_path / "unexpected.duckdb", landing=tmp_path / "landing")
    created.prepare()
    return created


def sync(feed: str, organization: Organization, warehouse: Warehouse) -> FeedReport:
    """Read the projects and then the feed; the feed's report."""
    chosen = Selection(organization.name)
    sync_feed(FEEDS["projects"], chosen, organization.client, warehouse)
    return sync_feed(FEEDS[feed], chosen, organization.client, warehouse)


def failures(report: FeedReport) -> dict[str, dict[str, int]]:
    """Table -> column -> values that did not fit, as reported."""
    return {name: dict(counts.cast_failures) for name, counts in report.load.tables.items() if counts.cast_failures}


@pytest.mark.parametrize(
    ("sent", "columns"),
    [
        pytest.param({"codeReviewId": "many"}, ("code_review_id",), id="text for a number"),
        pytest.param({"codeReviewId": BEYOND}, ("code_review_id",), id="number beyond 64 bit"),
        pytest.param({"codeReviewId": -BEYOND}, ("code_review_id",), id="negative number beyond 64 bit"),
        pytest.param({"codeReviewId": 7.5}, ("code_review_id",), id="fraction for an integer"),
        pytest.param({"codeReviewId": True}, ("code_review_id",), id="boolean for a number"),
        pytest.param({"codeReviewId": {"value": 7}}, ("code_review_id",), id="object for a number"),
        pytest.param({"title": {"text": 1.5, "url": None}}, ("title",), id="object for a text"),
        pytest.param({"title": ["x", {"y": 1.5}]}, ("title",), id="array for a text"),
        pytest.param({"isDraft": "perhaps"}, ("is_draft",), id="text for a boolean"),
        pytest.param({"isDraft": 1}, ("is_draft",), id="number for a boolean"),
        pytest.param({"creationDate": "yesterday"}, ("creation_date",), id="text that is no time"),
        pytest.param({"creationDate": 1772359872}, ("creation_date",), id="number for a time"),
        pytest.param({"creationDate": {"at": "2026-03-01"}}, ("creation_date",), id="object for a time"),
        pytest.param({"createdBy": [1]}, IDENTITY, id="array for an object"),
        pytest.param({"createdBy": "Ada <ada@acme.example>"}, IDENTITY, id="text for an object"),
        pytest.param({"createdBy": {"id": {"guid": "a"}}}, ("created_by_id",), id="object for a nested text"),
    ],
)
def test_a_value_of_another_kind_is_null_and_kept(
    sent: dict[str, Any], columns: tuple[str, ...], organization: Organization, warehouse: Warehouse
) -> None:
    """The column is NULL, ``_extra`` has the original, the report counts it; the row and its neighbours are whole."""
    whole = {**scenarios.PULL_REQUEST, "title": "Whole", "codeReviewId": 1, "createdBy": {"id": "a"}}
    records = [{**whole, "pullRequestId": 1}, {**whole, "pullRequestId": 2, "mergeId": "m", **sent}]
    organization.lists(f"{scenarios.P}/_apis/git/pullrequests", records)

    report = sync("pull_requests", organization, warehouse)

    listed = ", ".join(columns)
    found = warehouse.rows(
        f"SELECT pull_request_id, merge_id, _extra, {listed} FROM ado.pull_requests ORDER BY pull_request_id"
    )
    assert [row[:2] for row in found] == [(1, None), (2, "m")]
    assert found[0][2] is None
    assert json.loads(found[1][2]) == sent
    assert found[1][3:] == (None,) * len(columns)
    assert failures(report) == {"pull_requests": dict.fromkeys(columns, 1)}
    assert not report.failed


@pytest.mark.parametrize(
    ("reviewers", "rows", "kept", "counted"),
    [
        pytest.param("nobody", [], "nobody", {"reviewers": 1}, id="text for an array"),
        pytest.param({"id": "a"}, [], {"id": "a"}, {"reviewers": 1}, id="object for an array"),
        pytest.param(
            [{"id": "a"}, "b", 3], [("a", None)], ["b", 3], {"reviewers": 2}, id="elements that are no object"
        ),
        pytest.param(
            [{"id": "a", "vote": "high"}], [("a", {"vote": "high"})], None, {"vote": 1}, id="text for a number in one"
        ),
    ],
)
def test_an_array_of_rows_of_another_kind_is_kept(
    reviewers: Any,
    rows: list[Any],
    kept: Any,
    counted: dict[str, int],
    organization: Organization,
    warehouse: Warehouse,
) -> None:
    """What cannot be rows of the inner table is in ``_extra`` of the record it came in, and counted."""
    organization.lists(f"{scenarios.P}/_apis/git/pullrequests", [{**scenarios.PULL_REQUEST, "reviewers": reviewers}])

    report = sync("pull_requests", organization, warehouse)

    [(extra,)] = warehouse.rows("SELECT _extra FROM ado.pull_requests")
    assert (json.loads(extra) if extra else {}) == ({"reviewers": kept} if kept else {})
    found = warehouse.rows("SELECT id, _extra FROM ado.pull_request_reviewers")
    assert [(each, extra and json.loads(extra)) for each, extra in found] == rows
    assert failures(report) == {"pull_request_reviewers": counted}
    assert not report.failed


@pytest.mark.parametrize(
    ("fields", "columns", "kept"),
    [
        pytest.param(
            {"System.Title": {"html": "x"}}, ("title",), {"System.Title": {"html": "x"}}, id="object for a text"
        ),
        pytest.param(
            {"Microsoft.VSTS.Common.Priority": "high"},
            ("priority",),
            {"Microsoft.VSTS.Common.Priority": "high"},
            id="text for a number",
        ),
        pytest.param({"Custom.Anything": [1, {"a": BEYOND}]}, (), None, id="anything in a custom field"),
    ],
)
def test_a_field_of_another_kind_stays_among_the_fields(
    fields: dict[str, Any], columns: tuple[str, ...], kept: Any, organization: Organization, warehouse: Warehouse
) -> None:
    """The typed column is NULL and counted; ``fields`` has every field as it came, long numbers digit for digit."""
    item = {"id": 7, "rev": 1, "fields": {"System.TeamProject": scenarios.PROJECT["name"], **fields}}
    scenarios.work_items(organization, {"value": [item]})

    report = sync("work_items", organization, warehouse)

    listed = "".join(f", {name}" for name in columns)
    [row] = warehouse.rows(f"SELECT fields, _extra{listed} FROM ado.work_items WHERE id = 7")
    assert json.loads(row[0]) == item["fields"]
    assert (row[1] and json.loads(row[1])) == (kept and {"fields": kept})
    assert row[2:] == (None,) * len(columns)
    assert failures(report) == ({"work_items": dict.fromkeys(columns, 1)} if columns else {})


@pytest.mark.parametrize("environments", ["none", {"id": 1}, ["one", 2]], ids=repr)
def test_a_release_whose_environments_are_no_array_of_objects_is_kept(
    environments: Any, organization: Organization, warehouse: Warehouse
) -> None:
    """The stream looks into the environments for what may still change, and survives what it finds."""
    release = {"id": 1, "name": "Release-1", "status": "active", "environments": environments}
    scenarios.releases(organization, release)

    report = sync("releases", organization, warehouse)

    [(name, extra)] = warehouse.rows("SELECT name, _extra FROM ado.releases")
    assert (name, json.loads(extra)) == ("Release-1", {"environments": environments})
    assert list(failures(report)) == ["release_environments"]
    assert not report.failed


@pytest.mark.parametrize("deleted", ["long ago", 7, {"at": "2026-03-01"}], ids=repr)
def test_a_build_deleted_at_a_time_that_is_none_is_gone(
    deleted: Any, organization: Organization, warehouse: Warehouse
) -> None:
    """The stream looks at when a build was deleted; that it was is evidence enough."""
    path = f"{scenarios.P}/_apis/build/builds"
    organization.handles(path, lambda query, _: listing([] if query["deletedFilter"] == "onlyDeleted" else [{"id": 1}]))
    sync("builds", organization, warehouse)
    gone = {"id": 1, "deleted": True, "deletedDate": deleted}
    organization.handles(path, lambda query, _: listing([gone] if query["deletedFilter"] == "onlyDeleted" else []))
    organization.answers(f"{path}/1", gone)

    report = sync("builds", organization, warehouse)

    assert not report.failed
    assert warehouse.rows("SELECT id, _deleted_reason FROM ado.builds") == [(1, "deleted")]


@pytest.mark.parametrize("attempts", ["none", 3, {"timelineId": "a"}, ["one", None]], ids=repr)
def test_a_timeline_whose_earlier_attempts_are_no_array_of_objects_is_kept(
    attempts: Any, organization: Organization, warehouse: Warehouse
) -> None:
    """The stream looks there for more timelines, and survives what it finds."""
    builds = [{"id": 1, "status": "completed"}]
    path = f"{scenarios.P}/_apis/build/builds"
    organization.handles(path, lambda query, _: listing([] if query["deletedFilter"] == "onlyDeleted" else builds))
    record = {"id": "r", "name": "Build", "previousAttempts": attempts}
    organization.answers(f"{path}/1/timeline", {"id": "t", "records": [record]})
    sync("builds", organization, warehouse)

    report = sync("build_timeline_records", organization, warehouse)

    [(name, kept)] = warehouse.rows("SELECT name, previous_attempts FROM ado.build_timeline_records")
    assert (name, json.loads(kept)) == ("Build", attempts)
    assert not report.failed


STRAYS = ("a text", 7, ["a list"], True, None)


@pytest.mark.parametrize(
    ("feed", "path", "stray"),
    [
        *(("users", "_apis/graph/users", stray) for stray in STRAYS),
        *(("teams", f"_apis/projects/{scenarios.P}/teams", stray) for stray in STRAYS),
        ("repositories", f"{scenarios.P}/_apis/git/repositories", "a text"),
        ("pull_requests", f"{scenarios.P}/_apis/git/pullrequests", "a text"),
        ("builds", f"{scenarios.P}/_apis/build/builds", "a text"),
        ("releases", f"{scenarios.P}/_apis/release/releases", "a text"),
        ("release_deployments", f"{scenarios.P}/_apis/release/deployments", "a text"),
        ("work_items", "_apis/wit/workitemsbatch", "a text"),
    ],
    ids=lambda value: None if str(value).count("/") else repr(value),
)
def test_a_record_that_is_no_object_is_refused_with_a_clear_error(
    feed: str, path: str, stray: Any, organization: Organization, warehouse: Warehouse
) -> None:
    """The read fails, says which record was no object, and leaves the table as it was."""
    scenarios.work_items(organization, {"value": [{"id": 1, "rev": 1, "fields": {}}]})
    organization.lists("_apis/graph/serviceprincipals", [])
    organization.lists(f"{scenarios.P}/_apis/release/releases", [])
    organization.lists(path, [stray])
    organization.answers(path, listing([stray]), "POST")

    assert re.search(rf"record 1 .* is {type(stray).__name__}, not an object", refusal(feed, organization, warehouse))
    assert warehouse.rows(f"SELECT count(*) FROM ado.{feed}") == [(0,)]


def refusal(feed: str, organization: Organization, warehouse: Warehouse) -> str:
    """Why a sync of the feed is refused: by its one unit, or as a whole once something was to be landed."""
    try:
        [failed] = sync(feed, organization, warehouse).failed
    except BadRecord as error:
        return str(error)
    return str(failed.reason)
