"""Reconciling: what a sync cannot notice, because the warehouse itself is wrong, is found, repaired and told."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from ado_assets.assets.reconcile import JOB, RECONCILIATION, reconcile_step
from ado_assets.cli import cli
from ado_assets.graph import build_defs
from ado_assets.streams.census_repairs import repairs
from ado_assets.sync import COMPARABLE, FEEDS
from ado_assets.sync.reconcile import children_of
from ado_assets_tests.conftest import Deployment


def reconcile(deployment: Deployment, *tables: str, succeeds: bool = True) -> dict[str, dict[str, Any]]:
    """Run the job for the tables (all when none is named); what became of each."""
    chosen = tables or COMPARABLE
    result = (
        build_defs()
        .resolve_job_def(JOB)
        .execute_in_process(
            instance=deployment.instance,
            op_selection=[*map(reconcile_step, chosen), RECONCILIATION],
            raise_on_error=succeeds,
        )
    )
    assert result.success == succeeds
    return {name: result.output_for_node(reconcile_step(name)) for name in chosen}


def found(told: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int, int, int]]:
    """Table -> missing, surplus, repaired, remaining, of the tables with a difference."""
    counts = {
        name: (table["missing"], table["surplus"], table["repaired"], table["remaining"])
        for name, table in told.items()
    }
    return {name: count for name, count in counts.items() if any(count)}


def loads(deployment: Deployment) -> int:
    return deployment.warehouse.rows("SELECT max(load_id) FROM ado_meta.loads")[0][0]


def tamper(deployment: Deployment, *statements: str) -> None:
    with deployment.warehouse.session() as connection:
        for statement in statements:
            changed = connection.execute(statement).fetchone()
            assert changed is not None
            assert changed[0], f"nothing to tamper with: {statement}"


def invented(table: str, **values: str) -> str:
    """A statement that adds a live row which the API does not have: a copy of another one under another key."""
    replaced = ", ".join(f"{value} AS {name}" for name, value in values.items())
    return (
        f"INSERT INTO ado.{table} SELECT * REPLACE ({replaced}) FROM ado.{table} WHERE _deleted_at IS NULL "
        f"ORDER BY {', '.join(values)} LIMIT 1"
    )


def lost(table: str, rows: int) -> str:
    return (
        f"DELETE FROM ado.{table} WHERE rowid IN (SELECT rowid FROM ado.{table} WHERE _deleted_at IS NULL "
        f"ORDER BY rowid LIMIT {rows})"
    )


def hidden(table: str, rows: int) -> str:
    return (
        f"UPDATE ado.{table} SET _deleted_at = _synced_at, _deleted_reason = 'deleted' WHERE rowid IN (SELECT rowid "
        f"FROM ado.{table} WHERE _deleted_at IS NULL ORDER BY rowid DESC LIMIT {rows})"
    )


def test_a_wrong_warehouse_is_made_equal_and_a_healthy_one_is_not_touched(deployment):
    """Rows lost, invented and flagged by mistake are found in every table; before and after that nothing is written."""
    deployment.sync()
    healthy, before = reconcile(deployment), loads(deployment)

    assert {} == found(healthy)
    assert before == loads(deployment) == len(FEEDS)
    assert all(healthy[name]["rows"] for name in COMPARABLE)

    tamper(
        deployment,
        lost("users", 2),
        invented("teams", id="'made-up'"),
        lost("work_items", 3),
        hidden("work_items", 2),
        invented("work_items", id="999999"),
        lost("builds", 4),
        invented("builds", id="999999"),
        hidden("releases", 1),
        lost("release_deployments", 2),
        hidden("repositories", 1),
        lost("pull_requests", 2),
        hidden("pull_requests", 1),
        lost("commits", 5),
        invented("commits", commit_id="'made-up'"),
    )
    assert deployment.differences()
    told = reconcile(deployment)

    assert {
        "users": (2, 0, 2, 0),
        "teams": (0, 1, 1, 0),
        "work_items": (5, 1, 6, 0),
        "builds": (4, 1, 5, 0),
        "releases": (1, 0, 1, 0),
        "release_deployments": (2, 0, 2, 0),
        "repositories": (1, 0, 1, 0),
        "pull_requests": (3, 0, 3, 0),
        "commits": (5, 1, 6, 0),
    } == found(told)
    assert [] == deployment.differences()
    reasons = deployment.warehouse.rows("SELECT _deleted_reason FROM ado.work_items WHERE id = 999999")
    assert [("destroyed",)] == reasons
    assert {} == found(reconcile(deployment))


def test_what_may_not_be_read_is_left_out_and_never_taken_for_deleted(deployment):
    """A repository that is disabled after a sync keeps its rows; the report says that it was not compared."""
    deployment.sync("projects", "repositories", "pull_requests", "commits")
    counts = "SELECT (SELECT count(*) FROM ado_live.commits), (SELECT count(*) FROM ado_live.pull_requests)"
    before = deployment.warehouse.rows(counts)
    deployment.world.run_scenario("repository-disabled")

    told = reconcile(deployment, "pull_requests", "commits")

    assert {} == found(told)
    assert before == deployment.warehouse.rows(counts)
    for table in told.values():
        assert "repository is disabled" in {unit["reason"] for unit in table["not_compared"]}
        assert {"skipped"} == {unit["status"] for unit in table["not_compared"]}


def test_a_start_date_neither_misses_old_rows_nor_keeps_invented_ones(deploy):
    """What the start date leaves out is not missing; what is held and does not exist is gone all the same."""
    deployment = deploy()
    middle = sorted(build["finishTime"] for _, _, build in _truth(deployment, "builds") if build.get("finishTime"))
    deployment = deploy(ADO_START_DATE=middle[len(middle) // 2])
    deployment.sync("projects", "builds", "repositories", "pull_requests")

    assert {} == found(reconcile(deployment, "builds", "pull_requests"))

    tamper(deployment, lost("builds", 1), invented("builds", id="999999"))

    assert {"builds": (1, 1, 2, 0)} == found(reconcile(deployment, "builds"))


def _truth(deployment: Deployment, resource: str) -> list[Any]:
    return [each for each in deployment.world.truth() if each[0] == resource]


def test_what_changed_since_the_last_sync_needs_no_complete_read(deployment):
    """A build queued since is brought by an ordinary sync, its timeline with it."""
    feeds = ("projects", "builds", "build_timeline_records")
    deployment.sync(*feeds)
    deployment.world.run_scenario("build-queued")

    assert {"builds": (1, 0, 1, 0)} == found(reconcile(deployment, "builds"))

    modes = deployment.warehouse.rows("SELECT DISTINCT mode FROM ado_meta.syncs")
    assert [("incremental",)] == modes
    assert [] == deployment.differences(["builds", "build_timeline_records"])


def test_work_items_that_moved_or_were_destroyed_are_told_apart(deployment):
    """Only ids say what no feed does; the rows are read by id and not with all others."""
    deployment.sync("projects", "work_items", "work_item_updates")
    deployment.world.run_scenario("work-item-destroyed")
    deployment.world.run_scenario("work-item-moved")

    told = reconcile(deployment, "work_items")["work_items"]

    assert (0, told["missing"] + told["surplus"]) == (told["remaining"], told["repaired"])
    assert told["surplus"] == told["missing"] + 1 == 2
    assert [] == deployment.differences(["work_items", "work_item_updates"])
    gone = deployment.warehouse.rows("SELECT _deleted_reason FROM ado.work_items WHERE _deleted_at IS NOT NULL")
    assert [("destroyed",)] == gone


@pytest.mark.parametrize(
    ("token", "exit_code"),
    [("sample-pipelines-token", 0), ("sample-repos-token", 0), ("revoked", 1)],
    ids=["equal", "forbidden is left out", "rejected fails"],
)
def test_the_command_ends_with_1_only_when_something_could_not_be_compared(deployment, monkeypatch, token, exit_code):
    """A token without the permission is a lasting reason and no deletion; one that is rejected has to be replaced."""
    deployment.sync("projects", "builds")
    monkeypatch.setenv("DAGSTER_HOME", str(deployment.folder / "dagster_home"))
    monkeypatch.setenv("ADO_PIPELINES_PAT", token)

    result = CliRunner().invoke(cli, ["reconcile", "--table", "builds", "--json"])

    told = json.loads(result.stdout)
    assert exit_code == result.exit_code
    assert exit_code == len(told["errors"])
    assert deployment.warehouse.rows("SELECT count(*) FROM ado_live.builds")[0][0]
    statuses = {unit["status"] for table in told["tables"] for unit in table["not_compared"]}
    assert ({"skipped"} if token == "sample-repos-token" else set()) == statuses


def test_children_follow_their_parents_at_any_depth():
    assert [
        "pull_request_iterations",
        "pull_request_iteration_changes",
        "pull_request_threads",
        "pull_request_work_items",
        "pull_request_commits",
    ] == [feed.name for feed in children_of(FEEDS["pull_requests"])]
    assert () == children_of(FEEDS["projects"])


@pytest.mark.parametrize("name", COMPARABLE)
def test_every_comparable_table_has_a_repair(name):
    """An ordinary sync is tried before a complete read, except where there is only one way to read."""
    ways = repairs(FEEDS[name], frozenset({(1, 1)}), frozenset(), None)

    assert [False, True][-len(ways) :] == [way.full_refresh for way in ways] or ways[0].whole


def test_job_and_schedule_load():
    definitions = build_defs()

    assert isinstance(definitions.resolve_job_def(JOB), dg.JobDefinition)
    assert "30 2 * * *" == definitions.resolve_schedule_def("reconcile_schedule").cron_schedule
