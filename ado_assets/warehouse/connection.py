"""
The one way to the DuckDB file: wait in line, open, close whatever happens.

DuckDB lets one process write and then nobody else even read. A lock on ``<file>.lock`` puts our own processes in line
(DuckDB's own retry starves under contention); it names its holder, so that whoever waits too long can be told whom to
look for. The lock goes with its process, however that ends. No SQL belongs here but the settings of a connection.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ado_assets.warehouse.errors import (
    WarehouseCorrupt,
    WarehouseLocked,
    WarehouseMissing,
    check_path,
    explain,
    is_lock_conflict,
)

#: Seconds between two looks at a lock that is held.
_LOOK_AGAIN = 0.05


@contextmanager
def connected(
    path: Path, *, read_only: bool, lock_timeout: float, memory_limit: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """
    A connection to the file, in the session time zone UTC; closed at the end, and the lock with it.

    Readers share the file with each other; a writer has it alone. Missing folders are made for the owner only (0700),
    a new file likewise (0600).

    Args:
        lock_timeout: Seconds to wait for the file before ``WarehouseLocked``.
        memory_limit: DuckDB's setting, for example ``2GB``.

    Raises:
        WarehouseError: The file cannot be used; the message says why and what to do.
    """
    check_path(path)
    deadline = time.monotonic() + lock_timeout
    with _turn(path, read_only=read_only, deadline=deadline):
        connection = _open(path, read_only, deadline, memory_limit)
        try:
            yield connection
        except duckdb.Error as error:
            if clear := explain(error, path):
                raise clear from error
            raise
        finally:
            _close(connection, path, read_only=read_only)


def make_folder(folder: Path) -> None:
    """Make the folder and those above it that are missing, for the owner only."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for each in reversed(missing):
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)


@contextmanager
def _turn(path: Path, *, read_only: bool, deadline: float) -> Iterator[None]:
    """Our turn at the file among all processes that ask here."""
    lock_path = Path(f"{path}.lock")
    try:
        if read_only and not path.exists():
            raise WarehouseMissing(f"There is no warehouse at {path} yet. Run a sync first, or check ADO_WAREHOUSE.")
        make_folder(path.parent)
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if read_only and isinstance(error, PermissionError):
            # Nobody writes to a copy in a folder that we cannot write to either.
            yield
            return
        raise explain(error, path) or error from error
    try:
        _wait(handle, lock_path, fcntl.LOCK_SH if read_only else fcntl.LOCK_EX, deadline)
        _sign(handle)
        yield
    finally:
        os.close(handle)


def _wait(handle: int, lock_path: Path, kind: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise WarehouseLocked(_held_by(lock_path)) from None
            time.sleep(_LOOK_AGAIN)


def _sign(handle: int) -> None:
    """Write who holds the lock into it; a help for people, never read to decide anything."""
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat("T", "seconds")}
    text = json.dumps(holder).encode()
    os.pwrite(handle, text, 0)
    os.ftruncate(handle, len(text))


def _held_by(lock_path: Path) -> str:
    warehouse = lock_path.with_suffix("")
    try:
        holder = json.loads(lock_path.read_text())
        who = f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError):
        who = "another process"
    return (
        f"{warehouse} is in use by {who}. Loads take seconds: wait and try again; if that process hangs, end it, "
        "which frees the file."
    )


@contextmanager
def atomic(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction: committed when the body ends, rolled back when it, or the COMMIT, does not succeed."""
    connection.execute("BEGIN")
    with ExitStack() as undo:
        undo.callback(_roll_back, connection)
        yield
        connection.execute("COMMIT")
        undo.pop_all()


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    # A failed COMMIT has ended the transaction already; the error that matters is the one being raised.
    with suppress(duckdb.Error):
        connection.execute("ROLLBACK")


def _open(path: Path, read_only: bool, deadline: float, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open the file, waiting also for programs that do not know our lock (a DuckDB shell, a BI tool)."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit}
    while True:
        try:
            connection = _connect(path, read_only, config)
            if not read_only:
                _make_log(path)
            connection.execute("SET TimeZone = 'UTC'")
            # In a program read from standard input DuckDB takes itself for a shell and draws on standard output.
            connection.execute("SET enable_progress_bar = false")
            return connection
        except duckdb.Error as error:
            if not is_lock_conflict(error):
                raise explain(error, path) or _unusable(error, path) from error
            if time.monotonic() >= deadline:
                raise WarehouseLocked(
                    f"{path} is open in a program that does not take turns ({error}). Close it there, or give that "
                    "program the published copy (ADO_PUBLISH)."
                ) from error
            time.sleep(_LOOK_AGAIN)


def _connect(
    path: Path, read_only: bool, config: dict[str, str | bool | int | float | list[str]]
) -> duckdb.DuckDBPyConnection:
    if path.exists():
        return duckdb.connect(str(path), read_only=read_only, config=config)
    # DuckDB offers no file mode; this is the only moment at which the file is made.
    mask = os.umask(0o077)
    try:
        return duckdb.connect(str(path), config=config)
    finally:
        os.umask(mask)


def _make_log(path: Path) -> None:
    """Make the write-ahead log for the owner only, before DuckDB makes it for all."""
    os.close(os.open(f"{path}.wal", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _unusable(error: duckdb.Error, path: Path) -> WarehouseCorrupt:
    return WarehouseCorrupt(
        f"{path} cannot be opened as a DuckDB database ({error}). If it is damaged, move it away and run a full "
        "refresh, or restore a copy."
    )


def _close(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    try:
        connection.close()
    except duckdb.Error as error:
        raise explain(error, path) or error from error
    log = Path(f"{path}.wal")
    if not read_only and log.exists() and not log.stat().st_size:
        log.unlink()
