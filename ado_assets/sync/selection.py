"""Which projects a sync covers, and what it is asked to do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ado_assets.streams.model import Options, Project


class UnknownProject(LookupError):
    """A project was asked for that the organization does not have, or the token cannot see."""


class NothingToRead(LookupError):
    """The listing that the feed stands on has never been read, so that there is nothing to plan from."""


@dataclass(frozen=True)
class Selection:
    """
    What one sync covers.

    Args:
        organization: Name of the organization.
        projects: Names or ids of the projects asked for; empty means all that *included* lets through.
        included: Says of a project's name whether the configuration lets it through.
        full_refresh: Read everything again, whatever the watermarks say.
        since: Read from this instant instead of the stored watermark, where the feed has a time window.
        options: Windows and the start date.
    """

    organization: str
    projects: Sequence[str] = ()
    included: Callable[[str], bool] = field(default=lambda _name: True)
    full_refresh: bool = False
    since: datetime | None = None
    options: Options = field(default_factory=Options)

    @property
    def whole(self) -> bool:
        """Whether every project of the organization (that the configuration lets through) is covered."""
        return not self.projects

    @property
    def mode(self) -> str:
        """``full_refresh`` or ``incremental``."""
        return "full_refresh" if self.full_refresh else "incremental"


def select_projects(selection: Selection, held: Sequence[dict[str, Any]]) -> tuple[Project, ...]:
    """
    The projects of the warehouse that the selection covers, by name.

    Only well-formed projects answer calls about their content; others are left out.

    Raises:
        UnknownProject: One asked for by name or id is not among them.
    """
    readable = [Project(row["id"], row["name"]) for row in held if (row["state"] or "wellFormed") == "wellFormed"]
    if selection.whole:
        return tuple(sorted((p for p in readable if selection.included(p.name)), key=lambda p: p.name))
    known = {p.name: p for p in readable} | {p.id: p for p in readable}
    if missing := [name for name in selection.projects if name not in known]:
        raise UnknownProject(_unknown(missing, selection.organization, sorted(p.name for p in readable)))
    return tuple({known[name].id: known[name] for name in selection.projects}.values())


def _unknown(missing: Sequence[str], organization: str, names: Sequence[str]) -> str:
    listed = ", ".join(repr(n) for n in names[:20]) + (", ..." if len(names) > 20 else "")
    return (
        f"The organization {organization!r} has no readable project called {', '.join(map(repr, missing))}. "
        f"Known projects: {listed or 'none'}. Check the spelling, or whether the token may read it; a project made "
        "since the last sync appears after the asset 'projects' is materialized."
    )
