"""Names and values as SQL text. Values travel as parameters wherever DuckDB takes them; comments it does not."""

from __future__ import annotations

from collections.abc import Iterable

from ado_assets.tables import Table

#: Schemas of the tables, of the views for people, and of the bookkeeping.
TABLES_SCHEMA = "ado"
LIVE_SCHEMA = "ado_live"
META_SCHEMA = "ado_meta"


def quote(name: str) -> str:
    """The identifier *name*, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """*text* as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def address(table: Table | str) -> str:
    """The table's full name in the warehouse."""
    return f"{TABLES_SCHEMA}.{quote(table if isinstance(table, str) else table.name)}"


def names(columns: Iterable[str], alias: str = "") -> str:
    """The columns as a list, each of *alias* when one is given."""
    return ", ".join(f"{alias}.{quote(c)}" if alias else quote(c) for c in columns)


def equal(left: str, right: str, columns: Iterable[str] | dict[str, str]) -> str:
    """The condition that *left* and *right* (aliases) agree in the columns, or in pairs left -> right."""
    pairs = columns.items() if isinstance(columns, dict) else ((c, c) for c in columns)
    return " AND ".join(f"{left}.{quote(a)} = {right}.{quote(b)}" for a, b in pairs)
