"""
Tables, comments and views made from the declarations, and changed additively when those grow.

A column that is no longer declared stays, empty in rows written from then on. A change of type is refused: it needs a
decision by a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import duckdb

from ado_assets.tables import BOOKKEEPING, Table
from ado_assets.warehouse.connection import atomic
from ado_assets.warehouse.errors import BadDeclaration
from ado_assets.warehouse.meta import META_TABLES
from ado_assets.warehouse.sql import LIVE_SCHEMA, META_SCHEMA, TABLES_SCHEMA, address, literal, names, quote

_ORGANIZATION_ABOUT = "Organization the row belongs to."

#: What DuckDB's catalog calls the declared types.
_CATALOG_NAMES = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}

#: Raised when the statements here change, so that existing files are prepared anew.
_REVISION = "1"


def digest(tables: Iterable[Table]) -> str:
    """One text for all that the warehouse takes from the declarations."""
    content = [_REVISION, repr(META_TABLES), repr(BOOKKEEPING)]
    content += [repr((t.name, t.about, t.key, t.columns)) for t in tables]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()


def is_prepared(connection: duckdb.DuckDBPyConnection, wanted: str) -> bool:
    """Whether the file was prepared for these declarations."""
    try:
        return connection.execute(f"SELECT hash FROM {META_SCHEMA}.declarations").fetchall() == [(wanted,)]
    except duckdb.CatalogException:
        return False


def prepare(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
    """
    Bring schemas, tables, comments and views in line with the declarations, in one transaction.

    Raises:
        BadDeclaration: A column is there with another type than declared.
    """
    with atomic(connection):
        for schema in (TABLES_SCHEMA, LIVE_SCHEMA, META_SCHEMA):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        held = _held_columns(connection)
        for name, meta in META_TABLES.items():
            columns = [(column, kind, about) for column, (kind, about) in meta.columns.items()]
            _bring_in_line(connection, f"{META_SCHEMA}.{quote(name)}", columns, (), held.get((META_SCHEMA, name)))
            _comment(connection, f"{META_SCHEMA}.{quote(name)}", meta.about, columns)
        for table in tables.values():
            _bring_table_in_line(connection, table, held.get((TABLES_SCHEMA, table.name)))
        connection.execute(f"DELETE FROM {META_SCHEMA}.declarations")
        connection.execute(
            f"INSERT INTO {META_SCHEMA}.declarations VALUES (?, ?)", [digest(tables.values()), datetime.now(UTC)]
        )


def _held_columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    held: dict[tuple[str, str], dict[str, str]] = {}
    rows = connection.execute(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
        f"WHERE table_catalog = current_database() AND table_schema IN ('{TABLES_SCHEMA}', '{META_SCHEMA}')"
    ).fetchall()
    for schema, table, column, kind in rows:
        held.setdefault((schema, table), {})[column] = kind
    return held


def _bring_table_in_line(connection: duckdb.DuckDBPyConnection, table: Table, held: Mapping[str, str] | None) -> None:
    own = [("organization", "VARCHAR", _ORGANIZATION_ABOUT), *((c.name, c.type, c.about) for c in table.columns)]
    columns = [*own, *BOOKKEEPING]
    _bring_in_line(connection, address(table), columns, table.full_key, held)
    _comment(connection, address(table), table.about, columns)
    view = f"{LIVE_SCHEMA}.{quote(table.name)}"
    connection.execute(
        f"CREATE OR REPLACE VIEW {view} AS SELECT {names(name for name, _, _ in own)} FROM {address(table)} "
        "WHERE _deleted_at IS NULL"
    )
    connection.execute(f"COMMENT ON VIEW {view} IS {literal(f'{table.about} Live rows only.')}")


def _bring_in_line(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Iterable[tuple[str, str, str]],
    key: Iterable[str],
    held: Mapping[str, str] | None,
) -> None:
    columns, key = list(columns), set(key)
    if held is None:
        listed = ", ".join(f"{quote(c)} {kind}{' NOT NULL' if c in key else ''}" for c, kind, _ in columns)
        connection.execute(f"CREATE TABLE {name} ({listed})")
        return
    for column, kind, _ in columns:
        if column not in held:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {quote(column)} {kind}")
        elif held[column] != _CATALOG_NAMES.get(kind, kind):
            raise BadDeclaration(
                f"{name}.{column} is {held[column]} in the file but declared {kind}. Rows are not converted silently: "
                f"either declare the new type under another name, or run 'DROP TABLE {name}' and then a full refresh "
                "of the table."
            )


def _comment(
    connection: duckdb.DuckDBPyConnection, name: str, about: str, columns: Iterable[tuple[str, str, str]]
) -> None:
    statements = [f"COMMENT ON TABLE {name} IS {literal(about)}"]
    statements += [f"COMMENT ON COLUMN {name}.{quote(column)} IS {literal(text)}" for column, _, text in columns]
    connection.execute(";".join(statements))
