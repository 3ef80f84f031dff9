"""How large a sample organization is. Sizes only; what fills them is in the area modules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Totals for one organization; *people* counts users and service principals who do work."""

    name: str
    projects: int
    work_items: int
    pull_requests: int
    builds: int
    commits: int
    releases: int
    people: int


SCALES = {
    "tiny": Scale("tiny", 3, 60, 30, 80, 250, 20, 14),
    "small": Scale("small", 8, 2_000, 1_000, 3_000, 10_000, 400, 60),
    "large": Scale("large", 60, 60_000, 20_000, 60_000, 200_000, 4_000, 800),
}
