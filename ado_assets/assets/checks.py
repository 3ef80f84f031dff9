"""
Asset checks made from the declarations.

Keys and required columns are also enforced inside the load's transaction; the checks report on what is in the file now,
whoever wrote it.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ado_assets.resources import AdoDeployment, AdoWarehouse
from ado_assets.tables import TABLES, Table
from ado_assets.warehouse import Finding


def table_checks(table: Table) -> dg.AssetChecksDefinition:
    """All checks of one table, run together in one short read of the warehouse."""
    names = ["key_is_unique", "required_columns_are_filled", "coverage_is_complete"]
    if table.parent:
        names.append("parents_are_known")
    about = {
        "key_is_unique": f"No two rows share {', '.join(table.full_key)}.",
        "required_columns_are_filled": f"No NULL in {', '.join(table.required)}.",
        "coverage_is_complete": "Every unit was read by the last sync that tried; names those left out and why.",
        "parents_are_known": f"Every live row hangs under a row of {table.parent.table if table.parent else ''}.",
    }

    @dg.multi_asset_check(
        name=f"{table.name}_checks",
        specs=[dg.AssetCheckSpec(name, asset=table.name, description=about[name]) for name in names],
        required_resource_keys={"deployment", "warehouse"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        deployment: AdoDeployment = context.resources.deployment
        warehouse: AdoWarehouse = context.resources.warehouse
        found = warehouse.open().check(deployment.settings().organization, table)
        for name in names:
            yield _result(table, name, found[name])

    return checks


def _result(table: Table, name: str, finding: Finding) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"rows": finding.count}
    if finding.examples:
        metadata["examples"] = dg.MetadataValue.json(list(finding.examples))
    severity = dg.AssetCheckSeverity.WARN if name == "coverage_is_complete" else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        asset_key=table.name, check_name=name, passed=finding.count == 0, severity=severity, metadata=metadata
    )


def make_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of every declared table."""
    return [table_checks(table) for table in TABLES.values()]
