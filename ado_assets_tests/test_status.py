"""The status: where each table stands, told from the warehouse alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ado_assets.cli import cli
from ado_assets.config import ConfigurationError
from ado_assets.sync import UnknownProject
from ado_assets.tables import TABLES
from ado_assets.warehouse import WarehouseMissing

FEEDS = ("users", "projects", "repositories", "commits", "builds")


@pytest.fixture
def synced(deployment):
    deployment.sync(*FEEDS)
    return deployment


def ask(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(cli, ["status", "--json", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["tables"]


def test_rows_coverage_watermark_and_last_result_of_every_table(synced):
    """One line per declared table; what was never read says so, and disabled repositories are told with the reason."""
    told = {each["table"]: each for each in ask()}

    counts = synced.warehouse.live_counts(synced.server.organization, list(TABLES))
    assert counts == {name: each["rows"] for name, each in told.items()}
    assert {"read": len(synced.world.live_projects()), "skipped": 0, "failed": 0} == told["builds"]["coverage"]
    assert all(unit["watermark"] for unit in told["builds"]["units"])
    assert "read" == told["builds"]["last_result"]
    assert counts["builds"] == told["builds"]["last_sync"]["inserted"]
    assert told["builds"]["age_seconds"] is not None
    assert told["commits"]["coverage"]["skipped"] >= 1
    assert "read" == told["commits"]["last_result"]
    assert "repository is disabled" in {unit["reason"] for unit in told["commits"]["units"]}
    assert ("never", None, None) == tuple(
        told["work_items"][key] for key in ("last_result", "age_seconds", "last_sync")
    )


def test_rows_and_units_by_project(synced):
    """The rows of the projects add up to the table's, and each project shows its own units."""
    names = {project.name for project in synced.world.live_projects()}
    by_project = ask("--table", "builds", "--by-project")
    (whole,) = ask("--table", "builds")
    name = sorted(names)[0]
    (one,) = ask("--table", "builds", "--table", "users", "--project", name)

    assert names == {each["project"] for each in by_project if each["units"]}
    assert whole["rows"] == sum(each["rows"] for each in by_project)
    assert [1] * len(names) == [len(each["units"]) for each in by_project if each["units"]]
    assert next(each["rows"] for each in by_project if each["project"] == name) == one["rows"]


def test_units_of_a_deleted_project_are_not_shown(synced):
    """What is gone is no gap in the coverage."""
    before = ask("--table", "builds")[0]["coverage"]["read"]
    synced.world.run_scenario("project-deleted")
    synced.sync("projects")

    assert before - 1 == ask("--table", "builds")[0]["coverage"]["read"]


@pytest.mark.usefixtures("synced")
def test_plain_columns_for_people():
    text = CliRunner().invoke(cli, ["status"]).stdout

    assert ["table", "rows", "read", "skipped", "failed", "age", "result"] == text.splitlines()[0].split()[:7]
    assert all(name in text for name in TABLES)
    assert "commits: repository is disabled" in text


def test_status_writes_nothing(synced):
    before = synced.warehouse.path.read_bytes()

    ask("--by-project")

    assert before == synced.warehouse.path.read_bytes()


def test_no_warehouse_yet_is_said_in_a_sentence(deployment):
    with pytest.raises(WarehouseMissing, match=r"There is no warehouse at .* yet. Run a sync first"):
        ask()

    assert not deployment.warehouse.path.exists()


@pytest.mark.usefixtures("synced")
def test_unknown_names_are_told_with_the_nearest():
    with pytest.raises(ConfigurationError, match="Did you mean 'builds'"):
        ask("--table", "build")
    with pytest.raises(UnknownProject, match="holds no project of 'sample' called 'Nowhere'"):
        ask("--project", "Nowhere")
