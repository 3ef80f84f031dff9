"""
How builds change: queued, finished, retried, tagged, deleted, purged, by the day or by a named scenario.

Every change stamps `changed` (lastChangedDate). What a build is belongs to `builds`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample.builds import RESULTS, TAGS, Attempt, Build, Builds
from ado_assets.sample.pipelines_gone import Graveyard

if TYPE_CHECKING:
    from ado_assets.sample.world import World

PURGED_AFTER = timedelta(days=30)
RECENT = timedelta(days=7)
OLD = timedelta(days=60)
DAY = timedelta(days=1)


class BuildChanges:
    """Changes the builds of live projects; purged and deleted ones are noted in the graveyard."""

    def __init__(self, world: World, builds: Builds, graveyard: Graveyard) -> None:
        self._world = world
        self._builds = builds
        self._graveyard = graveyard
        self.scenarios: dict[str, Callable[[random.Random], str]] = {
            "build-queued": self._queued_scenario,
            "build-finished": self._finished_scenario,
            "build-retried": self._retried_scenario,
            "build-tagged": self._tagged_scenario,
            "build-deleted": self._deleted_scenario,
            "build-purged": self._purged_scenario,
            "build-without-timeline": self._without_timeline_scenario,
        }
        for build in builds.all():
            if build.deleted_on is not None:
                graveyard.bury("builds", build.project_id, build.id, _reason(build))

    def day(self, rng: random.Random) -> list[str]:
        """Let the day that has just ended pass; return a sentence for each change."""
        size = self._world.scale.builds
        return [
            *self._move_open(rng),
            *self._queue_new(rng, 2 + size // 400),
            *self._retry_some(rng, 1 + size // 1500),
            *self._tag_some(rng, 1 + size // 3000),
            *self._retire_some(rng, 1 + size // 1000),
            *self._purge_expired(),
        ]

    def _live(self) -> list[Build]:
        """Return the builds of live projects that are not soft-deleted."""
        return [
            build
            for project in self._world.live_projects()
            for build in self._builds.of(project.id)
            if build.deleted_on is None
        ]

    def _during_day(self, rng: random.Random, after: datetime) -> datetime:
        """Return an instant of the last day that is later than *after*."""
        now = self._world.clock.now()
        start = min(max(after, now - DAY + timedelta(minutes=1)), now)
        return start + (now - start) * rng.random()

    def _move_open(self, rng: random.Random) -> list[str]:
        happened = []
        for build in self._live():
            if build.status == "completed" or rng.random() < 0.35:
                continue
            if build.started is None:
                self.start(build, self._during_day(rng, build.changed))
            self.finish(build, rng, self._during_day(rng, build.changed))
            happened.append(f"Build {build.id} finished: {build.result}.")
        return happened

    def _queue_new(self, rng: random.Random, count: int) -> list[str]:
        now = self._world.clock.now()
        projects = self._world.live_projects()
        times = sorted(self._during_day(rng, now - DAY) for _ in range(count))
        happened = []
        for queued in times:
            build = self._queue(rng, queued, rng.choice(projects).id)
            fate = rng.random()
            if fate < 0.08:
                self._refuse(build)
            elif fate < 0.9:
                self.start(build, min(queued + timedelta(seconds=rng.uniform(2, 300)), now))
                if fate < 0.75:
                    self.finish(build, rng, self._during_day(rng, build.changed))
            happened.append(f"Build {build.id} was queued, now {build.status}.")
        return happened

    def _retry_some(self, rng: random.Random, count: int) -> list[str]:
        recent = self._retryable(RECENT)
        happened = []
        for build in rng.sample(recent, min(count, len(recent))):
            self.retry(build, rng, self._during_day(rng, build.changed))
            if rng.random() < 0.6:
                self.finish(build, rng, self._during_day(rng, build.changed))
            happened.append(f"Build {build.id} was retried, now {build.status}.")
        return happened

    def _tag_some(self, rng: random.Random, count: int) -> list[str]:
        recent = self._retryable(RECENT)
        happened = []
        for build in rng.sample(recent, min(count, len(recent))):
            self.tag(build, rng, self._during_day(rng, build.changed))
            happened.append(f"Build {build.id} was tagged.")
        return happened

    def _retire_some(self, rng: random.Random, count: int) -> list[str]:
        now = self._world.clock.now()
        old = [build for build in self._live() if build.finished and now - build.finished > OLD and not build.retained]
        happened = []
        for build in rng.sample(old, min(count, len(old))):
            self.delete(build, self._during_day(rng, build.changed), by_hand=rng.random() < 0.2)
            happened.append(f"Build {build.id} was deleted: {build.deleted_reason}.")
        return happened

    def _purge_expired(self) -> list[str]:
        now = self._world.clock.now()
        expired = [build for build in self._builds.all() if build.deleted_on and now - build.deleted_on > PURGED_AFTER]
        for build in expired:
            self.purge(build)
        return [f"Build {build.id} was purged." for build in expired]

    def _retryable(self, age: timedelta) -> list[Build]:
        """Return completed builds with a plan that finished less than *age* ago."""
        now = self._world.clock.now()
        return [build for build in self._live() if build.planned and build.finished and now - build.finished < age]

    def _queue(self, rng: random.Random, queued: datetime, project_id: str) -> Build:
        build = self._builds.drawn(self._world.projects[project_id], rng, queued)
        build.status = "notStarted"
        build.planned = False
        self._builds.add(build)
        return build

    def _refuse(self, build: Build) -> None:
        """End a queued build at once because its YAML is broken: it never gets a plan."""
        build.status, build.result = "completed", "failed"
        build.started = build.finished = build.changed = build.queued + timedelta(milliseconds=310)

    def start(self, build: Build, when: datetime) -> None:
        """Start a waiting build: it gets its plan."""
        build.status = "inProgress"
        build.planned = True
        build.started = build.changed = when
        build.changed_by = None

    def finish(self, build: Build, rng: random.Random, when: datetime) -> None:
        """End a running build, or the running attempt of a retried one."""
        result = "canceled" if build.status == "cancelling" else rng.choice(RESULTS)
        if build.attempts:
            last = build.attempts[-1]
            stopped_at = last.first_stage if result in ("failed", "canceled") else None
            ended = replace(last, finished=when, result=result, stopped_at=stopped_at)
            build.attempts = (*build.attempts[:-1], ended)
        build.status, build.result = "completed", result
        build.finished = build.changed = when
        build.changed_by = None

    def retry(self, build: Build, rng: random.Random, when: datetime) -> None:
        """Run a completed build again from the stage it stopped at; it is in progress until `finish`."""
        earlier = build.tries()
        last = earlier[-1]
        stages = len(build.definition.stages)
        first = rng.randrange(last.first_stage, stages) if last.stopped_at is None else last.stopped_at
        build.attempts = (*earlier, Attempt(first, when, None, None, first))
        build.status, build.result, build.finished = "inProgress", None, None
        build.changed = when
        build.changed_by = build.requested_for

    def tag(self, build: Build, rng: random.Random, when: datetime) -> None:
        """Toggle a tag, which changes a completed build without moving its finish time."""
        build.tags = tuple(sorted({*build.tags} ^ {rng.choice(TAGS)}))
        build.changed = when
        build.changed_by = build.requested_for

    def delete(self, build: Build, when: datetime, *, by_hand: bool) -> None:
        """Soft-delete a build: single reads still answer it, its timeline is gone."""
        build.deleted_on = build.changed = when
        build.deleted_reason = "Deleted manually" if by_hand else "Deleted by retention policy"
        build.changed_by = build.requested_for if by_hand else None
        self._graveyard.bury("builds", build.project_id, build.id, _reason(build))

    def purge(self, build: Build) -> None:
        """Remove a build for good."""
        self._builds.purge(build)
        self._graveyard.bury("builds", build.project_id, build.id, "destroyed")

    def _queued_scenario(self, rng: random.Random) -> str:
        build = self._running_now(rng)
        return f"Build {build.id} ({build.number}) was queued and is running."

    def _running_now(self, rng: random.Random) -> Build:
        now = self._world.clock.now()
        build = self._queue(rng, now - timedelta(seconds=20), rng.choice(self._world.live_projects()).id)
        self.start(build, now)
        return build

    def _finished_scenario(self, rng: random.Random) -> str:
        running = [build for build in self._live() if build.status == "inProgress"]
        build = rng.choice(running) if running else self._running_now(rng)
        self.finish(build, rng, self._world.clock.now())
        return f"Build {build.id}, queued {build.queued:%Y-%m-%d %H:%M}, finished: {build.result}."

    def _retried_scenario(self, rng: random.Random) -> str:
        now = self._world.clock.now()
        build = rng.choice(self._retryable(now - datetime.min.replace(tzinfo=now.tzinfo)))
        self.retry(build, rng, now - timedelta(seconds=30))
        self.finish(build, rng, now)
        return f"Build {build.id} was retried (attempt {len(build.attempts)}) and finished again: {build.result}."

    def _tagged_scenario(self, rng: random.Random) -> str:
        build = rng.choice(self._retryable(RECENT) or self._completed())
        self.tag(build, rng, self._world.clock.now())
        return f"Build {build.id} now has the tags {', '.join(build.tags) or 'none'}."

    def _completed(self) -> list[Build]:
        return [build for build in self._live() if build.status == "completed"]

    def _deleted_scenario(self, rng: random.Random) -> str:
        build = rng.choice(self._completed())
        self.delete(build, self._world.clock.now(), by_hand=False)
        return f"Build {build.id} was deleted by the retention policy."

    def _purged_scenario(self, rng: random.Random) -> str:
        live = {project.id for project in self._world.live_projects()}
        deleted = [build for build in self._builds.all() if build.deleted_on and build.project_id in live]
        build = rng.choice(deleted or self._completed())
        self.purge(build)
        return f"Build {build.id} was purged."

    def _without_timeline_scenario(self, rng: random.Random) -> str:
        now = self._world.clock.now()
        build = self._queue(rng, now - timedelta(seconds=5), rng.choice(self._world.live_projects()).id)
        self._refuse(build)
        return f"Build {build.id} failed before it got a plan: it has no timeline."


def _reason(build: Build) -> str:
    return "deleted" if build.deleted_reason == "Deleted manually" else "retention"
