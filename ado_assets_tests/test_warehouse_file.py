"""The file: taking turns, what can be wrong with it, and that a crash leaves the former state."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from ado_assets.warehouse import (
    BadWarehousePath,
    Warehouse,
    WarehouseCorrupt,
    WarehouseLocked,
    WarehouseMissing,
    WarehouseReadOnly,
    WarehouseTooNew,
)
from ado_assets.warehouse.errors import NoSpace, explain
from ado_assets_tests.warehouse_tables import Bench, minutes


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed ``ready``; ended at the end."""
    script = textwrap.dedent(code)
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == "ready"
        try:
            yield running
        finally:
            running.kill()


HOLD = """
    import sys, time
    from pathlib import Path
    from ado_assets.warehouse import Warehouse
    path = Path(sys.argv[1])
    with Warehouse(path, landing=path.parent).session(read_only=sys.argv[3] == "read"):
        print("ready", flush=True)
        time.sleep(float(sys.argv[2]))
"""


def test_a_session_waits_for_another_process(tmp_path: Path) -> None:
    """A file held for a moment is waited for, not failed on."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()
    with process(HOLD, bench.warehouse.path, 1, "write"):
        assert bench.rows("SELECT count(*) FROM ado.things") == [(0,)]


def test_a_file_held_too_long_is_an_error_that_names_the_holder(tmp_path: Path) -> None:
    """Reader and writer give up after the timeout and say which process to look for."""
    bench = Bench(tmp_path, lock_timeout=0.3)
    bench.warehouse.prepare()
    with process(HOLD, bench.warehouse.path, 60, "write") as holder:
        for read_only in (True, False):
            session = bench.warehouse.session(read_only=read_only)
            with pytest.raises(WarehouseLocked, match=f"in use by process {holder.pid} on .* since 20"), session:
                pass


def test_readers_share_the_file_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    """Two readers at once are fine; a writer takes its turn after them."""
    bench = Bench(tmp_path, lock_timeout=0.3)
    bench.warehouse.prepare()
    with process(HOLD, bench.warehouse.path, 60, "read") as reader:
        assert bench.rows("SELECT 1") == [(1,)]
        with pytest.raises(WarehouseLocked), bench.warehouse.session():
            pass
        reader.kill()
        reader.wait()
        bench.things({"id": 1})


def test_a_program_that_does_not_take_turns_is_named_too(tmp_path: Path) -> None:
    """A file that a plain DuckDB has open gives an error with its process."""
    bench = Bench(tmp_path, lock_timeout=0.3)
    bench.warehouse.prepare()
    code = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('ready', flush=True); time.sleep(60)"
    with process(code, bench.warehouse.path) as holder:
        expected = pytest.raises(WarehouseLocked, match=rf"does not take turns .*PID {holder.pid}")
        with expected, bench.warehouse.session():
            pass


def test_a_session_that_fails_frees_the_file(tmp_path: Path) -> None:
    """An exception in the body closes the connection and the lock, while it is still being handled."""
    bench = Bench(tmp_path, lock_timeout=0.3)
    bench.warehouse.prepare()
    try:
        with bench.warehouse.session() as connection:
            connection.execute("SELECT nonsense")
    except duckdb.BinderException:
        assert bench.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("name", ["ado.duckdb", "ADO.db", "ado_live.duckdb", "memory.duckdb"])
def test_names_that_make_tables_ambiguous_are_refused(tmp_path: Path, name: str) -> None:
    """The error says why and what to do, and nothing is made."""
    with pytest.raises(BadWarehousePath, match=r"ado\.builds is ambiguous\. Choose another name"):
        Warehouse(tmp_path / name, landing=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_corrupt_file_is_told_from_other_trouble(tmp_path: Path) -> None:
    """Garbage, a damaged header and a cut file each give the clear error and stay as they are."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()
    whole = bench.warehouse.path.read_bytes()
    damaged = bytearray(whole)
    damaged[100] ^= 0xFF
    for content in (b"garbage" * 1000, b"", bytes(damaged), whole[:6000]):
        bench.warehouse.path.write_bytes(content)
        with pytest.raises(WarehouseCorrupt, match=r"test\.duckdb .*Move it away|test\.duckdb .*move it away"):
            bench.warehouse.prepare()
        assert bench.warehouse.path.read_bytes() == content


def test_a_newer_file_asks_for_an_upgrade() -> None:
    """DuckDB's words for a file of a later storage version become advice. (Its checksum forbids making one here.)"""
    words = "Trying to read a database file with version number 999, but we can only read versions between 64 and 68."
    error = explain(duckdb.IOException(words), Path("x.duckdb"))
    assert isinstance(error, WarehouseTooNew)
    assert "storage version 999" in str(error)
    assert "Upgrade the package duckdb" in str(error)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A path below a file can never be a folder."""
    (tmp_path / "file").write_text("")
    warehouse = Warehouse(tmp_path / "file" / "x.duckdb", landing=tmp_path)

    with pytest.raises(WarehouseReadOnly, match=r"x\.duckdb cannot be opened for writing .*Check that its folder"):
        warehouse.prepare()


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    """A folder given as the file is named as such."""
    with pytest.raises(BadWarehousePath, match="is a folder"):
        Warehouse(tmp_path, landing=tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A copy to a full disk fails with the error that says so; DuckDB's own words for it give the same."""
    with pytest.raises(OSError, match="No space left") as full:
        Path("/dev/full").write_bytes(b"x" * 100_000)
    assert isinstance(explain(full.value, tmp_path / "x.duckdb"), NoSpace)
    assert isinstance(
        explain(duckdb.IOException(f'IO Error: Could not write file "x": {full.value}'), tmp_path), NoSpace
    )


def test_reading_before_the_first_sync_says_so(tmp_path: Path) -> None:
    """A query without a file is a clear error and makes none; a plan makes the tables and finds nothing."""
    bench = Bench(tmp_path)
    with pytest.raises(WarehouseMissing, match="Run a sync first"):
        bench.rows("SELECT 1")
    assert not bench.warehouse.path.exists()

    assert bench.warehouse.projects("acme") == []


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """The file, its log, its lock and the folders made for them cannot be read by others."""
    bench = Bench(tmp_path)
    manifest = bench.landed({"id": 1})
    bench.load(manifest)
    with bench.warehouse.session() as connection:
        connection.execute("CREATE TABLE ado.more AS SELECT 1 AS a")
        path = bench.warehouse.path
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (path.parent, *path.parent.iterdir())}
    assert modes == {"data": 0o700, "test.duckdb": 0o600, "test.duckdb.wal": 0o600, "test.duckdb.lock": 0o600}
    landed = {stat.S_IMODE(p.stat().st_mode) for p in (manifest.folder, *manifest.folder.iterdir())}
    assert landed == {0o700, 0o600}
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".wal"] == []


KILL = """
    import sys
    from pathlib import Path
    from ado_assets.warehouse import Manifest, load, state
    from ado_assets_tests.warehouse_tables import Bench
    def stop(*_):
        print("ready", flush=True)
        sys.stdin.read()
    state.{moment} = stop
    bench = Bench(Path(sys.argv[1]))
    bench.load(Manifest.read(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("moment", ["write_load", "write_coverage"])
def test_a_process_killed_while_loading_leaves_the_former_state(tmp_path: Path, moment: str) -> None:
    """What was written and flagged but not committed is as before, and the load can be repeated."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a", "parts": [{"id": "p"}]}, {"id": 2}, watermark="w1")
    manifest = bench.landed({"id": 1, "title": "b"}, at=minutes(5), complete=True, mark="w2")
    code = textwrap.dedent(KILL).format(moment=moment)
    command = [sys.executable, "-c", code, str(tmp_path), str(manifest.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as loader:
        assert loader.stdout is not None
        assert loader.stdout.readline().strip() == "ready"
        os.kill(loader.pid, signal.SIGKILL)
        loader.wait()

    assert bench.rows("SELECT id, title FROM ado_live.things ORDER BY id") == [(1, "a"), (2, None)]
    assert bench.live("parts") == ["p"]
    assert bench.warehouse.watermarks("acme", "things") == {"project:P": "w1"}

    bench.load(manifest)

    assert bench.rows("SELECT id, title FROM ado_live.things") == [(1, "b")]
    assert bench.warehouse.watermarks("acme", "things") == {"project:P": "w2"}


def test_a_published_copy_is_whole_and_replaced_in_one_step(tmp_path: Path) -> None:
    """Who has the former copy open keeps reading it; who opens it anew sees the new rows; it cannot be written."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})
    copy = tmp_path / "shared" / "copy.duckdb"
    bench.warehouse.publish(copy)
    former = duckdb.connect(str(copy), read_only=True)
    bench.things({"id": 2})

    bench.warehouse.publish(copy)

    assert former.execute("SELECT count(*) FROM ado_live.things").fetchall() == [(1,)]
    former.close()
    with duckdb.connect(str(copy), read_only=True) as anew:
        assert anew.execute("SELECT count(*) FROM ado_live.things").fetchall() == [(2,)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o444
    assert [p.name for p in copy.parent.iterdir()] == ["copy.duckdb"]


def test_a_copy_is_not_put_where_it_would_do_harm(tmp_path: Path) -> None:
    """Not over the warehouse, not under an ambiguous name, and not half."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()
    with pytest.raises(BadWarehousePath, match="the warehouse itself"):
        bench.warehouse.publish(bench.warehouse.path.parent / ".." / "data" / "test.duckdb")
    with pytest.raises(BadWarehousePath, match="ambiguous"):
        bench.warehouse.publish(tmp_path / "ado.duckdb")
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseReadOnly):
        bench.warehouse.publish(tmp_path / "file" / "copy.duckdb")


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    """The lock file says which process had the file last, for people who look."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()

    holder = json.loads(Path(f"{bench.warehouse.path}.lock").read_text())

    assert holder["pid"] == os.getpid()


def test_a_log_left_by_a_crash_is_taken_in(tmp_path: Path) -> None:
    """What a killed process had committed is there for the next reader."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()
    code = """
        import os, sys, time
        from pathlib import Path
        from ado_assets_tests.warehouse_tables import Bench
        bench = Bench(Path(sys.argv[1]))
        with bench.warehouse.session() as connection:
            connection.execute("CREATE TABLE ado.more AS SELECT 42 AS a")
            print("ready", flush=True)
            time.sleep(60)
    """
    with process(code, tmp_path) as writer:
        writer.kill()
        writer.wait()

    assert bench.rows("SELECT a FROM ado.more") == [(42,)]
    shutil.rmtree(tmp_path / "data")


def test_prepare_is_cheap_when_nothing_changed(tmp_path: Path) -> None:
    """A second prepare only opens, compares and closes."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()
    written = bench.rows("SELECT prepared_at FROM ado_meta.declarations")

    started = time.monotonic()
    Bench(tmp_path).warehouse.prepare()

    assert time.monotonic() - started < 1
    assert bench.rows("SELECT prepared_at FROM ado_meta.declarations") == written
