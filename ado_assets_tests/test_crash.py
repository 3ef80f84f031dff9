"""
Killed at any moment, a sync costs a re-read and nothing else.

``CRASH_KILLS`` and ``CRASH_SEED`` tell a longer story or another one; ``make crash`` does.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ado_assets.cli.processes import clear_up, signing
from ado_assets.sync import FEEDS
from ado_assets.tables import TABLES
from ado_assets.warehouse import Warehouse, abandoned, prune
from ado_assets_tests import crashing
from ado_assets_tests.history import VANISHING, History

KILLS = int(os.environ.get("CRASH_KILLS", "12"))
SEED = int(os.environ.get("CRASH_SEED", "11"))

#: Changes that no sync can see by themselves; ``test_proof`` covers them. The crash test asks for one plain sync.
SILENT = {*VANISHING, "build-tagged", "pr-commented-after-closing"}


#: When a sync is killed, in turn.
MOMENTS = (crashing.LANDING, crashing.LOADING, crashing.READING)


class Victim:
    """A process that syncs until it is killed."""

    def __init__(self, history: History, first: str) -> None:
        folder = str(history.warehouse.path.parent)
        command = [sys.executable, "-m", "ado_assets_tests.crashing", history.server.base_url, history.organization]
        self._process = subprocess.Popen(
            [*command, folder, first], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._said: list[tuple[str, str]] = []
        self._more = threading.Condition()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, feed = line.strip().partition(" ")
            with self._more:
                self._said.append((word, feed))
                self._more.notify()

    def wait_for(self, word: str, times: int = 1) -> None:
        """Until it has said the word so often."""
        with self._more:
            heard = self._more.wait_for(lambda: sum(said == word for said, _ in self._said) >= times, timeout=60)
        assert heard, f"the sync never came to {word}: {self._said}"

    def kill(self) -> tuple[str, str]:
        """What it was doing when it was killed, and of which feed."""
        self._process.kill()
        _, said = self._process.communicate(timeout=30)
        self._listener.join(timeout=30)
        assert self._process.returncode == -signal.SIGKILL, said
        return self._said[-1]


@pytest.fixture
def history() -> Iterator[History]:
    told = History(SEED)
    yield told
    told.close()


def kill_at_random(history: History, rng: random.Random, moment: str, first: str) -> tuple[str, str]:
    """Let a sync begin with a feed and kill it at a moment: at any time, while pages land, or while they are loaded."""
    victim = Victim(history, first)
    victim.wait_for(moment, rng.randrange(1, 4))
    time.sleep({crashing.READING: rng.uniform(0.05, 3), crashing.LOADING: rng.uniform(0, 0.06)}.get(moment, 0))
    return victim.kill()


def held_twice(warehouse: Warehouse) -> list[str]:
    """Tables that hold a key twice, live or not."""
    found = []
    for name, table in TABLES.items():
        key = ", ".join(f'"{column}"' for column in table.full_key)
        (rows, keys), *_ = warehouse.rows(f'SELECT count(*), count(DISTINCT ({key})) FROM ado."{name}"')
        found += [f"{name} holds {rows} rows of {keys} keys"] * (rows != keys)
    return found


def test_kills_cost_nothing_but_a_read(history: History) -> None:
    """However often and wherever a sync is killed while the organization changes, the next one makes tables true."""
    rng = random.Random(SEED)
    scenarios = [name for name in history.world.scenarios() if name not in SILENT]
    names = list(FEEDS)
    root = history.warehouse.landing
    ends: list[tuple[str, str]] = []
    left = 0
    for number in range(KILLS):
        history.warehouse.close()
        first = names[0] if number % 4 == 0 else rng.choice(names)
        ends.append(kill_at_random(history, rng, MOMENTS[number % len(MOMENTS)], first))
        history.told.append(f"killed while {ends[-1]}")
        left += len(abandoned(root))
        # Opens at once, whatever the killed process held, and is whole.
        fresh = Warehouse(history.warehouse.path, landing=root, lock_timeout=2)
        assert not held_twice(fresh), history.explain([*held_twice(fresh)])
        for name in rng.sample(scenarios, 3):
            history.happen(name)
        if number % 3 == 0:
            history.days(1)

    history.run()

    found = [*history.findings(), *held_twice(history.warehouse)]
    assert not found, history.explain(found)
    assert crashing.LOADING in {word for word, _ in ends}, ends
    assert left, "no kill came while pages were being landed"
    history.warehouse.close()
    assert_nothing_is_left(history.warehouse.path, root)


def assert_nothing_is_left(path: Path, root: Path) -> None:
    """No unsealed or half-written landing, no log, no temporary file, no table that is not declared."""
    assert [] == abandoned(root)
    assert [] == [each for each in root.rglob("*") if each.name.endswith(".part")]
    beside = {each.name for each in path.parent.iterdir()}
    assert beside <= {path.name, f"{path.name}.lock", "landing"}, beside
    with duckdb.connect(str(path), read_only=True) as connection:
        held = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = 'ado'"
        ).fetchall()
    assert set(TABLES) == {name for (name,) in held}
    # What was sealed and never loaded goes with its age, like every landing.
    prune(root, timedelta(0), datetime.now(UTC) + timedelta(seconds=1))
    assert [] == [each for each in root.glob("*/*/*") if each.is_dir()]


def test_a_killed_command_does_not_block_the_next(deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was killed gives its places in Dagster's pools back, is shown as failed, and the next one succeeds."""
    deploy()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    program = "from ado_assets.cli import main; main()"
    command = [sys.executable, "-c", program, "sync", "--connector", "core"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    assert "projects" in killed.stderr.readline(), "the command did not begin to read"
    time.sleep(0.15)
    killed.kill()
    killed.communicate(timeout=30)
    assert killed.returncode == -signal.SIGKILL

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert 0 == done.returncode, done.stderr
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        statuses = [run.status for run in instance.get_runs()]
        assert set() == instance.event_log_storage.get_concurrency_run_ids()
    assert [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE] == statuses


def test_a_run_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """While the process of a run lives, clearing up neither ends the run nor takes its places."""
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
        signing(instance, tmp_path) as signature,
    ):
        job = dg.GraphDefinition(name="nothing").to_job()
        run = instance.create_run_for_job(job, tags=signature, status=dg.DagsterRunStatus.STARTED)

        assert [] == clear_up(instance, tmp_path)
        assert dg.DagsterRunStatus.STARTED == instance.get_run_by_id(run.run_id).status
