"""
Build and release definitions of the sample organization, and the repositories they build from.

Definitions are immutable facts: what is built, from where, in which stages, to which environments. Builds and
releases themselves belong to `builds` and `releases`. Ids restart at 1 in every project, the harder of the two
readings of the API (sources disagree whether definition ids are unique in the organization).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample.timelines_shapes import Stage, stages_of

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.people import Person
    from ado_assets.sample.world import World

BUILD_NAMES = (
    "storefront-ci",
    "payments-api",
    "Nightly Regression",
    "mobile release",
    "infra-terraform",
    "design-system",
    "data-platform (integration)",
    "docs & samples",
)
FOLDERS = ("\\", "\\services", "\\services\\core", "\\nightly")
ENVIRONMENT_NAMES = ("Dev", "QA", "Staging", "Production")
RELEASE_NAMES = ("Web CD", "Payments CD", "Mobile store", "Platform rollout")
COMMIT_RANGE = 2**160


@dataclass(frozen=True)
class BuildRepository:
    """Where a definition takes its sources from; `id` is a GUID only when `type` is TfsGit."""

    id: str
    type: str
    name: str
    url: str
    default_branch: str
    head: str


@dataclass(frozen=True, eq=False)
class BuildDefinition:
    """A pipeline: yaml ones have stages, classic ones only phases (`staged` false)."""

    project_id: str
    id: int
    name: str
    path: str
    revision: int
    staged: bool
    number_style: str
    created: datetime
    author: Person
    repository: BuildRepository
    queue_id: int
    queue_name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class EnvironmentDefinition:
    """One target of a release definition; `approver` is who must agree before a deployment starts."""

    id: int
    name: str
    rank: int
    approver: Person | None


@dataclass(frozen=True, eq=False)
class ReleaseDefinition:
    """A classic release pipeline that deploys the output of one build definition."""

    project_id: str
    id: int
    name: str
    path: str
    revision: int
    created: datetime
    author: Person
    artifact: BuildDefinition
    environments: tuple[EnvironmentDefinition, ...]


class Definitions:
    """The definitions of every project, made on first use and then kept."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._opened = world.clock.now()
        self._builds: dict[str, tuple[BuildDefinition, ...]] = {}
        self._releases: dict[str, tuple[ReleaseDefinition, ...]] = {}

    def builds_of(self, project: Project) -> tuple[BuildDefinition, ...]:
        """Return the build definitions of *project*, ordered by id."""
        if project.id not in self._builds:
            self._builds[project.id] = tuple(self._build_definitions(project))
        return self._builds[project.id]

    def releases_of(self, project: Project) -> tuple[ReleaseDefinition, ...]:
        """Return the release definitions of *project*, ordered by id."""
        if project.id not in self._releases:
            self._releases[project.id] = tuple(self._release_definitions(project))
        return self._releases[project.id]

    def _build_definitions(self, project: Project) -> list[BuildDefinition]:
        rng = self._world.rng("build-definitions", project.id)
        names = rng.sample(BUILD_NAMES, rng.randint(3, len(BUILD_NAMES)))
        repositories = self._repositories(project, rng)
        people = humans(self._world, project)
        return [
            self._build_definition(project, index, name, rng, repositories, people)
            for index, name in enumerate(names, start=1)
        ]

    def _build_definition(
        self,
        project: Project,
        index: int,
        name: str,
        rng: random.Random,
        repositories: list[BuildRepository],
        people: list[Person],
    ) -> BuildDefinition:
        staged = index % 4 != 0
        hosted = rng.random() < 0.7
        return BuildDefinition(
            project_id=project.id,
            id=index,
            name=name,
            path=rng.choice(FOLDERS),
            revision=rng.randint(1, 60),
            staged=staged,
            number_style=("date", "version", "named")[index % 3],
            created=self._opened - timedelta(days=420 + rng.randint(0, 900), seconds=rng.randint(0, 86399)),
            author=rng.choice(people),
            repository=repositories[index % len(repositories)],
            queue_id=11 if hosted else 12,
            queue_name="Azure Pipelines" if hosted else "Default",
            stages=stages_of(self._world, name, rng, staged=staged),
        )

    def _repositories(self, project: Project, rng: random.Random) -> list[BuildRepository]:
        github_name = f"fabrikam/{rng.choice(('tooling', 'edge-cache', 'sdk'))}"
        github = BuildRepository(
            id=github_name,
            type="GitHub",
            name=github_name,
            url=f"https://github.com/{github_name}.git",
            default_branch="refs/heads/main",
            head=commit_id(rng),
        )
        if project.source_control == "Tfvc":
            return [
                BuildRepository(
                    id="$/", type="TfsVersionControl", name=project.name, url="", default_branch="$/", head="C5120"
                )
            ]
        hosted = [
            BuildRepository(
                id=repository.id,
                type="TfsGit",
                name=repository.name,
                url=f"{self._world.base_url}/{project.id}/_git/{repository.id}",
                default_branch="refs/heads/main",
                head=repository.head,
            )
            for repository in self._world.git.repositories_of(project.id)
            if repository.head
        ]
        return [*hosted[:4], github]

    def _release_definitions(self, project: Project) -> list[ReleaseDefinition]:
        rng = self._world.rng("release-definitions", project.id)
        people = humans(self._world, project)
        builds = self.builds_of(project)
        definitions = []
        first_environment = 1
        for index, name in enumerate(rng.sample(RELEASE_NAMES, rng.randint(1, len(RELEASE_NAMES))), start=1):
            count = rng.randint(2, len(ENVIRONMENT_NAMES))
            environments = tuple(
                EnvironmentDefinition(
                    id=first_environment + rank,
                    name=ENVIRONMENT_NAMES[rank],
                    rank=rank + 1,
                    approver=rng.choice(people) if rank == count - 1 else None,
                )
                for rank in range(count)
            )
            first_environment += count
            definitions.append(
                ReleaseDefinition(
                    project_id=project.id,
                    id=index,
                    name=name,
                    path="\\" if index % 2 else "\\customer facing",
                    revision=rng.randint(1, 25),
                    created=self._opened - timedelta(days=400 + rng.randint(0, 500), seconds=rng.randint(0, 86399)),
                    author=rng.choice(people),
                    artifact=rng.choice(builds),
                    environments=environments,
                )
            )
        return definitions


def humans(world: World, project: Project) -> list[Person]:
    """Return the users of *project*, or of the organization when the project has none."""
    members = [person for person in project.people if person.kind == "user"]
    return members or [person for person in world.people if person.kind == "user"]


def commit_id(rng: random.Random) -> str:
    """Return a 40-digit commit id."""
    return f"{rng.randrange(COMMIT_RANGE):040x}"


def branches_of(repository_type: str) -> tuple[str, ...]:
    """Return the branches pipelines build most, the default one first."""
    if repository_type == "TfsVersionControl":
        return ("$/",)
    return ("refs/heads/main", "refs/heads/develop", "refs/heads/release/2.4", "refs/heads/feature/Größe-#1")
