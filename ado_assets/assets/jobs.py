"""
Jobs over the whole organization, and their schedules.

A job here is a graph of steps, one per feed, that report what they wrote as materializations of the assets. It is not
an asset job: a run over all projects has no partition key, and without one Dagster does not execute a partitioned asset
that depends on another partitioned one. So one run covers all projects concurrently, and an event is written only for
projects whose rows changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import dagster as dg

from ado_assets.assets.metadata import materialization_metadata, project_materializations
from ado_assets.assets.run import SyncConfig, connector_of, finish, run_feed
from ado_assets.assets.upstream import upstream_feeds
from ado_assets.config import CONNECTORS, FileSettings
from ado_assets.resources import AdoDeployment, AdoWarehouse, ConnectorOff
from ado_assets.sync import FEEDS, Feed

#: What each job reads, by feed. A connector's job refreshes only the listings it stands on, not teams and members.
SELECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "core": (
        *("users", "projects", "teams", "team_members", "iterations", "areas"),
        *("work_item_type_categories", "work_item_types", "work_item_fields"),
    ),
    "boards": ("projects", "work_items", "work_item_updates", "work_item_revisions"),
    "pipelines": ("projects", "builds", "build_timeline_records", "releases", "release_deployments"),
    "repos": (
        *("projects", "repositories", "pull_requests", "pull_request_iterations", "pull_request_iteration_changes"),
        *("pull_request_threads", "pull_request_work_items"),
    ),
    "pull_commits": ("projects", "repositories", "pull_requests", "pull_request_commits"),
    "commits": ("projects", "repositories", "commits"),
}

#: Cron of each schedule unless ``ado.yaml`` says otherwise; minutes differ so that connectors do not start together.
CRONS: Final[Mapping[str, str]] = {
    "core": "5 * * * *",
    "boards": "0,30 * * * *",
    "pipelines": "6,36 * * * *",
    "repos": "12,42 * * * *",
    "pull_commits": "18,48 * * * *",
    "commits": "24,54 * * * *",
}

#: Jobs with this tag leave out what a connector without a token would read, instead of failing it.
SKIP_OFF: Final = "ado/skip_off_connectors"

VERDICT: Final = "verdict"


def make_jobs(resources: Mapping[str, Any]) -> list[dg.JobDefinition]:
    """``sync_core``, one job per connector, and ``sync_all``, with the resources they run on."""
    resources = {**resources, "io_manager": dg.mem_io_manager}
    steps = {name: _step(feed) for name, feed in FEEDS.items()}
    jobs = [
        _job(
            f"sync_{name}",
            {feed: steps[feed] for feed in feeds},
            f"Bring the tables of {name} up to date for the whole organization.",
            resources,
        )
        for name, feeds in SELECTIONS.items()
    ]
    about = "Bring every table up to date. What a connector without a token would read is left out."
    return [*jobs, _job("sync_all", steps, about, resources, tags={SKIP_OFF: "true"})]


def make_schedules(settings: FileSettings) -> list[dg.ScheduleDefinition]:
    """One schedule per job but ``sync_all``; stopped unless ``start_schedules`` is set in ``ado.yaml``."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.start_schedules else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=f"{name}_schedule",
            job_name=f"sync_{name}",
            cron_schedule=settings.schedules.get(name, cron),
            default_status=status,
            execution_timezone="UTC",
        )
        for name, cron in CRONS.items()
    ]


def step_name(feed: str) -> str:
    """The step of a feed in every job; an asset's own step has the feed's bare name."""
    return f"read_{feed}"


def _job(
    name: str,
    steps: Mapping[str, dg.OpDefinition],
    about: str,
    resources: Mapping[str, Any],
    *,
    tags: Mapping[str, str] | None = None,
) -> dg.JobDefinition:
    """A graph of one step per feed, in the order of their lineage, and a last one that gives the verdict."""
    dependencies: dict[Any, Any] = {
        step_name(feed): {"after": _all(step_name(other) for other in upstream_feeds(feed) if other in steps)}
        for feed in steps
    }
    dependencies[VERDICT] = {"failures": _all(map(step_name, steps))}
    graph = dg.GraphDefinition(name=name, node_defs=[*steps.values(), verdict], dependencies=dependencies)
    return graph.to_job(
        name=name,
        description=about,
        executor_def=dg.in_process_executor,
        tags=dict(tags or {}),
        resource_defs=resources,
    )


def _all(steps: Iterable[str]) -> dg.MultiDependencyDefinition:
    return dg.MultiDependencyDefinition([dg.DependencyDefinition(name) for name in steps])


def _step(feed: Feed) -> dg.OpDefinition:
    @dg.op(
        name=step_name(feed.name),
        description=f"Bring {', '.join(table.name for table in feed.tables)} up to date.",
        ins={"after": dg.In(dg.Nothing)},
        out=dg.Out(list),
        required_resource_keys={*CONNECTORS, "deployment", "warehouse"},
        pool=feed.tables[0].connector,
    )
    def step(context: dg.OpExecutionContext, config: SyncConfig) -> Iterator[Any]:
        if is_left_out(context, feed):
            yield dg.Output([])
            return
        report = run_feed(context, feed, config)
        warehouse: AdoWarehouse = context.resources.warehouse
        metadata = materialization_metadata(feed.tables, report, warehouse.open())
        for table in feed.tables:
            if not table.unpartitioned:
                yield from project_materializations(table, report)
            yield dg.AssetMaterialization(table.name, metadata=metadata[table.name])
        yield dg.Output([f"{feed.name}: {o.repository_id or o.unit}: {o.reason}" for o in report.failed])

    return step


def is_left_out(context: dg.OpExecutionContext, feed: Feed) -> bool:
    """Whether the configuration disables the feed's main table, or its connector is off and the job allows for that."""
    deployment: AdoDeployment = context.resources.deployment
    if not deployment.settings().enabled(feed.name):
        context.log.info(f"{feed.name}: left out, since it is disabled in the configuration")
        return True
    if not context.run.tags.get(SKIP_OFF):
        return False
    try:
        connector_of(context, feed)
    except ConnectorOff as off:
        context.log.warning(f"left out: {off.description}")
        return True
    return False


@dg.op(
    ins={"failures": dg.In(list[list[str]])},
    required_resource_keys={"deployment", "warehouse"},
    description="Publish and tidy up; fail the run when some units could not be read.",
)
def verdict(context: dg.OpExecutionContext, failures: list[list[str]]) -> None:
    """
    Publish what was committed, then fail the run if need be, naming each unit that could not be read.

    It comes last so that one project in trouble stops no table of the others.
    """
    finish(context)
    named = [text for texts in failures for text in texts]
    if named:
        raise dg.Failure(
            description=f"{len(named)} units could not be read; everything else is committed, and these keep their "
            "watermark, so that the next sync reads them again:\n" + "\n".join(named)
        )
