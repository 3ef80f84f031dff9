"""Which of several answers counts, what is written, and what arrays inside records do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from ado_assets.warehouse import KeyViolation
from ado_assets_tests.warehouse_tables import ALL, NOTES, Bench, minutes, outcome, put, record


def counts(report: object, table: str = "things") -> tuple[int, int, int, int, int, int]:
    c = report.tables[table]  # type: ignore[attr-defined]
    return (c.inserted, c.updated, c.unchanged, c.deleted, c.restored, c.stale)


def test_new_changed_and_unchanged_rows_are_told_apart(tmp_path: Path) -> None:
    """Only new and changed rows are written; an unchanged one keeps its instant and its load's number."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a"}, {"id": 2, "title": "b"})

    report = bench.things({"id": 1, "title": "a"}, {"id": 2, "title": "B"}, {"id": 3}, at=minutes(5))

    assert counts(report) == (1, 1, 1, 0, 0, 0)
    assert report.tables["things"].rows == 3
    assert report.tables["things"].projects == report.touched_projects == {"P": 2}
    rows = bench.rows("SELECT id, title, _synced_at, _load_id FROM ado.things ORDER BY id")
    assert rows == [(1, "a", minutes(0), 1), (2, "B", minutes(5), 2), (3, None, minutes(5), 2)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"size": 1}, {"size": None}),
        ({"changed": None}, {"changed": "2026-03-01T00:00:00Z"}),
        ({"tags": [1, 2]}, {"tags": [2, 1]}),
        ({"tags": True}, {"tags": 1}),
        ({"tags": 12345678901234567}, {"tags": 12345678901234568}),
        ({"fields": {"a": "1"}}, {"fields": {"a": 1}}),
        ({"new": 1}, {"new": None}),
        ({"new": 1}, {}),
    ],
)
def test_any_difference_is_a_change(tmp_path: Path, before: dict[str, object], after: dict[str, object]) -> None:
    """Every column counts, NULL included, and so does _extra."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, **before})

    assert counts(bench.things({"id": 1, **after}, at=minutes(1))) == (0, 1, 0, 0, 0, 0)


def test_json_is_compared_by_value(tmp_path: Path) -> None:
    """Another order of an object's properties is no change; the row stays as it was."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "tags": {"a": 1, "b": {"c": 1, "d": 2}}, "fields": {"x": 1, "y": 2}, "n": {"p": 1, "q": 2}})

    again = {"id": 1, "fields": {"y": 2, "x": 1}, "tags": {"b": {"d": 2, "c": 1}, "a": 1}, "n": {"q": 2, "p": 1}}
    report = bench.things(again, at=minutes(1))

    assert counts(report) == (0, 0, 1, 0, 0, 0)
    assert bench.one("_load_id") == 1


def test_the_latest_answer_of_a_sync_counts(tmp_path: Path) -> None:
    """The same record in several answers: the latest by the server's clock, then by page and place."""
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        put(landing, [{"id": 1, "title": "late"}, {"id": 2, "title": "first"}], minutes(2))
        put(landing, [{"id": 1, "title": "early"}], minutes(1))
        put(landing, [{"id": 2, "title": "later page"}, {"id": 3, "title": "x"}, {"id": 3, "title": "y"}], minutes(2))
        manifest = landing.seal([outcome()])

    report = bench.load(manifest)

    assert counts(report) == (3, 0, 0, 0, 0, 0)
    assert bench.rows("SELECT id, title FROM ado.things ORDER BY id") == [(1, "late"), (2, "later page"), (3, "y")]


def test_an_older_answer_does_not_overwrite_a_newer_row(tmp_path: Path) -> None:
    """A row held in a newer version stays, and so do the rows inside its record."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "new", "parts": [{"id": "a", "label": "new"}]}, at=minutes(10))

    old = {"id": 1, "title": "old", "parts": [{"id": "a", "label": "old"}, {"id": "b"}]}
    report = bench.things(old, at=minutes(9))

    assert counts(report) == (0, 0, 0, 0, 0, 1)
    assert (bench.one("title"), bench.rows("SELECT id, label FROM ado.parts")) == ("new", [("a", "new")])


def test_an_older_answer_with_the_same_record_does_not_undo_its_array(tmp_path: Path) -> None:
    """Array rows are judged by their own age: the record may be unchanged since before either answer."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "parts": [{"id": "a"}, {"id": "b"}]}, at=minutes(0))
    bench.things({"id": 1, "parts": [{"id": "a", "label": "voted"}, {"id": "c"}]}, at=minutes(10))

    bench.things({"id": 1, "parts": [{"id": "a"}, {"id": "b"}]}, at=minutes(5))

    assert bench.rows("SELECT id, label FROM ado_live.parts ORDER BY id") == [("a", "voted"), ("c", None)]


def test_answers_of_the_same_second_are_taken_in_the_order_of_loads(tmp_path: Path) -> None:
    """The server's clock has whole seconds; a later load of the same second is not stale."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a"})

    assert counts(bench.things({"id": 1, "title": "b"})) == (0, 1, 0, 0, 0, 0)


def test_array_rows_come_from_the_winning_record_only(tmp_path: Path) -> None:
    """A reviewer that only the older of two answers holds is not taken from there."""
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        put(landing, [{"id": 1, "parts": [{"id": "a", "label": "old"}, {"id": "gone"}]}], minutes(1))
        put(landing, [{"id": 1, "parts": [{"id": "a", "label": "new"}]}], minutes(2))
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert bench.rows("SELECT id, label FROM ado.parts") == [("a", "new")]


@pytest.mark.parametrize("parts", [[{"id": "b"}], [], None])
def test_each_record_lists_its_array_completely(tmp_path: Path, parts: list[object] | None) -> None:
    """Rows that the record no longer holds are flagged; an empty, null or absent array holds none; others stay."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "parts": [{"id": "a"}, {"id": "b"}]}, {"id": 2, "parts": [{"id": "z"}]})

    report = bench.things({"id": 1} if parts is None else {"id": 1, "parts": parts}, at=minutes(1))

    left = ["b"] if parts else []
    assert bench.live("parts") == [*left, "z"]
    assert counts(report, "parts")[3] == 2 - len(left)
    flagged = bench.rows("SELECT _deleted_at, _deleted_reason, _synced_at, _load_id FROM ado.parts WHERE id = 'a'")
    assert flagged == [(minutes(1), "deleted", minutes(1), 2)]


def test_a_removed_element_that_returns_is_live_again(tmp_path: Path) -> None:
    """A row inside a record comes and goes with it."""
    bench = Bench(tmp_path)
    for at, parts in enumerate([["a"], [], ["a"]]):
        report = bench.things({"id": 1, "parts": [{"id": id_} for id_ in parts]}, at=minutes(at))

    assert (bench.live("parts"), counts(report, "parts")) == (["a"], (0, 0, 0, 0, 1, 0))


def test_arrays_of_plain_values_are_rows(tmp_path: Path) -> None:
    """The element itself is the column, found without a declared parent by where both take their key."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "deep": {"words": ["x", "y", "x"]}}, {"id": 2, "deep": {}}, {"id": 3, "deep": None})

    bench.things({"id": 1, "deep": {"words": ["y", "z"]}}, at=minutes(1))

    assert bench.live("words", "word") == ["y", "z"]


def test_lines_of_units_that_failed_are_ignored(tmp_path: Path) -> None:
    """Rows and marks of a failed or skipped unit do not count, also when it has another outcome that is good."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, project="Q")
    with bench.landing() as landing:
        put(landing, [{"id": 1}], project="P")
        put(landing, [{"id": 2}], minutes(1), project="Q")
        landing.complete("project:Q", "things", {"project_id": "Q"}, "deleted", minutes(1))
        landing.gone("project:Q", {"project_id": "Q", "id": 1}, "destroyed", minutes(1))
        put(landing, [{"id": 3}], project="R")
        outcomes = [outcome(), outcome("project:Q", "failed"), outcome("project:Q"), outcome("project:R", "skipped")]
        manifest = landing.seal(outcomes)

    bench.load(manifest)

    assert bench.rows("SELECT project_id, id FROM ado_live.things ORDER BY ALL") == [("P", 1), ("Q", 1)]


def test_an_extraction_that_brought_nothing_is_recorded(tmp_path: Path) -> None:
    """No page and no mark: watermark, coverage and the sync are written all the same."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})

    report = bench.load(bench.landed(at=minutes(3), mark="w2"))

    assert counts(report) == (0, 0, 0, 0, 0, 0)
    assert report.tables["things"].rows == 1
    assert bench.warehouse.watermarks("acme", "things") == {"project:P": "w2"}
    coverage = bench.rows("SELECT table_name, status, rows, watermark, last_success_at FROM ado_meta.coverage")
    assert sorted(coverage) == [
        ("parts", "read", 0, "w2", minutes(3)),
        ("things", "read", 1, "w2", minutes(3)),
        ("words", "read", 0, "w2", minutes(3)),
    ]
    assert bench.rows("SELECT count(*) FROM ado_meta.syncs") == [(6,)]


def test_a_record_without_its_key_stops_the_load(tmp_path: Path) -> None:
    """Nothing is written, watermark included, and the error says which column and where to look."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, watermark="w1")

    with pytest.raises(KeyViolation, match=r"things\.id \(from 'id'\) is required.*record 2 of page 1 in .*sync2"):
        bench.things({"id": 2}, {"title": "no id"}, watermark="w2")

    assert bench.live() == [1]
    assert bench.warehouse.watermarks("acme", "things") == {"project:P": "w1"}
    assert bench.rows("SELECT max(load_id) FROM ado_meta.loads") == [(1,)]


def test_a_required_column_must_be_filled(tmp_path: Path) -> None:
    """Also one that is not part of the key, and also when its value does not fit."""
    bench = Bench(tmp_path)

    with pytest.raises(KeyViolation, match=r"notes\.text"):
        bench.notes(1, {"id": 1, "text": {"not": "text"}})


def test_a_key_held_twice_stops_the_load(tmp_path: Path) -> None:
    """Rows that something else doubled are not multiplied further."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})
    with bench.warehouse.session() as connection:
        connection.execute("INSERT INTO ado.things SELECT * FROM ado.things")

    with pytest.raises(KeyViolation, match=r"things would hold the key .*'id': 1.* 2 times"):
        bench.things({"id": 1, "title": "x"}, at=minutes(1))


def test_organizations_do_not_touch_each_other(tmp_path: Path) -> None:
    """The same keys in two organizations are two rows, and a complete listing of one says nothing of the other."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "parts": [{"id": "a"}]})
    with bench.landing() as landing:
        landing.organization = "other"
        landing.complete("project:P", "things", {}, "deleted", minutes(5))
        put(landing, [{"id": 1, "title": "theirs"}], minutes(5))
        manifest = landing.seal([outcome(at=minutes(5))])

    bench.load(manifest)

    rows = bench.rows("SELECT organization, title FROM ado_live.things ORDER BY 1")
    assert rows == [("acme", None), ("other", "theirs")]
    assert bench.live("parts") == ["a"]


def test_many_pages_and_files_are_loaded_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staging in groups of files gives the same rows as at once, with records that change between groups."""
    monkeypatch.setattr("ado_assets.warehouse.stage.GROUP_BYTES", 3000)
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        for page in range(90):
            items = [{"id": i % 100, "title": f"page {page}"} for i in range(page, page + 10)]
            put(landing, items, minutes(page / 60))
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert len(manifest.pages) == 5
    titles = dict(bench.rows("SELECT id, title FROM ado.things"))
    assert titles == {i: f"page {min(i, 89)}" for i in range(99)}


def test_long_lines_are_read(tmp_path: Path) -> None:
    """A page of 20 MB in one line is no obstacle."""
    bench = Bench(tmp_path)

    bench.things({"id": 1, "title": "x" * 20_000_000})

    assert bench.one("length(title)") == 20_000_000


def test_a_replay_changes_nothing_that_is_loaded(tmp_path: Path) -> None:
    """Loading a folder again leaves rows as they are, and later rows and watermarks too."""
    bench = Bench(tmp_path)
    first = bench.landed({"id": 1, "title": "a", "parts": [{"id": "p"}]}, {"id": 2}, complete=True, mark="w1")
    bench.load(first)
    bench.things({"id": 1, "title": "b"}, {"id": 3}, at=minutes(5), complete=True, watermark="w2")
    before = bench.rows("FROM ado.things ORDER BY id"), bench.rows("FROM ado.parts")
    coverage = bench.rows("FROM ado_meta.coverage ORDER BY table_name")

    report = bench.warehouse.replay(first, bench.feed(ALL["things"]))

    assert (bench.rows("FROM ado.things ORDER BY id"), bench.rows("FROM ado.parts")) == before
    assert counts(report) == (0, 0, 0, 0, 0, 2)
    assert bench.warehouse.watermarks("acme", "things") == {"project:P": "w2"}
    assert bench.rows("FROM ado_meta.coverage ORDER BY table_name") == coverage
    assert bench.rows("SELECT mode FROM ado_meta.syncs WHERE table_name = 'things'")[-1] == ("replay",)


def test_a_replay_restores_rows_that_were_lost(tmp_path: Path) -> None:
    """What someone removed from the file comes back from the landing files."""
    bench = Bench(tmp_path)
    manifest = bench.landed({"id": 1, "title": "a"})
    bench.load(manifest)
    with bench.warehouse.session() as connection:
        connection.execute("DELETE FROM ado.things")

    bench.warehouse.replay(manifest, bench.feed(ALL["things"]))

    assert bench.one("id, title") == (1, "a")


def test_a_dropped_column_stays_empty(tmp_path: Path) -> None:
    """A feed read without a column (as configured) leaves it NULL and still loads."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()
    things = ALL["things"]
    kept = tuple(c for c in things.columns if c.name != "title")
    tables = [replace(things, columns=kept, ignored=(*things.ignored, "title")), ALL["parts"], ALL["words"]]
    with bench.landing(tables=tables) as landing:
        put(landing, [{"id": 1, "title": "secret", "size": 2}])
        manifest = landing.seal([outcome()])

    bench.warehouse.load(manifest, tables, record(manifest))

    assert bench.one("title, size, _extra") == (None, 2, None)


def test_a_listing_without_its_records_is_empty(tmp_path: Path) -> None:
    """A page whose list is missing, null or empty brings no rows."""
    bench = Bench(tmp_path)
    with bench.landing() as landing:
        for body in (b"{}", b'{"value":null}', b'{"value":[]}'):
            put(landing, [], body=body)
        put(landing, [{"id": 1}])
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert bench.live() == [1]


def test_scope_values_are_columns(tmp_path: Path) -> None:
    """Ids that only stand in the URL reach the rows, and those inside records too, in their type."""
    bench = Bench(tmp_path)

    bench.notes(7, {"id": 1, "text": "n", "replies": [{"id": 4, "text": "r"}]})

    assert bench.one("project_id, thing_id, id", "notes") == ("P", 7, 1)
    assert bench.one("project_id, thing_id, note_id, id", "replies") == ("P", 7, 1, 4)


def test_a_folder_loads_only_as_its_own_feed(tmp_path: Path) -> None:
    """A manifest of one feed with the tables of another is refused."""
    bench = Bench(tmp_path)
    manifest = bench.landed({"id": 1})

    with pytest.raises(Exception, match="holds things, which cannot be loaded as notes"):
        bench.warehouse.load(manifest, bench.feed(NOTES), record(manifest))


def test_extras_survive_a_round_trip(tmp_path: Path) -> None:
    """Unknown properties of many kinds are in _extra as the API sent them."""
    bench = Bench(tmp_path)
    unknown = {"s": "é\n\"'", "n": None, "f": 1.5, "i": 2**60, "b": False, "o": {"x": {}}, "l": [None, {"y": []}]}

    bench.things({"id": 1, "unknown": unknown})

    assert json.loads(bench.one("_extra")) == {"unknown": unknown}
    assert orjson.loads(bench.one("_extra")) == {"unknown": unknown}
