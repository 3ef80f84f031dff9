"""Landing files loaded again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from ado_assets.tables import Column, Table
from ado_assets.warehouse import Manifest
from ado_assets_tests.warehouse_tables import ALL, PARTS, THINGS, Bench, minutes


def test_a_column_declared_since_is_filled(tmp_path: Path) -> None:
    """The value leaves _extra for its column; what else was extra stays, exactly; marks count as before."""
    bench = Bench(tmp_path)
    strange = {"title": ["not", "text"], "size": 2**63, "owner": 5, "parts": [{"id": "a", "label": [1.50]}, "stray"]}
    first = bench.landed({"id": 1, "rank": 5, "more": 1.50, **strange}, complete=True, mark="w1")
    bench.things({"id": 9}, at=minutes(-5))
    bench.load(first)
    assert bench.rows("SELECT _deleted_reason FROM ado.things WHERE id = 9") == [("deleted",)]
    before = json.loads(bench.rows("SELECT _extra FROM ado.things WHERE id = 1")[0][0])
    assert before == {"rank": 5, "more": 1.5, "title": ["not", "text"], "size": 2**63, "owner": 5, "parts": ["stray"]}

    things = replace(THINGS, columns=(*THINGS.columns, Column("rank", "BIGINT", "rank", "Rank.")))
    later = Bench(tmp_path, {**ALL, "things": things})
    report = later.warehouse.replay(Manifest.read(first.folder), later.feed(things))

    (row,) = later.rows("SELECT rank, title, size, owner_id, _extra FROM ado.things WHERE id = 1")
    assert row[:4] == (5, None, None, None)
    del before["rank"]
    assert json.loads(row[4]) == before
    assert later.rows("SELECT id, label, _extra FROM ado.parts") == [("a", None, '{"label":[1.5]}')]
    assert report.tables["things"].updated == 1
    assert later.live() == [1]
    assert sorted(p.name for p in first.folder.iterdir()) == [
        "manifest.json",
        "marks-0001.ndjson.zst",
        "pages-0001.ndjson.zst",
    ]


def test_a_column_whose_declaration_was_wrong_takes_the_original(tmp_path: Path) -> None:
    """Values nulled as misfits are put back before they are read by the new declaration."""
    bench = Bench(tmp_path)
    first = bench.landed({"id": 1, "owner": "nobody", "parts": [{"id": "a", "label": {"x": 1}}]}, {"id": 2})
    bench.load(first)

    def with_json(table: Table, name: str, path: str) -> Table:
        return replace(table, columns=(*table.columns, Column(name, "JSON", path, "Kept whole.")))

    things = with_json(
        replace(THINGS, columns=tuple(c for c in THINGS.columns if "owner" not in c.name)), "owner", "owner"
    )
    parts = with_json(
        replace(PARTS, columns=tuple(c for c in PARTS.columns if c.name != "label")), "label_json", "label"
    )
    later = Bench(tmp_path, {**ALL, "things": things, "parts": parts})
    later.warehouse.replay(first, later.feed(things))

    assert later.rows("SELECT owner, _extra FROM ado.things ORDER BY id") == [('"nobody"', None), (None, None)]
    assert later.rows("SELECT label_json, _extra FROM ado.parts") == [('{"x":1}', None)]
