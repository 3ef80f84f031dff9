"""
The shape a feed's pages should have, compiled from its declarations: which properties have a column or are ignored.

The walk itself is in ``nodes``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ado_assets.tables import Column, Table
from ado_assets.warehouse.errors import BadDeclaration, BadRecord
from ado_assets.warehouse.nodes import NOTHING, Branch, Elements, Finder, Ignored, Leaf, Node, is_declared


@dataclass(frozen=True)
class Findings:
    """
    What a page's records hold beyond their columns.

    Args:
        extra: Per table: for each record (in array tables: for each element of each record) the object to be kept,
            None for nothing; None for a table without any. None when no table has any.
        misfits: (table, column) -> how many values were of another kind than declared.
        needs_repair: The body cannot be read as it is; see ``repair``.
    """

    extra: dict[str, list[Any] | None] | None
    misfits: Counter[tuple[str, str]]
    needs_repair: bool


@dataclass(frozen=True)
class RecordList:
    """
    One list of a page's body and the tables its records fill.

    Args:
        property: Name of the list in the body.
        tables: Tables with one row per record; the first takes the ``_extra``.
        arrays: Tables with one row per element of an array in the record.
        root: The record's shape.
    """

    property: str
    tables: tuple[Table, ...]
    arrays: tuple[Table, ...]
    root: Branch

    def elements(self, table: Table) -> Elements:
        """The node of an array table."""
        node: Node = self.root
        for part in table.array.split("/"):
            assert isinstance(node, Branch)
            node = node.children[part]
        assert isinstance(node, Elements)
        return node

    def inspect(self, records: Sequence[Any]) -> Findings:
        """
        Walk a page's records.

        Raises:
            BadRecord: One is not an object.
        """
        finder = Finder()
        own: list[Any] = []
        arrays: dict[str, list[Any]] = {table.name: [] for table in self.arrays}
        for position, record in enumerate(records, 1):
            if type(record) is not dict:
                raise BadRecord(self._refusal(position, record))
            extra = self.root.inspect(record, finder)
            own.append(None if extra is NOTHING else extra)
            for name, extras in arrays.items():
                extras.append(finder.arrays.pop(name, None))
        extra_of = {self.tables[0].name: own, **arrays}
        kept = {name: extras if any(e is not None for e in extras) else None for name, extras in extra_of.items()}
        return Findings(kept if any(kept.values()) else None, finder.misfits, finder.needs_repair)

    def _refusal(self, position: int, record: Any) -> str:
        return (
            f"{self.tables[0].name}: record {position} of a page's {self.property!r} is {type(record).__name__}, not "
            "an object. The service or a proxy changed its answer; the sync is refused rather than guessing."
        )


def shape_of(tables: Sequence[Table]) -> str:
    """A digest of all that decides what is found in the records of a feed."""
    told = [(t.name, t.records, t.array, t.ignored, [(c.name, c.path, c.type) for c in t.columns]) for t in tables]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def compile_feed(tables: Sequence[Table]) -> tuple[RecordList, ...]:
    """
    The shape of a feed's pages, main list first.

    Args:
        tables: The feed's tables, main table first.

    Raises:
        BadDeclaration: Paths contradict each other.
    """
    wholes: dict[str, list[Table]] = {}
    for table in tables:
        if not table.array:
            wholes.setdefault(table.records, []).append(table)
    main = tables[0].records
    return tuple(
        _compile(records, group, [t for t in tables if t.array and records == main])
        for records, group in wholes.items()
    )


def _compile(records: str, wholes: Sequence[Table], arrays: Sequence[Table]) -> RecordList:
    root = Branch(noise=_noise(wholes))
    for table in wholes:
        for column in table.columns:
            if column.path.startswith(("^", "#")):
                raise BadDeclaration(f"{table.name}.{column.name}: {column.path!r} is for rows inside another record.")
            if not column.path.startswith("@"):
                _insert(root, table, column, column.path, known=True)
    for table in arrays:
        _insert_array(root, table)
    for table in wholes:
        _ignore(root, table)
    _refuse_twins(root, wholes[0].name)
    return RecordList(records, tuple(wholes), tuple(arrays), root)


def _noise(tables: Sequence[Table]) -> frozenset[str]:
    return frozenset(path[3:] for table in tables for path in table.ignored if path.startswith("**/"))


def _insert_array(root: Branch, table: Table) -> None:
    own = [c for c in table.columns if not c.path.startswith(("@", "^"))]
    element: Branch | Leaf
    if any(c.path == "#" for c in own):
        if any(c.path != "#" for c in own):
            raise BadDeclaration(f"{table.name}: the element itself ('#') and its properties cannot both be columns.")
        element = Leaf()
        for column in own:
            element.add(table.name, column, known=True)
    else:
        element = Branch(noise=_noise([table]))
        for column in own:
            _insert(element, table, column, column.path, known=True)
        _ignore(element, table)
        _refuse_twins(element, table.name)
    *above, last = table.array.split("/")
    branch = _descend(root, above, table)
    if branch.is_open or last in branch.children:
        raise BadDeclaration(f"{table.name}: the array {table.array!r} is also a column of the record it is in.")
    branch.children[last] = Elements(table.name, table.array, element)
    for column in table.columns:
        if column.path.startswith("^"):
            _insert(root, table, column, column.path[1:], known=False)


def _insert(root: Branch, table: Table, column: Column, path: str, *, known: bool) -> None:
    *above, last = path.split("/")
    branch = _descend(root, above, table)
    node = branch.children.get(last)
    inside = branch.is_open or branch.inside_open
    if isinstance(node, Branch):
        if column.type != "JSON":
            raise BadDeclaration(f"{table.name}.{column.name}: {path!r} is an object for other columns, not a value.")
        node.holders.append((table.name, column))
        _mark_open(node)
        return
    if node is None:
        node = branch.children[last] = Leaf(inside_open=inside)
    if not isinstance(node, Leaf):
        raise BadDeclaration(f"{table.name}.{column.name}: {path!r} is an array for another table, not a value.")
    node.add(table.name, column, known=known)


def _descend(root: Branch, parts: Sequence[str], table: Table) -> Branch:
    """The object at the end of the path, made where missing; a JSON value on the way becomes an open map."""
    branch = root
    for part in parts:
        node = branch.children.get(part)
        inside = branch.is_open or branch.inside_open
        if isinstance(node, Leaf):
            if not all(c.type == "JSON" for _, c in node.columns):
                raise BadDeclaration(f"{table.name}: {part!r} is a value for one column and an object for another.")
            node = branch.children[part] = Branch(branch.noise, holders=node.columns, inside_open=inside)
        elif node is None:
            node = branch.children[part] = Branch(branch.noise, inside_open=inside)
        if not isinstance(node, Branch):
            raise BadDeclaration(f"{table.name}: {part!r} is an array and cannot be walked as an object.")
        branch = node
    return branch


def _mark_open(branch: Branch) -> None:
    for child in branch.children.values():
        if isinstance(child, Leaf):
            child.inside_open = True
        elif isinstance(child, Branch):
            child.inside_open = True
            _mark_open(child)


def _ignore(root: Branch, table: Table) -> None:
    for path in table.ignored:
        if path.startswith("**/"):
            continue
        *above, last = path.split("/")
        branch: Branch = root
        for part in above:
            node = branch.children.setdefault(part, Branch(branch.noise, inside_open=branch.inside_open))
            if not isinstance(node, Branch):
                break
            branch = node
        else:
            node = branch.children.setdefault(last, Ignored())
            if isinstance(node, Branch):
                node.rest_ignored = True
            elif isinstance(node, Leaf):
                node.ignore()


def _refuse_twins(branch: Branch, table: str) -> None:
    """Names that differ only in case are one name in SQL."""
    seen: dict[str, str] = {}
    for name, child in branch.children.items():
        if is_declared(child) and not branch.is_open and seen.setdefault(name.lower(), name) != name:
            raise BadDeclaration(f"{table}: the properties {seen[name.lower()]!r} and {name!r} differ only in case.")
        if isinstance(child, Branch):
            _refuse_twins(child, table)
