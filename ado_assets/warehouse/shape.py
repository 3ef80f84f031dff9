"""
The shape a feed's records should have, compiled from its declarations into a tree that is walked once per record.

Belongs here: which properties have a column, which are ignored, and what a record holds beyond that (``_extra``) or of
another kind than declared. The tree also tells ``stage`` how the records are read in SQL, and ``repair`` what breaks
that reading. Texts that do not cast (a date that is none) are found in SQL, where the cast happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ado_assets.tables import Column, Table
from ado_assets.warehouse.errors import BadDeclaration, BadRecord

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
        return bool(self.holders) or any(_is_declared(child) for child in self.children.values())

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


def _is_declared(node: Node) -> bool:
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
        if _is_declared(child) and not branch.is_open and seen.setdefault(name.lower(), name) != name:
            raise BadDeclaration(f"{table}: the properties {seen[name.lower()]!r} and {name!r} differ only in case.")
        if isinstance(child, Branch):
            _refuse_twins(child, table)
