"""
The tree of what is known of a record, walked once per record: what it holds beyond that, or of another kind.

Belongs here: the kinds of nodes and what each leaves over for ``_extra``. ``shape`` makes the tree from declarations,
``columns`` reads by it in SQL, ``repair`` nulls what breaks that reading. Texts that do not cast (a date that is none)
are found in SQL, where the cast happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ado_assets.tables import Column

#: The value of a property that leaves nothing over; None would be a value.
NOTHING: Final = object()

_ANY: Final[frozenset[type]] = frozenset({dict, list, str, int, float, bool, type(None)})

#: Kinds that are read without a second look. A text in a number's place is judged where it is cast.
_FITS: Final[Mapping[str, frozenset[type]]] = {
    "VARCHAR": frozenset({str, int, bool, type(None)}),
    "BIGINT": frozenset({int, str, type(None)}),
    "DOUBLE": frozenset({float, int, str, type(None)}),
    "BOOLEAN": frozenset({bool, str, type(None)}),
    "TIMESTAMPTZ": frozenset({str, type(None)}),
    "JSON": _ANY,
}
_NULL: Final[frozenset[type]] = frozenset({type(None)})

#: Floats below this are whole numbers exactly; those above 2^63 may stand for an integer too long for the parser.
_EXACT: Final = 2.0**53
_BEYOND_BIGINT: Final = 2.0**63


@dataclass
class Finder:
    """What the walk over one record, and over one page, came across."""

    misfits: Counter[tuple[str, str]] = field(default_factory=Counter)
    arrays: dict[str, list[Any] | None] = field(default_factory=dict)
    needs_repair: bool = False


@dataclass
class Leaf:
    """
    A property that one or more columns hold.

    Args:
        columns: Table name and column.
        known: False where only rows inside the record take the value, so that it is also kept in ``_extra``.
        inside_open: It stands in a property that is kept as JSON in whole; nothing has to be repaired there.
    """

    columns: list[tuple[str, Column]] = field(default_factory=list)
    known: bool = False
    inside_open: bool = False
    fits: frozenset[type] = frozenset()

    def add(self, table: str, column: Column, *, known: bool) -> None:
        """Let the column take the value, too."""
        self.columns.append((table, column))
        self.known |= known
        self._judge()

    def ignore(self) -> None:
        """Do not keep the value in ``_extra`` for the record's own sake."""
        self.known = True
        self._judge()

    def _judge(self) -> None:
        self.fits = frozenset.intersection(*(_FITS[c.type] for _, c in self.columns)) if self.known else frozenset()

    @property
    def is_json(self) -> bool:
        """Whether the value is kept as JSON, whatever its kind."""
        return any(c.type == "JSON" for _, c in self.columns)

    def misfit(self, value: Any) -> list[tuple[str, str]]:
        """Columns that the value cannot be in because of its kind."""
        return [(t, c.name) for t, c in self.columns if type(value) not in _FITS[c.type] and not _is_number(c, value)]

    def inspect(self, value: Any, finder: Finder) -> Any:
        """What is to be kept in ``_extra``: the value, where its kind does not fit a column; else NOTHING."""
        misfit = self.misfit(value)
        finder.misfits.update(misfit)
        if not self.inside_open and not self.is_json and type(value) in (dict, list, float):
            finder.needs_repair |= any(c.type == "VARCHAR" for _, c in self.columns)
        return value if misfit or not self.known else NOTHING


def _is_number(column: Column, value: Any) -> bool:
    """Whether a float is the number that the column's cast makes of its text."""
    if type(value) is not float:
        return False
    whole = abs(value) >= _BEYOND_BIGINT or (abs(value) < _EXACT and value.is_integer())
    return column.type == "VARCHAR" or (column.type == "BIGINT" and whole)


@dataclass
class Ignored:
    """A property left out on purpose, with all that is in it."""

    fits: frozenset[type] = _ANY

    def inspect(self, value: Any, finder: Finder) -> Any:  # noqa: ARG002 - one signature for all nodes
        """Nothing is kept."""
        return NOTHING


@dataclass
class Branch:
    """
    An object that is walked.

    Args:
        noise: Names ignored at any depth.
        children: What is known of its properties.
        holders: Columns that keep all of it as JSON; such a branch is an open map.
        rest_ignored: What has no column in it is left out.
        inside_open: It stands in an open map.
    """

    noise: frozenset[str]
    children: dict[str, Node] = field(default_factory=dict)
    holders: list[tuple[str, Column]] = field(default_factory=list)
    rest_ignored: bool = False
    inside_open: bool = False
    fits: frozenset[type] = _NULL

    @property
    def is_open(self) -> bool:
        """Whether all of it is kept as JSON, so that nothing in it is unknown."""
        return bool(self.holders)

    @property
    def declared(self) -> bool:
        """Whether any column takes a value from it."""
        return bool(self.holders) or any(is_declared(child) for child in self.children.values())

    def inspect(self, value: Any, finder: Finder) -> Any:
        """What ``_extra`` keeps of it: an object of the unknown parts, the whole if it is none; or NOTHING."""
        if type(value) is not dict:
            return self._not_an_object(value, finder)
        extra: dict[str, Any] = {}
        children, noise = self.children, self.noise
        for key, item in value.items():
            child = children.get(key)
            if child is None:
                if self.holders or self.rest_ignored or self.inside_open or key in noise:
                    continue
                kept = without_noise(item, noise)
            elif type(item) in child.fits:
                continue
            else:
                kept = child.inspect(item, finder)
            if kept is not NOTHING:
                extra[key] = kept
        return extra or NOTHING

    def _not_an_object(self, value: Any, finder: Finder) -> Any:
        columns = [(table, column.name) for table, column in self._columns()]
        if not columns:
            return NOTHING if self.rest_ignored else without_noise(value, self.noise)
        finder.misfits.update(dict.fromkeys(columns, 1))
        finder.needs_repair |= not self.inside_open
        return value

    def _columns(self) -> Iterator[tuple[str, Column]]:
        yield from self.holders
        for child in self.children.values():
            if isinstance(child, Branch):
                yield from child._columns()
            elif isinstance(child, Leaf):
                yield from child.columns


@dataclass
class Elements:
    """An array whose elements are rows of another table."""

    table: str
    path: str
    element: Branch | Leaf
    fits: frozenset[type] = _NULL

    def inspect(self, value: Any, finder: Finder) -> Any:
        """
        What the record's own ``_extra`` keeps: the whole where it is no array, else the elements that cannot be rows.

        What the elements themselves hold beyond their columns goes to ``finder.arrays``.
        """
        if type(value) is not list:
            self._misfit(finder)
            return value
        extras: list[Any] = []
        stray: list[Any] = []
        for element in value:
            extra: Any = NOTHING
            if isinstance(self.element, Branch) and type(element) is dict:
                extra = self.element.inspect(element, finder)
            elif element is not None and self._is_stray(element):
                self._misfit(finder)
                stray.append(element)
            extras.append(None if extra is NOTHING else extra)
        finder.arrays[self.table] = extras if any(e is not None for e in extras) else None
        return stray or NOTHING

    def _is_stray(self, element: Any) -> bool:
        if isinstance(self.element, Branch):
            return True
        return type(element) in (dict, list) and not self.element.is_json

    def _misfit(self, finder: Finder) -> None:
        finder.misfits[self.table, self.path] += 1
        finder.needs_repair = True


Node = Leaf | Branch | Elements | Ignored


def is_declared(node: Node) -> bool:
    """Whether any column or table takes a value from there."""
    return isinstance(node, Leaf | Elements) or (isinstance(node, Branch) and node.declared)


def without_noise(value: Any, noise: frozenset[str]) -> Any:
    """The value without properties of these names at any depth; NOTHING where that leaves an object empty."""
    if type(value) is dict:
        kept = {
            k: v for k, item in value.items() if k not in noise and (v := without_noise(item, noise)) is not NOTHING
        }
        return kept if kept or not value else NOTHING
    if type(value) is list:
        return [{} if (v := without_noise(item, noise)) is NOTHING else v for item in value]
    return value
