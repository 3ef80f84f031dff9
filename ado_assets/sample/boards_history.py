"""What a work item is made of: its changes in order, its links, and how changes fold into field values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ado_assets.sample.clock import iso
from ado_assets.sample.people import Person

Fields = dict[str, Any]
"""Field values by reference name; identities are Person, None clears the field."""
LINK_NAMES = {
    "System.LinkTypes.Hierarchy": ("-Forward", "Child", "-Reverse", "Parent"),
    "System.LinkTypes.Dependency": ("-Forward", "Successor", "-Reverse", "Predecessor"),
    "System.LinkTypes.Related": ("", "Related", "", "Related"),
}


@lru_cache(maxsize=65_536)
def stamp(milliseconds: int) -> str:
    """Write an instant given in milliseconds since 1970 (UTC)."""
    return iso(datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000))


def milliseconds(instant: datetime) -> int:
    """Return milliseconds since 1970 (UTC), rounded down."""
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000


@dataclass(slots=True)
class Change:
    """One revision: who set which fields when, and which hyperlinks or artifact links came with it."""

    at: int
    by: Person
    fields: Fields
    added: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Link:
    """A link between two work items that was made (*active*) or removed; it is no revision of either."""

    at: int
    rel: str
    source: int
    target: int
    active: bool
    by: Person

    def seen_from(self, item_id: int, base_url: str) -> dict[str, Any]:
        """Return the relation as the item at one end shows it."""
        forward, forward_name, reverse, reverse_name = LINK_NAMES[self.rel]
        outgoing = self.source == item_id
        return {
            "rel": self.rel + (forward if outgoing else reverse),
            "url": f"{base_url}/_apis/wit/workItems/{self.target if outgoing else self.source}",
            "attributes": {"isLocked": False, "name": forward_name if outgoing else reverse_name},
        }


@dataclass(slots=True, eq=False)
class WorkItem:
    """
    One work item. *times* has the instant of every revision, in milliseconds.

    *changes* is None while the history still follows from the seed; it is written down once the item is touched.
    *born_in* and *born_as* are the project and type it was created with; *project_id* is where it is now.
    """

    id: int
    project_id: str
    born_in: str
    born_as: str
    times: list[int]
    status: str = "live"
    recycled_at_start: bool = False
    changes: list[Change] | None = None

    @property
    def rev(self) -> int:
        """The newest revision's number."""
        return len(self.times)


def fold(values: Fields, change: Change) -> None:
    """Apply one change to *values*; a comment belongs to its own revision only."""
    values.pop("System.History", None)
    for name, value in change.fields.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value


def person_number(person: Person) -> int:
    """Return the number the service keeps per identity (System.PersonId)."""
    return int(person.id[:7], 16)
