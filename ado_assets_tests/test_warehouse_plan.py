"""What a sync asks before it reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from ado_assets.warehouse import DueParent
from ado_assets_tests.warehouse_tables import ALL, NOTES, REPLIES, THINGS, Bench, minutes, outcome


def due(bench: Bench, now: float = 100, **more: Any) -> list[DueParent]:
    values: dict[str, Any] = {"columns": ("title",), "final": None, "revisit": None, "full": False, "project_ids": None}
    return bench.warehouse.due("acme", "notes", [NOTES, REPLIES], parent=THINGS, now=minutes(now), **{**values, **more})


def ids(found: list[DueParent]) -> list[int]:
    return [parent.values["id"] for parent in found]


def read_children(bench: Bench, *parents: DueParent, at: float = 50, fail: bool = False) -> None:
    """Load an extraction in which the notes of these things were read."""
    with bench.landing(NOTES) as landing:
        for parent in parents:
            key = {name: parent.values[name] for name in THINGS.key}
            body = orjson.dumps({"value": [{"id": 1, "text": "t"}]})
            scope = {"project_id": parent.values["project_id"], "thing_id": parent.values["id"]}
            landing.page("project:P", scope, body, [{"id": 1, "text": "t"}], minutes(at))
            landing.children_read("project:P", key, parent.version, minutes(at))
        manifest = landing.seal([outcome(status="failed" if fail else "read")])
    bench.load(manifest)


def test_children_never_read_are_due_once(tmp_path: Path) -> None:
    """A parent is due until its children were read; then it carries their number and is not due any more."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a"}, {"id": 2, "title": "b"})

    first = due(bench)
    assert first == [
        DueParent({"title": "a", "project_id": "P", "id": 1}, 1, 0),
        DueParent({"title": "b", "project_id": "P", "id": 2}, 1, 0),
    ]
    read_children(bench, first[0])

    assert ids(due(bench)) == [2]
    assert [(p.values["id"], p.children) for p in due(bench, full=True)] == [(1, 1), (2, 0)]


def test_a_parent_that_changed_is_due(tmp_path: Path) -> None:
    """A changed row, and a changed row inside its record, make it due; an unchanged one does not."""
    bench = Bench(tmp_path)
    one, two, three = ({"id": i, "parts": [{"id": "a"}]} for i in (1, 2, 3))
    bench.things(one, two, three)
    read_children(bench, *due(bench))
    assert due(bench) == []

    bench.things({**one, "title": "new"}, {"id": 2, "parts": []}, three, at=minutes(60))

    assert [(p.values["id"], p.version) for p in due(bench)] == [(1, 3), (2, 3)]


def test_a_parent_that_changed_while_its_children_were_read_is_due_again(tmp_path: Path) -> None:
    """The version of the plan counts, not that of the moment of loading."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})
    planned = due(bench)
    bench.things({"id": 1, "title": "meanwhile"}, at=minutes(60))

    read_children(bench, *planned)

    assert ids(due(bench)) == [1]


def test_children_of_a_failed_unit_were_not_read(tmp_path: Path) -> None:
    """The mark of a unit that failed does not count."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})

    read_children(bench, *due(bench), fail=True)

    assert ids(due(bench)) == [1]


def test_open_parents_are_always_due(tmp_path: Path) -> None:
    """Outside of its final values, NULL included, a parent is read at every sync."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "status": "done"}, {"id": 2, "status": "open"}, {"id": 3})
    read_children(bench, *due(bench))

    assert ids(due(bench, final=("status", ("done", "dropped")))) == [2, 3]
    assert due(bench) == []


def test_final_parents_are_revisited_at_their_instants(tmp_path: Path) -> None:
    """Each instant after the end is met once: due when it has passed since the last read."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "status": "done", "changed": minutes(0).isoformat()})
    rule = {"final": ("status", ("done",)), "revisit": ("changed", (timedelta(minutes=60), timedelta(minutes=90)))}
    read_children(bench, *due(bench), at=30)

    assert ids(due(bench, now=59, **rule)) == []
    assert ids(due(bench, now=60, **rule)) == [1]
    read_children(bench, *due(bench, full=True), at=61)
    assert ids(due(bench, now=89, **rule)) == []
    assert ids(due(bench, now=1000, **rule)) == [1]
    read_children(bench, *due(bench, full=True), at=95)
    assert ids(due(bench, now=1000, **rule)) == []


def test_only_live_parents_of_the_projects_are_due(tmp_path: Path) -> None:
    """Flagged parents, other projects and other organizations are left out, in a full refresh too."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, {"id": 2})
    bench.things({"id": 3}, project="Q")
    bench.things(at=minutes(1), gone=[(1, "deleted")])

    assert ids(due(bench, full=True)) == [2, 3]
    assert ids(due(bench, full=True, project_ids=["Q"])) == [3]
    assert ids(due(bench, project_ids=["P"])) == [2]
    assert ids(due(bench, project_ids=[])) == []


def test_grandchildren_are_counted_through_the_chain_of_parents(tmp_path: Path) -> None:
    """A feed may read below a parent's child; its rows are still counted by that parent."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})
    bench.notes(1, {"id": 5, "text": "t", "replies": [{"id": 1}, {"id": 2}]})

    found = bench.warehouse.due(
        "acme", "replies", [REPLIES], parent=THINGS, columns=(), final=None, revisit=None, now=minutes(0), full=True
    )

    assert [p.children for p in found] == [2]


def test_held_rows_are_live_and_filtered(tmp_path: Path) -> None:
    """Rows of the projects, without the values left out; NULL is not one of them."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "status": "done"}, {"id": 2, "status": "open"}, {"id": 3}, {"id": 4})
    bench.things({"id": 5}, project="Q")
    bench.things(at=minutes(1), gone=[(4, "deleted")])

    found = bench.warehouse.held("acme", THINGS, ("id", "status"), ("status", ("done",)), ["P"])

    assert found == [{"id": 2, "status": "open"}, {"id": 3, "status": None}]
    assert len(bench.warehouse.held("acme", THINGS, ("id",))) == 4


def test_projects_are_the_live_ones(tmp_path: Path) -> None:
    """All declared columns, by id."""
    bench = Bench(tmp_path)
    bench.projects("B", "A", "C")
    bench.projects("B", "A", at=minutes(1))

    assert bench.warehouse.projects("acme") == [
        {"id": "A", "name": "a", "state": None},
        {"id": "B", "name": "b", "state": None},
    ]
    assert bench.warehouse.live_counts("acme", ["projects", "things"]) == {"projects": 2, "things": 0}
    assert bench.warehouse.preview(ALL["projects"], ["id"], 1) == [("A",)]


def test_checks_find_what_was_done_behind_the_loads_back(tmp_path: Path) -> None:
    """Doubled keys, emptied columns, orphans and units left out are found, with examples; a sound table has none."""
    bench = Bench(tmp_path)
    bench.projects("P")
    bench.things({"id": 1})
    assert {f.count for f in bench.warehouse.check("acme", THINGS).values()} == {0}

    with bench.warehouse.session() as connection:
        connection.execute("INSERT INTO ado.things SELECT * FROM ado.things")
        connection.execute("INSERT INTO ado.things (organization, project_id, id) VALUES ('acme', 'X', 9)")
        connection.execute("INSERT INTO ado.notes (organization, project_id, thing_id, id) VALUES ('acme', 'P', 1, 1)")
    with bench.landing() as landing:
        manifest = landing.seal([outcome("project:Q", "skipped", reason="not allowed")])
    bench.load(manifest)

    found = bench.warehouse.check("acme", THINGS)
    assert {name: f.count for name, f in found.items()} == {
        "key_is_unique": 1,
        "required_columns_are_filled": 0,
        "coverage_is_complete": 1,
        "parents_are_known": 1,
    }
    assert found["coverage_is_complete"].examples[0]["reason"] == "not allowed"
    assert found["key_is_unique"].examples == ({"project_id": "P", "id": 1, "times": 2},)
    assert bench.warehouse.check("acme", NOTES)["required_columns_are_filled"].count == 1
