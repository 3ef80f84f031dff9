"""
Landed pages to temporary tables: one row per record (or array element), with the columns of its table.

A staged table has ``organization``, the declared columns, ``_synced_at`` (when its page was read), ``_extra``, and for
the load: ``_misfits`` (texts that did not cast), ``_n``, ``_ordinal``, ``_position`` (page, record in it, element in
that). Nothing here writes to the warehouse's own tables.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ado_assets.tables import Column, Table
from ado_assets.warehouse.columns import cast, element_value, read_type, settled, value_at
from ado_assets.warehouse.manifest import LandedFile, Manifest
from ado_assets.warehouse.shape import RecordList, compile_feed
from ado_assets.warehouse.sql import literal, quote

#: Decoded JSON that is staged by one statement; bounds the memory it takes.
GROUP_BYTES = 8 * 2**20

#: Rows whose ``_extra`` is written back at once.
_CHUNK = 10_000

_LANDED = 'temp."landed"'

_FOR_THE_LOAD = (("_misfits", "JSON"), ("_n", "BIGINT"), ("_ordinal", "BIGINT"), ("_position", "BIGINT"))


def staged(table: Table | str) -> str:
    """Name of the temporary table of staged rows."""
    return f"temp.{quote('staged ' + (table if isinstance(table, str) else table.name))}"


def column_names(table: Table) -> tuple[str, ...]:
    """Columns of the warehouse's table that a record fills, ``_extra`` last."""
    return ("organization", *(c.name for c in table.columns), "_extra")


def stage(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, tables: Sequence[Table]
) -> dict[str, Counter[str]]:
    """
    Make and fill the staged tables of the feed.

    Returns:
        Table -> column -> texts that did not cast.
    """
    lists = compile_feed(tables)
    for table in tables:
        kinds: list[tuple[str, str]] = [("organization", "VARCHAR"), *((c.name, c.type) for c in table.columns)]
        kinds += [("_synced_at", "TIMESTAMPTZ"), ("_extra", "JSON"), *_FOR_THE_LOAD]
        columns = ", ".join(f"{quote(name)} {kind}" for name, kind in kinds)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {staged(table)} ({columns})")
    for group in _groups(manifest.pages):
        for records in lists:
            _stage_list(connection, manifest, group, records, tables)
    return {table.name: _keep_misfits(connection, table) for table in tables if manifest.pages}


def _groups(files: Sequence[LandedFile]) -> Iterator[tuple[LandedFile, ...]]:
    group: list[LandedFile] = []
    size = 0
    for file in files:
        if group and size + file.decoded_bytes > GROUP_BYTES:
            yield tuple(group)
            group, size = [], 0
        group.append(file)
        size += file.decoded_bytes
    if group:
        yield tuple(group)


def _stage_list(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    files: tuple[LandedFile, ...],
    records: RecordList,
    tables: Sequence[Table],
) -> None:
    scope = sorted({name for table in tables for name in table.scope_names()})
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_LANDED} AS {_landed_sql(records, scope, files)}",
        {"files": manifest.paths(files), "units": list(manifest.loaded_units)},
    )
    organization = {"organization": manifest.organization}
    for table in records.tables:
        connection.execute(_insert_sql(table, records, is_first=table is records.tables[0]), organization)
    for table in records.arrays:
        connection.execute(_insert_elements_sql(table, records), organization)
    connection.execute(f"DROP TABLE {_LANDED}")


def _landed_sql(records: RecordList, scope: Sequence[str], files: Sequence[LandedFile]) -> str:
    """One row per record: page number, read instant, scope, the record, its place in the page, its extras."""
    items = f"body.{quote(records.property)}"
    extras = [(records.tables[0].name, "JSON[]"), *((t.name, "JSON[][]") for t in records.arrays)]
    columns = {
        "n": "BIGINT",
        "unit": "VARCHAR",
        "read_at": "VARCHAR",
        "extra": "STRUCT(" + ", ".join(f"{quote(name)} {kind}" for name, kind in extras) + ")",
        "body": f"STRUCT({quote(records.property)} {read_type(records.root) or 'JSON'}[])",
    }
    if scope:
        columns["scope"] = "STRUCT(" + ", ".join(f"{quote(name)} VARCHAR" for name in scope) + ")"
    extra_lists = ", ".join(f"unnest(extra.{quote(name)}) AS {quote('extra ' + name)}" for name, _ in extras)
    return (
        f"SELECT n, CAST(read_at AS TIMESTAMPTZ) AS read_at, {'scope, ' if scope else ''}unnest({items}) AS record, "
        f"generate_subscripts({items}, 1) AS ordinal, {extra_lists} FROM {lines_sql('files', columns, files)} "
        "WHERE unit IN (SELECT unnest($units))"
    )


def lines_sql(parameter: str, columns: dict[str, str], files: Sequence[LandedFile]) -> str:
    """A read_json over landing files, given as the list parameter of this name, with a buffer that fits their lines."""
    kinds = ", ".join(f"{quote(name)}: {literal(kind)}" for name, kind in columns.items())
    longest = max(file.longest_line for file in files)
    return (
        f"read_json(${parameter}, format='newline_delimited', compression='zstd', columns={{{kinds}}}, "
        f"maximum_object_size={max(2**20, longest + 2**16)})"
    )


@dataclass(frozen=True)
class _Source:
    """Where a table's staged rows come from: SQL of its raw values, extra and place."""

    raw: dict[str, str]
    extra: str
    position: str
    source: str


def _insert_sql(table: Table, records: RecordList, *, is_first: bool) -> str:
    raw = {
        c.name: _scope_value(c) if c.path.startswith("@") else value_at(records.root, "record", c.path, c)
        for c in table.columns
    }
    extra = quote(f"extra {table.name}") if is_first else "NULL"
    return _staging_sql(table, _Source(raw, extra, "0", f"{_LANDED} WHERE record IS NOT NULL"))


def _insert_elements_sql(table: Table, records: RecordList) -> str:
    """Rows of an array table. An element that is null, or that cannot be a row, is none."""
    elements = records.elements(table)
    array = "record" + "".join(f".{quote(part)}" for part in table.array.split("/"))
    above = {c.name: value_at(records.root, "record", c.path[1:], c) for c in table.columns if c.path.startswith("^")}
    outer = {name: quote(f"above {name}") for name in above}
    for c in table.columns:
        if c.path.startswith("@"):
            outer[c.name] = _scope_value(c)
        elif c.name not in outer:
            outer[c.name] = element_value(elements.element, "element", c)
    taken = "".join(f", {expression} AS {outer[name]}" for name, expression in above.items())
    scope = ", scope" if table.scope_names() else ""
    source = (
        f"(SELECT n, read_at, ordinal{scope}{taken}, unnest({array}) AS element, "
        f"unnest({quote(f'extra {table.name}')}) AS element_extra, generate_subscripts({array}, 1) AS position "
        f"FROM {_LANDED}) WHERE element IS NOT NULL"
    )
    return _staging_sql(table, _Source(outer, "element_extra", "position", source))


def _scope_value(column: Column) -> str:
    value = f"scope.{quote(column.path[1:])}"
    return f"CAST({value} AS JSON)" if column.type == "JSON" else value


def _staging_sql(table: Table, source: _Source) -> str:
    """Raw values, then casts, then what did not cast: each level reads the one below once."""
    raws, casts, finals, failures = [], [], [], []
    for number, column in enumerate(table.columns):
        raw, value = f"raw{number}", f"cast{number}"
        raws.append(f"{source.raw[column.name]} AS {raw}")
        casts.append(f"{cast(raw, column.type)} AS {value}")
        finals.append(settled(value, column.type))
        if column.type not in ("VARCHAR", "JSON"):
            casts.append(raw)
            failures.append((f"{raw} IS NOT NULL AND {value} IS NULL", column.name, raw))
    place = "read_at, extra, n, ordinal, position"
    return (
        f"INSERT INTO {staged(table)} SELECT $organization, {', '.join(finals)}, read_at, extra, "
        f"{_misfits_sql(failures)}, n, ordinal, position FROM (SELECT {', '.join(casts)}, {place} FROM "
        f"(SELECT {', '.join(raws)}, read_at, {source.extra} AS extra, n, ordinal, {source.position} AS position "
        f"FROM {source.source}))"
    )


def _misfits_sql(failures: Sequence[tuple[str, str, str]]) -> str:
    """A JSON object column -> text of what did not cast; NULL for a row without any."""
    if not failures:
        return "NULL"
    entries = ", ".join(f"{literal(name)}, CASE WHEN {failed} THEN {raw} END" for failed, name, raw in failures)
    return f"CASE WHEN {' OR '.join(f'({failed})' for failed, _, _ in failures)} THEN json_object({entries}) END"


def _keep_misfits(connection: duckdb.DuckDBPyConnection, table: Table) -> Counter[str]:
    """Put texts that did not cast into their rows' ``_extra``; how many per column."""
    counts: Counter[str] = Counter()
    rows = connection.execute(
        f"SELECT rowid, _extra, _misfits FROM {staged(table)} WHERE _misfits IS NOT NULL"
    ).fetchall()
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        extras = [_with_misfits(table, extra, misfits, counts) for _, extra, misfits in chunk]
        connection.execute(
            f"UPDATE {staged(table)} AS s SET _extra = new.extra FROM "
            "(SELECT unnest($ids) AS id, unnest($extras) AS extra) AS new WHERE s.rowid = new.id",
            {"ids": [row[0] for row in chunk], "extras": extras},
        )
    return counts


def _with_misfits(table: Table, extra: str | None, misfits: str, counts: Counter[str]) -> str:
    """
    The row's extra with what did not cast, at the place where it stood in the record.

    What landing found already (values of another kind than declared) is there in its own kind and stays.
    """
    kept: dict[str, Any] = json.loads(extra) if extra else {}
    for name, text in json.loads(misfits).items():
        column = table.column(name)
        if text is not None and _put(kept, column.path.split("/"), _original(text, column)):
            counts[name] += 1
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _put(kept: dict[str, Any], path: Sequence[str], original: str | int) -> bool:
    """Put the original where the path ends; False where something is there already."""
    *above, last = path
    for part in above:
        kept = kept.setdefault(part, {})
        if not isinstance(kept, dict):
            return False
    if last in kept:
        return False
    kept[last] = original
    return True


def _original(text: str, column: Column) -> str | int:
    """An integer too long for the parser that landed it is found here, as digits; everything else was a text."""
    return int(text) if column.type == "BIGINT" and re.fullmatch(r"-?[0-9]{19,4000}", text) else text
