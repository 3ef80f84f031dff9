"""
How rows, deletions, watermarks and the ledger land in DuckDB, atomically. Knows the declarations and no API.

``Landing`` writes what an extraction brings to files; ``Warehouse.load`` takes a sealed ``Manifest`` into the file in
one transaction.
"""

from ado_assets.warehouse.checks import Finding
from ado_assets.warehouse.errors import (
    BadDeclaration,
    BadLanding,
    BadRecord,
    BadWarehousePath,
    KeyViolation,
    NoSpace,
    WarehouseCorrupt,
    WarehouseError,
    WarehouseLocked,
    WarehouseMissing,
    WarehouseReadOnly,
    WarehouseTooNew,
)
from ado_assets.warehouse.landing import Landing, abandoned, prune
from ado_assets.warehouse.manifest import LandedFile, Manifest, UnitOutcome
from ado_assets.warehouse.plan import DueParent
from ado_assets.warehouse.report import Calls, LoadReport, SyncRecord, TableCounts
from ado_assets.warehouse.status import Books, LastSync, Ledger, UnitStatus
from ado_assets.warehouse.warehouse import Warehouse

__all__ = [
    "BadDeclaration",
    "BadLanding",
    "BadRecord",
    "BadWarehousePath",
    "Books",
    "Calls",
    "DueParent",
    "Finding",
    "KeyViolation",
    "LandedFile",
    "Landing",
    "LastSync",
    "Ledger",
    "LoadReport",
    "Manifest",
    "NoSpace",
    "SyncRecord",
    "TableCounts",
    "UnitOutcome",
    "UnitStatus",
    "Warehouse",
    "WarehouseCorrupt",
    "WarehouseError",
    "WarehouseLocked",
    "WarehouseMissing",
    "WarehouseReadOnly",
    "WarehouseTooNew",
    "abandoned",
    "prune",
]
