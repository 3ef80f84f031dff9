"""Declarations of the bookkeeping tables in ``ado_meta``. What is written to them when is in ``state``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class MetaTable:
    """A bookkeeping table: what a row is, and its columns as name -> (type, meaning)."""

    about: str
    columns: Mapping[str, tuple[str, str]]


_ORGANIZATION: Final = ("VARCHAR", "Organization.")
_FEED: Final = ("VARCHAR", "Main table of the read.")
_TABLE: Final = ("VARCHAR", "Table in the schema ado.")
_SYNC: Final = ("VARCHAR", "Name of the sync; also of its landing folder.")

META_TABLES: Final[Mapping[str, MetaTable]] = {
    "declarations": MetaTable(
        "The declarations that the tables were last prepared for.",
        {"hash": ("VARCHAR", "Digest of all declarations."), "prepared_at": ("TIMESTAMPTZ", "When (UTC).")},
    ),
    "watermarks": MetaTable(
        "Where the next read of a unit starts.",
        {
            "organization": _ORGANIZATION,
            "feed": _FEED,
            "unit": ("VARCHAR", "organization, project:<id> or repository:<id>."),
            "value": ("VARCHAR", "Text whose meaning only the read knows."),
            "updated_at": ("TIMESTAMPTZ", "Server time of the read that left it (UTC)."),
        },
    ),
    "coverage": MetaTable(
        "What could be read and what could not, one row per table and unit.",
        {
            "organization": _ORGANIZATION,
            "table_name": _TABLE,
            "project_id": ("VARCHAR", "Project of the unit; null for the organization."),
            "repository_id": ("VARCHAR", "Repository of the unit; null when it is no repository."),
            "status": ("VARCHAR", "read, skipped (a lasting reason) or failed (to be tried again)."),
            "reason": ("VARCHAR", "Why it was not read."),
            "rows": ("BIGINT", "Live rows of the unit after the attempt."),
            "watermark": ("VARCHAR", "The unit's watermark after the attempt."),
            "last_success_at": ("TIMESTAMPTZ", "Server time of the last attempt that succeeded (UTC)."),
            "last_attempt_at": ("TIMESTAMPTZ", "Server time of the last attempt (UTC)."),
        },
    ),
    "child_reads": MetaTable(
        "Parent rows whose children were read, and at which version of the parent.",
        {
            "organization": _ORGANIZATION,
            "feed": _FEED,
            "project_id": ("VARCHAR", "Project of the unit that read them."),
            "parent": ("VARCHAR", "The parent's key as a JSON object of texts."),
            "version": ("BIGINT", "The parent's version when the read was planned."),
            "read_at": ("TIMESTAMPTZ", "Server time of the read (UTC)."),
        },
    ),
    "loads": MetaTable(
        "Loads in their order.",
        {
            "load_id": ("BIGINT", "Number; also _load_id of the rows it wrote."),
            "sync_id": _SYNC,
            "organization": _ORGANIZATION,
            "feed": _FEED,
            "loaded_at": ("TIMESTAMPTZ", "When it was committed (UTC, our clock)."),
        },
    ),
    "syncs": MetaTable(
        "Every sync of a table. Calls and bytes are on the main table of a read that brings several.",
        {
            "sync_id": _SYNC,
            "run_id": ("VARCHAR", "Run that asked for it."),
            "organization": _ORGANIZATION,
            "table_name": _TABLE,
            "started_at": ("TIMESTAMPTZ", "When it began (UTC, our clock)."),
            "finished_at": ("TIMESTAMPTZ", "When it was committed (UTC, our clock)."),
            "mode": ("VARCHAR", "incremental, full_refresh or replay."),
            "requests": ("BIGINT", "API calls."),
            "bytes": ("BIGINT", "Size of the answers' bodies."),
            "throttled_seconds": ("DOUBLE", "Time spent waiting because the service asked for it."),
            "retries": ("BIGINT", "Requests that were sent again."),
            "inserted": ("BIGINT", "New rows."),
            "updated": ("BIGINT", "Changed rows, with those that are live again."),
            "unchanged": ("BIGINT", "Rows read that were held alike."),
            "deleted": ("BIGINT", "Rows flagged as gone."),
        },
    ),
    "requests": MetaTable(
        "API calls of a sync.",
        {
            "sync_id": _SYNC,
            "endpoint": ("VARCHAR", "Operation, with its parameters as placeholders."),
            "status": ("BIGINT", "HTTP status; 0 where no complete answer came."),
            "calls": ("BIGINT", "How many."),
            "seconds": ("DOUBLE", "Their time, added up."),
        },
    ),
}
