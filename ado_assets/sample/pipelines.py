"""
The pipelines area: definitions, builds and releases, what they are now, and what is gone.

Belongs here: joining the parts. How builds and releases change is in `builds_changes` and `releases_changes`; their
JSON in `builds_answers`, `timelines` and `releases_answers`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ado_assets.sample.builds import Builds
from ado_assets.sample.builds_answers import build_answer
from ado_assets.sample.builds_changes import BuildChanges
from ado_assets.sample.pipelines_definitions import Definitions
from ado_assets.sample.pipelines_gone import Gone, Graveyard
from ado_assets.sample.releases import Releases
from ado_assets.sample.releases_answers import deployment_answer, release_answer
from ado_assets.sample.releases_changes import ReleaseChanges
from ado_assets.sample.timelines import timeline, timeline_ids

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.world import World

Truth = tuple[str, dict[str, Any], dict[str, Any]]


class Pipelines:
    """Builds, timelines, releases and deployments of one organization."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._graveyard = Graveyard()
        self.definitions = Definitions(world)
        self.builds = Builds(world, self.definitions)
        self.releases = Releases(world, self.definitions, self.builds)
        self._build_changes = BuildChanges(world, self.builds, self._graveyard)
        self._release_changes = ReleaseChanges(world, self.releases, self._graveyard)
        self.scenarios: dict[str, Callable[[random.Random], str]] = {
            **self._build_changes.scenarios,
            **self._release_changes.scenarios,
        }

    @property
    def gone(self) -> list[Gone]:
        """What existed and no reader would find any more: (resource, scope, key, reason)."""
        return self._graveyard.entries()

    def day(self, rng: random.Random) -> list[str]:
        """Let one day of builds and releases pass; it has just ended."""
        return [*self._build_changes.day(rng), *self._release_changes.day(rng)]

    def truth(self) -> Iterator[Truth]:
        """Yield every build, timeline record, release and deployment of the live projects."""
        for project in self._world.live_projects():
            yield from self._builds_truth(project)
            yield from self._releases_truth(project)

    def _builds_truth(self, project: Project) -> Iterator[Truth]:
        scope = {"project_id": project.id}
        for build in self.builds.of(project.id):
            if build.deleted_on is not None:
                continue
            yield "builds", scope, build_answer(self._world, build)
            for timeline_id in timeline_ids(self._world, build):
                answer = timeline(self._world, build, timeline_id)
                assert answer is not None
                inner = {**scope, "build_id": build.id, "timeline_id": timeline_id}
                for record in answer["records"]:
                    yield "timeline_records", inner, record

    def _releases_truth(self, project: Project) -> Iterator[Truth]:
        scope = {"project_id": project.id}
        for release in self.releases.of(project.id):
            if release.deleted:
                continue
            yield "releases", scope, release_answer(self._world, release)
            for environment, deployment in release.deployments():
                yield "deployments", scope, deployment_answer(self._world, release, environment, deployment)
