"""What a sync asks the warehouse before it reads: which parents are due, which rows are held. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from ado_assets.tables import Table
from ado_assets.warehouse.family import ancestor_columns, arrays_of, link_of
from ado_assets.warehouse.sql import META_SCHEMA, address, equal, literal, names, quote


@dataclass(frozen=True)
class DueParent:
    """
    A parent row whose children are to be read.

    Args:
        values: The columns asked for and the parent's key.
        version: Number of the load that last wrote the row or a row inside its record.
        children: Live child rows held.
    """

    values: dict[str, Any]
    version: int
    children: int


@dataclass(frozen=True)
class DueRule:
    """
    When the children of a parent row are read again.

    Args:
        parent: The parent table.
        columns: Columns handed back.
        final: Column and the values in which a parent is final; outside them it is always due.
        revisit: Column with the instant it became final, and how long after that it is looked at again.
        now: Server time, UTC-aware.
        full: Every live parent is due.
    """

    parent: Table
    columns: tuple[str, ...]
    final: tuple[str, tuple[str, ...]] | None
    revisit: tuple[str, tuple[timedelta, ...]] | None
    now: datetime
    full: bool


def due(
    connection: duckdb.DuckDBPyConnection,
    organization: str,
    children: Table,
    rule: DueRule,
    project_ids: Sequence[str] | None,
    tables: Mapping[str, Table],
) -> list[DueParent]:
    """
    Live parent rows whose children are due, in the order of their keys.

    Args:
        children: Main table of the feed that reads them.
        project_ids: None for all projects.
        tables: All tables of the warehouse.
    """
    parent = rule.parent
    wanted = tuple(dict.fromkeys((*rule.columns, *parent.key)))
    version, version_joins = _version(parent, tables)
    held, held_join = _children(children, parent, tables)
    projects, values = _in_projects("p", parent, project_ids)
    values |= {"organization": organization}
    condition = _condition(rule, version, values)
    reads = ""
    if condition:
        values["feed"] = children.name
        reads = (
            f" LEFT JOIN (SELECT parent, version, read_at FROM {META_SCHEMA}.child_reads WHERE organization = "
            f"$organization AND feed = $feed) AS r ON r.parent = {_key_text(parent)}"
        )
    rows = connection.execute(
        f"SELECT {names(wanted, 'p')}, {version}, {held} FROM {address(parent)} AS p{version_joins}{held_join}{reads} "
        f"WHERE p.organization = $organization AND p._deleted_at IS NULL{projects}{condition} "
        f"ORDER BY {names(parent.key, 'p')}",
        values,
    ).fetchall()
    return [DueParent(dict(zip(wanted, row, strict=False)), row[-2], row[-1]) for row in rows]


def held(
    connection: duckdb.DuckDBPyConnection,
    organization: str,
    table: Table,
    columns: Sequence[str],
    unless: tuple[str, tuple[str, ...]] | None,
    project_ids: Sequence[str] | None,
) -> list[dict[str, Any]]:
    """Live rows, but for those whose column has one of the values of *unless*."""
    projects, values = _in_projects("p", table, project_ids)
    values |= {"organization": organization}
    if unless:
        values["left_out"] = list(unless[1])
        projects += (
            f" AND (p.{quote(unless[0])} IS NULL OR CAST(p.{quote(unless[0])} AS VARCHAR) NOT IN {_any('left_out')})"
        )
    rows = connection.execute(
        f"SELECT {names(columns, 'p')} FROM {address(table)} AS p "
        f"WHERE p.organization = $organization AND p._deleted_at IS NULL{projects} ORDER BY {names(table.key, 'p')}",
        values,
    ).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _any(parameter: str) -> str:
    return f"(SELECT unnest(CAST(${parameter} AS VARCHAR[])))"


def _in_projects(alias: str, table: Table, project_ids: Sequence[str] | None) -> tuple[str, dict[str, Any]]:
    column = "id" if table.name == "projects" else "project_id"
    if project_ids is None or column not in {c.name for c in table.columns}:
        return "", {}
    return f" AND {alias}.{quote(column)} IN {_any('projects')}", {"projects": list(project_ids)}


def _version(parent: Table, tables: Mapping[str, Table]) -> tuple[str, str]:
    """The parent's version, and the joins it needs: a row inside its record that changes is a change of it."""
    terms, joins = ["p._load_id"], ""
    for number, array in enumerate(arrays_of(parent, tables.values())):
        link = link_of(array, tables)
        assert link is not None
        alias, columns = f"a{number}", dict(link.columns)
        joins += (
            f" LEFT JOIN (SELECT {names(columns)}, max(_load_id) AS version FROM {address(array)} WHERE "
            f"organization = $organization GROUP BY {names(columns)}) AS {alias} ON {equal(alias, 'p', columns)}"
        )
        terms.append(f"coalesce({alias}.version, 0)")
    return f"greatest({', '.join(terms)})", joins


def _children(children: Table, parent: Table, tables: Mapping[str, Table]) -> tuple[str, str]:
    """How many live children are held, and the join it needs; 0 where they do not hang under the parent."""
    columns = ancestor_columns(children, parent, {**tables, children.name: children})
    if not columns:
        return "0", ""
    join = (
        f" LEFT JOIN (SELECT {names(columns)}, count(*) AS rows FROM {address(children)} WHERE organization = "
        f"$organization AND _deleted_at IS NULL GROUP BY {names(columns)}) AS k ON {equal('k', 'p', columns)}"
    )
    return "coalesce(k.rows, 0)", join


def _key_text(parent: Table) -> str:
    """The parent's key as ``Landing.children_read`` writes it."""
    pairs = ", ".join(f"{literal(name)}, CAST(p.{quote(name)} AS VARCHAR)" for name in sorted(parent.key))
    return f"CAST(json_object({pairs}) AS VARCHAR)"


def _condition(rule: DueRule, version: str, values: dict[str, Any]) -> str:
    if rule.full:
        return ""
    reasons = ["r.parent IS NULL", f"r.version <> {version}"]
    if rule.final:
        values["final"] = list(rule.final[1])
        column = f"p.{quote(rule.final[0])}"
        reasons.append(f"{column} IS NULL OR CAST({column} AS VARCHAR) NOT IN {_any('final')}")
    if rule.revisit:
        values["now"] = rule.now
        for number, after in enumerate(rule.revisit[1]):
            values[f"after{number}"] = after
            instant = f"(p.{quote(rule.revisit[0])} + CAST($after{number} AS INTERVAL))"
            reasons.append(f"{instant} <= CAST($now AS TIMESTAMPTZ) AND r.read_at < {instant}")
    return f" AND ({' OR '.join(f'({reason})' for reason in reasons)})"
