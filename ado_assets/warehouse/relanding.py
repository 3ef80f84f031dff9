"""
An extraction landed again for other declarations than it was made with, so that a replay fills columns declared since.

Which properties have no column was found while landing. When the declarations have changed, pages are walked anew, as
if they had just been received; marks and outcomes stay.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson
import zstandard

from ado_assets.tables import Table
from ado_assets.warehouse.landing import Landing
from ado_assets.warehouse.manifest import Manifest
from ado_assets.warehouse.repair import encoded, parsed
from ado_assets.warehouse.shape import RecordList, compile_feed, shape_of


class _Line(msgspec.Struct):
    """A line of a page file, its body unread."""

    unit: str
    scope: dict[str, str | int | None]
    read_at: datetime
    extra: dict[str, list[Any] | None] | None
    body: msgspec.Raw


@contextmanager
def landed_for(manifest: Manifest, tables: Sequence[Table]) -> Iterator[Manifest]:
    """
    The extraction as landed with these declarations: itself, or a copy that is removed at the end.

    Args:
        tables: The feed's tables, main table first.
    """
    if manifest.shape == shape_of(tables):
        yield manifest
        return
    with tempfile.TemporaryDirectory(prefix=".replay-", dir=manifest.folder) as folder:
        yield _landed_again(manifest, tables, Path(folder))


def _landed_again(manifest: Manifest, tables: Sequence[Table], root: Path) -> Manifest:
    lists = compile_feed(tables)
    with Landing(root, manifest.organization, tables, manifest.sync_id) as landing:
        for line in _lines(manifest):
            body = _as_received(bytes(line.body), line.extra, lists)
            records = orjson.loads(body).get(lists[0].property) or ()
            landing.page(line.unit, line.scope, body, records, line.read_at)
        again = landing.seal(manifest.units)
    for file in manifest.marks:
        shutil.copyfile(manifest.folder / file.name, again.folder / file.name)
    return replace(
        again,
        marks=manifest.marks,
        complete=manifest.complete,
        gone=manifest.gone,
        children_read=manifest.children_read,
    )


def _lines(manifest: Manifest) -> Iterator[_Line]:
    decoder = msgspec.json.Decoder(_Line)
    for path in manifest.paths(manifest.pages):
        with zstandard.open(path, "rb") as file:
            for line in io.BufferedReader(file):
                yield decoder.decode(line)


def _as_received(body: bytes, extra: Mapping[str, list[Any] | None] | None, lists: Sequence[RecordList]) -> bytes:
    """The body with the values put back that landing had nulled because they could not be read."""
    if not extra:
        return body
    page = parsed(body)
    was_nulled = False
    for records in lists:
        found = page.get(records.property) or []
        for record, kept in zip(found, extra.get(records.tables[0].name) or (), strict=False):
            was_nulled |= _put_back(record, kept)
        for table in records.arrays:
            for record, kept in zip(found, extra.get(table.name) or (), strict=False):
                was_nulled |= _put_back_elements(record, table.array.split("/"), kept)
    return encoded(page) if was_nulled else body


def _put_back_elements(record: Any, path: Sequence[str], kept: list[Any] | None) -> bool:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    if not isinstance(record, list):
        return False
    done = [_put_back(element, extra) for element, extra in zip(record, kept or (), strict=False)]
    return any(done)


def _put_back(held: Any, kept: Any) -> bool:
    """Put what *kept* has where *held* has null; whether anything was put."""
    if isinstance(held, dict) and isinstance(kept, dict):
        done = False
        for name, value in kept.items():
            if held.get(name) is None and value is not None:
                held[name] = value
                done = True
            else:
                done |= _put_back(held.get(name), value)
        return done
    if isinstance(held, list) and isinstance(kept, list):
        return _put_back_strays(held, kept)
    return False


def _put_back_strays(held: list[Any], strays: list[Any]) -> bool:
    """Elements that could not be rows take the places of nulls again, in their order."""
    gaps = [position for position, element in enumerate(held) if element is None]
    for position, stray in zip(gaps, strays, strict=False):
        held[position] = stray
    return bool(gaps and strays)
