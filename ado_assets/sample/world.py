"""
The whole organization: its clock, people, projects and the four areas, and the ways to move it.

Belongs here: what spans areas. Does not belong here: what an area holds (core, boards, git, pipelines) and HTTP.
"""

from __future__ import annotations

import gc
import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from ado_assets.sample.boards import Boards
from ado_assets.sample.clock import Clock
from ado_assets.sample.core import Core, Project
from ado_assets.sample.faults import Faults
from ado_assets.sample.git import Git
from ado_assets.sample.people import Person
from ado_assets.sample.pipelines import Pipelines
from ado_assets.sample.scale import SCALES, Scale

Truth = tuple[str, dict[str, Any], dict[str, Any]]
Gone = tuple[str, dict[str, Any], dict[str, Any], str]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause garbage collection: building only allocates, and scanning the growing heap takes half of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class World:
    """
    One seeded organization: the same scale, seed and base URL give the same bytes.

    *base_url* includes the organization. *people* holds identities of every kind, *projects* projects of every state.
    """

    def __init__(
        self,
        scale: Scale | str = "small",
        seed: int = 7,
        base_url: str = "http://127.0.0.1:8080/sample",
        organization: str = "sample",
    ) -> None:
        self.scale = SCALES[scale] if isinstance(scale, str) else scale
        self.seed = seed
        self.base_url = base_url.rstrip("/")
        self.organization = organization
        self.clock = Clock()
        self.wiql_cap = 20_000
        self.requests: dict[tuple[str, str, int], int] = {}
        self.faults = Faults()
        self.people: list[Person] = []
        self.projects: dict[str, Project] = {}
        self._weights: dict[str, float] = {}
        self._shares: dict[int, dict[str, int]] = {}
        with _no_collection():
            self.core = Core(self)
            self.boards = Boards(self)
            self.git = Git(self)
            self.pipelines = Pipelines(self)

    @property
    def areas(self) -> tuple[Core, Boards, Git, Pipelines]:
        """The areas in the order they are built and moved."""
        return (self.core, self.boards, self.git, self.pipelines)

    def rng(self, *key: object) -> random.Random:
        """Return a generator that depends on the seed and *key* only."""
        return random.Random(self._digest(key))

    def guid(self, *key: object) -> str:
        """Return a GUID (version 5 layout) that depends on the seed and *key* only."""
        text = f"{(self._digest(key) & ~(0xF000 << 64) & ~(0xC000 << 48)) | (0x5000 << 64) | (0x8000 << 48):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _digest(self, key: tuple[object, ...]) -> int:
        text = f"{self.seed}|" + "|".join(map(str, key))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")

    def live_projects(self) -> list[Project]:
        """Return the well-formed projects, in the order they were created."""
        return [project for project in self.projects.values() if project.state == "wellFormed"]

    def find_project(self, name_or_id: str) -> Project | None:
        """Return the live project of that GUID or name (any case), or None."""
        project = self.projects.get(name_or_id.lower())
        if project is None:
            folded = name_or_id.casefold()
            project = next((each for each in self.live_projects() if each.name.casefold() == folded), None)
        return project if project is not None and project.state == "wellFormed" else None

    def share(self, total: int, project: Project) -> int:
        """Return the project's part of *total*: uneven, stable, and summing to *total* over the projects at start."""
        if total not in self._shares:
            weights = self.core.weights
            whole = sum(weights.values())
            shares = {key: int(total * weight / whole) for key, weight in weights.items()}
            first = next(iter(shares))
            shares[first] += total - sum(shares.values())
            self._shares[total] = shares
        return self._shares[total].get(project.id, 0)

    def truth(self) -> Iterator[Truth]:
        """Yield (resource, scope, record) for all that a complete, correct reader of the API would hold now."""
        for area in self.areas:
            yield from area.truth()

    def gone(self) -> list[Gone]:
        """Return (resource, scope, key, reason) of what existed and is no longer, over all areas."""
        return [entry for area in self.areas for entry in area.gone]

    def tick(self, days: int = 1) -> list[str]:
        """Let days pass one by one; return a sentence for each thing that happened."""
        happened: list[str] = []
        for _ in range(days):
            self.clock.advance(timedelta(days=1))
            for area in self.areas:
                happened += area.day(self.rng("day", type(area).__name__, self.clock.now().isoformat()))
        return happened

    def scenarios(self) -> list[str]:
        """Return the names that run_scenario knows."""
        return sorted(name for area in self.areas for name in area.scenarios)

    def run_scenario(self, name: str) -> str:
        """
        Make one named thing happen, a minute after the last, and return a sentence about it.

        Raises KeyError with the known names for an unknown one.
        """
        for area in self.areas:
            if name in area.scenarios:
                self.clock.advance(timedelta(minutes=1))
                return area.scenarios[name](self.rng("scenario", name, self.clock.now().isoformat()))
        raise KeyError(f"no scenario {name!r}; known: {', '.join(self.scenarios())}")
