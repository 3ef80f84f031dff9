"""Landing folders: what is in them, when they count, and when they go."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import zstandard

from ado_assets.warehouse import BadLanding, Manifest, WarehouseReadOnly, abandoned, prune
from ado_assets_tests.warehouse_tables import START, Bench, minutes, outcome, put


def lines(path: Path) -> list[dict[str, object]]:
    with zstandard.open(path, "rb") as file:
        return [orjson.loads(line) for line in file.read().splitlines()]


def test_a_page_keeps_its_bytes(tmp_path: Path) -> None:
    """The body is landed as received, with its scope, its instant and what no column takes."""
    bench = Bench(tmp_path)
    body = b'{"value": [{"id": 1, "ratio": 1.50, "new": 2}, {"id":2}], "count": 2}'
    with bench.landing() as landing:
        put(landing, orjson.loads(body)["value"], body=body)
        manifest = landing.seal([outcome()])

    with zstandard.open(manifest.folder / "pages-0001.ndjson.zst", "rb") as file:
        line = file.read()

    assert body in line
    (page,) = lines(manifest.folder / "pages-0001.ndjson.zst")
    assert page.pop("body")
    assert page == {
        "n": 1,
        "unit": "project:P",
        "scope": {"project_id": "P"},
        "read_at": "2026-03-01T12:00:00+00:00",
        "extra": {"things": [{"new": 2}, None]},
    }


def test_a_sealed_folder_tells_all_that_a_load_needs(tmp_path: Path) -> None:
    """The manifest read back is the manifest written."""
    bench = Bench(tmp_path)
    manifest = bench.landed({"id": 1, "title": [1]}, complete=True, gone=[(2, "recycled")], mark="w")

    assert Manifest.read(manifest.folder) == manifest
    assert manifest.folder == tmp_path / "landing" / "acme" / "things" / "sync1"
    assert sorted(p.name for p in manifest.folder.iterdir()) == [
        "manifest.json",
        "marks-0001.ndjson.zst",
        "pages-0001.ndjson.zst",
    ]


def test_a_folder_without_a_manifest_or_with_files_missing_is_not_loaded(tmp_path: Path) -> None:
    """Only a whole extraction counts, and the error says so."""
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        put(landing, [{"id": 1}])
    with pytest.raises(BadLanding, match="is no sealed landing folder"):
        Manifest.read(landing.folder)
    manifest = bench.landed({"id": 1})
    (manifest.folder / "pages-0001.ndjson.zst").unlink()
    with pytest.raises(BadLanding, match=r"lacks pages-0001\.ndjson\.zst"):
        Manifest.read(manifest.folder)


def test_an_abandoned_folder_is_found_unless_someone_writes_to_it(tmp_path: Path) -> None:
    """A crashed extraction is abandoned; a running one, in this or another process, is not; a sealed one never."""
    bench = Bench(tmp_path)
    bench.landed({"id": 1})
    root = bench.warehouse.landing
    with bench.landing() as landing:
        put(landing, [{"id": 1}])
        assert abandoned(root) == []
    assert abandoned(root) == [landing.folder]

    code = """
        import sys, time
        from pathlib import Path
        from ado_assets_tests.warehouse_tables import THINGS
        from ado_assets.warehouse import Landing
        landing = Landing(Path(sys.argv[1]), "acme", [THINGS], "other")
        landing.__enter__()
        print("ready", flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert abandoned(root) == [landing.folder]
        other.kill()
        other.wait()
    assert abandoned(root) == [root / "acme" / "things" / "other", landing.folder]


def test_old_and_abandoned_folders_are_pruned(tmp_path: Path) -> None:
    """Sealed folders stay for the time asked; abandoned ones go at once."""
    bench = Bench(tmp_path)
    kept = bench.landed({"id": 1}).folder
    with bench.landing() as crashed:
        put(crashed, [{"id": 1}])
    root = bench.warehouse.landing

    assert prune(root, timedelta(days=1), datetime.now(UTC)) == [crashed.folder]
    assert kept.exists()
    assert prune(root, timedelta(days=1), datetime.now(UTC) + timedelta(days=2)) == [kept]
    assert not kept.exists()
    assert prune(tmp_path / "nowhere", timedelta(0), START) == []


def test_names_cannot_leave_their_folder(tmp_path: Path) -> None:
    """An organization or sync named like a path stays one folder."""
    from ado_assets.warehouse import Landing

    landing = Landing(tmp_path / "root", "../..", Bench(tmp_path).feed(Bench(tmp_path).tables["things"]), "a/b")

    assert landing.folder == tmp_path / "root" / "..%2F.." / "things" / "a%2Fb"


def test_a_landing_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The clear error, not the system's."""
    (tmp_path / "landing").write_text("")
    with pytest.raises(WarehouseReadOnly, match="landing/acme/things/sync1 cannot be opened"):
        Bench(tmp_path).landing().__enter__()


def test_times_are_utc_in_the_lines(tmp_path: Path) -> None:
    """An instant with another offset is the same instant after loading."""
    bench = Bench(tmp_path)
    other = minutes(0).astimezone(datetime.strptime("+0530", "%z").tzinfo)

    bench.things({"id": 1}, at=other)

    assert bench.one("_synced_at") == minutes(0)
