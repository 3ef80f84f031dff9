"""
Whether rows that are held as gone are gone, and for the reason that the sample organization knows.

What reason a flagged row must have:

- Its parent is not live: ``parent_deleted``, or the reason it had already when the parent went.
- The organization names it in ``gone``: that reason. Where it names it ``destroyed`` (which the API does not announce
  of what was recycled before, or had left the projects that are read), a reason it had before is right as well.
- Otherwise it was replaced or taken away inside something that lives on (a relation, a label, a record): ``deleted``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ado_assets.tables import TABLES, Table

Gone = tuple[str, Mapping[str, Any], Mapping[str, Any], str]
Key = tuple[Any, ...]

#: Resources of the sample organization whose tables have other names.
TABLES_OF = {
    "timeline_records": ("build_timeline_records",),
    "deployments": ("release_deployments",),
    "classification_nodes": ("areas", "iterations"),
}


class Graveyard:
    """Remembers for every row that the organization ever named as gone why it was, in the order of the reasons."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, Key], list[str]] = defaultdict(list)
        self._now: dict[tuple[str, Key], str] = {}

    def note(self, gone: Iterable[Gone]) -> None:
        """Take in what is gone now; to be called after each change."""
        self._now = {}
        for resource, scope, key, reason in gone:
            for name in TABLES_OF.get(resource, (resource,)):
                row = (name, key_of(TABLES[name], {**scope, **key}))
                self._now[row] = reason
                if reason not in self._reasons[row]:
                    self._reasons[row].append(reason)

    def reasons(self, table: str, key: Key, *, parent_lives: bool) -> set[str]:
        """The reasons that a flagged row may have."""
        now = self._now.get((table, key))
        own = {now or "deleted"}
        if now == "destroyed":
            own.add("unreachable")
        if now == "destroyed" or not parent_lives:
            own |= set(self._reasons.get((table, key), ()))
        return own if parent_lives else own | {"parent_deleted"}


def key_of(table: Table, values: Mapping[str, Any]) -> Key:
    """The table's key out of values that are named as in the API."""
    found = []
    for name in table.key:
        path = table.column(name).path.removeprefix("@")
        found.append(next(values[each] for each in (path, path.rpartition("/")[2], name) if each in values))
    return tuple(found)


def wrong_tombstones(warehouse: Any, graveyard: Graveyard) -> Iterator[str]:
    """Sentences about rows that are flagged for a wrong reason, or held both live and flagged."""
    for table in TABLES.values():
        keys = ", ".join(f'c."{name}"' for name in table.key)
        twice = warehouse.rows(f'SELECT {keys}, count(*) FROM ado."{table.name}" AS c GROUP BY ALL HAVING count(*) > 1')
        if twice:
            yield f"{table.name}: {len(twice)} keys are held twice, for example {twice[0]}"
        rows = warehouse.rows(
            f'SELECT {keys}, {_parent_lives(table)}, c._deleted_reason FROM ado."{table.name}" AS c '
            "WHERE c._deleted_at IS NOT NULL"
        )
        for *key, parent_lives, reason in rows:
            allowed = graveyard.reasons(table.name, tuple(key), parent_lives=parent_lives)
            if reason not in allowed:
                where = "" if parent_lives else " (its parent is gone)"
                yield f"{table.name}: {tuple(key)} is flagged {reason}, not {' or '.join(sorted(allowed))}{where}"


def _parent_lives(table: Table) -> str:
    if table.parent is None:
        return "true"
    joined = " AND ".join(f'p."{theirs}" = c."{ours}"' for ours, theirs in table.parent.columns.items())
    return f'EXISTS (SELECT 1 FROM ado."{table.parent.table}" AS p WHERE {joined} AND p._deleted_at IS NULL)'
