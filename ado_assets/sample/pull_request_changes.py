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


def change_entries(
    rng_of: Callable[..., random.Random], pull_request_id: int, files: int, before: int
) -> list[dict[str, Any]]:
    """
    Return the entries for the first *files* files of a pull request.

    *before* is how many the iteration compared with had: 0 for the common base. Of those, a third changed again.
    """
    entries = [
        _entry(rng_of("pull request file", pull_request_id, tracking), pull_request_id, tracking)
        for tracking in range(1, files + 1)
        if tracking > before or tracking % 3 == 0
    ]
    for tracking, entry in enumerate(entries, 1):
        entry["changeId"] = tracking
    return entries


def _entry(rng: random.Random, pull_request_id: int, tracking: int) -> dict[str, Any]:
    kind = rng.choice(KINDS)
    stem, _, suffix = git_words.path(rng).rpartition(".")
    path = f"{stem}_{tracking}.{suffix}"
    held = hashlib.sha1(f"old {pull_request_id} {tracking}".encode()).hexdigest()
    new = hashlib.sha1(f"new {pull_request_id} {tracking}".encode()).hexdigest()
    entry: dict[str, Any] = {"changeTrackingId": tracking, "changeId": tracking}
    if kind == "delete":
        return entry | {"item": {"originalObjectId": held}, "originalPath": path, "changeType": kind}
    if kind == "add":
        return entry | {"item": {"objectId": new, "path": path}, "changeType": kind}
    entry |= {
        "item": {"objectId": held if kind == "rename" else new, "originalObjectId": held, "path": path},
        "changeType": kind,
    }
    if "rename" in kind:
        entry |= {"originalPath": f"/legacy{path}", "sourceServerItem": f"/legacy{path}"}
    return entry
