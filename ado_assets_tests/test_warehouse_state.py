"""The ledger tells what was read, what was not, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ado_assets.warehouse import SyncRecord
from ado_assets_tests.warehouse_tables import THINGS, Bench, minutes, outcome, put


@dataclass
class Call:
    endpoint: str
    status: int
    calls: int
    seconds: float


def test_watermarks_move_with_units_that_were_read(tmp_path: Path) -> None:
    """A failed or skipped unit keeps its watermark, and None leaves it."""
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        manifest = landing.seal([outcome(f"project:{p}", watermark="w1") for p in "PQRS"])
    bench.load(manifest)
    with bench.landing() as landing:
        outcomes = [
            outcome("project:P", watermark="w2"),
            outcome("project:Q", "failed", watermark="w2"),
            outcome("project:R", "skipped", watermark="w2"),
            outcome("project:S", watermark=None),
        ]
        manifest = landing.seal(outcomes)
    bench.load(manifest)

    assert bench.warehouse.watermarks("acme", "things") == {
        "project:P": "w2",
        "project:Q": "w1",
        "project:R": "w1",
        "project:S": "w1",
    }
    assert bench.warehouse.watermarks("other", "things") == bench.warehouse.watermarks("acme", "notes") == {}


def test_coverage_remembers_the_last_success(tmp_path: Path) -> None:
    """A unit that fails keeps its rows and the instant of its last success; the reason is written down."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, {"id": 2}, watermark="w1")
    bench.things({"id": 3}, project="Q")
    with bench.landing() as landing:
        failed = outcome(status="failed", reason="503 again", at=minutes(9))
        manifest = landing.seal([failed, outcome("project:Q", "skipped", reason="403", at=minutes(9))])
    bench.load(manifest)

    rows = bench.rows(
        "SELECT project_id, status, reason, rows, watermark, last_success_at, last_attempt_at FROM ado_meta.coverage "
        "WHERE table_name = 'things' ORDER BY 1"
    )
    assert rows == [
        ("P", "failed", "503 again", 2, "w1", minutes(0), minutes(9)),
        ("Q", "skipped", "403", 1, None, minutes(0), minutes(9)),
    ]


def test_parts_of_a_unit_left_out_have_a_row_of_their_own(tmp_path: Path) -> None:
    """A repository skipped in a project that was read is written down beside it, and the project's lines count."""
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        put(landing, [{"id": 1}])
        part = outcome(status="skipped", reason="disabled", repository_id="R1", watermark="not this")
        manifest = landing.seal([outcome(watermark="w1"), part])
    bench.load(manifest)

    rows = bench.rows(
        "SELECT repository_id, status, reason FROM ado_meta.coverage WHERE table_name = 'things' ORDER BY 1 NULLS FIRST"
    )
    assert rows == [(None, "read", None), ("R1", "skipped", "disabled")]
    assert bench.warehouse.watermarks("acme", "things") == {"project:P": "w1"}
    assert bench.live() == [1]


def test_a_skip_is_forgotten_once_its_project_is_read_without_it(tmp_path: Path) -> None:
    """A repository that can be read again is no longer written down as left out; one that is left out still is."""
    bench = Bench(tmp_path)
    for left_out in (["R1", "R2"], ["R2"]):
        with bench.landing() as landing:
            parts = [outcome(status="skipped", reason="disabled", repository_id=each) for each in left_out]
            manifest = landing.seal([outcome(), *parts])
        bench.load(manifest)

    rows = bench.rows("SELECT repository_id FROM ado_meta.coverage WHERE table_name = 'things' ORDER BY 1 NULLS FIRST")
    assert rows == [(None,), ("R2",)]


def test_syncs_and_requests_tell_what_a_sync_took(tmp_path: Path) -> None:
    """One row per table; the calls stand on the main table once, so that sums are right."""
    bench = Bench(tmp_path)
    manifest = bench.landed({"id": 1, "parts": [{"id": "a"}, {"id": "b"}]})
    calls = [Call("GET x", 200, 3, 1.5), Call("GET x", 429, 1, 0.1)]
    sync = SyncRecord(
        manifest.sync_id, "run7", "acme", "things", "full_refresh", minutes(0), calls, 1000, 1, throttled_seconds=2.5
    )

    bench.warehouse.load(manifest, bench.feed(THINGS), sync)

    rows = bench.rows(
        "SELECT table_name, run_id, mode, started_at, requests, bytes, throttled_seconds, retries, inserted "
        "FROM ado_meta.syncs ORDER BY 1"
    )
    assert rows == [
        ("parts", "run7", "full_refresh", minutes(0), 0, 0, 0.0, 0, 2),
        ("things", "run7", "full_refresh", minutes(0), 4, 1000, 2.5, 1, 1),
        ("words", "run7", "full_refresh", minutes(0), 0, 0, 0.0, 0, 0),
    ]
    assert bench.rows("SELECT endpoint, status, calls, seconds FROM ado_meta.requests ORDER BY 2") == [
        ("GET x", 200, 3, 1.5),
        ("GET x", 429, 1, 0.1),
    ]
    assert bench.rows("SELECT load_id, sync_id, feed FROM ado_meta.loads") == [(1, manifest.sync_id, "things")]


def test_loads_are_numbered_in_order(tmp_path: Path) -> None:
    """Every load takes the next number, also one that changes nothing."""
    bench = Bench(tmp_path)
    for _ in range(3):
        bench.things({"id": 1})

    assert bench.rows("SELECT load_id FROM ado_meta.loads ORDER BY 1") == [(1,), (2,), (3,)]
    assert bench.one("_load_id") == 1
