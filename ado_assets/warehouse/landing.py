"""
Landing files: what an extraction brings, as it came, on disk before any of it is loaded.

One folder per sync and feed; see ``Landing``. A folder is whole when its manifest is there, which is written last.
Extraction holds no database. Reading the files back is the business of ``stage`` and ``marks``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote as url_quote

import orjson
import zstandard

from ado_assets.tables import Table
from ado_assets.warehouse import manifest as sealed
from ado_assets.warehouse.connection import make_folder
from ado_assets.warehouse.errors import BadLanding, explain
from ado_assets.warehouse.manifest import LandedFile, Manifest, UnitOutcome
from ado_assets.warehouse.repair import repaired
from ado_assets.warehouse.shape import compile_feed, shape_of

#: A file is closed after so many pages, or sooner after so many bytes of JSON.
_PAGES_PER_FILE = 20
_BYTES_PER_FILE = 8 * 2**20

_LOCK = "writing.lock"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Scope = Mapping[str, str | int | None]


class Landing:
    """
    One extraction of one feed, in ``<root>/<organization>/<feed>/<sync id>/``; a context manager.

    ``pages-0001.ndjson.zst``: one line per page: ``n`` (running number), ``unit``, ``scope``, ``read_at``, ``extra``
    (what has no column; see ``shape.Findings``) and ``body`` (the bytes as received, unless ``repair`` had to touch
    them). ``marks-0001.ndjson.zst``: one line per mark (complete, gone, read). Last ``manifest.json``. A folder without
    one is an abandoned extraction.

    Args:
        tables: The feed's tables, main table first.
    """

    def __init__(self, root: Path, organization: str, tables: Sequence[Table], sync_id: str) -> None:
        self.organization = organization
        self.sync_id = sync_id
        self.folder = root / _safe(organization) / _safe(tables[0].name) / _safe(sync_id)
        self._feed = tables[0].name
        self._tables = {table.name: table for table in tables}
        self._lists = compile_feed(tables)
        self._pages = _Files(self.folder, "pages")
        self._marks = _Files(self.folder, "marks")
        self._numbers = 0
        self._misfits: Counter[tuple[str, str, str]] = Counter()
        self._complete: dict[tuple[str, tuple[str, ...]], None] = {}
        self._kinds: set[str] = set()
        self._lock: int | None = None

    def __enter__(self) -> Landing:
        try:
            make_folder(self.folder)
            self._lock = os.open(self.folder / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explain(error, self.folder) or error from error
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pages.abandon()
        self._marks.abandon()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def page(self, unit: str, scope: Scope, body: bytes, records: Sequence[Any], read_at: datetime) -> None:
        """
        Land one page.

        Args:
            unit: The unit that read it.
            scope: Values of the tables' ``@`` columns.
            body: A JSON object that holds the records, as received.
            records: The main table's records in it, parsed, in the same order.
            read_at: Server time of the answer, UTC-aware.

        Raises:
            BadRecord: A record is not an object.
            NoSpace: The disk is full.
        """
        found = [self._lists[0].inspect(records)]
        if len(self._lists) > 1:
            whole = orjson.loads(body)
            found += [other.inspect(whole.get(other.property) or ()) for other in self._lists[1:]]
        for findings in found:
            self._misfits.update({(unit, *key): count for key, count in findings.misfits.items()})
        if any(findings.needs_repair for findings in found):
            body = repaired(body, self._lists)
        extra = {table: extras for f in found for table, extras in (f.extra or {}).items() if extras is not None}
        head = {"n": self._number(), "unit": unit, "scope": dict(scope), "read_at": read_at, "extra": extra or None}
        self._pages.write(orjson.dumps(head)[:-1] + b',"body":' + _one_line(body) + b"}\n")

    def complete(self, unit: str, table: str, scope: Scope, reason: str, at: datetime) -> None:
        """
        Mark that the listing of this scope ended: live rows of it that did not land are gone.

        Raises:
            BadLanding: The table is not one of the feed's, or has no such column.
        """
        known = {column.name for column in self._table(table).columns}
        if unknown := [name for name in scope if name not in known]:
            raise BadLanding(f"{table} has no column {unknown}; a listing cannot be complete for it.")
        self._complete[table, tuple(sorted(scope))] = None
        self._mark(unit, "complete", at, table=table, scope=dict(scope), reason=reason)

    def gone(self, unit: str, key: Scope, reason: str, at: datetime) -> None:
        """Mark that the main table's row of this key (without organization) is gone."""
        if set(key) != set(self._table(self._feed).key):
            raise BadLanding(f"{self._feed}: {dict(key)} is not its key {self._table(self._feed).key}.")
        self._mark(unit, "gone", at, table=self._feed, key=dict(key), reason=reason)

    def children_read(self, unit: str, parent_key: Mapping[str, Any], version: int, at: datetime) -> None:
        """
        Mark that the children of a parent row were read completely.

        Args:
            parent_key: The parent table's key columns (without organization) and nothing else: ``due`` looks for them.
            version: The parent's version when the read was planned.
        """
        parent = {name: str(value) for name, value in sorted(parent_key.items())}
        self._mark(unit, "read", at, parent=parent, version=version)

    def seal(self, units: Sequence[UnitOutcome]) -> Manifest:
        """Close the files and write the manifest: the extraction is whole and can be loaded."""
        manifest = Manifest(
            folder=self.folder,
            organization=self.organization,
            feed=self._feed,
            sync_id=self.sync_id,
            sealed_at=datetime.now(UTC),
            shape=shape_of(tuple(self._tables.values())),
            pages=self._pages.close(),
            marks=self._marks.close(),
            complete=tuple(self._complete),
            gone="gone" in self._kinds,
            children_read="read" in self._kinds,
            misfits={},
            units=tuple(units),
        )
        manifest = _with_misfits(manifest, self._misfits)
        try:
            manifest.write()
            (self.folder / _LOCK).unlink()
        except OSError as error:
            raise explain(error, self.folder) or error from error
        return manifest

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            raise BadLanding(f"{name} is not a table of the feed {self._feed} ({', '.join(self._tables)}).")
        return self._tables[name]

    def _mark(self, unit: str, kind: str, at: datetime, **what: Any) -> None:
        self._kinds.add(kind)
        mark = {"n": self._number(), "unit": unit, "kind": kind, "at": at, **what}
        self._marks.write(orjson.dumps(mark) + b"\n")

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _with_misfits(manifest: Manifest, misfits: Counter[tuple[str, str, str]]) -> Manifest:
    counts: dict[str, dict[str, int]] = {}
    for (unit, table, column), count in misfits.items():
        if unit in manifest.loaded_units:
            columns = counts.setdefault(table, {})
            columns[column] = columns.get(column, 0) + count
    return replace(manifest, misfits=counts)


class _Files:
    """Lines in numbered, compressed files, each under a temporary name until it is whole."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._kind = kind
        self._done: list[LandedFile] = []
        self._file: IO[bytes] | None = None
        self._stream: zstandard.ZstdCompressionWriter | None = None
        self._lines = self._bytes = self._longest = 0

    def write(self, line: bytes) -> None:
        try:
            if self._stream is None:
                self._open()
            assert self._stream is not None
            self._stream.write(line)
            self._lines += 1
            self._bytes += len(line)
            self._longest = max(self._longest, len(line))
            full = self._lines >= _PAGES_PER_FILE if self._kind == "pages" else False
            if full or self._bytes >= _BYTES_PER_FILE:
                self._finish()
        except OSError as error:
            raise explain(error, self._folder) or error from error

    def close(self) -> tuple[LandedFile, ...]:
        """Finish the file being written; all files."""
        try:
            self._finish()
        except OSError as error:
            raise explain(error, self._folder) or error from error
        return tuple(self._done)

    def abandon(self) -> None:
        """Let go of the file being written."""
        if self._file is not None:
            self._file.close()
            self._file = self._stream = None

    @property
    def _name(self) -> str:
        return f"{self._kind}-{len(self._done) + 1:04}.ndjson.zst"

    def _open(self) -> None:
        handle = os.open(self._folder / f"{self._name}.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._stream = zstandard.ZstdCompressor(level=1).stream_writer(self._file, closefd=False)

    def _finish(self) -> None:
        if self._stream is None or self._file is None:
            return
        self._stream.flush(zstandard.FLUSH_FRAME)
        self._file.close()
        os.replace(self._folder / f"{self._name}.part", self._folder / self._name)
        self._done.append(LandedFile(self._name, self._bytes, self._longest))
        self._file = self._stream = None
        self._lines = self._bytes = self._longest = 0


def abandoned(root: Path) -> list[Path]:
    """Folders of extractions that were never sealed and that no living process writes to."""
    return [folder for folder in _folders(root) if not (folder / sealed.NAME).exists() and not _is_written(folder)]


def prune(root: Path, keep: timedelta, now: datetime) -> list[Path]:
    """Remove abandoned folders, and sealed ones older than *keep*; the folders removed."""
    removed = abandoned(root)
    for folder in _folders(root):
        path = folder / sealed.NAME
        if path.exists() and path.stat().st_mtime < (now - keep).timestamp():
            removed.append(folder)
    for folder in removed:
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def _folders(root: Path) -> Iterator[Path]:
    return (folder for folder in sorted(root.glob("*/*/*")) if folder.is_dir())


def _is_written(folder: Path) -> bool:
    try:
        handle = os.open(folder / _LOCK, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _safe(name: str) -> str:
    """*name* as the name of one folder."""
    safe = url_quote(name, safe=" ()+,-=@~")
    return safe if safe.strip(".") else safe.replace(".", "%2E")


def _one_line(body: bytes) -> bytes:
    """The body without line breaks, which in JSON only stand between tokens, and without a byte order mark."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    return body.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in body or b"\r" in body else body
