"""Which table hangs under which, and by which columns: for cascades, array listings and the versions of parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ado_assets.tables import Table
from ado_assets.warehouse.errors import BadDeclaration


@dataclass(frozen=True)
class Link:
    """A child and its parent; *columns* maps the child's columns to the parent's. ``organization`` is always joined."""

    child: Table
    parent: Table
    columns: Mapping[str, str]

    @property
    def joined(self) -> dict[str, str]:
        """All columns of the join, child -> parent."""
        return {"organization": "organization", **self.columns}


def link_of(table: Table, tables: Mapping[str, Table]) -> Link | None:
    """
    The table's parent: for rows inside another record that record's table, else the declared one; None without any.

    Raises:
        BadDeclaration: The parent is not among *tables*, is the table itself, or cannot be joined.
    """
    if table.array:
        return _link_to_record(table, _named(tables, table.feed, table))
    if table.parent is None:
        return None
    if table.parent.table == table.name:
        raise BadDeclaration(f"{table.name} is declared as its own parent.")
    return Link(table, _named(tables, table.parent.table, table), dict(table.parent.columns))


def _named(tables: Mapping[str, Table], name: str, child: Table) -> Table:
    if name not in tables:
        raise BadDeclaration(f"{child.name} refers to {name}, which is not a declared table.")
    return tables[name]


def _link_to_record(table: Table, record: Table) -> Link:
    """The link of an array table: declared, or found where both take a value from the same place."""
    if table.parent and table.parent.table == record.name and set(table.parent.columns.values()) == set(record.key):
        return Link(table, record, dict(table.parent.columns))
    by_path = {c.path: c.name for c in table.columns}
    columns = {}
    for name in record.key:
        path = record.column(name).path
        child = by_path.get(path if path.startswith("@") else f"^{path}")
        if child is None:
            raise BadDeclaration(
                f"{table.name} has no column for {record.name}.{name}, so that its rows cannot be told by record. "
                f"Declare one with the path {path if path.startswith('@') else '^' + path!r}."
            )
        columns[child] = name
    return Link(table, record, columns)


def arrays_of(table: Table, tables: Iterable[Table]) -> list[Table]:
    """The tables whose rows are inside the table's records."""
    return [other for other in tables if other.array and other.feed == table.name]


def descendants(tables: Mapping[str, Table]) -> list[Link]:
    """All links, parents before their children."""
    links = {name: link for name, table in tables.items() if (link := link_of(table, tables))}
    ordered: list[Link] = []
    placed = {name for name in tables if name not in links}
    while len(ordered) < len(links):
        ready = [n for n, link in links.items() if n not in placed and link.parent.name in placed]
        if not ready:
            raise BadDeclaration(f"These tables are parents of each other: {sorted(set(links) - placed)}.")
        ordered += [links[n] for n in ready]
        placed.update(ready)
    return ordered


def ancestor_columns(child: Table, ancestor: Table, tables: Mapping[str, Table]) -> dict[str, str] | None:
    """The child's columns -> the ancestor's key, along the chain of parents; None when that does not lead there."""
    columns: dict[str, str] | None = None
    table = child
    seen: Sequence[str] = ()
    while (link := link_of(table, tables)) and link.parent.name not in seen:
        seen = (*seen, link.parent.name)
        if columns is None:
            columns = dict(link.columns)
        else:
            columns = {c: link.columns[p] for c, p in columns.items() if p in link.columns}
        if link.parent.name == ancestor.name:
            return columns if set(columns.values()) >= set(ancestor.key) else None
        table = link.parent
    return None
