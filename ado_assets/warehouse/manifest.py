"""What a landing folder's manifest says: the seal of an extraction, written last, and all that a load needs to know."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson

from ado_assets.warehouse.errors import BadLanding

NAME = "manifest.json"
_VERSION = 1


@dataclass(frozen=True)
class UnitOutcome:
    """
    How one unit of an extraction ended.

    Args:
        unit: Its key; the watermark's name.
        status: ``read`` counts: a unit's lines are loaded when it has an outcome ``read`` and none ``failed``.
        reason: Why it was skipped or failed, for the coverage ledger.
        watermark: Where the next read may start; None leaves the stored one.
        at: Server time of the attempt, UTC-aware.
    """

    unit: str
    project_id: str | None
    repository_id: str | None
    status: Literal["read", "skipped", "failed"]
    reason: str | None
    watermark: str | None
    at: datetime


@dataclass(frozen=True)
class LandedFile:
    """One file of lines: its name, how many bytes it decodes to, and how long its longest line is."""

    name: str
    decoded_bytes: int
    longest_line: int


@dataclass(frozen=True)
class Manifest:
    """
    A sealed extraction of one feed.

    Args:
        folder: Where the files are.
        shape: What the declarations said of the records when they were landed; see ``shape_of``.
        pages: Files of pages, in the order written.
        marks: Files of marks.
        complete: (table, scope columns) of the complete marks, each pair once.
        gone: Whether there are gone marks.
        children_read: Whether there are marks of children read.
        misfits: Table -> column -> values of another kind than declared, found while landing units that ended well.
        units: Outcomes of all units.
    """

    folder: Path
    organization: str
    feed: str
    sync_id: str
    sealed_at: datetime
    shape: str
    pages: tuple[LandedFile, ...]
    marks: tuple[LandedFile, ...]
    complete: tuple[tuple[str, tuple[str, ...]], ...]
    gone: bool
    children_read: bool
    misfits: Mapping[str, Mapping[str, int]]
    units: tuple[UnitOutcome, ...]

    @property
    def loaded_units(self) -> tuple[str, ...]:
        """Units that ended well: only their lines count."""
        failed = {u.unit for u in self.units if u.status == "failed"}
        return tuple(dict.fromkeys(u.unit for u in self.units if u.status == "read" and u.unit not in failed))

    def paths(self, files: tuple[LandedFile, ...]) -> list[str]:
        """Where the files are."""
        return [str(self.folder / file.name) for file in files]

    def write(self) -> None:
        """Seal the folder: from now on it is complete."""
        content = {"version": _VERSION, **asdict(self)}
        del content["folder"]
        part = self.folder / f"{NAME}.part"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(handle)
        os.replace(part, self.folder / NAME)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """
        The manifest of a sealed landing folder.

        Raises:
            BadLanding: It is not sealed, or not by a version we know, or its files are gone.
        """
        path = folder / NAME if folder.is_dir() else folder
        try:
            content: dict[str, Any] = orjson.loads(path.read_bytes())
            version = content.pop("version")
        except (OSError, ValueError, KeyError) as error:
            raise BadLanding(
                f"{folder} is no sealed landing folder ({error}). Only folders with a {NAME} can be loaded; one "
                "without is of a sync that was interrupted, and the next sync reads again what it missed."
            ) from error
        if version != _VERSION:
            raise BadLanding(f"{path} has version {version}; this version of ado-assets reads {_VERSION}.")
        manifest = cls(
            folder=path.parent,
            sealed_at=datetime.fromisoformat(content.pop("sealed_at")),
            pages=tuple(LandedFile(**file) for file in content.pop("pages")),
            marks=tuple(LandedFile(**file) for file in content.pop("marks")),
            complete=tuple((table, tuple(columns)) for table, columns in content.pop("complete")),
            units=tuple(UnitOutcome(**{**u, "at": datetime.fromisoformat(u["at"])}) for u in content.pop("units")),
            **content,
        )
        manifest._check_files()
        return manifest

    def _check_files(self) -> None:
        missing = [file.name for file in (*self.pages, *self.marks) if not (self.folder / file.name).is_file()]
        if missing:
            raise BadLanding(f"{self.folder} lacks {', '.join(missing)}, which its manifest names. Run a full refresh.")
