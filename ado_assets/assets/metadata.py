"""What a materialization tells a person: counts, calls, coverage and a small preview."""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from ado_assets.sync import FeedReport
from ado_assets.tables import Table
from ado_assets.warehouse import Warehouse

#: An event costs about 17 ms; beyond this many changed projects only the summary is written.
PROJECT_EVENTS_AT_MOST = 500

#: Rows and characters of the preview.
PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 60


def materialization_metadata(
    tables: Iterable[Table], report: FeedReport, warehouse: Warehouse
) -> dict[str, dict[str, Any]]:
    """What the materialization of each table says, by table."""
    with warehouse.reading():
        return {table.name: _metadata(table, report, warehouse) for table in tables}


def _metadata(table: Table, report: FeedReport, warehouse: Warehouse) -> dict[str, Any]:
    counts = report.load.tables[table.name]
    metadata: dict[str, Any] = {
        "dagster/row_count": counts.rows,
        "mode": report.mode,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "deleted": counts.deleted,
        "restored": counts.restored,
        "api_calls": report.requests,
        "retries": report.retries,
        "throttled_seconds": round(report.throttled_seconds, 3),
        "seconds": round(report.seconds, 3),
        "received_bytes": report.received_bytes,
        "sync_id": report.sync_id,
        "units": dg.MetadataValue.json(_coverage(report)),
    }
    if counts.cast_failures:
        metadata["values_that_did_not_fit"] = dg.MetadataValue.json(dict(counts.cast_failures))
    if preview := _preview(table, warehouse):
        metadata["preview"] = preview
    return metadata


def project_materializations(table: Table, report: FeedReport) -> Iterator[dg.AssetMaterialization]:
    """One event per project whose rows of this table were written, in a run that covers the whole organization."""
    written = report.load.tables[table.name].projects
    touched = {report.projects[key]: rows for key, rows in written.items() if key in report.projects}
    if len(touched) > PROJECT_EVENTS_AT_MOST:
        return
    for name, rows in sorted(touched.items()):
        yield dg.AssetMaterialization(
            table.name, partition=name, metadata={"rows_written": rows, "sync_id": report.sync_id}
        )


def _coverage(report: FeedReport) -> dict[str, Any]:
    return {
        "read": sum(o.status == "read" for o in report.outcomes),
        "skipped": {o.repository_id or o.unit: o.reason for o in report.skipped[:50]},
        "failed": {o.repository_id or o.unit: o.reason for o in report.failed[:50]},
    }


def _preview(table: Table, warehouse: Warehouse) -> dg.MetadataValue[Any] | None:
    """The first columns of the rows written last, as a table of plain text."""
    names = list(dict.fromkeys((*table.key, *(c.name for c in table.columns if c.type != "JSON"))))[:8]
    rows = warehouse.preview(table, names, PREVIEW_ROWS)
    if not rows:
        return None
    records = [
        dg.TableRecord({n: str(v)[:PREVIEW_CHARACTERS] for n, v in zip(names, row, strict=True)}) for row in rows
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema([dg.TableColumn(n) for n in names]))
