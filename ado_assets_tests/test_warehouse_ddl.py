"""Tables, comments and views come from the declarations and grow with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ado_assets.tables import TABLES, Column, Parent, Table
from ado_assets.warehouse import BadDeclaration, Warehouse
from ado_assets.warehouse.family import descendants
from ado_assets.warehouse.shape import compile_feed
from ado_assets_tests.warehouse_tables import ALL, THINGS, Bench, minutes


def grown(table: Table, *columns: Column) -> dict[str, Table]:
    """The declarations with more columns in one table."""
    return {**ALL, table.name: replace(table, columns=(*table.columns, *columns))}


def test_every_declared_table_can_be_made_and_read(tmp_path: Path) -> None:
    """The real declarations compile, have parents in order, and become tables and views."""
    warehouse = Warehouse(tmp_path / "x.duckdb", landing=tmp_path)

    warehouse.prepare()

    made = warehouse.rows(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema <> 'ado_meta'"
    )
    assert sorted(made) == sorted((schema, name) for schema in ("ado", "ado_live") for name in TABLES)
    for name, table in TABLES.items():
        if table.feed_name == name:
            assert compile_feed([t for t in TABLES.values() if t.feed_name == name])
    assert {link.child.name for link in descendants(TABLES)} <= set(TABLES)


def test_a_view_shows_live_rows_without_bookkeeping(tmp_path: Path) -> None:
    """ado_live.<table> has the key and the declared columns of live rows only."""
    bench = Bench(tmp_path)
    bench.things({"id": 1}, {"id": 2})
    bench.things(at=minutes(1), gone=[(1, "deleted")])

    frame = bench.warehouse.frame("SELECT * FROM ado_live.things")

    assert list(frame.columns) == ["organization", *(c.name for c in THINGS.columns)]
    assert list(frame["id"]) == [2]


def test_the_declarations_words_are_in_the_catalog(tmp_path: Path) -> None:
    """Tables, views and columns carry their sentences, quotes and all."""
    bench = Bench(tmp_path)
    bench.warehouse.prepare()

    tables = dict(bench.rows("SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'ado'"))
    columns = dict(
        bench.rows(
            "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 'ado' AND table_name = 'things'"
        )
    )

    assert tables["things"] == "A thing; it's the main table."
    assert columns["owner_name"] == "Owner's name."
    assert all(columns.values())
    assert bench.rows("SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'ado_meta' AND comment IS NULL") == [
        (0,)
    ]


def test_a_new_column_is_added_and_filled_by_the_next_read(tmp_path: Path) -> None:
    """The table keeps its rows; a row read again takes the new value, and what was extra moves to its column."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "title": "a", "rank": 5}, {"id": 2})
    later = Bench(tmp_path, grown(THINGS, Column("rank", "BIGINT", "rank", "Rank.")))

    later.warehouse.prepare()
    assert later.rows("SELECT id, title, rank, _extra FROM ado.things ORDER BY id")[0] == (1, "a", None, '{"rank":5}')
    with later.landing() as landing:
        pass
    report = later.load(later.landed({"id": 1, "title": "a", "rank": 5}, at=minutes(1)))

    assert landing.folder.exists()
    assert report.tables["things"].updated == 1
    assert later.rows("SELECT rank, _extra FROM ado_live.things JOIN ado.things USING (id, rank) WHERE id = 1") == [
        (5, None)
    ]


def test_a_new_table_is_made_beside_the_old(tmp_path: Path) -> None:
    """A declaration more is a table more."""
    bench = Bench(tmp_path)
    bench.things({"id": 1})
    more = replace(THINGS, name="others", parent=None)

    later = Bench(tmp_path, {**ALL, "others": more})
    later.warehouse.prepare()

    assert later.live() == [1]
    assert later.live("others") == []


def test_a_change_of_type_is_refused_with_the_fix(tmp_path: Path) -> None:
    """Rows are not converted silently; the error names column, both types and what to do; the file stays usable."""
    bench = Bench(tmp_path)
    bench.things({"id": 1, "size": 3})
    columns = tuple(replace(c, type="VARCHAR") if c.name == "size" else c for c in THINGS.columns)
    later = Bench(tmp_path, {**ALL, "things": replace(THINGS, columns=columns)})

    with pytest.raises(BadDeclaration, match=r'"things"\.size is BIGINT in the file but declared VARCHAR.*DROP TABLE'):
        later.warehouse.prepare()

    assert bench.one("size") == 3


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (Column("x", "VARCHAR", "owner", "X."), "is an object for other columns"),
        (Column("x", "VARCHAR", "title/deep", "X."), "a value for one column and an object for another"),
        (Column("x", "VARCHAR", "parts", "X."), "array"),
        (Column("x", "VARCHAR", "TITLE", "X."), "differ only in case"),
        (Column("x", "VARCHAR", "^id", "X."), "inside another record"),
    ],
)
def test_declarations_that_contradict_each_other_are_refused(tmp_path: Path, column: Column, words: str) -> None:
    """What cannot be read both ways is an error of the declaration, before anything is landed."""
    with pytest.raises(BadDeclaration, match=words):
        Bench(tmp_path, grown(THINGS, column)).landing()


def test_a_table_is_not_its_own_parent() -> None:
    """Cascades end."""
    with pytest.raises(BadDeclaration, match="its own parent"):
        descendants({"things": replace(THINGS, parent=Parent("things", {"project_id": "id"}))})


def test_array_rows_need_a_way_to_their_record(tmp_path: Path) -> None:
    """An array table without a column for its record's key is refused with the path to declare."""
    words = ALL["words"]
    columns = tuple(c for c in words.columns if c.name != "thing_id")
    bench = Bench(tmp_path, {**ALL, "words": replace(words, key=("project_id", "word"), columns=columns)})

    with pytest.raises(BadDeclaration, match=r"words has no column for things\.id"):
        bench.things({"id": 1})
