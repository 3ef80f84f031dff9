"""Deletion needs evidence: complete listings, gone marks, deleted parents; and rows come back."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ado_assets.warehouse import BadLanding
from ado_assets_tests.warehouse_tables import NOTES, Bench, minutes, outcome, put


def state(bench: Bench, table: str = "things") -> dict[object, object]:
    """Id -> reason for being gone, None for live."""
    return dict(bench.rows(f"SELECT id, _deleted_reason FROM ado.{table}"))


def test_a_complete_listing_flags_what_it_did_not_bring(tmp_path: Path) -> None:
    """Rows of its scope go, with the instant of the evidence; rows of other scopes stay; values stay."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a"}, {"id": 2, "title": "b"})
    bench.things({"id": 3}, project="Q")

    report = bench.things({"id": 1, "title": "a"}, at=minutes(5), complete=True)

    assert bench.live() == [1, 3]
    gone = bench.rows("SELECT title, _deleted_at, _deleted_reason, _synced_at, _load_id FROM ado.things WHERE id = 2")
    assert gone == [("b", minutes(5), "deleted", minutes(5), 3)]
    assert (report.tables["things"].deleted, report.tables["things"].unchanged) == (1, 1)


def test_without_a_complete_mark_nothing_is_deleted(tmp_path: Path) -> None:
    """An incremental page says nothing of what it does not hold."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, {"id": 2})

    bench.things({"id": 1}, at=minutes(5))

    assert bench.live() == [1, 2]


def test_a_complete_listing_without_any_page_empties_its_scope(tmp_path: Path) -> None:
    """Zero pages and one complete mark: everything in it is gone."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "parts": [{"id": "a"}]}, {"id": 2})

    report = bench.things(at=minutes(5), complete=True)

    assert (bench.live(), report.tables["things"].deleted) == ([], 2)
    assert state(bench, "parts") == {"a": "parent_deleted"}


def test_rows_newer_than_the_listing_stay(tmp_path: Path) -> None:
    """A row that a later load wrote is not flagged by a listing that began before it; one of the same second is."""
    bench = Bench(tmp_path)
    listing = bench.landed({"id": 1}, at=minutes(5), complete=True)
    bench.things({"id": 1}, {"id": 2}, at=minutes(5))
    bench.things({"id": 3}, at=minutes(6))

    bench.load(listing)

    assert bench.live() == [1, 3]


def test_what_any_page_of_the_sync_brought_stays(tmp_path: Path) -> None:
    """Rows brought besides the listing, by a read of single rows or of a newer version than held, are not gone."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, {"id": 2}, {"id": 3})
    bench.things({"id": 3, "title": "newer"}, at=minutes(5))
    with bench.landing() as landing:
        put(landing, [{"id": 1}], minutes(5))
        put(landing, [{"id": 2}, {"id": 3, "title": "older"}], minutes(4))
        landing.complete("project:P", "things", {"project_id": "P"}, "deleted", minutes(5))
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert bench.live() == [1, 2, 3]


def test_scopes_may_name_any_columns(tmp_path: Path) -> None:
    """Marks with different columns work side by side, numbers and NULL included."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "size": 7}, {"id": 2, "size": 8}, {"id": 3}, {"id": 4, "status": "x"})
    with bench.landing() as landing:
        landing.complete("project:P", "things", {"project_id": "P", "size": 7}, "retention", minutes(1))
        landing.complete("project:P", "things", {"size": None, "status": None}, "unreachable", minutes(1))
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert state(bench) == {1: "retention", 2: None, 3: "unreachable", 4: None}


def test_the_whole_organization_is_the_empty_scope(tmp_path: Path) -> None:
    """A listing complete for {} flags rows of every project."""
    bench = Bench(tmp_path)
    bench.projects("P", "Q")

    bench.projects("Q", at=minutes(1))

    assert bench.live("projects") == ["Q"]


def test_a_flagged_row_that_is_read_again_is_live(tmp_path: Path) -> None:
    """The row comes back, counted as restored, also when nothing else about it changed."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a"})
    bench.things(at=minutes(1), complete=True)

    report = bench.things({"id": 1, "title": "a"}, at=minutes(2))

    assert bench.one("title, _deleted_at, _deleted_reason, _synced_at") == ("a", None, None, minutes(2))
    assert (report.tables["things"].restored, report.tables["things"].rows) == (1, 1)


def test_an_older_answer_does_not_bring_a_flagged_row_back(tmp_path: Path) -> None:
    """The evidence that it is gone is newer than the answer that showed it."""
    bench = Bench(tmp_path)
    old = bench.landed({"id": 1}, at=minutes(1))
    bench.load(old)
    bench.things(at=minutes(2), complete=True)

    bench.warehouse.replay(old, bench.feed(bench.tables["things"]))

    assert bench.live() == []


def test_gone_marks_flag_by_key(tmp_path: Path) -> None:
    """Positive evidence flags exactly that row, with its reason; one never held is no row."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, {"id": 2})

    report = bench.things(at=minutes(1), gone=[(1, "recycled"), (99, "destroyed")])

    assert state(bench) == {1: "recycled", 2: None}
    assert report.tables["things"].deleted == 1


def test_a_later_reason_replaces_the_former(tmp_path: Path) -> None:
    """Recycled, then destroyed: the reason changes, the instant stays, and it is not counted as deleted again."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})
    bench.things(at=minutes(1), gone=[(1, "recycled")])

    report = bench.things(at=minutes(2), gone=[(1, "destroyed")])
    again = bench.things(at=minutes(3), gone=[(1, "destroyed")])

    assert bench.one("_deleted_reason, _deleted_at, _load_id") == ("destroyed", minutes(1), 3)
    assert (report.tables["things"].deleted, report.tables["things"].updated) == (0, 1)
    assert again.tables["things"].written == 0


@pytest.mark.parametrize(
    ("page_at", "gone_at", "mark_first", "is_live"),
    [(1, 2, False, False), (2, 1, False, True), (2, 2, False, False), (2, 2, True, True)],
)
def test_of_a_page_and_a_gone_mark_the_later_counts(
    tmp_path: Path, page_at: int, gone_at: int, mark_first: bool, is_live: bool
) -> None:
    """In one sync a row may be listed and found gone: the later evidence counts, by clock and then by order."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, at=minutes(0))
    with bench.landing() as landing:
        if mark_first:
            landing.gone("project:P", {"project_id": "P", "id": 1}, "deleted", minutes(gone_at))
        put(landing, [{"id": 1}], minutes(page_at))
        if not mark_first:
            landing.gone("project:P", {"project_id": "P", "id": 1}, "deleted", minutes(gone_at))
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert bench.live() == ([1] if is_live else [])


def test_a_row_held_newer_than_a_gone_mark_stays(tmp_path: Path) -> None:
    """A restored row is not flagged by evidence from before."""
    bench = Bench(tmp_path)
    gone = bench.landed(at=minutes(1), gone=[(1, "recycled")])
    bench.things({"id": 1}, at=minutes(2))

    bench.load(gone)

    assert bench.live() == [1]


def test_marks_name_columns_and_keys_that_exist(tmp_path: Path) -> None:
    """A mark that could not be applied is refused when it is landed."""
    with Bench(tmp_path).landing() as landing:
        with pytest.raises(BadLanding, match="no column"):
            landing.complete("u", "things", {"nope": 1}, "deleted", minutes(0))
        with pytest.raises(BadLanding, match="not its key"):
            landing.gone("u", {"id": 1}, "deleted", minutes(0))
        with pytest.raises(BadLanding, match="not a table of the feed"):
            landing.complete("u", "notes", {}, "deleted", minutes(0))


def family(bench: Bench) -> None:
    """A project with a thing, its parts, a note on it and a reply to that."""
    bench.projects("P", "Q")
    bench.things({"id": 1, "parts": [{"id": "a"}]})
    bench.things({"id": 1, "parts": [{"id": "q"}]}, project="Q")
    bench.notes(1, {"id": 10, "text": "n", "replies": [{"id": 100}]})


def test_descendants_of_a_deleted_parent_are_flagged_and_come_back_with_it(tmp_path: Path) -> None:
    """The cascade reaches all levels, in other feeds too, and undoes itself when the parent returns."""
    bench = Bench(tmp_path)
    family(bench)

    report = bench.projects("Q", at=minutes(5))

    for table in ("things", "parts", "notes", "replies"):
        flagged = bench.rows(f"SELECT _deleted_reason, _deleted_at FROM ado.{table} WHERE project_id = 'P'")
        assert flagged == [("parent_deleted", minutes(5))], table
        assert report.tables[table].deleted == 1
    assert bench.rows("SELECT project_id FROM ado_live.parts") == [("Q",)]

    report = bench.projects("P", "Q", at=minutes(6))

    for table in ("things", "parts", "notes", "replies"):
        assert bench.rows(f"SELECT _deleted_at, _deleted_reason FROM ado.{table} WHERE project_id = 'P'") == [
            (None, None)
        ]
        assert report.tables[table].restored == 1


def test_a_child_gone_for_a_reason_of_its_own_stays_gone(tmp_path: Path) -> None:
    """A parent's return restores only what its going flagged."""
    bench = Bench(tmp_path)
    family(bench)
    bench.things(at=minutes(4), gone=[(1, "recycled")])
    bench.projects("Q", at=minutes(5))

    bench.projects("P", "Q", at=minutes(6))

    assert bench.rows("SELECT _deleted_reason FROM ado.things WHERE project_id = 'P'") == [("recycled",)]
    assert bench.rows("SELECT _deleted_reason FROM ado.notes") == [("parent_deleted",)]


def test_a_child_found_gone_itself_does_not_return_with_its_parent(tmp_path: Path) -> None:
    """Evidence of its own replaces the reason parent_deleted."""
    bench = Bench(tmp_path)
    family(bench)
    bench.projects("Q", at=minutes(5))
    bench.things(at=minutes(6), gone=[(1, "recycled")])

    bench.projects("P", "Q", at=minutes(7))

    assert bench.rows("SELECT _deleted_reason FROM ado.things WHERE project_id = 'P'") == [("recycled",)]


def test_a_child_that_does_not_answer_below_a_deleted_parent_was_not_destroyed(tmp_path: Path) -> None:
    """Nothing below a deleted parent answers: that is no evidence, and the child returns with it."""
    bench = Bench(tmp_path)
    family(bench)
    bench.projects("Q", at=minutes(5))
    bench.things(at=minutes(6), gone=[(1, "destroyed")])

    bench.projects("P", "Q", at=minutes(7))

    assert bench.rows("SELECT _deleted_reason FROM ado.things WHERE project_id = 'P'") == [(None,)]


def test_rows_read_under_a_deleted_parent_are_flagged(tmp_path: Path) -> None:
    """New and changed rows arrive flagged; reading them again alike writes nothing."""
    bench = Bench(tmp_path)
    family(bench)
    bench.projects("Q", at=minutes(5))

    first = bench.things({"id": 1, "title": "x"}, {"id": 2}, at=minutes(6))
    again = bench.things({"id": 1, "title": "x"}, {"id": 2}, at=minutes(7))

    assert bench.rows("SELECT id, _deleted_reason FROM ado.things WHERE project_id = 'P' ORDER BY id") == [
        (1, "parent_deleted"),
        (2, "parent_deleted"),
    ]
    assert (first.tables["things"].inserted, first.tables["things"].updated) == (1, 1)
    assert (again.tables["things"].unchanged, again.tables["things"].written) == (2, 0)
    bench.projects("P", "Q", at=minutes(8))
    assert bench.rows("SELECT id, title FROM ado_live.things WHERE project_id = 'P' ORDER BY id") == [
        (1, "x"),
        (2, None),
    ]


def test_a_record_that_returns_without_an_element_does_not_restore_it(tmp_path: Path) -> None:
    """The record is back and lists its array: what it lacks is deleted, not brought back with it."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "parts": [{"id": "a"}, {"id": "b"}]})
    bench.things(at=minutes(1), complete=True)

    bench.things({"id": 1, "parts": [{"id": "a"}]}, at=minutes(2))

    assert state(bench, "parts") == {"a": None, "b": "deleted"}


def test_a_child_of_two_live_syncs_is_not_restored_under_a_deleted_parent(tmp_path: Path) -> None:
    """A note read while its thing is gone is flagged; the thing's own children follow it, not the project."""
    bench = Bench(tmp_path)
    family(bench)
    bench.things(at=minutes(1), gone=[(1, "recycled")])

    bench.notes(1, {"id": 10, "text": "n"}, {"id": 11, "text": "new"}, at=minutes(2))

    assert state(bench, "notes") == {10: "parent_deleted", 11: "parent_deleted"}
    assert state(bench, "replies") == {100: "deleted"}


def test_a_complete_listing_of_children_is_scoped_to_its_parent(tmp_path: Path) -> None:
    """Numbers in a scope match the column's type."""
    bench = Bench(tmp_path)
    bench.notes(1, {"id": 1, "text": "a"}, {"id": 2, "text": "b"})
    bench.notes(2, {"id": 3, "text": "c"})

    bench.notes(1, {"id": 1, "text": "a"}, at=minutes(1), complete=True)

    assert bench.live("notes") == [1, 3]


def test_marks_of_many_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks are not bounded by the size of one file."""
    monkeypatch.setattr("ado_assets.warehouse.landing._BYTES_PER_FILE", 500)
    bench = Bench(tmp_path)
    bench.things(*({"id": i} for i in range(40)))

    manifest = bench.landed(at=minutes(1), gone=[(i, "deleted") for i in range(39)])
    bench.load(manifest)

    assert len(manifest.marks) > 5
    assert bench.live() == [39]


def test_children_under_parents_never_held_are_live(tmp_path: Path) -> None:
    """A parent that is not in the file is no deleted parent."""
    bench = Bench(tmp_path)

    with bench.landing(NOTES) as landing:
        body = orjson.dumps({"value": [{"id": 1, "text": "t"}]})
        landing.page("project:P", {"project_id": "P", "thing_id": 5}, body, [{"id": 1, "text": "t"}], minutes(0))
        manifest = landing.seal([outcome()])
    bench.load(manifest)

    assert bench.live("notes") == [1]
