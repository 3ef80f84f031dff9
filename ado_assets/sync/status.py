"""Where each table stands: rows, coverage, watermarks, last success. Asks only the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ado_assets.sync.selection import UnknownProject
from ado_assets.tables import TABLES, Table
from ado_assets.warehouse import LastSync, Ledger, UnitStatus, Warehouse


@dataclass(frozen=True)
class TableStatus:
    """
    One table, or one table in one project.

    Args:
        project: Name of the project; None for the table as a whole.
        rows: Live rows.
        units: What the ledger says of the units that bring the rows. A table that is read for the whole organization at
            once has one unit, which counts for each project.
        last_sync: The newest sync of the table that was committed, of whatever projects.
    """

    table: str
    project: str | None
    rows: int
    units: tuple[UnitStatus, ...]
    last_sync: LastSync | None

    def count(self, status: str) -> int:
        """Units whose last attempt ended so: ``read``, ``skipped`` or ``failed``."""
        return sum(unit.status == status for unit in self.units)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why units were not read, each reason once."""
        return tuple(sorted({unit.reason or unit.status for unit in self.units if unit.status != "read"}))

    @property
    def watermarks(self) -> tuple[str, ...]:
        """Where the next reads start: texts whose meaning only the read knows, each once."""
        return tuple(sorted({unit.watermark for unit in self.units if unit.watermark is not None}))

    @property
    def last_success_at(self) -> datetime | None:
        """Server time of the newest read that succeeded (UTC)."""
        return max((unit.last_success_at for unit in self.units if unit.last_success_at), default=None)

    @property
    def last_result(self) -> str:
        """``failed`` when that is how some unit's newest attempt ended, else ``read``, ``skipped`` (all), ``never``."""
        found = {unit.status for unit in self.units}
        return next((status for status in ("failed", "read", "skipped") if status in found), "never")


def table_statuses(
    warehouse: Warehouse,
    organization: str,
    tables: Sequence[Table] = (),
    projects: Sequence[str] = (),
    *,
    by_project: bool = False,
) -> list[TableStatus]:
    """
    The status of tables, in their order; by project when that is asked for.

    Args:
        tables: All when empty.
        projects: Names or ids of the projects to look at; empty for the whole organization.
        by_project: One status per table and project instead of one per table.

    Raises:
        UnknownProject: There is no live project of this name or id.
        WarehouseMissing: There is no warehouse yet.
    """
    books = warehouse.books(organization, tables or tuple(TABLES.values()))
    names = _chosen(books.projects, projects, organization)
    if not by_project:
        ids = set(names) if projects else None
        return [_status(ledger, None, ids) for ledger in books.ledgers if not projects or _is_partitioned(ledger)]
    found = []
    for ledger in books.ledgers:
        if _is_partitioned(ledger):
            found += [_status(ledger, name, {each}) for each, name in names.items()]
        elif not projects:
            found.append(_status(ledger, None, None))
    return found


def _chosen(names: Mapping[str, str], asked: Sequence[str], organization: str) -> dict[str, str]:
    if not asked:
        return dict(sorted(names.items(), key=lambda item: item[1]))
    ids = {name: each for each, name in names.items()} | {each: each for each in names}
    if missing := [name for name in asked if name not in ids]:
        raise UnknownProject(
            f"The warehouse holds no project of {organization!r} called {', '.join(map(repr, missing))}. "
            f"It holds: {', '.join(sorted(map(repr, names.values()))) or 'none yet'}."
        )
    return {ids[name]: names[ids[name]] for name in asked}


def _status(ledger: Ledger, project: str | None, project_ids: set[str] | None) -> TableStatus:
    if project_ids is None:
        return TableStatus(ledger.table, project, ledger.rows.total(), ledger.units, ledger.last_sync)
    rows = sum(ledger.rows[each] for each in project_ids)
    units = tuple(unit for unit in ledger.units if unit.project_id is None or unit.project_id in project_ids)
    return TableStatus(ledger.table, project, rows, units, ledger.last_sync)


def _is_partitioned(ledger: Ledger) -> bool:
    return not TABLES[ledger.table].unpartitioned
