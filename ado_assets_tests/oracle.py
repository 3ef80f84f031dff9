"""
What every table must hold, worked out from the sample organization's own truth, without HTTP, streams or SQL.

The declarations say where a value stands; everything else here is written independently of the product: walking a
record, casting a value, and what is left over for ``_extra``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any

import orjson

from ado_assets.tables import TABLES, Table

Row = dict[str, Any]
Truth = tuple[str, Mapping[str, Any], Any]

#: Resources of the sample organization whose table has another name.
RENAMED = {"timeline_records": "build_timeline_records", "deployments": "release_deployments"}

MISSING = object()


def expected_rows(truth: Iterable[Truth]) -> dict[str, dict[tuple[Any, ...], Row]]:
    """Every table's live rows by key (without organization)."""
    expected: dict[str, dict[tuple[Any, ...], Row]] = {name: {} for name in TABLES}
    arrays = defaultdict(list)
    for table in TABLES.values():
        if table.array:
            arrays[table.feed_name].append(table)
    for resource, scope, record in truth:
        main = table_of(resource, record)
        if main is None:
            continue
        record = with_parent_id(resource, scope, record)
        add(expected, main, scope, record, None, arrays[main.name])
        for table in arrays[main.name]:
            for element in walk(record, table.array) or []:
                add(expected, table, scope, element, record, [])
    return expected


def table_of(resource: str, record: Any) -> Table | None:
    if resource == "classification_nodes":
        return TABLES["iterations" if record["structureType"] == "iteration" else "areas"]
    return TABLES.get(RENAMED.get(resource, resource))


def with_parent_id(resource: str, scope: Mapping[str, Any], record: Any) -> Any:
    """Nodes are listed as a tree; a flat node says who its parent is."""
    if resource == "classification_nodes" and scope.get("parent_id"):
        return {**record, "parentId": scope["parent_id"]}
    return record


def add(
    expected: dict[str, dict[tuple[Any, ...], Row]],
    table: Table,
    scope: Mapping[str, Any],
    record: Any,
    enclosing: Any,
    arrays: list[Table],
) -> None:
    row: Row = {}
    extra = left_over(table, record, [t.array for t in arrays]) if isinstance(record, dict) else None
    for column in table.columns:
        raw = value_at(column.path, scope, record, enclosing)
        value = cast(column.type, raw)
        if value is MISSING:
            value = None
            if not column.path.startswith(("@", "^")):
                extra = put(extra or {}, column.path.split("/"), raw)
        row[column.name] = value
    row["_extra"] = extra or None
    key = tuple(row[name] for name in table.key)
    assert key not in expected[table.name], f"the truth holds {table.name} {key} twice"
    expected[table.name][key] = row


def value_at(path: str, scope: Mapping[str, Any], record: Any, enclosing: Any) -> Any:
    if path == "#":
        return record
    if path.startswith("@"):
        return scope.get(path[1:])
    if path.startswith("^"):
        return walk(enclosing, path[1:])
    return walk(record, path)


def walk(record: Any, path: str) -> Any:
    for name in path.split("/"):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def cast(kind: str, value: Any) -> Any:
    """The value as the column holds it; MISSING when it does not fit."""
    if value is None or kind == "JSON":
        return value
    if isinstance(value, (dict, list)):
        return MISSING
    text = orjson.dumps(value).decode() if not isinstance(value, str) else value
    match kind:
        case "VARCHAR":
            return text
        case "BIGINT":
            return int(text) if text.lstrip("-").isdigit() and abs(int(text)) < 2**63 else MISSING
        case "DOUBLE":
            return float(text)
        case "BOOLEAN":
            return {"true": True, "false": False}.get(text.lower(), MISSING)
        case "TIMESTAMPTZ":
            return instant(text)
    raise AssertionError(kind)


def instant(text: str) -> datetime | None:
    parsed = datetime.fromisoformat(text)
    parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return None if parsed.year <= 1 or parsed.year >= 9999 else parsed


def left_over(table: Table, record: Mapping[str, Any], arrays: list[str]) -> Row | None:
    """The properties that no column, no array table and no ignore entry covers, in their nesting."""
    known = {column.path for column in table.columns if not column.path.startswith(("@", "^", "#"))} | set(arrays)
    return _unknown(record, "", known, table.ignored) or None


def _unknown(record: Mapping[str, Any], prefix: str, known: set[str], ignored: tuple[str, ...]) -> Row:
    rest: Row = {}
    for name, value in record.items():
        path = f"{prefix}{name}"
        if path in known:
            continue
        below = any(k.startswith(f"{path}/") for k in known)
        if below and isinstance(value, dict):
            if _ignored(path, name, ignored):
                continue
            if inner := _unknown(value, f"{path}/", known, ignored):
                rest[name] = inner
        elif value is not None and not _ignored(path, name, ignored):
            rest[name] = value
    return rest


def _ignored(path: str, name: str, ignored: tuple[str, ...]) -> bool:
    return any(entry == path or (entry.startswith("**/") and fnmatch(name, entry[3:])) for entry in ignored)


def put(extra: Row, path: list[str], value: Any) -> Row:
    inner = extra
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return extra


def held_rows(warehouse: Any, table: Table) -> dict[tuple[Any, ...], Row]:
    """The live rows of a table as it stands in the warehouse, by key, with JSON parsed."""
    names = [*(c.name for c in table.columns), "_extra"]
    json_columns = {c.name for c in table.columns if c.type == "JSON"} | {"_extra"}
    listed = ", ".join(f'"{name}"' for name in names)
    held = {}
    for values in warehouse.rows(f'SELECT {listed} FROM ado."{table.name}" WHERE _deleted_at IS NULL'):
        row = dict(zip(names, values, strict=True))
        for name in json_columns:
            if row[name] is not None:
                row[name] = orjson.loads(row[name])
        held[tuple(row[name] for name in table.key)] = row
    return held


def differences(expected: Mapping[Any, Row], held: Mapping[Any, Row], most: int = 5) -> Iterator[str]:
    """Sentences about what differs; nothing when both are equal."""
    missing, surplus = expected.keys() - held.keys(), held.keys() - expected.keys()
    if missing:
        yield f"{len(missing)} rows are missing, for example {sorted(missing, key=str)[:most]}"
    if surplus:
        yield f"{len(surplus)} rows should not be live, for example {sorted(surplus, key=str)[:most]}"
    shown = 0
    for key in expected.keys() & held.keys():
        for name, value in expected[key].items():
            if not same(value, held[key][name]):
                yield f"{key}: {name} should be {value!r:.300}, not {held[key][name]!r:.300}"
                shown += 1
                if shown >= most:
                    return


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one == other.astimezone(UTC)
    return bool(one == other)


def all_differences(truth: Iterable[Truth], warehouse: Any, tables: Iterable[str] = TABLES) -> list[str]:
    """Every table's differences, each with the table's name in front."""
    expected = expected_rows(truth)
    return [
        f"{name}: {text}" for name in tables for text in differences(expected[name], held_rows(warehouse, TABLES[name]))
    ]
