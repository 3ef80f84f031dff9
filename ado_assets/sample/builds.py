"""
Builds of the sample organization at rest: their facts, and how the first ones come to be.

A build is kept as compact facts; its JSON is made by `builds_answers`, its timeline by `timelines`. Changes after the
start belong to `builds_changes`. Build ids are unique in the organization and rise with the queue time; purged builds
leave gaps.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample.pipelines_definitions import BuildDefinition, Definitions, branches_of, commit_id, humans

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.people import Person
    from ado_assets.sample.world import World

FIRST_ID = 1000
HISTORY = timedelta(days=400)
OPEN_STATES = ("inProgress", "notStarted", "inProgress", "cancelling", "postponed", "inProgress")
REASONS = (
    "individualCI",
    "individualCI",
    "batchedCI",
    "pullRequest",
    "pullRequest",
    "schedule",
    "manual",
    "buildCompletion",
)
RESULTS = ("succeeded",) * 7 + ("failed", "failed", "partiallySucceeded", "canceled")
STOPPED = ("failed", "canceled")
TAGS = ("release candidate", "hotfix", "nightly", "größer")


@dataclass(frozen=True)
class Attempt:
    """
    One try of a build, from stage *first_stage* on.

    *stopped_at* is the stage that failed, was canceled or is running; None when every stage ended. *finished* and
    *result* are None while it runs.
    """

    first_stage: int
    started: datetime
    finished: datetime | None
    result: str | None
    stopped_at: int | None


@dataclass(slots=True, eq=False)
class Build:
    """
    The facts of one build. Instants are UTC; None means not yet or never.

    *planned* is false while it waits in the queue and for ever when it got no orchestration plan (broken YAML,
    canceled in the queue): then there is no timeline. *attempts* is filled by a retry; without one, `tries` derives
    the only attempt. *changed_by* None is the service itself.
    """

    project_id: str
    definition: BuildDefinition
    queued: datetime
    reason: str
    branch: str
    version: str
    requested_for: Person
    changed: datetime
    id: int = 0
    number: str = ""
    status: str = "completed"
    result: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    changed_by: Person | None = None
    planned: bool = True
    pull_request: int | None = None
    triggered_by: int | None = None
    tags: tuple[str, ...] = ()
    retained: bool = False
    attempts: tuple[Attempt, ...] = ()
    deleted_on: datetime | None = None
    deleted_reason: str | None = None

    def tries(self) -> tuple[Attempt, ...]:
        """Return every attempt in order. Only meaningful for a build that has started."""
        if self.attempts:
            return self.attempts
        assert self.started is not None
        stopped = self.finished is None or self.result in STOPPED
        stopped_at = self.id % len(self.definition.stages) if stopped else None
        return (Attempt(0, self.started, self.finished, self.result, stopped_at),)


class Builds:
    """All builds of the organization, by id and by project; soft-deleted ones included, purged ones not."""

    def __init__(self, world: World, definitions: Definitions) -> None:
        self._world = world
        self._definitions = definitions
        self._revisions: Counter[tuple[str, int, str]] = Counter()
        self._by_project: dict[str, list[Build]] = defaultdict(list)
        self._by_id: dict[int, Build] = {}
        self._next_id = FIRST_ID
        self._start()

    def of(self, project_id: str) -> list[Build]:
        """Return the builds of one project, by id."""
        return self._by_project[project_id]

    def all(self) -> list[Build]:
        """Return every build, by id."""
        return list(self._by_id.values())

    def get(self, build_id: int) -> Build | None:
        """Return one build, soft-deleted or not."""
        return self._by_id.get(build_id)

    def add(self, build: Build) -> None:
        """Give a freshly queued build its id and number, and keep it."""
        build.id = self._next_id
        self._next_id += 1
        build.number = self._number(build)
        earlier = self._by_project[build.project_id]
        if build.reason == "buildCompletion" and earlier:
            build.triggered_by = earlier[-1].id
        self._by_id[build.id] = build
        earlier.append(build)

    def purge(self, build: Build) -> None:
        """Forget a build for good: every route answers 404 from now on."""
        del self._by_id[build.id]
        self._by_project[build.project_id].remove(build)

    def drawn(self, project: Project, rng: random.Random, queued: datetime) -> Build:
        """Return a new build of *project* with believable cause, branch and commit; not yet kept."""
        definitions = self._definitions.builds_of(project)
        definition = definitions[min(int(rng.expovariate(0.5)), len(definitions) - 1)]
        reason = rng.choice(REASONS)
        branches = branches_of(definition.repository.type)
        pull_request = None
        if definition.repository.type == "TfsVersionControl" and reason == "pullRequest":
            reason = "individualCI"
        if reason == "pullRequest":
            pull_request = rng.randint(1, self._world.scale.pull_requests)
        head = rng.random() < 0.2
        return Build(
            project_id=project.id,
            definition=definition,
            queued=queued,
            reason=reason,
            branch=f"refs/pull/{pull_request}/merge"
            if pull_request
            else branches[max(0, rng.randrange(8) - 8 + len(branches))],
            version=definition.repository.head if head else self._version(definition, rng),
            requested_for=rng.choice(humans(self._world, project)),
            pull_request=pull_request,
            tags=(rng.choice(TAGS),) if rng.random() < 0.1 else (),
            changed=queued,
        )

    def _version(self, definition: BuildDefinition, rng: random.Random) -> str:
        return f"C{rng.randint(1, 5119)}" if definition.repository.type == "TfsVersionControl" else commit_id(rng)

    def _number(self, build: Build) -> str:
        """Return the user-formatted run number: of the day, a version, or a name; none is unique."""
        definition = build.definition
        day = f"{build.queued:%Y%m%d}" if definition.number_style == "date" else ""
        key = (definition.project_id, definition.id, day)
        self._revisions[key] += 1
        revision = self._revisions[key]
        if day:
            return f"{day}.{revision}"
        if definition.number_style == "version":
            return f"2.{revision // 100}.{revision % 100}"
        return f"{definition.name} {'PR' if build.pull_request else 'run'} {revision}"

    def _start(self) -> None:
        """Fill the organization: draw the builds of every project, order them by queue time, give each its fate."""
        world = self._world
        now = world.clock.now()
        builds: list[Build] = []
        for project in world.live_projects():
            rng = world.rng("builds", project.id)
            for _ in range(world.share(world.scale.builds, project)):
                age = HISTORY * (rng.random() ** 1.6) + timedelta(days=2, seconds=rng.random() * 3600)
                builds.append(self.drawn(project, rng, now - age))
        builds.sort(key=lambda build: build.queued)
        rng = world.rng("build-fates")
        for build in _left_open(builds, now, rng):
            build.planned = build.status in ("inProgress", "cancelling")
        builds.sort(key=lambda build: build.queued)
        for index, build in enumerate(builds):
            if rng.random() < 0.01:
                self._next_id += rng.randint(1, 4)
            self.add(build)
            if build.status == "completed":
                _complete(build, index, now, rng)


def _left_open(builds: list[Build], now: datetime, rng: random.Random) -> list[Build]:
    """Leave the youngest builds unfinished: most of the last day, one that has run for nine days already."""
    left = builds[-(len(OPEN_STATES) + len(builds) // 400) :]
    for index, build in enumerate(left):
        build.status = OPEN_STATES[index % len(OPEN_STATES)]
        age = timedelta(days=9) if index == 2 else timedelta(hours=rng.uniform(2, 30))
        build.queued = build.changed = now - age
        if build.status in ("inProgress", "cancelling"):
            build.started = build.changed = build.queued + timedelta(seconds=rng.uniform(5, 1200))
    return left


def _complete(build: Build, index: int, now: datetime, rng: random.Random) -> None:
    """Decide how the build at *index* ended; the rare endings recur at fixed steps, so every scale has them."""
    waited = timedelta(seconds=rng.expovariate(1 / 90))
    ran = timedelta(seconds=60 + rng.expovariate(1 / 900))
    if index % 17 == 5:
        ran += timedelta(days=rng.uniform(1, 12))
    build.result = rng.choice(RESULTS)
    if index % 19 == 3:
        build.planned = False
        build.result = rng.choice(STOPPED)
        ran = timedelta(0)
    build.started = build.queued + waited if build.planned or build.result == "failed" else None
    build.finished = min(build.queued + waited + ran, now - timedelta(minutes=rng.uniform(1, 90)))
    if index % 13 == 4 and build.planned and now - build.finished > timedelta(hours=1):
        _retried_since(build, now, rng)
    build.changed = build.finished
    if index % 11 == 7:
        build.retained = True
        build.changed = min(build.finished + timedelta(days=rng.uniform(0, 20)), now)
        build.changed_by = build.requested_for
    if index % 23 == 11 and now - build.finished > timedelta(days=3):
        build.deleted_on = build.changed = now - timedelta(days=rng.uniform(0.1, 2.5))
        build.deleted_reason = "Deleted by retention policy" if index % 2 else "Deleted manually"


def _retried_since(build: Build, now: datetime, rng: random.Random) -> None:
    """Give a finished build one or two more attempts; every attempt but the last failed."""
    assert build.started is not None
    assert build.finished is not None
    stages = len(build.definition.stages)
    attempts: list[Attempt] = []
    first, started, finished = 0, build.started, build.finished
    for _ in range(rng.randint(1, 2)):
        stopped_at = rng.randrange(first, stages)
        attempts.append(Attempt(first, started, finished, "failed", stopped_at))
        first = stopped_at
        started = min(finished + timedelta(hours=rng.uniform(0.2, 60)), now - timedelta(minutes=30))
        started = max(started, finished + timedelta(seconds=5))
        finished = started + timedelta(minutes=rng.uniform(2, 9))
    last = rng.choice(("succeeded", "succeeded", "failed"))
    attempts.append(Attempt(first, started, finished, last, first if last == "failed" else None))
    build.attempts = tuple(attempts)
    build.finished = finished
    build.result = last
