"""
What happened in a run, as the timeline endpoints tell it: one record per stage, phase, job and task of each attempt.

A timeline is derived on demand from the build's facts, so the same facts give the same bytes. Retrying a build keeps
its newest state in the main timeline (id = plan id) and moves each earlier try to a timeline of its own, named by
`previousAttempts`. Such an older timeline is whole for builds with an even id and holds only the retried stages for
the odd ones: both were observed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ado_assets.sample.clock import SENTINEL, iso
from ado_assets.sample.timelines_shapes import Job, Stage, Task

if TYPE_CHECKING:
    from ado_assets.sample.builds import Attempt, Build
    from ado_assets.sample.world import World

ERRORS = (
    "Process completed with exit code 1.",
    "error CS0246: The type or namespace name 'Größe' could not be found",
    "AssertionError: expected 200, got 503 🙈",
    "The job running on agent Azure Pipelines 7 ran longer than the maximum time of 60 minutes.",
)
WARNINGS = (
    "Task 'NuGet' is deprecated.",
    "warning NU1903: Package 'Newtonsoft.Json' 12.0.1 has a known high severity vulnerability",
    "npm WARN deprecated request@2.88.2",
)
RUNNING_STAGE = timedelta(seconds=1)


@dataclass(frozen=True)
class Window:
    """The part of an attempt in which one stage ran; `end` is None while it runs."""

    start: datetime
    end: datetime | None
    result: str | None


def timeline_ids(world: World, build: Build) -> list[str]:
    """Return the ids of every timeline of *build*, the main one first; empty when it never got a plan."""
    if not build.planned or build.deleted_on is not None:
        return []
    older = [world.guid("timeline", build.id, number) for number in range(1, len(build.attempts))]
    return [plan_id(world, build), *older]


def plan_id(world: World, build: Build) -> str:
    """Return the id of the orchestration plan, which is also the id of the main timeline."""
    return world.guid("plan", build.id)


def timeline(world: World, build: Build, timeline_id: str | None = None) -> dict[str, Any] | None:
    """
    Return one timeline of *build*: the main one, or the one named by *timeline_id*.

    None (HTTP 204) when the build has no plan, is soft-deleted or the id is not one of its timelines.
    """
    ids = timeline_ids(world, build)
    if not ids or (timeline_id is not None and timeline_id.lower() not in ids):
        return None
    position = 0 if timeline_id is None else ids.index(timeline_id.lower())
    attempts = build.tries()
    shown = attempts[:position] if position else attempts
    last = shown[-1]
    url = f"{world.base_url}/{build.project_id}/_apis/build/Builds/{build.id}/Timeline/{ids[position]}"
    return {
        "records": list(_records(world, build, shown, position, ids)),
        "lastChangedBy": build.requested_for.id,
        "lastChangedOn": iso(last.finished or last.started),
        "id": ids[position],
        "changeId": 9 + 14 * len(shown),
        "url": url,
    }


def _records(
    world: World, build: Build, attempts: tuple[Attempt, ...], position: int, ids: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield the records of a timeline; *position* is 0 for the main one, else the number of the earlier attempt."""
    partial_from = build.attempts[position].first_stage if position and build.id % 2 else 0
    for number, stage in enumerate(build.definition.stages):
        if number < partial_from:
            continue
        tried = max(index for index, attempt in enumerate(attempts) if attempt.first_stage <= number)
        window = _window(attempts[tried], number, len(build.definition.stages))
        previous = [] if position else ids[1 : tried + 1]
        rng = world.rng("timeline", build.id, tried, number)
        yield from _StageRecords(world, build, rng, window, tried + 1, previous).of(stage, order=number + 1)


def _window(attempt: Attempt, number: int, stage_count: int) -> Window | None:
    """Return when stage *number* ran in *attempt*; None when it waits or was skipped."""
    stopped_at = attempt.stopped_at
    last = stage_count - 1 if stopped_at is None else stopped_at
    if number > last:
        return Window(attempt.started, attempt.finished, "skipped") if attempt.finished else None
    offset = number - attempt.first_stage
    if attempt.finished is None:
        start = attempt.started + RUNNING_STAGE * offset
        return Window(start, None if number == last else start + RUNNING_STAGE, None if number == last else "succeeded")
    span = (attempt.finished - attempt.started) / (last - attempt.first_stage + 1)
    start = attempt.started + span * offset
    end = attempt.finished if number == last else start + span
    return Window(start, end, _stage_result(attempt, stopped=number == stopped_at))


def _stage_result(attempt: Attempt, *, stopped: bool) -> str:
    if attempt.result == "partiallySucceeded":
        return "succeededWithIssues"
    return str(attempt.result) if stopped else "succeeded"


class _StageRecords:
    """Renders the records of one stage in one attempt."""

    def __init__(
        self, world: World, build: Build, rng: random.Random, window: Window | None, attempt: int, previous: list[str]
    ) -> None:
        self._base = f"{world.base_url}/{build.project_id}/_apis/build/builds/{build.id}/logs"
        self._build = build
        self._rng = rng
        self._window = window
        self._attempt = attempt
        self._previous = previous
        self._log = 4 + 20 * attempt

    def of(self, stage: Stage, *, order: int) -> Iterator[dict[str, Any]]:
        """Yield stage, checkpoint, phases, jobs and tasks, parents before children."""
        skipped = self._window is not None and self._window.result == "skipped"
        if stage.record_id:
            yield self._record(stage.record_id, None, "Stage", stage.title, order, self._window, stage.identifier)
        if stage.checkpoint_id:
            checkpoint = self._checkpoint_window()
            yield self._record(
                stage.checkpoint_id, stage.record_id, "Checkpoint", "Checkpoint", 1, checkpoint, stage.identifier
            )
        for number, job in enumerate(stage.jobs, start=1):
            if job.phase_shown:
                phase = job.identifier.rpartition(".")[0]
                yield self._record(job.phase_id, stage.record_id, "Phase", job.title, number, self._window, phase)
            if not skipped:
                yield from self._job_records(job, number)

    def _checkpoint_window(self) -> Window | None:
        if self._window is None or self._window.result == "skipped":
            return self._window
        return Window(self._window.start, self._window.start, "succeeded")

    def _job_records(self, job: Job, number: int) -> Iterator[dict[str, Any]]:
        record = self._record(job.record_id, job.phase_id, "Job", job.title, number, self._window, job.identifier)
        if self._window is None:
            yield record
            return
        record["workerName"] = f"{self._build.definition.queue_name} {self._rng.randint(1, 9)}"
        record["queueId"] = self._build.definition.queue_id
        tasks = list(self._task_records(job))
        record["errorCount"] = sum(task["errorCount"] for task in tasks)
        record["warningCount"] = sum(task["warningCount"] for task in tasks)
        yield record
        yield from tasks

    def _task_records(self, job: Job) -> Iterator[dict[str, Any]]:
        window = self._window
        assert window is not None
        breaks_at = self._rng.randrange(1, len(job.tasks) - 1)
        broken = window.end is None or window.result in ("failed", "canceled")
        span = ((window.end or window.start) - window.start) / len(job.tasks)
        for number, task in enumerate(job.tasks):
            start = window.start + span * number
            own = Window(start, start + span, "succeeded")
            if broken and number == breaks_at:
                own = Window(start, window.end and start + span, window.result)
            elif broken and number > breaks_at:
                last = number == len(job.tasks) - 1
                own = Window(start, start + span, "succeeded" if last else "skipped")
                if window.end is None:
                    continue
            yield self._task_record(job, task, number + 1, own)

    def _task_record(self, job: Job, task: Task, order: int, window: Window) -> dict[str, Any]:
        record = self._record(task.record_id, job.record_id, "Task", task.title, order, window, None)
        if task.task_id:
            record["task"] = {"id": task.task_id, "name": task.name, "version": task.version}
        issues = self._issues(window.result)
        if issues:
            record["issues"] = issues
            record["errorCount"] = sum(issue["type"] == "error" for issue in issues)
            record["warningCount"] = len(issues) - record["errorCount"]
        return record

    def _issues(self, result: str | None) -> list[dict[str, Any]]:
        issues = []
        if result == "failed":
            for _ in range(self._rng.randint(1, 3)):
                data = {"type": "error", "logFileLineNumber": str(self._rng.randint(1, 4000))}
                issues.append(
                    {"type": "error", "category": "General", "message": self._rng.choice(ERRORS), "data": data}
                )
        if result != "skipped" and self._rng.random() < 0.15:
            issues.append({"type": "warning", "category": "General", "message": self._rng.choice(WARNINGS), "data": {}})
        return issues

    def _record(
        self,
        record_id: str,
        parent_id: str | None,
        kind: str,
        name: str,
        order: int,
        window: Window | None,
        identifier: str | None,
    ) -> dict[str, Any]:
        previous = self._previous if kind != "Task" else []
        record: dict[str, Any] = {
            "previousAttempts": [
                {"attempt": number, "timelineId": timeline_id, "recordId": record_id}
                for number, timeline_id in enumerate(previous, start=1)
            ],
            "id": record_id,
            "type": kind,
            "name": name,
            "attempt": self._attempt,
            "order": order,
            "errorCount": 0,
            "warningCount": 0,
            "changeId": 2 + order,
            "state": "pending",
            "lastModified": SENTINEL,
        }
        if parent_id:
            record["parentId"] = parent_id
        if identifier:
            record["identifier"] = identifier
        if window is not None:
            self._add_run(record, window, kind)
        return record

    def _add_run(self, record: dict[str, Any], window: Window, kind: str) -> None:
        record["state"] = "inProgress" if window.end is None else "completed"
        if window.result is not None:
            record["result"] = window.result
        if window.result == "skipped":
            return
        record["startTime"] = iso(window.start)
        if window.end is None:
            record["percentComplete"] = 40
            record["currentOperation"] = "Running"
        else:
            record["finishTime"] = iso(window.end)
            record["lastModified"] = iso(window.end)
        if kind in ("Job", "Task") and window.end is not None:
            self._log += 1
            record["log"] = {"id": self._log, "type": "Container", "url": f"{self._base}/{self._log}"}
