"""Small declarations and a bench to land and load them, for the tests of the warehouse. Not a test itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from ado_assets.tables import NAVIGATION, Column, Parent, Table, by_name
from ado_assets.warehouse import Landing, LoadReport, Manifest, SyncRecord, UnitOutcome, Warehouse

PROJECTS = Table(
    name="projects",
    about="A project.",
    connector="core",
    source="test",
    key=("id",),
    unpartitioned=True,
    columns=(
        Column("id", "VARCHAR", "id", "Id."),
        Column("name", "VARCHAR", "name", "Name."),
        Column("state", "VARCHAR", "state", "State."),
    ),
)

THINGS = Table(
    name="things",
    about="A thing; it's the main table.",
    connector="boards",
    source="test",
    key=("project_id", "id"),
    parent=Parent("projects", {"project_id": "id"}),
    ignored=(*NAVIGATION, "noise", "owner/avatar", "shelf"),
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "Project."),
        Column("id", "BIGINT", "id", "Id."),
        Column("title", "VARCHAR", "title", "Title."),
        Column("status", "VARCHAR", "status", "Status."),
        Column("size", "BIGINT", "size", "Size."),
        Column("ratio", "DOUBLE", "ratio", "Ratio."),
        Column("flag", "BOOLEAN", "flag", "Flag."),
        Column("changed", "TIMESTAMPTZ", "changed", "Changed."),
        Column("owner_id", "VARCHAR", "owner/id", "Owner."),
        Column("owner_name", "VARCHAR", "owner/displayName", "Owner's name."),
        Column("owner_since", "TIMESTAMPTZ", "owner/since", "Owner since."),
        Column("shelf_id", "VARCHAR", "shelf/id", "Shelf; the rest of it is ignored."),
        Column("tags", "JSON", "tags", "Tags."),
        Column("fields", "JSON", "fields", "All fields."),
        Column("field_title", "VARCHAR", "fields/System.Title", "Title field."),
        Column("field_count", "BIGINT", "fields/Custom.Count", "Count field."),
        Column("field_by", "VARCHAR", "fields/System.By/displayName", "By field."),
    ),
)

PARTS = Table(
    name="parts",
    about="A part of a thing.",
    connector="boards",
    source="test",
    key=("project_id", "thing_id", "id"),
    feed="things",
    array="parts",
    ignored=("**/url",),
    parent=Parent("things", {"project_id": "project_id", "thing_id": "id"}),
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "Project."),
        Column("thing_id", "BIGINT", "^id", "Thing."),
        Column("id", "VARCHAR", "id", "Id."),
        Column("label", "VARCHAR", "label", "Label."),
        Column("made", "TIMESTAMPTZ", "made", "Made."),
    ),
)

WORDS = Table(
    name="words",
    about="A word of a thing.",
    connector="boards",
    source="test",
    key=("project_id", "thing_id", "word"),
    feed="things",
    array="deep/words",
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "Project."),
        Column("thing_id", "BIGINT", "^id", "Thing."),
        Column("word", "VARCHAR", "#", "Word."),
    ),
)

NOTES = Table(
    name="notes",
    about="A note on a thing.",
    connector="boards",
    source="test",
    key=("project_id", "thing_id", "id"),
    parent=Parent("things", {"project_id": "project_id", "thing_id": "id"}),
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "Project."),
        Column("thing_id", "BIGINT", "@thing_id", "Thing."),
        Column("id", "BIGINT", "id", "Id."),
        Column("text", "VARCHAR", "text", "Text.", required=True),
    ),
)

REPLIES = Table(
    name="replies",
    about="A reply to a note.",
    connector="boards",
    source="test",
    key=("project_id", "thing_id", "note_id", "id"),
    feed="notes",
    array="replies",
    parent=Parent("notes", {"project_id": "project_id", "thing_id": "thing_id", "note_id": "id"}),
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "Project."),
        Column("thing_id", "BIGINT", "@thing_id", "Thing."),
        Column("note_id", "BIGINT", "^id", "Note."),
        Column("id", "BIGINT", "id", "Id."),
        Column("text", "VARCHAR", "text", "Text."),
    ),
)

ALL = by_name((PROJECTS, THINGS, PARTS, WORDS, NOTES, REPLIES))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """An instant of the test's day."""
    return START + timedelta(minutes=count)


def feed(table: Table) -> list[Table]:
    """The tables of the feed, main table first."""
    return [t for t in ALL.values() if t.feed_name == table.name]


def outcome(
    unit: str = "project:P", status: Any = "read", watermark: str | None = None, at: datetime = START, **more: Any
) -> UnitOutcome:
    """How a unit ended; the project is taken from its key."""
    project = unit.removeprefix("project:") if unit.startswith("project:") else None
    values = {"project_id": project, "repository_id": None, "reason": None, **more}
    return UnitOutcome(unit=unit, status=status, watermark=watermark, at=at, **values)


class Bench:
    """A warehouse of the small declarations in a folder, with short ways to land and load."""

    def __init__(self, folder: Path, tables: Mapping[str, Table] = ALL, **settings: Any) -> None:
        self.tables = tables
        self.warehouse = Warehouse(
            folder / "data" / "test.duckdb", landing=folder / "landing", tables=tables, **settings
        )
        self._syncs = itertools.count(1)

    def feed(self, table: Table) -> list[Table]:
        return [t for t in self.tables.values() if t.feed_name == table.name]

    def landing(self, table: Table = THINGS, tables: Sequence[Table] = ()) -> Landing:
        """A new extraction of the table's feed, or of it as otherwise declared."""
        name = f"sync{next(self._syncs)}"
        return Landing(self.warehouse.landing, "acme", tables or self.feed(table), name)

    def load(self, manifest: Manifest) -> LoadReport:
        tables = [t for t in self.tables.values() if t.feed_name == manifest.feed]
        return self.warehouse.load(manifest, tables, record(manifest))

    def things(
        self,
        *records: Any,
        at: datetime = START,
        project: str = "P",
        complete: bool = False,
        gone: Sequence[tuple[int, str]] = (),
        watermark: str | None = None,
    ) -> LoadReport:
        """Land one page of things of a project, with marks as asked, and load it."""
        return self.load(self.landed(*records, at=at, project=project, complete=complete, gone=gone, mark=watermark))

    def landed(
        self,
        *records: Any,
        at: datetime = START,
        project: str = "P",
        complete: bool = False,
        gone: Sequence[tuple[int, str]] = (),
        mark: str | None = None,
    ) -> Manifest:
        unit = f"project:{project}"
        with self.landing() as landing:
            if records:
                put(landing, records, at, project)
            for id_, reason in gone:
                landing.gone(unit, {"project_id": project, "id": id_}, reason, at)
            if complete:
                landing.complete(unit, "things", {"project_id": project}, "deleted", at)
            return landing.seal([outcome(unit, watermark=mark, at=at)])

    def projects(self, *names: str, at: datetime = START, complete: bool = True) -> LoadReport:
        """Land a listing of the projects and load it."""
        with self.landing(PROJECTS) as landing:
            records = [{"id": name, "name": name.lower()} for name in names]
            landing.page("organization", {}, orjson.dumps({"value": records}), records, at)
            if complete:
                landing.complete("organization", "projects", {}, "deleted", at)
            manifest = landing.seal([outcome("organization", at=at)])
        return self.load(manifest)

    def notes(self, thing: int, *records: Any, at: datetime = START, complete: bool = False) -> LoadReport:
        """Land a page of notes of a thing and load it."""
        with self.landing(NOTES) as landing:
            scope = {"project_id": "P", "thing_id": thing}
            landing.page("project:P", scope, orjson.dumps({"value": records}), records, at)
            if complete:
                landing.complete("project:P", "notes", scope, "deleted", at)
            manifest = landing.seal([outcome(at=at)])
        return self.load(manifest)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(sql, parameters)

    def one(self, columns: str, table: str = "things") -> Any:
        """The one row's columns; a single value for a single column."""
        (row,) = self.rows(f"SELECT {columns} FROM ado.{table}")
        return row[0] if len(row) == 1 else row

    def live(self, table: str = "things", column: str = "id") -> list[Any]:
        """The column's values in live rows, sorted."""
        return [row[0] for row in self.rows(f"SELECT {column} FROM ado_live.{table} ORDER BY 1")]


def put(landing: Landing, records: Sequence[Any], at: datetime = START, project: str = "P", body: bytes = b"") -> None:
    """Land a page of things."""
    landing.page(f"project:{project}", {"project_id": project}, body or orjson.dumps({"value": records}), records, at)


def record(manifest: Manifest, mode: str = "incremental") -> SyncRecord:
    """The record of a sync without calls."""
    return SyncRecord(manifest.sync_id, "run1", manifest.organization, manifest.feed, mode, START)
