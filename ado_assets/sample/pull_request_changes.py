"""
Files changed by a pull request iteration, derived on demand from the iteration alone.

Iteration n shows what the source changed against the common base, so later iterations repeat earlier files
under the same changeTrackingId. Against an earlier iteration (compareTo) only what came or moved since is shown.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any

from ado_assets.sample import git_words

KINDS = ("edit", "edit", "edit", "edit", "edit", "add", "add", "add", "delete", "rename", "edit, rename")


def changed_files(files: int, before: int) -> list[int]:
    """
    Return the changeTrackingIds an iteration of *files* files shows, in order.

    *before* is how many the iteration compared with had: 0 for the common base. Of those, a third changed again.
    """
    return [tracking for tracking in range(1, files + 1) if tracking > before or tracking % 3 == 0]


def render_change(
    rng_of: Callable[..., random.Random], pull_request_id: int, tracking: int, position: int
) -> dict[str, Any]:
    """Return one changed file as the entry at *position* (from 1) of its list."""
    entry = _entry(rng_of("pull request file", pull_request_id, tracking), pull_request_id, tracking)
    return {"changeTrackingId": tracking, "changeId": position, **entry}


def _entry(rng: random.Random, pull_request_id: int, tracking: int) -> dict[str, Any]:
    kind = rng.choice(KINDS)
    stem, _, suffix = git_words.path(rng).rpartition(".")
    path = f"{stem}_{tracking}.{suffix}"
    held = hashlib.sha1(f"old {pull_request_id} {tracking}".encode()).hexdigest()
    new = hashlib.sha1(f"new {pull_request_id} {tracking}".encode()).hexdigest()
    if kind == "delete":
        return {"item": {"originalObjectId": held}, "originalPath": path, "changeType": kind}
    if kind == "add":
        return {"item": {"objectId": new, "path": path}, "changeType": kind}
    entry: dict[str, Any] = {
        "item": {"objectId": held if kind == "rename" else new, "originalObjectId": held, "path": path},
        "changeType": kind,
    }
    if "rename" in kind:
        entry |= {"originalPath": f"/legacy{path}", "sourceServerItem": f"/legacy{path}"}
    return entry
