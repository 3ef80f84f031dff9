"""
What can go wrong with the warehouse file or with landed records, as a tree of errors.

Each message says what happened, where, and what to do. Nothing here opens or reads anything but error texts.

    WarehouseError
    ├─ WarehouseLocked      another process holds the file
    ├─ WarehouseMissing     there is no file yet
    ├─ WarehouseCorrupt     the file is not a (whole) DuckDB database
    ├─ WarehouseTooNew      written by a newer DuckDB
    ├─ WarehouseReadOnly    the file or its folder cannot be written
    ├─ NoSpace              the disk is full
    ├─ BadWarehousePath     the file's name makes the schemas ambiguous
    ├─ BadDeclaration       a table's declaration cannot be read or migrated to
    ├─ KeyViolation         a load would break a key or leave a required column empty
    ├─ BadRecord            a record that is not a JSON object
    └─ BadLanding           a landing folder that is not sealed or cannot be read
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

#: Catalogs are named after the file; a schema of the same name makes every ``ado.builds`` ambiguous.
_TAKEN_STEMS = {"ado", "ado_live", "ado_meta", "main", "memory", "system", "temp"}


class WarehouseError(Exception):
    """The warehouse or a landing folder cannot be used as asked."""


class WarehouseLocked(WarehouseError):
    """Another process held the file for longer than we wait."""


class WarehouseMissing(WarehouseError):
    """There is no warehouse file yet."""


class WarehouseCorrupt(WarehouseError):
    """The file is not a whole DuckDB database."""


class WarehouseTooNew(WarehouseError):
    """The file was written by a newer DuckDB than this one."""


class WarehouseReadOnly(WarehouseError):
    """The file or its folder cannot be written."""


class NoSpace(WarehouseError):
    """The disk is full. What was not committed is as before."""


class BadWarehousePath(WarehouseError):
    """The file's name would make the names of its tables ambiguous, or it is no file."""


class BadDeclaration(WarehouseError):
    """A table's declaration contradicts itself, another one or the table that is there."""


class KeyViolation(WarehouseError):
    """Rows to be loaded have no value in a required column, or a key would be there twice. Nothing was written."""


class BadRecord(WarehouseError):
    """The API sent something else than an object where a record belongs."""


class BadLanding(WarehouseError):
    """A landing folder has no manifest, is not what the manifest says, or cannot be read."""


def check_path(path: Path) -> None:
    """
    Refuse a file name under which the warehouse's schemas cannot be addressed.

    Raises:
        BadWarehousePath: The stem is the name of a schema or catalog.
    """
    if path.stem.lower() in _TAKEN_STEMS:
        raise BadWarehousePath(
            f"{path} cannot be a warehouse: DuckDB names the catalog after the file, so that with the stem "
            f"{path.stem!r} a name like ado.builds is ambiguous. Choose another name, such as azure_devops.duckdb."
        )
    if path.is_dir():
        raise BadWarehousePath(f"{path} is a folder. Name a file in it, such as {path / 'azure_devops.duckdb'}.")


def is_lock_conflict(error: Exception) -> bool:
    """Whether DuckDB refused to open the file because another process has it open."""
    return "Could not set lock on file" in str(error)


def explain(error: Exception, path: Path) -> WarehouseError | None:
    """
    The clear error for what DuckDB or the system said about the file at *path*; None when it is not about the file.
    """
    text = str(error)
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return NoSpace(f"The disk of {path} is full ({text}). Free space and run the sync again; nothing was lost.")
    if found := re.search(r"version number (\d+), but we can only read", text):
        return _too_new(path, f"storage version {found[1]}")
    if "is not a valid DuckDB database file" in text or "Corrupt database file" in text or "enough bytes" in text:
        return WarehouseCorrupt(
            f"{path} is not a whole DuckDB database ({text}). Move it away and run a full refresh, or restore a copy."
        )
    if "database does not exist" in text:
        return WarehouseMissing(f"There is no warehouse at {path} yet. Run a sync first, or check ADO_WAREHOUSE.")
    if isinstance(error, OSError) or _is_refused(text):
        return WarehouseReadOnly(
            f"{path} cannot be opened for writing ({text}). Check that its folder exists and that this user may "
            "write there, or choose another place."
        )
    if "newer version" in text:
        return _too_new(path, text)
    return None


def _too_new(path: Path, what: str) -> WarehouseTooNew:
    return WarehouseTooNew(
        f"{path} was written by a newer DuckDB than {duckdb.__version__} ({what}). Upgrade the package duckdb, or "
        "choose another ADO_WAREHOUSE and run a full refresh."
    )


def _is_refused(text: str) -> bool:
    refusals = ("Permission denied", "Read-only file system", "Not a directory", "No such file or directory")
    return "Cannot open file" in text and any(words in text for words in refusals)
