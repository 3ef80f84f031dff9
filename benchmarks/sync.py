"""
How long a sync of the sample organization takes, what it calls, and what memory it needs.

    python benchmarks/sync.py [--scale tiny|small|large] [--runs 1]

Serves the organization from a process of its own and runs ``ado-assets sync``, the whole Dagster job, in a fresh
process each time: from nothing, with nothing changed, and after one day of activity. Prints seconds from the start of
the process to its end, its processor time, calls as the organization counted them, and the peak resident memory of the
syncing process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ado_assets.sample import SampleProcess

TOKENS = {
    "ADO_BOARDS_PAT": "sample-boards-token",
    "ADO_PIPELINES_PAT": "sample-pipelines-token",
    "ADO_REPOS_PAT": "sample-repos-token",
    "ADO_PULL_COMMITS_PAT": "sample-pull-commits-token",
    "ADO_COMMITS_PAT": "sample-commits-token",
}
SYNC = (Path(sys.executable).with_name("ado-assets"), "sync", "--json")
KINDS = ("first", "quiet", "one day")


@dataclass(frozen=True)
class Figures:
    """
    One sync.

    Args:
        seconds: From the start of its process to its end.
        cpu: Seconds of processor time, which tell more than the former on a machine that has other work.
        calls: Requests, as the sample organization counted them.
        peak: Largest resident memory of the process in MB.
        rows: Live rows of all tables afterwards.
    """

    seconds: float
    cpu: float
    calls: int
    peak: float
    rows: int


def sync(sample: SampleProcess, folder: Path) -> Figures:
    """Run one sync in a process of its own; raises when it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ADO_", "DAGSTER_"))}
    environment = {
        **inherited,
        **TOKENS,
        "ADO_ORGANIZATION": sample.organization,
        "ADO_BASE_URL": sample.base_url,
        "ADO_WAREHOUSE": str(folder / "azure_devops.duckdb"),
    }
    sample.reset_requests()
    started = time.perf_counter()
    with (folder / "summary.json").open("w+") as output:
        child = subprocess.Popen(SYNC, stdout=output, env=environment, cwd=folder)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if child.returncode:
            raise RuntimeError(f"the sync ended with code {child.returncode}")
        output.seek(0)
        summary = json.load(output)
    calls = sum(row["count"] for row in sample.requests())
    return Figures(
        seconds,
        used.ru_utime + used.ru_stime,
        calls,
        used.ru_maxrss / 1024,
        sum(table["rows"] for table in summary["tables"]),
    )


def run(scale: str) -> list[Figures]:
    """A first sync of a new organization, a quiet one, and one after a day."""
    with tempfile.TemporaryDirectory() as folder, SampleProcess(scale) as sample:
        figures = [sync(sample, Path(folder)), sync(sample, Path(folder))]
        sample.tick()
        return [*figures, sync(sample, Path(folder))]


def report(runs: list[list[Figures]]) -> None:
    """Print a line per kind of sync, the median of all runs with its span, and how the kinds compare."""
    print(f"{'':8} {'seconds':>8} {'(span)':>15} {'CPU s':>6} {'calls':>8} {'calls/s':>8} {'peak MB':>8} {'rows':>9}")
    middle = []
    for kind, figures in zip(KINDS, zip(*runs, strict=True), strict=True):
        seconds = median(each.seconds for each in figures)
        calls, peak = figures[0].calls, max(each.peak for each in figures)
        span = f"{min(each.seconds for each in figures):.1f}-{max(each.seconds for each in figures):.1f}"
        middle.append((seconds, calls))
        cpu, rows = median(each.cpu for each in figures), figures[0].rows
        costs = f"{cpu:6.1f} {calls:8,} {calls / seconds:8,.0f} {peak:8,.0f}"
        print(f"{kind:8} {seconds:8.1f} {span:>15} {costs} {rows:9,}")
    first_seconds, first_calls = middle[0]
    for kind, (seconds, calls) in zip(KINDS[1:], middle[1:], strict=True):
        print(f"{kind} / first: {seconds / first_seconds:.2f} of the seconds, {calls / first_calls:.3f} of the calls")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=("tiny", "small", "large"), default="small")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    report([run(options.scale) for _ in range(options.runs)])


if __name__ == "__main__":
    main()
