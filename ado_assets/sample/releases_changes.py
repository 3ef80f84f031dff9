"""
How releases change: created, approved, deployed again, abandoned, deleted, restored, by the day or by a scenario.

Every change stamps the deployment, its environment and its release. What a release is belongs to `releases`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample.pipelines_gone import Graveyard
from ado_assets.sample.releases import Environment, Release, Releases, abandon

if TYPE_CHECKING:
    from ado_assets.sample.world import World

DAY = timedelta(days=1)
FRESH = timedelta(days=4)
ENDINGS = ("succeeded",) * 6 + ("rejected", "partiallySucceeded", "canceled")
Place = tuple[Release, Environment]


class ReleaseChanges:
    """Changes the releases of live projects; deleted ones and their deployments are noted in the graveyard."""

    def __init__(self, world: World, releases: Releases, graveyard: Graveyard) -> None:
        self._world = world
        self._releases = releases
        self._graveyard = graveyard
        self.scenarios: dict[str, Callable[[random.Random], str]] = {
            "release-created": self._created_scenario,
            "release-redeployed": self._redeployed_scenario,
            "release-approved": self._approved_scenario,
            "release-abandoned": self._abandoned_scenario,
            "release-deleted": self._deleted_scenario,
            "release-restored": self._restored_scenario,
        }
        for release in self._all():
            if release.deleted:
                self._bury(release)

    def day(self, rng: random.Random) -> list[str]:
        """Let the day that has just ended pass; return a sentence for each change."""
        size = self._world.scale.releases
        happened = self._move_waiting(rng)
        for _ in range(1 + size // 300):
            happened += self._create_one(rng)
        for _ in range(1 + size // 1000):
            happened += self._redeploy_one(rng)
        for chance, change in (
            (0.5, self._abandon_one),
            (0.5, self._delete_one),
            (0.15, self._restore_one),
            (0.4, self._activate_one),
        ):
            if rng.random() < chance:
                happened += change(rng)
        return happened

    def _all(self) -> list[Release]:
        """Return the releases of live projects, soft-deleted ones included."""
        return [each for project in self._world.live_projects() for each in self._releases.of(project.id)]

    def _kept(self, status: str = "active") -> list[Release]:
        return [release for release in self._all() if not release.deleted and release.status == status]

    def _during_day(self, rng: random.Random, after: datetime) -> datetime:
        """Return an instant of the last day that is later than *after*."""
        now = self._world.clock.now()
        start = min(max(after, now - DAY + timedelta(minutes=1)), now)
        return start + (now - start) * rng.random()

    def _waiting(self) -> list[Place]:
        """Return where a deployment waits for its approval."""
        return [
            (release, environment)
            for release in self._kept()
            for environment in release.environments
            if environment.deployments and environment.deployments[-1].operation == "pending"
        ]

    def _deployed(self) -> list[Place]:
        """Return where something was deployed and has ended."""
        return [
            (release, environment)
            for release in self._kept()
            for environment in release.environments
            if environment.deployments and environment.status != "inProgress"
        ]

    def _move_waiting(self, rng: random.Random) -> list[str]:
        happened = []
        for release in self._kept():
            for environment in release.environments:
                if environment.status != "inProgress" or rng.random() < self._patience(environment):
                    continue
                if environment.deployments[-1].operation == "pending":
                    self._releases.approve(release, environment, self._during_day(rng, release.modified))
                self._releases.finish(
                    release, environment, rng.choice(ENDINGS), self._during_day(rng, release.modified)
                )
                happened.append(f"{_place(release, environment)} moved on: {environment.status}.")
        return happened

    def _patience(self, environment: Environment) -> float:
        """Return the chance that nothing moves in a day: approvals forgotten for days stay forgotten."""
        return 0.4 if self._world.clock.now() - environment.deployments[-1].modified < FRESH else 0.97

    def _create_one(self, rng: random.Random) -> list[str]:
        now = self._world.clock.now()
        created = self._during_day(rng, now - DAY)
        release = self._releases.create(rng.choice(self._world.live_projects()), rng, created)
        for environment in release.environments:
            self._releases.request(release, environment, release.created_by, self._during_day(rng, release.modified))
            if environment.definition.approver or rng.random() < 0.3:
                break
            self._releases.finish(release, environment, rng.choice(ENDINGS), self._during_day(rng, release.modified))
            if environment.status != "succeeded":
                break
        reached = sum(bool(environment.deployments) for environment in release.environments)
        return [f"{_title(release)} was created and reached {reached} environments."]

    def _redeploy_one(self, rng: random.Random) -> list[str]:
        places = self._deployed()
        if not places:
            return []
        release, environment = rng.choice(places)
        self._redeploy(release, environment, rng, lambda: self._during_day(rng, release.modified))
        return [f"{_place(release, environment)} was deployed again: {environment.status}."]

    def _redeploy(
        self, release: Release, environment: Environment, rng: random.Random, moment: Callable[[], datetime]
    ) -> None:
        self._releases.request(release, environment, release.created_by, moment())
        if environment.definition.approver:
            self._releases.approve(release, environment, moment())
        self._releases.finish(release, environment, rng.choice(ENDINGS), moment())

    def _abandon_one(self, rng: random.Random) -> list[str]:
        release = self._pick(rng, [each for each in self._kept() if not each.settled()])
        if release is None:
            return []
        abandon(self._releases, release, release.created_by, self._during_day(rng, release.modified))
        return [f"{_title(release)} was abandoned."]

    def _delete_one(self, rng: random.Random) -> list[str]:
        release = self._pick(rng, [each for each in self._all() if not each.deleted])
        if release is None:
            return []
        self.delete(release, self._during_day(rng, release.modified))
        return [f"{_title(release)} was deleted."]

    def _restore_one(self, rng: random.Random) -> list[str]:
        release = self._pick(rng, [each for each in self._all() if each.deleted])
        if release is None:
            return []
        self.restore(release, self._during_day(rng, release.modified))
        return [f"{_title(release)} was restored."]

    def _activate_one(self, rng: random.Random) -> list[str]:
        release = self._pick(rng, self._kept("draft"))
        if release is None:
            return []
        release.status = "active"
        release.modified = self._during_day(rng, release.modified)
        self._releases.request(
            release, release.environments[0], release.created_by, self._during_day(rng, release.modified)
        )
        return [f"{_title(release)} left its draft and is being deployed."]

    def _pick(self, rng: random.Random, candidates: list[Release]) -> Release | None:
        return rng.choice(candidates) if candidates else None

    def delete(self, release: Release, when: datetime) -> None:
        """Soft-delete a release: only ``isDeleted=true`` lists it, and its deployments are no longer listed."""
        release.deleted = True
        release.modified = when
        self._bury(release)

    def restore(self, release: Release, when: datetime) -> None:
        """Take a release out of the deleted ones; its deployments keep their old times."""
        release.deleted = False
        release.modified = when
        self._graveyard.restore("releases", release.project_id, release.id)
        for _, deployment in release.deployments():
            self._graveyard.restore("deployments", release.project_id, deployment.id)

    def _bury(self, release: Release) -> None:
        self._graveyard.bury("releases", release.project_id, release.id, "deleted")
        for _, deployment in release.deployments():
            self._graveyard.bury("deployments", release.project_id, deployment.id, "deleted")

    def _created_scenario(self, rng: random.Random) -> str:
        now = self._world.clock.now()
        release = self._releases.create(rng.choice(self._world.live_projects()), rng, now)
        self._releases.request(release, release.environments[0], release.created_by, now)
        return f"{_place(release, release.environments[0])} is being deployed."

    def _redeployed_scenario(self, rng: random.Random) -> str:
        release, environment = min(self._deployed(), key=lambda place: (place[0].created, place[1].definition.rank))
        self._redeploy(release, environment, rng, self._world.clock.now)
        return f"{_place(release, environment)}, created {release.created:%Y-%m-%d}, was deployed again."

    def _approved_scenario(self, rng: random.Random) -> str:
        now = self._world.clock.now()
        places = self._waiting()
        if places:
            release, environment = rng.choice(places)
        else:
            release, environment = next(place for place in self._guarded() if place[1].status != "inProgress")
            self._releases.request(release, environment, release.created_by, now - timedelta(seconds=30))
        self._releases.approve(release, environment, now)
        self._releases.finish(release, environment, "succeeded", now)
        return f"{_place(release, environment)} was approved and deployed."

    def _guarded(self) -> list[Place]:
        """Return the environments that need an approver, newest release first."""
        return [(release, release.environments[-1]) for release in reversed(self._kept())]

    def _abandoned_scenario(self, rng: random.Random) -> str:
        release = self._pick(rng, [each for each in self._kept() if not each.settled()]) or self._kept()[-1]
        abandon(self._releases, release, release.created_by, self._world.clock.now())
        return f"{_title(release)} was abandoned."

    def _deleted_scenario(self, rng: random.Random) -> str:
        release = rng.choice(self._kept())
        self.delete(release, self._world.clock.now())
        return f"{_title(release)} was deleted."

    def _restored_scenario(self, rng: random.Random) -> str:
        deleted = [release for release in self._all() if release.deleted]
        if not deleted:
            deleted = [rng.choice(self._kept())]
            self.delete(deleted[0], self._world.clock.now())
        release = rng.choice(deleted)
        self.restore(release, self._world.clock.now())
        return f"{_title(release)} was restored."


def _title(release: Release) -> str:
    return f"{release.definition.name} {release.name} (release {release.id})"


def _place(release: Release, environment: Environment) -> str:
    return f"{_title(release)} in {environment.definition.name}"
