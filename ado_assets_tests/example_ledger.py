"""
Where every property of a record went: the account the warehouse owes for what the API sent.

Written from the declarations alone: a property is in the column of its path, inside a JSON column, in ``_extra`` at its
own place, or ignored by name. Nothing of the product's own walk over records is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ado_assets.tables import TABLES, Table
from ado_assets.warehouse import Warehouse
from ado_assets_tests.oracle import MISSING, Row, cast, same, value_at

Path = tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """
    A record that became a row.

    Args:
        enclosing: The record it stands in, for rows that are elements of an array.
    """

    table: Table
    scope: Mapping[str, Any]
    record: Any
    enclosing: Any = None


def sent(main: str, scope: Mapping[str, Any], record: Any) -> list[Sent]:
    """A record of a feed's main table, and the elements in it that are rows of other tables."""
    found = [Sent(TABLES[main], scope, record)]
    for table in _arrays(main):
        elements = _at(record, tuple(table.array.split("/"))) or ()
        found += [Sent(table, scope, element, record) for element in elements]
    return found


def differences(organization: str, everything: Sequence[Sent], warehouse: Warehouse) -> list[str]:
    """What the warehouse's live rows of an organization do not tell of the records, or tell wrongly."""
    found: list[str] = []
    for table in {each.table.name: each.table for each in everything}.values():
        rows = _rows(warehouse, organization, table)
        keys = set()
        for each in (each for each in everything if each.table is table):
            key = tuple(_typed(each, name) for name in table.key)
            keys.add(key)
            if key not in rows:
                found.append(f"{table.name} {key}: no row")
                continue
            found += [f"{table.name} {key}: {text}" for text in _row_differences(each, rows[key])]
        found += [f"{table.name} {key}: nothing of this was sent" for key in rows.keys() - keys]
    return found


def misfits(everything: Sequence[Sent]) -> dict[str, dict[str, int]]:
    """Table -> column -> how many values could not be of the column's type; tables without any are left out."""
    counted: dict[str, Counter[str]] = {}
    for each in everything:
        for column in each.table.columns:
            if _is_blocked(each, column.path) or _cast(each, column.name) is MISSING:
                counted.setdefault(each.table.name, Counter())[column.name] += 1
    return {table: dict(columns) for table, columns in counted.items()}


def _row_differences(each: Sent, row: Row) -> Iterator[str]:
    for column in each.table.columns:
        expected = _typed(each, column.name)
        if not same(expected, row[column.name]):
            yield f"{column.name} is {row[column.name]!r:.200}, not {expected!r:.200}"
    if not isinstance(each.record, dict):
        return
    extra = row["_extra"]
    arrays = {tuple(table.array.split("/")) for table in _arrays(each.table.name)}
    for path, value in leaves(each.record, stop=arrays):
        if path not in arrays and not _is_kept(each.table, path, value, row, extra):
            yield f"{'/'.join(path)} = {value!r:.200} is lost (in _extra: {_at(extra, path)!r:.100})"
    for path, value in leaves(extra or {}):
        if _without(_noise(each.table), _at(each.record, path)) != value:
            yield f"_extra holds {'/'.join(path)} = {value!r:.200}, which was not sent"


def leaves(value: Any, path: Path = (), stop: frozenset[Path] | set[Path] = frozenset()) -> Iterator[tuple[Path, Any]]:
    """Every property of an object and of the objects in it that has a value; an array is one value."""
    for name, inner in value.items():
        here = (*path, name)
        if isinstance(inner, dict) and here not in stop:
            yield from leaves(inner, here, stop)
        elif inner is not None:
            yield here, inner


def _is_kept(table: Table, path: Path, value: Any, row: Row, extra: Any) -> bool:
    typed = False
    for column in table.columns:
        above = tuple(column.path.split("/"))
        if column.type == "JSON" and path[: len(above)] == above and _at(row[column.name], path[len(above) :]) == value:
            return True
        typed |= above == path and cast(column.type, value) is not MISSING
    ignored = any(path[: len(entry)] == entry for entry in map(_parts, table.ignored)) or set(path) & _noise(table)
    return typed or bool(ignored) or _at(extra, path) == _without(_noise(table), value)


def _typed(each: Sent, name: str) -> Any:
    found = _cast(each, name)
    return None if found is MISSING else found


def _cast(each: Sent, name: str) -> Any:
    column = each.table.column(name)
    return cast(column.type, value_at(column.path, each.scope, each.record, each.enclosing))


def _is_blocked(each: Sent, path: str) -> bool:
    """Whether something that is no object stands where the path goes on."""
    if path.startswith(("@", "#")):
        return False
    record = each.enclosing if path.startswith("^") else each.record
    above = _parts(path.removeprefix("^"))[:-1]
    found = [_at(record, above[:depth]) for depth in range(1, len(above) + 1)]
    return any(value is not None and not isinstance(value, dict) for value in found)


def _arrays(main: str) -> list[Table]:
    return [table for table in TABLES.values() if table.array and table.feed_name == main]


def _noise(table: Table) -> set[str]:
    return {entry[3:] for entry in table.ignored if entry.startswith("**/")}


def _without(names: set[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(names, inner) for name, inner in value.items() if name not in names}
    return [_without(names, inner) for inner in value] if isinstance(value, list) else value


def _parts(path: str) -> Path:
    return tuple(path.split("/"))


def _at(value: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _rows(warehouse: Warehouse, organization: str, table: Table) -> dict[tuple[Any, ...], Row]:
    """The live rows of one organization, by key without organization, with JSON parsed."""
    names = [*(column.name for column in table.columns), "_extra"]
    parsed = {column.name for column in table.columns if column.type == "JSON"} | {"_extra"}
    listed = ", ".join(f'"{name}"' for name in names)
    held = {}
    for values in warehouse.rows(
        f'SELECT {listed} FROM ado."{table.name}" WHERE organization = ? AND _deleted_at IS NULL', [organization]
    ):
        row = dict(zip(names, values, strict=True))
        row |= {name: orjson.loads(row[name]) for name in parsed if row[name] is not None}
        held[tuple(row[name] for name in table.key)] = row
    return held
