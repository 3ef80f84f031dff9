"""
The shape of a pipeline's timeline: stages, phases, jobs, tasks, in order, with their record ids.

Record ids depend on the pipeline's name and the record's identifier only, so they repeat from build to build and from
attempt to attempt, as Azure DevOps does for stages and jobs. What happened in a run belongs to `timelines`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ado_assets.sample.world import World

STAGE_NAMES = ("Build", "Test", "Package", "Publish")
TASKS = (
    ("Restore packages", "NuGetCommand", "2.215.0"),
    ("Compile", "DotNetCoreCLI", "2.221.0"),
    ("npm ci", "Npm", "1.240.2"),
    ("Run unit tests", "VSTest", "2.225.1"),
    ("Lint", "Bash", "3.236.1"),
    ("Scan dependencies", "dependency-check-build-task", "6.1.0"),
    ("Publish artifact: drop", "PublishPipelineArtifact", "1.200.0"),
)


@dataclass(frozen=True)
class Task:
    """A step of a job; `name` and `version` of the task definition are None for the agent's own steps."""

    record_id: str
    title: str
    task_id: str | None
    name: str | None
    version: str | None


@dataclass(frozen=True)
class Job:
    """A job with its phase. `phase_shown` false leaves the phase out of the answer: an orphan parent id."""

    record_id: str
    phase_id: str
    identifier: str
    title: str
    phase_shown: bool
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Stage:
    """One stage; `record_id` is None in classic pipelines, whose phases have no parent."""

    record_id: str | None
    checkpoint_id: str | None
    identifier: str
    title: str
    jobs: tuple[Job, ...]


def stages_of(world: World, pipeline: str, rng: random.Random, *, staged: bool) -> tuple[Stage, ...]:
    """Return the stages of a pipeline: two to four when *staged*, else one nameless one."""
    names = STAGE_NAMES[: rng.randint(2, len(STAGE_NAMES))] if staged else ("__default",)
    return tuple(_stage(world, pipeline, name, rng, staged=staged) for name in names)


def _stage(world: World, pipeline: str, name: str, rng: random.Random, *, staged: bool) -> Stage:
    jobs = ("Linux", "Windows") if name == "Test" else (f"{name.strip('_').title()}Job",)
    guarded = staged and name == "Publish"
    return Stage(
        record_id=world.guid("record", pipeline, name) if staged else None,
        checkpoint_id=world.guid("record", pipeline, name, "Checkpoint") if guarded else None,
        identifier=name,
        title=name,
        jobs=tuple(_job(world, pipeline, name, job, rng) for job in jobs),
    )


def _job(world: World, pipeline: str, stage: str, name: str, rng: random.Random) -> Job:
    identifier = f"{stage}.{name}.__default"
    drawn = sorted(rng.sample(range(len(TASKS)), rng.randint(2, 4)))
    own = [("Initialize job", None, None)]
    steps = [*own, *(TASKS[index] for index in drawn), ("Finalize Job", None, None)]
    return Job(
        record_id=world.guid("record", pipeline, identifier),
        phase_id=world.guid("record", pipeline, stage, name),
        identifier=identifier,
        title=name,
        phase_shown=name != "Windows" or rng.random() < 0.7,
        tasks=tuple(
            Task(
                record_id=world.guid("record", pipeline, identifier, title),
                title=title,
                task_id=world.guid("task", task) if task else None,
                name=task,
                version=version,
            )
            for title, task, version in steps
        ),
    )
