"""What people do in Dagster: one partition, a range, the whole organization; and what they are told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ado_assets.assets.jobs import VERDICT, step_name
from ado_assets.assets.partitions import PROJECTS
from ado_assets.graph import build_defs
from ado_assets.sync import UnknownProject
from ado_assets.warehouse import WarehouseError


def materialize(deployment, *names, partition=None, tags=None, raise_on_error=True):
    """Materialize assets as the UI does, in this process."""
    job = build_defs().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=deployment.instance,
        asset_selection=[dg.AssetKey(name) for name in names],
        partition_key=partition,
        tags=tags,
        raise_on_error=raise_on_error,
    )


def test_projects_make_the_partitions(deployment):
    deployment.sync("projects")

    names = {project.name for project in deployment.world.live_projects()}
    assert names == set(deployment.instance.get_dynamic_partitions(PROJECTS.name))


def test_partitions_follow_a_renamed_project(deployment):
    """The new name appears, the old one goes, and the rows stay those of the same project."""
    deployment.sync("projects", "builds")
    held = deployment.warehouse.rows("SELECT count(*), max(_load_id) FROM ado.builds")
    deployment.world.run_scenario("project-renamed")

    deployment.sync("projects")

    names = {project.name for project in deployment.world.live_projects()}
    assert names == set(deployment.instance.get_dynamic_partitions(PROJECTS.name))
    assert held == deployment.warehouse.rows("SELECT count(*), max(_load_id) FROM ado.builds")


def test_one_partition_reads_one_project(deployment):
    deployment.sync("projects")

    result = materialize(deployment, "builds", partition="Fabrikam Fiber")

    held = deployment.warehouse.rows(
        "SELECT DISTINCT p.name FROM ado_live.builds b JOIN ado_live.projects p ON p.id = b.project_id"
    )
    assert [("Fabrikam Fiber",)] == held
    (event,) = result.get_asset_materialization_events()
    assert "Fabrikam Fiber" == event.partition
    assert event.materialization.metadata["inserted"].value > 0


def test_a_range_of_partitions_is_one_run(deployment):
    deployment.sync("projects")
    keys = deployment.instance.get_dynamic_partitions(PROJECTS.name)
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[1]}

    result = materialize(deployment, "teams", tags=tags)

    assert set(keys[:2]) == {event.partition for event in result.get_asset_materialization_events()}
    held = deployment.warehouse.rows("SELECT count(DISTINCT project_id) FROM ado_live.teams")
    assert [(2,)] == held


def test_whole_organization_writes_events_only_for_projects_that_changed(deployment):
    """A quiet sync of many projects must not cost an event per project."""
    first = deployment.sync("projects", "teams")
    second = deployment.sync("projects", "teams")

    def partitions(result):
        return {e.partition for e in result.all_events if e.is_step_materialization and e.asset_key.path == ["teams"]}

    names = {project.name for project in deployment.world.live_projects()}
    assert names | {None} == partitions(first)
    assert {None} == partitions(second)


def test_materialization_tells_what_was_done(deployment):
    result = deployment.sync("projects")

    (event,) = [e for e in result.all_events if e.is_step_materialization]
    metadata = event.materialization.metadata
    assert len(deployment.world.live_projects()) == metadata["dagster/row_count"].value == metadata["inserted"].value
    assert "incremental" == metadata["mode"].value
    assert metadata["api_calls"].value >= 2
    assert {"id", "name"} <= set(metadata["preview"].records[0].data)


def test_projects_of_the_configuration_are_the_only_ones_read(deploy):
    deployment = deploy(ADO_PROJECTS="Fabrikam*")

    deployment.sync("projects", "teams")

    held = deployment.warehouse.rows(
        "SELECT DISTINCT p.name FROM ado_live.teams t JOIN ado_live.projects p ON p.id = t.project_id"
    )
    assert [("Fabrikam Fiber",)] == held


def test_unknown_project_fails_with_the_known_ones(deployment):
    deployment.sync("projects")

    with pytest.raises(UnknownProject, match=r"no readable project called 'Fabrikam'.*'Fabrikam Fiber'"):
        deployment.sync("teams", projects=["Fabrikam"])


def test_connector_without_a_token_is_left_out_and_the_rest_works(deploy, monkeypatch):
    deployment = deploy()
    monkeypatch.delenv("ADO_PIPELINES_PAT")

    deployment.sync("projects", "teams", "builds", "build_timeline_records")

    counts = deployment.warehouse.live_counts(deployment.server.organization, ["teams", "builds"])
    assert counts["teams"]
    assert not counts["builds"]


def test_asset_of_a_connector_without_a_token_fails_with_what_to_do(deploy, monkeypatch):
    deployment = deploy()
    deployment.sync("projects")
    monkeypatch.delenv("ADO_PIPELINES_PAT")

    with pytest.raises(dg.Failure) as caught:
        materialize(deployment, "builds", partition="Fabrikam Fiber")

    assert "none of ADO_PIPELINES_PAT, ADO_PAT is set" in str(caught.value.description)


def test_disabled_table_is_not_read(deploy, tmp_path):
    file = tmp_path / "ado.yaml"
    file.write_text("tables: {teams: {enabled: false}}\n")
    deployment = deploy(ADO_CONFIG=str(file))

    deployment.sync("projects", "teams")

    assert {"teams": 0} == deployment.warehouse.live_counts(deployment.server.organization, ["teams"])


def test_checks_pass_on_what_was_synced_and_fail_on_what_was_broken(deployment):
    """A check reports on what is in the file, whoever wrote it."""
    deployment.sync("projects", "teams")
    job = build_defs().resolve_implicit_global_asset_job_def()
    with deployment.warehouse.session() as connection:
        connection.execute("INSERT INTO ado.teams SELECT * FROM ado.teams LIMIT 1")

    result = job.execute_in_process(
        instance=deployment.instance,
        asset_selection=[dg.AssetKey("teams"), dg.AssetKey("projects")],
        partition_key="Fabrikam Fiber",
        raise_on_error=False,
    )

    verdicts = {(e.asset_key.to_user_string(), e.check_name): e.passed for e in result.get_asset_check_evaluations()}
    assert verdicts["projects", "key_is_unique"]
    assert not verdicts["teams", "key_is_unique"]
    assert verdicts["teams", "required_columns_are_filled"]


def test_one_project_in_trouble_fails_the_run_at_its_end_and_stops_no_other(deploy, tmp_path, monkeypatch):
    """The verdict names the project; the others' rows and the tables after it are committed."""
    file = tmp_path / "ado.yaml"
    file.write_text("attempts: 1")
    deployment = deploy(ADO_CONFIG=str(file))
    deployment.sync("projects")
    broken = next(p for p in deployment.world.live_projects() if p.name == "Fabrikam Fiber")
    original = type(deployment.world.core).render_team

    def render(self, project, team):
        if project.id == broken.id:
            raise OSError("the server has a bad day")
        return original(self, project, team)

    monkeypatch.setattr(type(deployment.world.core), "render_team", render)
    job = build_defs().resolve_job_def("sync_all")

    result = job.execute_in_process(
        instance=deployment.instance,
        op_selection=[step_name("teams"), step_name("team_members"), VERDICT],
        raise_on_error=False,
    )

    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert VERDICT == failure.step_key
    assert broken.id in failure.step_failure_data.error.to_string()
    counts = deployment.warehouse.live_counts(deployment.server.organization, ["teams", "team_members"])
    assert counts["teams"]
    assert counts["team_members"]


def test_warehouse_that_is_no_database_is_left_alone(deployment):
    path = Path(os.environ["ADO_WAREHOUSE"])
    path.write_bytes(b"not a database")

    with pytest.raises(WarehouseError, match=str(path)):
        deployment.sync("projects")

    assert b"not a database" == path.read_bytes()


def test_command_line_of_dagster_works_as_the_readme_says(deployment, tmp_path):
    """The very commands of the README, in processes of their own."""
    home = tmp_path / "home"
    home.mkdir()
    shipped = Path(__file__).parents[1] / "dagster.yaml"
    (home / "dagster.yaml").write_text(shipped.read_text())
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    materialize = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "ado_assets.definitions"]

    for arguments in (["--select", "projects"], ["--select", "work_items", "--partition", "Fabrikam Fiber"]):
        done = subprocess.run([*materialize, *arguments], env=environment, capture_output=True, text=True, timeout=120)
        assert 0 == done.returncode, done.stderr[-2000:]

    project = next(p for p in deployment.world.live_projects() if p.name == "Fabrikam Fiber")
    truth = {
        record["id"]
        for name, scope, record in deployment.world.truth()
        if name == "work_items" and scope["project_id"] == project.id
    }
    assert truth == {row[0] for row in deployment.warehouse.rows("SELECT id FROM ado_live.work_items")}
