"""The vendor's own Python package, as a client nobody here wrote, and the warehouse hold the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ado_assets.tables import TABLES
from ado_assets_tests.official_client import read_everything


def comparable(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def test_warehouse_agrees_with_the_vendors_package(deployment):
    """Keys and properties of every resource the package can read, after a first sync and days of activity."""
    deployment.sync()
    deployment.world.tick(days=2)
    deployment.sync()

    read = read_everything(deployment.server.base_url, deployment.server.organization, "sample-all-token")

    assert len(read) >= 20
    for resource, rows in read.items():
        table = TABLES[resource]
        columns = sorted(set().union(*rows.values()))
        listed = ", ".join(f'"{name}"' for name in (*table.key, *columns))
        held = {
            tuple(row[: len(table.key)]): dict(zip(columns, map(comparable, row[len(table.key) :]), strict=True))
            for row in deployment.warehouse.rows(f'SELECT {listed} FROM ado."{resource}" WHERE _deleted_at IS NULL')
        }
        numeric = [table.column(name).type == "BIGINT" for name in table.key]
        expected = {
            # The service sends the ids of linked work items as text.
            tuple(int(part) if number else part for part, number in zip(key, numeric, strict=True)): {
                name: comparable(row.get(name)) for name in columns
            }
            for key, row in rows.items()
        }
        assert expected == held, resource
