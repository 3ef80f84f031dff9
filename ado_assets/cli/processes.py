"""
Which processes of the command line run something on the instance, and clearing up after those that were killed.

A killed process cannot give back its places in Dagster's pools, and no later run would get one. So each process signs
its runs with a tag and holds a lock on a file of that name for as long as it lives; the lock goes with the process,
however that ends. Runs that the Dagster daemon started are its own business.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import dagster as dg

#: Tag of a run: the name of the file that its process holds.
PROCESS = "ado/process"

_FOLDER = "processes"


@contextmanager
def signing(instance: dg.DagsterInstance, home: Path) -> Iterator[dict[str, str]]:
    """
    The tags to give the runs of this process; what killed processes left is cleared up first.

    Args:
        home: The Dagster home of the instance.
    """
    folder = home / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    clear_up(instance, home)
    name = uuid4().hex
    # Locked before it has its name, so that nobody finds it without its lock.
    unnamed = folder / f".{name}"
    handle = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        unnamed.rename(folder / name)
        yield {PROCESS: name}
        (folder / name).unlink(missing_ok=True)
    finally:
        os.close(handle)


def clear_up(instance: dg.DagsterInstance, home: Path) -> list[str]:
    """End the runs of processes that no longer live and free their places in the pools; ids of those still running."""
    ended = []
    for path in sorted((home / _FOLDER).glob("[!.]*")):
        if _lives(path):
            continue
        for run in instance.get_runs(filters=dg.RunsFilter(tags={PROCESS: path.name})):
            if not run.is_finished:
                instance.report_run_failed(run, "The process of this run was killed; the next run continues.")
                ended.append(run.run_id)
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        path.unlink(missing_ok=True)
    return ended


def _lives(path: Path) -> bool:
    with suppress(FileNotFoundError):
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False
