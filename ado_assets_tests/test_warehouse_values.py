"""Values arrive exactly, or are NULL and kept in ``_extra``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from ado_assets.warehouse import BadRecord
from ado_assets_tests.warehouse_tables import START, Bench, outcome, put


def raw_load(bench: Bench, record: str) -> Any:
    """Load one record given as JSON text, landed byte for byte."""
    body = b'{"value":[%s]}' % record.encode()
    with bench.landing() as landing:
        put(landing, orjson.loads(body)["value"], body=body)
        manifest = landing.seal([outcome()])
    return bench.load(manifest)


@pytest.mark.parametrize(
    ("column", "record", "value", "extra"),
    [
        ("size", '{"size": 9007199254740993}', 9007199254740993, None),
        ("size", '{"size": "9007199254740993"}', 9007199254740993, None),
        ("size", '{"size": 7.0}', 7, None),
        ("size", '{"size": 7.5}', None, {"size": 7.5}),
        ("size", '{"size": "7.5"}', None, {"size": "7.5"}),
        ("size", '{"size": "many"}', None, {"size": "many"}),
        ("size", '{"size": ""}', None, {"size": ""}),
        ("size", '{"size": true}', None, {"size": True}),
        ("size", '{"size": 9223372036854775808}', None, {"size": 9223372036854775808}),
        ("size", '{"size": 123456789012345678901234567890}', None, {"size": 123456789012345678901234567890}),
        ("size", '{"size": [1]}', None, {"size": [1]}),
        ("size", '{"size": null}', None, None),
        ("ratio", '{"ratio": 0.1}', 0.1, None),
        ("ratio", '{"ratio": 3}', 3.0, None),
        ("ratio", '{"ratio": "nan"}', None, {"ratio": "nan"}),
        ("ratio", '{"ratio": {"a": 1}}', None, {"ratio": {"a": 1}}),
        ("flag", '{"flag": false}', False, None),
        ("flag", '{"flag": "True"}', True, None),
        ("flag", '{"flag": 1}', None, {"flag": 1}),
        ("title", '{"title": 12345678901234567890123}', "12345678901234567890123", None),
        ("title", '{"title": 1.10}', "1.10", None),
        ("title", '{"title": 1e3}', "1e3", None),
        ("title", '{"title": true}', "true", None),
        ("title", '{"title": ""}', "", None),
        ("title", '{"title": "[1]"}', "[1]", None),
        ("title", '{"title": {"a": 1.5}}', None, {"title": {"a": 1.5}}),
        ("title", '{"title": ["x", null]}', None, {"title": ["x", None]}),
        ("owner_id", '{"owner": "nobody"}', None, {"owner": "nobody"}),
        ("owner_id", '{"owner": [1]}', None, {"owner": [1]}),
        ("owner_id", '{"owner": null}', None, None),
        ("owner_name", '{"owner": {"id": "a", "displayName": "Zoë \\ud83d\\ude00"}}', "Zoë 😀", None),
    ],
)
def test_a_value_is_exact_or_null_with_its_original_kept(
    tmp_path: Path, column: str, record: str, value: Any, extra: Any
) -> None:
    """What a column cannot hold as it is becomes NULL, and the original stays at its place in _extra."""
    bench = Bench(tmp_path)
    raw_load(bench, record.replace("{", '{"id": 1, ', 1))

    found, kept = bench.one(f"{column}, _extra")

    assert (found, None if kept is None else json.loads(kept)) == (value, extra)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T10:11:12.1234567Z", datetime(2026, 3, 1, 10, 11, 12, 123456, UTC)),
        ("2026-03-01T10:11:12.9999999Z", datetime(2026, 3, 1, 10, 11, 12, 999999, UTC)),
        ("2026-03-01T10:11:12", datetime(2026, 3, 1, 10, 11, 12, tzinfo=UTC)),
        ("2026-03-01T10:11:12+05:30", datetime(2026, 3, 1, 4, 41, 12, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59.9999999Z", None),
        ("9999-01-01T00:00:00Z", None),
    ],
)
def test_instants_are_utc_and_sentinels_are_null(tmp_path: Path, text: str, instant: datetime | None) -> None:
    """Zone-less instants are UTC, seven digits are cut to micros, the years 1 and 9999 are NULL and no failure."""
    bench = Bench(tmp_path)

    report = bench.things({"id": 1, "changed": text})

    assert bench.one("changed, _extra") == (instant, None)
    assert report.tables["things"].cast_failures == {}


@pytest.mark.parametrize("value", ["infinity", "soon", "2026-13-01T00:00:00Z", "", 20260301, {"at": 1}])
def test_what_is_no_instant_is_kept_and_counted(tmp_path: Path, value: Any) -> None:
    """A text that is no instant, or a number, becomes NULL, stays in _extra and is reported by column."""
    bench = Bench(tmp_path)

    report = bench.things({"id": 1, "changed": value, "owner": {"since": value}})

    assert bench.one("changed, owner_since") == (None, None)
    assert json.loads(bench.one("_extra")) == {"changed": value, "owner": {"since": value}}
    assert report.tables["things"].cast_failures == {"changed": 1, "owner_since": 1}


def test_a_misfit_joins_what_else_is_extra_at_its_place(tmp_path: Path) -> None:
    """What landing found unknown and what the cast refused end in one object, nulls included."""
    bench = Bench(tmp_path)

    bench.things({"id": 1, "size": "x", "new": None, "owner": {"since": "y", "rank": {"a": None}}, "list": [{}, 1]})

    assert json.loads(bench.one("_extra")) == {
        "size": "x",
        "new": None,
        "owner": {"since": "y", "rank": {"a": None}},
        "list": [{}, 1],
    }


def test_what_fits_one_record_and_not_the_next_stays_with_its_record(tmp_path: Path) -> None:
    """A record that had to be repaired changes no other record of its page, and extras stay aligned."""
    bench = Bench(tmp_path)
    records = [
        {"id": 1, "title": "one", "fields": {"a": 1.25}},
        {"id": 2, "title": {"deep": 1}, "owner": 5, "parts": "none"},
        {"id": 3, "title": "three", "new": True, "parts": [{"id": "a", "label": ["x"]}, {"id": "b", "more": 1}]},
    ]

    report = bench.things(*records)

    rows = bench.rows("SELECT id, title, fields, _extra FROM ado.things ORDER BY id")
    assert rows == [
        (1, "one", '{"a":1.25}', None),
        (2, None, None, '{"title":{"deep":1},"owner":5,"parts":"none"}'),
        (3, "three", None, '{"new":true}'),
    ]
    parts = bench.rows("SELECT id, label, _extra FROM ado.parts ORDER BY id")
    assert parts == [("a", None, '{"label":["x"]}'), ("b", None, '{"more":1}')]
    assert report.tables["things"].cast_failures["title"] == 1
    assert report.tables["parts"].cast_failures == {"label": 1, "parts": 1}


def test_open_maps_keep_all_and_are_looked_up(tmp_path: Path) -> None:
    """All fields stay in the JSON column, typed ones are read from it, and what does not fit there is kept, too."""
    bench = Bench(tmp_path)
    fields = {"System.Title": "T", "Custom.Count": "many", "System.By": {"displayName": "B"}, "Custom.Big": 2**63}

    bench.things({"id": 1, "fields": fields}, {"id": 2, "fields": {"System.Title": {"a": 1}, "System.By": "B <b@c>"}})

    rows = bench.rows("SELECT fields, field_title, field_count, field_by, _extra FROM ado.things ORDER BY id")
    assert [json.loads(row[0]) for row in rows] == [
        fields,
        {"System.Title": {"a": 1}, "System.By": "B <b@c>"},
    ]
    assert [row[1:4] for row in rows] == [("T", None, "B"), (None, None, None)]
    assert [json.loads(row[4]) for row in rows] == [
        {"fields": {"Custom.Count": "many"}},
        {"fields": {"System.Title": {"a": 1}, "System.By": "B <b@c>"}},
    ]


def test_fields_that_are_no_object_are_kept_as_they_came(tmp_path: Path) -> None:
    """A value in an open map's place is NULL in the column and kept in _extra."""
    bench = Bench(tmp_path)

    bench.things({"id": 1, "fields": "none"})

    assert bench.one("fields, field_title, _extra") == (None, None, '{"fields":"none"}')


def test_ignored_properties_are_left_out_at_any_depth(tmp_path: Path) -> None:
    """Navigation and properties ignored by path go; columns and unknown properties beside them stay."""
    bench = Bench(tmp_path)

    bench.things(
        {
            "id": 1,
            "url": "u",
            "_links": {"self": 1},
            "noise": {"all": "of it"},
            "shelf": {"id": "S", "height": 3},
            "owner": {"id": "o", "avatar": "a", "url": "u", "rank": 1},
            "more": {"url": "u", "kept": [{"url": "u", "x": 1}, {"url": "u"}]},
            "bare": {"url": "u"},
            "empty": {},
            "parts": [{"id": "a", "url": "u", "noise": 1}],
        }
    )

    kept = {"owner": {"rank": 1}, "more": {"kept": [{"x": 1}, {}]}, "empty": {}}
    assert bench.one("owner_id, shelf_id") == ("o", "S")
    assert json.loads(bench.one("_extra")) == kept
    assert bench.one("_extra", "parts") == '{"noise":1}'


def test_nothing_extra_is_null(tmp_path: Path) -> None:
    """A record with declared and ignored properties only has no _extra, not an empty object."""
    bench = Bench(tmp_path)

    report = bench.things({"id": 1, "title": "t", "url": "u", "parts": [{"id": "a"}], "deep": {"words": ["w"]}})

    assert bench.one("_extra") is None
    assert bench.one("_extra", "parts") is None
    assert (report.tables["things"].extra_rows, report.tables["parts"].extra_rows) == (0, 0)


def test_json_columns_keep_any_kind(tmp_path: Path) -> None:
    """A JSON column takes objects, arrays and plain values; JSON null is NULL."""
    bench = Bench(tmp_path)

    bench.things(*({"id": i, "tags": tags} for i, tags in enumerate([{"a": [1]}, ["x"], "x", 2**53 + 1, None])))

    found = [row[0] for row in bench.rows("SELECT tags FROM ado.things ORDER BY id")]
    assert found == ['{"a":[1]}', '["x"]', '"x"', "9007199254740993", None]


def test_elements_that_cannot_be_rows_stay_with_the_record(tmp_path: Path) -> None:
    """Strays among an array's elements are kept in the record's _extra; null elements are nothing."""
    bench = Bench(tmp_path)

    bench.things(
        {"id": 1, "parts": [{"id": "a"}, "stray", None, {"id": "b"}], "deep": {"words": ["w", None, {"x": 1}]}}
    )

    assert (bench.live("parts"), bench.live("words", "word")) == (["a", "b"], ["w"])
    assert json.loads(bench.one("_extra")) == {"parts": ["stray"], "deep": {"words": [{"x": 1}]}}


def test_pretty_printed_bodies_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """Line breaks between tokens and a byte order mark change nothing; those inside texts stay."""
    bench = Bench(tmp_path)
    text = b'\xef\xbb\xbf{\r\n "value": [\n  {"id": 1, "title": "a\\nb"}\n ]\n}'
    with bench.landing() as landing:
        put(landing, [{"id": 1, "title": "a\nb"}], body=text)
        manifest = landing.seal([outcome()])

    bench.load(manifest)

    assert bench.one("title") == "a\nb"


def test_a_record_that_is_no_object_is_refused(tmp_path: Path) -> None:
    """Such an answer is not guessed at: the error names the table, the record and what it is."""
    with Bench(tmp_path).landing() as landing, pytest.raises(BadRecord, match=r"things: record 2 .*'value' is str"):
        put(landing, [{"id": 1}, "oops"], START)
