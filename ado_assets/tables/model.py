"""
What a table declaration is: frozen dataclasses that validate themselves.

A declaration is the single source of a table's key, columns, docs, API source and of how its rows are kept. DDL,
loading SQL, asset specs, the data dictionary and the checks all read it. How rows are fetched belongs in ``streams``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

ColumnType = Literal["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMPTZ", "JSON"]
Connector = Literal["core", "boards", "pipelines", "repos", "pull_commits", "commits"]

#: Properties that only help a browser to navigate. A table names them in ``ignored`` to leave them out of ``_extra``.
NAVIGATION: Final = ("**/_links", "**/url", "**/imageUrl", "**/profileUrl")

#: Bookkeeping columns that every table has after its own, in this order.
BOOKKEEPING: Final[tuple[tuple[str, str, str], ...]] = (
    ("_synced_at", "TIMESTAMPTZ", "When the API answer that last changed this row was given (UTC, server clock)."),
    ("_deleted_at", "TIMESTAMPTZ", "When the row was found to be gone (UTC); null while it is live."),
    (
        "_deleted_reason",
        "VARCHAR",
        "Why it is gone: deleted, recycled, destroyed, retention, unreachable or parent_deleted.",
    ),
    ("_extra", "JSON", "Properties the API sent that have no column, and values that did not fit their column's type."),
    ("_load_id", "BIGINT", "Number of the load that last wrote the row; rises with every load of the warehouse."),
)


@dataclass(frozen=True)
class Column:
    """
    One column: where its value stands in the API's record and what it means.

    Args:
        name: Column name, the API's property in snake_case.
        type: DuckDB type. JSON keeps an object or array as it came.
        path: Where the value stands. ``a/b`` walks down the record's properties; ``@name`` takes a value of the
            page's scope (ids that are in the URL, not in the record); ``^a/b`` walks down the parent record, for
            tables whose rows are elements of an array inside another record; ``#`` is the array element itself.
        about: One sentence for the person who queries the table.
        required: The value may not be NULL. Key columns always are.
    """

    name: str
    type: ColumnType
    path: str
    about: str
    required: bool = False

    def __post_init__(self) -> None:
        if not (self.name and self.path and self.about.endswith(".")):
            raise ValueError(f"column {self.name!r} needs a name, a path and a sentence that ends in a full stop")


@dataclass(frozen=True)
class Parent:
    """
    The table whose deleted rows flag the rows of this one ``parent_deleted``.

    Args:
        table: Name of the parent table.
        columns: This table's column -> the parent's column. ``organization`` is always part of the join.
    """

    table: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """
    One table of the schema ``ado``.

    Args:
        name: Plural noun; also the name of the asset.
        about: What one row is, in one or two sentences.
        connector: Which connector reads it; ``core`` is read with whichever connector has a token.
        source: Operations of the REST API it is read from, as ``area/version: METHOD path``.
        key: Column names that identify a row, after ``organization``.
        columns: The table's own columns without ``organization`` and the bookkeeping ones.
        feed: Name of the table whose read brings these rows too; empty for a table with a read of its own.
        records: Property of a page's body that holds the records.
        array: For rows that are elements of an array inside another record: that array's property (``a/b`` walks).
        parent: The table it hangs under, if any.
        ignored: Properties left out of ``_extra``, with all that is in them: a path from the record (for ``array``
            tables from the element), or ``**/name`` at any depth. A column's path is never ignored.
        unpartitioned: True for organization-wide tables; all others are partitioned by project.
    """

    name: str
    about: str
    connector: Connector
    source: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    feed: str = ""
    records: str = "value"
    array: str = ""
    parent: Parent | None = None
    ignored: tuple[str, ...] = ()
    unpartitioned: bool = False
    _by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {column.name: column for column in self.columns}
        object.__setattr__(self, "_by_name", by_name)
        if len(by_name) != len(self.columns):
            raise ValueError(f"table {self.name}: two columns share a name")
        if missing := [name for name in self.key if name not in by_name]:
            raise ValueError(f"table {self.name}: key columns {missing} are not declared")
        if self.parent and (missing := [name for name in self.parent.columns if name not in by_name]):
            raise ValueError(f"table {self.name}: parent columns {missing} are not declared")
        if self.array and not self.feed:
            raise ValueError(f"table {self.name}: rows inside another record need the feed that brings it")

    @property
    def feed_name(self) -> str:
        """Name of the feed that brings the rows: the table's own name unless another table's read brings them."""
        return self.feed or self.name

    @property
    def full_key(self) -> tuple[str, ...]:
        """The key with ``organization`` in front."""
        return ("organization", *self.key)

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that may not be NULL: the full key and those declared so."""
        return (*self.full_key, *(c.name for c in self.columns if c.required and c.name not in self.key))

    def column(self, name: str) -> Column:
        """The declared column *name*; KeyError when there is none."""
        return self._by_name[name]

    def scope_names(self) -> tuple[str, ...]:
        """Names the page's scope must carry for this table (the ``@`` paths), sorted."""
        return tuple(sorted({c.path[1:] for c in self.columns if c.path.startswith("@")}))


def identity(prefix: str, path: str, about: str) -> tuple[Column, ...]:
    """
    Four columns for an IdentityRef: id, display name, unique name, descriptor.

    Args:
        prefix: Column prefix, for example ``created_by``.
        path: Where the IdentityRef stands, for example ``createdBy``.
        about: Who that is, a phrase without a full stop, for example ``Who opened it``.
    """
    return (
        Column(f"{prefix}_id", "VARCHAR", f"{path}/id", f"{about}: storage key (GUID) of the identity."),
        Column(f"{prefix}_display_name", "VARCHAR", f"{path}/displayName", f"{about}: name as shown."),
        Column(
            f"{prefix}_unique_name", "VARCHAR", f"{path}/uniqueName", f"{about}: mail, account name or service GUID."
        ),
        Column(f"{prefix}_descriptor", "VARCHAR", f"{path}/descriptor", f"{about}: descriptor; joins to users."),
    )


def project_stub(path: str) -> tuple[str, ...]:
    """Paths, for ``ignored``, of all of a nested project but its id: they are often false (year 1, ``unchanged``)."""
    names = ("name", "description", "abbreviation", "state", "revision", "visibility", "lastUpdateTime")
    return tuple(f"{path}/{name}" for name in (*names, "defaultTeamImageUrl"))


def by_name(tables: Iterable[Table]) -> dict[str, Table]:
    """
    Tables by their names, in order.

    Raises:
        ValueError: Two share a name, or a feed or parent is not among them.
    """
    named: dict[str, Table] = {}
    for table in tables:
        if table.name in named:
            raise ValueError(f"two tables are called {table.name}")
        named[table.name] = table
    for table in named.values():
        for other in (table.feed_name, table.parent.table if table.parent else table.name):
            if other not in named:
                raise ValueError(f"table {table.name} refers to {other}, which is not declared")
    return named
