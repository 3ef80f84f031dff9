"""Plan a sync: which units there are, where each starts, and which parents are due. Reads only the warehouse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ado_assets.streams.model import Due, Feed, Options, Parent, Project, Request, Unit
from ado_assets.sync.selection import NothingToRead, Selection, select_projects
from ado_assets.tables import TABLES
from ado_assets.warehouse import DueParent, Warehouse

ORGANIZATION = "organization"


@dataclass(frozen=True)
class Plan:
    """The requests of one sync of one feed, and the projects it covers."""

    requests: tuple[Request, ...]
    projects: tuple[Project, ...]


def plan(feed: Feed, selection: Selection, warehouse: Warehouse, now: datetime) -> Plan:
    """
    The requests that bring the feed up to date for the selection.

    A unit whose parents are all up to date is left out: nothing is to be asked for it.

    Raises:
        UnknownProject: A project was asked for that is not there.
        NothingToRead: The projects have never been read.
    """
    with warehouse.reading():
        return _plan(feed, selection, warehouse, now)


def _plan(feed: Feed, selection: Selection, warehouse: Warehouse, now: datetime) -> Plan:
    projects = _projects(feed, selection, warehouse)
    watermarks = {} if selection.full_refresh else warehouse.watermarks(selection.organization, feed.name)
    parents = _due(feed, selection, warehouse, projects, now)
    held = _held(feed, selection, warehouse, projects)
    requests = []
    for unit in _units(feed, projects, parents):
        unit_parents = tuple(parents.get(_group(feed, unit), ()))
        if feed.due and not unit_parents:
            continue
        requests.append(
            Request(
                unit=unit,
                watermark=_start(watermarks.get(unit.key), selection),
                now=now,
                projects=projects,
                whole=selection.whole,
                parents=unit_parents,
                held=tuple(held.get(unit.project.id if unit.project else ORGANIZATION, ())),
                options=selection.options,
            )
        )
    return Plan(tuple(requests), projects)


def _projects(feed: Feed, selection: Selection, warehouse: Warehouse) -> tuple[Project, ...]:
    if all(table.unpartitioned for table in feed.tables):
        return ()
    held = warehouse.projects(selection.organization)
    if not held:
        raise NothingToRead(
            f"{feed.name} cannot be read yet: no project of {selection.organization!r} is in the warehouse. "
            "Materialize the asset 'projects' first (or run `ado-assets sync`); that takes a token of the boards, "
            "pipelines or repos connector with Project and Team (Read)."
        )
    return select_projects(selection, held)


def _start(watermark: str | None, selection: Selection) -> str | None:
    """
    The stored watermark; where it begins with an instant, the one a person asked for stands in its place.

    What follows the instant after a space (which repositories were read) says something else and stays.
    """
    if selection.since is None or watermark is None or watermark.startswith("{"):
        return watermark
    _, space, rest = watermark.partition(" ")
    return f"{selection.since.isoformat()}{space}{rest}"


def _group(feed: Feed, unit: Unit) -> str:
    if feed.unit == "repository":
        return unit.repository_id or ""
    return unit.project.id if unit.project else ORGANIZATION


def _units(feed: Feed, projects: Sequence[Project], parents: Mapping[str, Sequence[Parent]]) -> Iterable[Unit]:
    if feed.unit == ORGANIZATION:
        return [Unit(ORGANIZATION)]
    if feed.unit == "project":
        return [Unit(f"project:{p.id}", p) for p in projects]
    by_id = {p.id: p for p in projects}
    return [
        Unit(f"repository:{repository}", by_id[rows[0].values["project_id"]], repository)
        for repository, rows in parents.items()
    ]


def _due(
    feed: Feed, selection: Selection, warehouse: Warehouse, projects: Sequence[Project], now: datetime
) -> dict[str, list[Parent]]:
    """Due parent rows by the unit they are read in."""
    if feed.due is None:
        return {}
    rows: Sequence[DueParent] = warehouse.due(
        selection.organization,
        feed.name,
        feed.tables,
        parent=TABLES[feed.due.parent],
        columns=feed.due.columns,
        final=feed.due.final,
        revisit=revisits(feed.due, selection.options),
        now=now,
        full=selection.full_refresh,
        project_ids=[p.id for p in projects],
    )
    name = "id" if feed.unit == "repository" else "project_id"
    grouped: dict[str, list[Parent]] = defaultdict(list)
    for row in rows:
        key = ORGANIZATION if feed.unit == ORGANIZATION else row.values[name]
        grouped[key].append(Parent(row.values, row.version, row.children))
    return grouped


def revisits(due: Due, options: Options) -> tuple[str, tuple[timedelta, ...]] | None:
    """The feed's schedule within the grace window, which ends with a last look."""
    if due.revisit is None:
        return None
    column, schedule = due.revisit
    return column, (*(after for after in schedule if after < options.lookback), options.lookback)


def _held(
    feed: Feed, selection: Selection, warehouse: Warehouse, projects: Sequence[Project]
) -> dict[str, list[dict[str, Any]]]:
    if feed.held is None:
        return {}
    columns = tuple(dict.fromkeys((*feed.held.columns, "project_id")))
    rows = warehouse.held(selection.organization, feed.tables[0], columns, feed.held.unless, [p.id for p in projects])
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["project_id"] if feed.unit == "project" else ORGANIZATION].append(row)
    return grouped
