"""
Releases of the sample organization at rest: environments, deployment attempts, approvals, and the first ones.

State is explicit, because a redeployment weeks later changes it. The JSON is made by `releases_answers`; changes after
the start belong to `releases_changes`. Ids of releases, environments, deployments and approvals restart at 1 in every
project.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample.builds import Build, Builds
from ado_assets.sample.pipelines_definitions import Definitions, EnvironmentDefinition, ReleaseDefinition, humans

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.people import Person
    from ado_assets.sample.world import World

HISTORY = timedelta(days=300)
DESCRIPTIONS = ("", "", "Creating Sample release", "Hotfix for the checkout page 🔥", "Wöchentliches Rollout")
TAGS = ("canary", "rollback candidate", "größer")
OUTCOMES = ("succeeded",) * 8 + ("rejected", "partiallySucceeded", "canceled", "refused")
DEPLOYMENT_OF = {
    "succeeded": ("succeeded", "approved"),
    "rejected": ("failed", "phaseFailed"),
    "partiallySucceeded": ("partiallySucceeded", "phasePartiallySucceeded"),
    "canceled": ("notDeployed", "canceled"),
    "refused": ("notDeployed", "rejected"),
}
"""How a deployment ended -> its deployment status and operation status."""
TERMINAL = frozenset(("succeeded", "rejected", "partiallySucceeded", "canceled"))


@dataclass(slots=True, eq=False)
class Approval:
    """One approval step of a deployment attempt; automated ones have no approver."""

    id: int
    kind: str
    attempt: int
    approver: Person | None
    status: str
    created: datetime
    modified: datetime


@dataclass(slots=True, eq=False)
class Deployment:
    """
    One attempt to deploy a release to an environment.

    *requested* is when it was asked for; *queued* is None until it left its approvals, *completed* None until it ended.
    """

    id: int
    step_id: int
    attempt: int
    reason: str
    status: str
    operation: str
    requested_by: Person
    requested: datetime
    modified: datetime
    modified_by: Person
    queued: datetime | None = None
    completed: datetime | None = None
    approvals: list[Approval] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Environment:
    """One environment of a release, with its deployment attempts in order. *created* None until first deployed."""

    id: int
    definition: EnvironmentDefinition
    status: str = "notStarted"
    created: datetime | None = None
    modified: datetime | None = None
    deployments: list[Deployment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Release:
    """One release; *deleted* means soft-deleted: only ``isDeleted=true`` lists it. *sequence* orders all projects."""

    id: int
    sequence: int
    project_id: str
    definition: ReleaseDefinition
    name: str
    status: str
    reason: str
    description: str
    created: datetime
    created_by: Person
    modified: datetime
    modified_by: Person
    build: Build | None
    environments: list[Environment]
    tags: tuple[str, ...] = ()
    keep_forever: bool = False
    deleted: bool = False

    def deployments(self) -> list[tuple[Environment, Deployment]]:
        """Return every deployment attempt with its environment, by environment, then by attempt."""
        return [(environment, each) for environment in self.environments for each in environment.deployments]

    def settled(self) -> bool:
        """Return whether no environment can move without somebody acting: abandoned, or each one deployed."""
        return self.status == "abandoned" or all(each.status in TERMINAL for each in self.environments)


class Releases:
    """All releases of the organization, by project; soft-deleted ones included."""

    def __init__(self, world: World, definitions: Definitions, builds: Builds) -> None:
        self._world = world
        self._definitions = definitions
        self._builds = builds
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._sequence = 0
        self._by_project: dict[str, dict[int, Release]] = defaultdict(dict)
        self._start()

    def of(self, project_id: str) -> list[Release]:
        """Return the releases of one project, by id."""
        return list(self._by_project[project_id].values())

    def get(self, project_id: str, release_id: int) -> Release | None:
        """Return one release, soft-deleted or not."""
        return self._by_project[project_id].get(release_id)

    def next_id(self, project_id: str, kind: str) -> int:
        """Return the next id of a *kind* of thing in a project; ids start at 1."""
        self._numbers[project_id, kind] += 1
        return self._numbers[project_id, kind]

    def create(self, project: Project, rng: random.Random, created: datetime, status: str = "active") -> Release:
        """Create and keep a release of *project*, its environments not started."""
        definition = rng.choice(self._definitions.releases_of(project))
        author = rng.choice(humans(self._world, project))
        self._sequence += 1
        release_id = self.next_id(project.id, "release")
        release = Release(
            id=release_id,
            sequence=self._sequence,
            project_id=project.id,
            definition=definition,
            name=f"Release-{self.next_id(project.id, f'name of {definition.id}')}",
            status=status,
            reason="manual" if status == "draft" else rng.choice(("manual", "continuousIntegration", "schedule")),
            description=rng.choice(DESCRIPTIONS),
            created=created,
            created_by=author,
            modified=created,
            modified_by=author,
            build=self._deployable(project, rng, created),
            environments=[
                Environment(self.next_id(project.id, "environment"), environment)
                for environment in definition.environments
            ],
            tags=(rng.choice(TAGS),) if rng.random() < 0.15 else (),
            keep_forever=rng.random() < 0.05,
        )
        self._by_project[project.id][release_id] = release
        return release

    def _deployable(self, project: Project, rng: random.Random, created: datetime) -> Build | None:
        """Return a build queued shortly before *created* that had finished by then, if there is one."""
        builds = self._builds.of(project.id)
        end = bisect_left(builds, created, key=lambda build: build.queued)
        recent = builds[max(0, end - 30) : end]
        finished = [build for build in recent if build.finished is not None and build.finished < created]
        return rng.choice(finished) if finished else None

    def request(self, release: Release, environment: Environment, person: Person, requested: datetime) -> Deployment:
        """Ask for a deployment to *environment*: it waits for its approver, or runs when it has none."""
        number = len(environment.deployments) + 1
        approver = environment.definition.approver
        deployment = Deployment(
            id=self.next_id(release.project_id, "deployment"),
            step_id=self.next_id(release.project_id, "step"),
            attempt=number,
            reason="manual" if number > 1 or release.reason == "manual" else "automated",
            status="notDeployed" if approver else "inProgress",
            operation="pending" if approver else "phaseInProgress",
            requested_by=person,
            requested=requested,
            modified=requested,
            modified_by=person,
            queued=None if approver else requested,
        )
        deployment.approvals.append(
            Approval(
                id=self.next_id(release.project_id, "approval"),
                kind="preDeploy",
                attempt=number,
                approver=approver,
                status="pending" if approver else "approved",
                created=requested,
                modified=requested,
            )
        )
        environment.deployments.append(deployment)
        environment.status = "inProgress"
        environment.created = environment.created or requested
        touch(release, environment, deployment, person, requested)
        return deployment

    def approve(self, release: Release, environment: Environment, when: datetime) -> None:
        """Let the last deployment of *environment* leave its pending approval and start."""
        deployment = environment.deployments[-1]
        for approval in deployment.approvals:
            if approval.status == "pending":
                approval.status = "approved"
                approval.modified = when
        deployment.queued = when
        deployment.status = "inProgress"
        deployment.operation = "phaseInProgress"
        touch(release, environment, deployment, deployment.approvals[0].approver or release.created_by, when)

    def finish(self, release: Release, environment: Environment, outcome: str, when: datetime) -> None:
        """End the last deployment of *environment* with an outcome of DEPLOYMENT_OF."""
        deployment = environment.deployments[-1]
        deployment.status, deployment.operation = DEPLOYMENT_OF[outcome]
        environment.status = "rejected" if outcome == "refused" else outcome
        if outcome != "refused":
            deployment.completed = when
        for approval in deployment.approvals:
            if approval.status == "pending":
                approval.status = "canceled" if outcome == "canceled" else "rejected"
                approval.modified = when
        if deployment.status in ("succeeded", "partiallySucceeded"):
            post = self.next_id(release.project_id, "approval")
            deployment.approvals.append(Approval(post, "postDeploy", deployment.attempt, None, "approved", when, when))
        touch(release, environment, deployment, deployment.requested_by, when)

    def _start(self) -> None:
        """Fill the organization, oldest release first, so that ids rise with time in every project."""
        world = self._world
        now = world.clock.now()
        planned: list[tuple[datetime, Project]] = []
        for project in world.live_projects():
            rng = world.rng("releases", project.id)
            for _ in range(world.share(world.scale.releases, project)):
                planned.append((now - HISTORY * (rng.random() ** 1.5) - timedelta(hours=30), project))
        planned.sort(key=lambda entry: entry[0])
        rng = world.rng("release-fates")
        for index, (created, project) in enumerate(planned):
            draft = index % 11 == 6
            release = self.create(project, rng, created, "draft" if draft else "active")
            if not draft:
                self._deploy_all(release, now, rng)
            self._age(release, index, now, rng)

    def _deploy_all(self, release: Release, now: datetime, rng: random.Random) -> None:
        """Roll a release out environment by environment until one fails or waits; a failure may be tried again."""
        when = release.created
        for environment in release.environments:
            for _ in range(3):
                when += timedelta(minutes=rng.uniform(1, 300))
                if when > now - timedelta(hours=1):
                    return
                self.request(release, environment, release.created_by, when)
                if environment.definition.approver:
                    when += timedelta(minutes=rng.uniform(1, 600))
                    if when > now - timedelta(hours=1) or rng.random() < 0.15:
                        return
                outcome = rng.choice(OUTCOMES)
                if environment.definition.approver and outcome != "refused":
                    self.approve(release, environment, when)
                if outcome != "refused" and rng.random() < 0.02:
                    return
                when += timedelta(minutes=rng.uniform(1, 40))
                self.finish(release, environment, outcome, when)
                if environment.status in ("succeeded", "partiallySucceeded") or rng.random() < 0.4:
                    break
            if environment.status not in ("succeeded", "partiallySucceeded"):
                return

    def _age(self, release: Release, index: int, now: datetime, rng: random.Random) -> None:
        """Abandon or delete a few, at fixed steps, so that every scale has them."""
        if index % 7 == 3 and not release.settled():
            when = min(release.modified + timedelta(hours=rng.uniform(1, 200)), now)
            abandon(self, release, release.created_by, when)
        if index % 9 == 5:
            release.deleted = True
            release.modified = max(release.modified, now - timedelta(hours=rng.uniform(1, 80)))


def abandon(releases: Releases, release: Release, person: Person, when: datetime) -> None:
    """Abandon a release: what waits or runs is canceled."""
    for environment in release.environments:
        if environment.deployments and environment.status == "inProgress":
            releases.finish(release, environment, "canceled", when)
    release.status = "abandoned"
    release.modified = when
    release.modified_by = person


def touch(release: Release, environment: Environment, deployment: Deployment, person: Person, when: datetime) -> None:
    """Stamp a change of a deployment on everything that contains it."""
    deployment.modified = environment.modified = release.modified = when
    deployment.modified_by = release.modified_by = person
