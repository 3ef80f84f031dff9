"""The warehouse resource: the DuckDB file, for our assets and for people's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field

from ado_assets.warehouse import Warehouse


class AdoWarehouse(DuckDBResource):
    """
    A ``DuckDBResource`` that takes turns.

    ``get_connection`` waits for the file in line with all other writers of this deployment and closes it whatever
    happens in the body; the stock resource leaves the file locked when the body raises.
    """

    landing: str = Field(description="Folder of the landing files.")
    lock_timeout: float = Field(default=600, description="Seconds to wait for the file.")

    def open(self) -> Warehouse:
        """The warehouse behind the resource. Nothing is opened before it is needed."""
        return Warehouse(Path(self.database), landing=Path(self.landing), lock_timeout=self.lock_timeout)

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-write connection, held alone."""
        with self.open().session() as connection:
            yield connection

    def get_object_to_set_on_execution_context(self) -> Any:
        """What an asset gets that asks for the raw resource."""
        return self.get_connection()
