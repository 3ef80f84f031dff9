"""
How fast rows pass through landing and load, and what memory that takes.

    python benchmarks/load.py [--rows 60000]

Prints seconds and rows/s of landing (walk, write), of the first load, of a load of the same rows unchanged and of one
with a tenth of them changed, then the peak resident memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from ado_assets.tables import Column, Table
from ado_assets.warehouse import Landing, Manifest, SyncRecord, UnitOutcome, Warehouse

T = TypeVar("T")

COLUMNS = (
    Column("id", "BIGINT", "id", "Id."),
    *(Column(f"text_{i}", "VARCHAR", f"text{i}", "Text.") for i in range(15)),
    *(Column(f"number_{i}", "BIGINT", f"number{i}", "Number.") for i in range(5)),
    *(Column(f"at_{i}", "TIMESTAMPTZ", f"at{i}", "Instant.") for i in range(5)),
    Column("owner_id", "VARCHAR", "owner/id", "Owner."),
    Column("owner_name", "VARCHAR", "owner/displayName", "Owner's name."),
    Column("flag", "BOOLEAN", "flag", "Flag."),
    Column("more", "JSON", "more", "More."),
)
ROWS = Table("rows", "A row.", "boards", "none", ("id",), COLUMNS, ignored=("**/url",), unpartitioned=True)
START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int, version: int) -> dict[str, Any]:
    return {
        "id": number,
        **{f"text{i}": f"text {i} of row {number} {'x' * 40}" for i in range(15)},
        **{f"number{i}": number * i for i in range(5)},
        **{f"at{i}": f"2026-01-{i + 1:02}T10:00:00.1234567Z" for i in range(5)},
        "owner": {"id": f"owner-{number % 100}", "displayName": f"Owner {number % 100}", "url": "https://x"},
        "flag": number % 2 == 0,
        "more": {"tags": ["a", "b"], "version": version},
        "url": "https://x",
        **({"unknown": {"a": 1}} if number % 50 == 0 else {}),
    }


def pages(rows: int, changed_every: int) -> list[bytes]:
    """Bodies of 200 records each; every tenth (or so) record differs from version 0."""
    found = []
    for start in range(0, rows, 200):
        numbers = range(start, min(rows, start + 200))
        records = [row(n, int(bool(changed_every) and n % changed_every == 0)) for n in numbers]
        found.append(orjson.dumps({"value": records}))
    return found


def land(warehouse: Warehouse, name: str, bodies: list[bytes], at: datetime) -> Manifest:
    with Landing(warehouse.landing, "bench", [ROWS], name) as landing:
        for body in bodies:
            landing.page("organization", {}, body, orjson.loads(body)["value"], at)
        landing.complete("organization", "rows", {}, "deleted", at)
        return landing.seal([UnitOutcome("organization", None, None, "read", None, name, at)])


def load(warehouse: Warehouse, manifest: Manifest) -> str:
    sync = SyncRecord(manifest.sync_id, "", "bench", "rows", "incremental", START)
    counts = warehouse.load(manifest, [ROWS], sync).tables["rows"]
    return f"{counts.inserted} new, {counts.updated} changed, {counts.unchanged} unchanged"


def timed(what: str, rows: int, action: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - started
    detail = f"  ({result})" if isinstance(result, str) else ""
    print(f"{what:28} {seconds:7.2f} s {rows / seconds:10,.0f} rows/s{detail}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.duckdb"
        tables = {"rows": replace(ROWS)}
        warehouse = Warehouse(path, landing=Path(folder) / "landing", tables=tables)
        warehouse.prepare()
        first, second = pages(rows, 0), pages(rows, 10)
        print(f"{rows:,} rows of {len(COLUMNS)} columns, {sum(map(len, first)) / 2**20:.0f} MB of JSON")
        manifest = timed("land (parse, walk, write)", rows, lambda: land(warehouse, "s1", first, START))
        timed("load, all new", rows, lambda: load(warehouse, manifest))
        unchanged = land(warehouse, "s2", first, START + timedelta(hours=1))
        timed("load, all unchanged", rows, lambda: load(warehouse, unchanged))
        changed = land(warehouse, "s3", second, START + timedelta(hours=2))
        timed("load, a tenth changed", rows, lambda: load(warehouse, changed))
        small = land(warehouse, "s4", second[:1], START + timedelta(hours=3))
        timed("load, one page of 200", 200, lambda: load(warehouse, small))
        print(f"file {path.stat().st_size / 2**20:.0f} MB")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
