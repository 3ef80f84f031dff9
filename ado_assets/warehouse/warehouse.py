"""The warehouse as the rest of the program sees it: sessions, plans, loads. The SQL is in the modules around."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from ado_assets.tables import TABLES, Table
from ado_assets.warehouse import checks, ddl, plan, reconcile, status
from ado_assets.warehouse.checks import Finding
from ado_assets.warehouse.connection import connected, make_folder
from ado_assets.warehouse.errors import BadWarehousePath, check_path, explain
from ado_assets.warehouse.load import Load, run
from ado_assets.warehouse.manifest import Manifest
from ado_assets.warehouse.plan import DueParent, DueRule
from ado_assets.warehouse.relanding import landed_for
from ado_assets.warehouse.report import LoadReport, SyncRecord
from ado_assets.warehouse.sql import META_SCHEMA, address, names
from ado_assets.warehouse.status import Books

if TYPE_CHECKING:
    import pandas

_T = TypeVar("_T")


class Warehouse:
    """
    The DuckDB file that holds the tables. Opened late and for moments only; never during a call of the API.

    Args:
        path: The file; made with its folders when it is first written.
        landing: Folder of the landing files.
        lock_timeout: Seconds to wait while others use the file.
        memory_limit: Megabytes a session may use; a large load is given twice its pages' decoded size on top, since
            what is staged cannot be put out of memory before COMMIT.
        tables: All declared tables by name.

    Raises:
        BadWarehousePath: The file's name would make ``ado.builds`` ambiguous.
    """

    def __init__(
        self,
        path: Path,
        *,
        landing: Path,
        lock_timeout: float = 600,
        memory_limit: int = 320,
        tables: Mapping[str, Table] = TABLES,
    ) -> None:
        check_path(path)
        self.path = path
        self.landing = landing
        self.lock_timeout = lock_timeout
        self.memory_limit = memory_limit
        self.tables = tables
        self._is_prepared = False
        self._reading: duckdb.DuckDBPyConnection | None = None

    def session(self, read_only: bool = False) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """
        A connection for the duration of a ``with``: alone when it may write, shared with other readers when not.

        The session time zone is UTC. Errors of the file come as ``WarehouseError``.
        """
        return self._session(read_only, self.memory_limit)

    def _session(self, read_only: bool, megabytes: int) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return connected(self.path, read_only=read_only, lock_timeout=self.lock_timeout, memory_limit=f"{megabytes}MB")

    def prepare(self) -> None:
        """
        Make or additively migrate all declared tables, views and comments; cheap when nothing changed.

        Raises:
            BadDeclaration: A column is held with another type than declared.
        """
        with self.session() as connection:
            self._prepare(connection)

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        if not ddl.is_prepared(connection, ddl.digest(self.tables.values())):
            ddl.prepare(connection, self.tables)
        self._is_prepared = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Questions asked inside share one connection, so that several cost one opening of the file."""
        with self._prepared() as connection:
            self._reading = connection
            try:
                yield
            finally:
                self._reading = None

    @contextmanager
    def _prepared(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for reading that has all declared tables; they are made first where they are missing."""
        if self.path.exists():
            with self.session(read_only=True) as connection:
                if self._is_prepared or ddl.is_prepared(connection, ddl.digest(self.tables.values())):
                    self._is_prepared = True
                    yield connection
                    return
        self.prepare()
        with self.session(read_only=True) as connection:
            yield connection

    def _ask(self, question: Callable[[duckdb.DuckDBPyConnection], _T]) -> _T:
        """The answer to a question about the declared tables."""
        if self._reading is not None:
            return question(self._reading)
        with self._prepared() as connection:
            return question(connection)

    def watermarks(self, organization: str, feed: str) -> dict[str, str]:
        """Unit -> watermark of the feed."""
        sql = f"SELECT unit, value FROM {META_SCHEMA}.watermarks WHERE organization = ? AND feed = ?"
        return dict(self._ask(lambda c: c.execute(sql, [organization, feed]).fetchall()))

    def projects(self, organization: str) -> list[dict[str, Any]]:
        """Live rows of ``ado.projects``, all columns, by id."""
        table = self.tables["projects"]
        columns = [column.name for column in table.columns]
        return self._ask(lambda c: plan.held(c, organization, table, columns, None, None))

    def repositories(self, organization: str, project_ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Live rows of ``ado.repositories`` of the projects (all for None), all columns, by id."""
        table = self.tables["repositories"]
        columns = [column.name for column in table.columns]
        return self._ask(lambda c: plan.held(c, organization, table, columns, None, project_ids))

    def due(
        self,
        organization: str,
        feed: str,
        tables: Sequence[Table],
        *,
        parent: Table,
        columns: tuple[str, ...],
        final: tuple[str, tuple[str, ...]] | None,
        revisit: tuple[str, tuple[timedelta, ...]] | None,
        now: datetime,
        full: bool,
        project_ids: Sequence[str] | None = None,
    ) -> list[DueParent]:
        """
        Live rows of the parent table whose children the feed has to read, in the order of their keys.

        A parent is due when its children were never read, when it (or a row inside its record) changed since, while
        its *final* column has none of the final values, and when an instant of *revisit* has passed since the last
        read. See ``plan.DueRule``.

        Args:
            feed: The feed's name; reads are remembered under it.
            tables: The feed's tables, main table first.
            project_ids: None for all projects.
        """
        assert tables[0].name == feed
        rule = DueRule(parent, columns, final, revisit, now, full)
        return self._ask(lambda c: plan.due(c, organization, tables[0], rule, project_ids, self.tables))

    def held(
        self,
        organization: str,
        table: Table,
        columns: Sequence[str],
        unless: tuple[str, tuple[str, ...]] | None = None,
        project_ids: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Live rows of the table, but for those whose column has one of the values of *unless*."""
        return self._ask(lambda c: plan.held(c, organization, table, columns, unless, project_ids))

    def live_keys(
        self, organization: str, table: Table, scopes: Sequence[Mapping[str, object]]
    ) -> list[set[tuple[str | int, ...]]]:
        """The keys of the table's live rows in each of the scopes (column -> value)."""
        return self._ask(lambda c: [reconcile.live_keys(c, organization, table, scope) for scope in scopes])

    def books(self, organization: str, tables: Sequence[Table]) -> Books:
        """
        What the file says of each of the tables; nothing is made or written.

        Raises:
            WarehouseMissing: There is no file yet.
        """
        with self.session(read_only=True) as connection:
            return status.books(connection, organization, tables)

    def load(self, manifest: Manifest, tables: Sequence[Table], sync: SyncRecord) -> LoadReport:
        """
        Load a sealed extraction in one transaction: rows, flags, watermarks and bookkeeping together, or nothing.

        Args:
            tables: The feed's tables as configured, main table first.

        Raises:
            KeyViolation: A required column has no value, or a key would be held twice.
            WarehouseError: The file cannot be used.
        """
        return self._load(Load(manifest, tables, self.tables, sync))

    def replay(self, manifest: Manifest, tables: Sequence[Table]) -> LoadReport:
        """
        Load a sealed extraction again: what is held newer stays; watermarks, coverage and reads of children too.

        Loading twice what is there leaves it as it is. Columns declared since are filled from the landed pages.
        """
        sync = SyncRecord(
            sync_id=manifest.sync_id,
            run_id="",
            organization=manifest.organization,
            feed=manifest.feed,
            mode="replay",
            started_at=datetime.now(UTC),
        )
        with landed_for(manifest, tables) as landed:
            return self._load(Load(landed, tables, self.tables, sync, replays=True))

    def _load(self, what: Load) -> LoadReport:
        decoded = sum(file.decoded_bytes for file in what.manifest.pages) >> 20
        with self._session(False, self.memory_limit + 2 * decoded) as connection:
            self._prepare(connection)
            return run(connection, what)

    def frame(self, sql: str, parameters: Sequence[object] = ()) -> pandas.DataFrame:
        """The answer to a query as a pandas frame; for people and small answers."""
        with self.session(read_only=True) as connection, warnings.catch_warnings():
            # DuckDB 2.0 builds frames in a way that pandas 3.1 deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            return connection.execute(sql, list(parameters)).df()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The answer to a query as tuples."""
        with self.session(read_only=True) as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def live_counts(self, organization: str, tables: Sequence[str]) -> dict[str, int]:
        """Live rows of each of the tables."""
        if not tables:
            return {}
        sql = " UNION ALL ".join(
            f"SELECT count(*) FROM {address(name)} WHERE organization = $organization AND _deleted_at IS NULL"
            for name in tables
        )
        counted = self._ask(lambda c: c.execute(sql, {"organization": organization}).fetchall())
        return {name: row[0] for name, row in zip(tables, counted, strict=True)}

    def preview(self, table: Table, columns: Sequence[str], rows: int) -> list[tuple[Any, ...]]:
        """Some live rows, those written last first."""
        sql = (
            f"SELECT {names(columns)} FROM {address(table)} WHERE _deleted_at IS NULL "
            f"ORDER BY _load_id DESC, {names(table.full_key)} LIMIT ?"
        )
        return self._ask(lambda c: c.execute(sql, [rows]).fetchall())

    def check(self, organization: str, table: Table) -> dict[str, Finding]:
        """What the checks of the table find; see ``checks.check``."""
        return self._ask(lambda c: checks.check(c, organization, table, self.tables))

    def publish(self, path: Path) -> None:
        """
        Put a read-only copy at *path* in one step: who has the former copy open keeps it, who opens gets the new one.

        Raises:
            BadWarehousePath: *path* is the warehouse itself, or a name that makes its tables ambiguous.
        """
        check_path(path)
        if path.resolve() == self.path.resolve():
            raise BadWarehousePath(f"{path} is the warehouse itself. Publish its copy under another name or folder.")
        part = path.with_name(f".{path.name}.part")
        with self.session() as connection:
            connection.execute("CHECKPOINT")
            try:
                make_folder(path.parent)
                shutil.copyfile(self.path, part)
                part.chmod(0o444)
                os.replace(part, path)
            except OSError as error:
                with suppress(OSError):
                    part.unlink()
                raise explain(error, path) or error from error
