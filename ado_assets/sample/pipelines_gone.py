"""What the pipelines area once held and no longer answers, kept so that a reader's tombstones can be checked."""

from __future__ import annotations

from typing import Any

Gone = tuple[str, dict[str, Any], dict[str, Any], str]


class Graveyard:
    """Entries by (resource, project, id); a later reason replaces an earlier one, a restored one is taken out."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, int], str] = {}

    def bury(self, resource: str, project_id: str, record_id: int, reason: str) -> None:
        """Note that a record is gone, and why: deleted, retention or destroyed."""
        self._entries[resource, project_id, record_id] = reason

    def restore(self, resource: str, project_id: str, record_id: int) -> None:
        """Take back the note of a record that answers again."""
        self._entries.pop((resource, project_id, record_id), None)

    def entries(self) -> list[Gone]:
        """Return (resource, scope, key, reason) of everything gone, oldest first."""
        return [
            (resource, {"project_id": project_id}, {"id": record_id}, reason)
            for (resource, project_id, record_id), reason in self._entries.items()
        ]
