"""The command line as a person meets it: what it prints, what it says when something is wrong, and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ado_assets.cli import main
from ado_assets.cli.instance import INSTANCE_SETTINGS
from ado_assets.sample import TOKENS
from ado_assets.tables import TABLES


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(deployment, tmp_path, monkeypatch, capfd):  # noqa: ARG001 (the deployment sets the environment)
    """Run ``ado-assets`` over the deployment of the test; an empty variable is one that is not set."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        said = capfd.readouterr()
        return Done(int(left.value.code or 0), said.out, said.err)

    return run


def assert_refused(done, *parts):
    """A clear sentence, no traceback, an exit code that is not 0, and no token."""
    said = done.stdout + done.stderr
    assert 0 != done.returncode, said
    assert "Traceback" not in said
    for part in parts:
        assert part in said
    assert not any(token in said for token in TOKENS)


def test_sync_as_json_tells_tables_rows_and_calls(command, deployment):
    done = command("sync", "--table", "projects", "--table", "team_members", "--table", "teams", "--json")

    assert 0 == done.returncode, done.stderr
    summary = json.loads(done.stdout)
    rows = {line["table"]: line["rows"] for line in summary["tables"]}
    assert rows == deployment.warehouse.live_counts(deployment.server.organization, list(rows))
    assert ["projects", "teams", "team_members"] == list(rows)
    assert summary["calls"] > 3
    assert [] == summary["errors"] == summary["left_out"]


def test_sync_of_a_project_reads_only_that_project(command, deployment):
    assert 0 == command("sync", "--table", "projects").returncode

    done = command("sync", "--table", "teams", "--project", "Fabrikam Fiber")

    assert 0 == done.returncode, done.stderr
    held = deployment.warehouse.rows(
        "SELECT DISTINCT p.name FROM ado_live.teams t JOIN ado_live.projects p ON p.id = t.project_id"
    )
    assert [("Fabrikam Fiber",)] == held


def test_missing_organization_and_token_are_named_together(command):
    tokens = {name: "" for name in os.environ if name.endswith("_PAT")}

    assert_refused(command("sync", ADO_ORGANIZATION="", **tokens), "ADO_ORGANIZATION is not set", "No token is set")


@pytest.mark.parametrize(
    ("arguments", "environment", "parts"),
    [
        (["--table", "pull_request"], {}, ["no table called 'pull_request'", "'pull_requests'"]),
        (["--connector", "board"], {}, ["no connector called 'board'", "'boards'"]),
        (["--since", "yesterday"], {}, ["--since 'yesterday' is not a date"]),
        ([], {"ADO_BASE_URL": "ftp://server"}, ["ADO_BASE_URL='ftp://server' is not a URL"]),
        ([], {"ADO_WAREHOUSE": "ado.duckdb"}, ["ado.duckdb cannot be used"]),
        ([], {"ADO_CONFIG": "missing.yaml"}, ["ADO_CONFIG=missing.yaml cannot be read"]),
    ],
)
def test_what_cannot_be_understood_is_refused_before_anything_runs(command, tmp_path, arguments, environment, parts):
    assert_refused(command("sync", *arguments, **environment), *parts)

    assert not list(tmp_path.glob("**/*.duckdb"))


def test_unknown_project_is_refused_with_the_known_ones(command):
    assert 0 == command("sync", "--table", "projects").returncode

    assert_refused(command("sync", "--table", "teams", "--project", "Fabrikan"), "'Fabrikan'", "'Fabrikam Fiber'")


def test_expired_token_is_refused_with_what_to_do(command):
    done = command(
        "sync",
        "--table",
        "builds",
        "--table",
        "projects",
        ADO_PIPELINES_PAT="sample-expired-token",
        ADO_BOARDS_PAT="sample-expired-token",
    )

    assert_refused(done, "sign-in page", "ADO_BOARDS_PAT")
    assert not Path(os.environ["ADO_WAREHOUSE"]).exists()


def test_server_that_is_not_there_is_named(command):
    """Nothing listens on the port; the address is in the message."""
    Path("ado.yaml").write_text("attempts: 1")
    done = command("sync", "--table", "projects", ADO_BASE_URL="http://127.0.0.1:9", ADO_CONFIG="ado.yaml")

    assert_refused(done, "127.0.0.1:9")


def test_warehouse_in_use_is_waited_for_and_then_named(command, deployment):
    """Another process writes: the sync waits its turn and lands."""
    deployment.sync("projects")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, os.environ["ADO_WAREHOUSE"]], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert "held\n" == holder.stdout.readline()

    done = command("sync", "--table", "teams")

    assert 0 == done.returncode, done.stderr
    assert 0 == holder.wait(timeout=30)


HOLDER = """
import sys, time
from pathlib import Path
from ado_assets.warehouse import Warehouse
path = Path(sys.argv[1])
with Warehouse(path, landing=path.parent / "landing").session():
    print("held", flush=True)
    time.sleep(3)
"""


def test_landing_folder_that_cannot_be_written_is_named(command, tmp_path):
    (tmp_path / "landing").write_text("a file where the folder should be")

    assert_refused(command("sync", "--table", "projects"), str(tmp_path / "landing"))


def test_dictionary_prints_every_table(command):
    done = command("dictionary")

    assert 0 == done.returncode
    assert all(f"## {name}\n" in done.stdout for name in TABLES)


@pytest.mark.parametrize("arguments", [[], ["sync"], ["demo"], ["replay"], ["sample", "serve"], ["status"]])
def test_help_shows_examples_or_commands(command, arguments):
    done = command(*arguments, "--help")

    assert 0 == done.returncode
    assert "Usage:" in done.stdout
    assert "ado-assets" in done.stdout or "_sample" in done.stdout


def test_replay_of_a_landing_folder_changes_nothing_that_is_current(command, deployment):
    deployment.sync("projects", "teams")
    (folder,) = [path.parent for path in deployment.folder.glob("landing/*/teams/*/manifest.json")]
    before = deployment.warehouse.rows("SELECT * FROM ado.teams ORDER BY id")

    done = command("replay", str(folder))

    assert 0 == done.returncode, done.stderr
    assert f"{len(before)} unchanged" in done.stdout
    assert before == deployment.warehouse.rows("SELECT * FROM ado.teams ORDER BY id")


def test_new_dagster_home_gets_the_shipped_settings(command, tmp_path):
    """Telemetry and the welcome dialog are off, whichever way a person starts."""
    assert 0 == command("sync", "--table", "projects").returncode

    shipped = (Path(__file__).parents[1] / "dagster.yaml").read_text(encoding="utf-8")
    assert shipped.endswith(INSTANCE_SETTINGS)
    assert INSTANCE_SETTINGS == (tmp_path / "home" / "dagster.yaml").read_text(encoding="utf-8")
