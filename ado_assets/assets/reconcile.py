"""The job ``reconcile``: compare each table's ids with the API, repair what differs, and tell it on the assets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from ado_assets.assets.jobs import SKIP_OFF, is_left_out
from ado_assets.assets.metadata import materialization_metadata
from ado_assets.assets.run import SyncConfig, connector_of, run_feed, selection_of
from ado_assets.assets.upstream import upstream_feeds
from ado_assets.config import CONNECTORS, FileSettings
from ado_assets.resources import AdoDeployment, AdoWarehouse, ConnectorOff
from ado_assets.sync import COMPARABLE, FEEDS, Difference, Feed, FeedReport, Reconciliation, reconcile_feed

JOB: Final = "reconcile"
CRON: Final = "30 2 * * *"
RECONCILIATION: Final = "reconciliation"

#: Keys named in a report, per unit, and units named on an asset.
_EXAMPLES: Final = 5
_UNITS: Final = 50


class ReconcileConfig(dg.Config):
    """
    Run configuration of each step.

    Args:
        projects: Names of the projects to compare; empty for all.
    """

    projects: list[str] = []  # noqa: RUF012 (the configuration system copies defaults)


def make_reconcile_job(resources: Mapping[str, Any]) -> dg.JobDefinition:
    """One step per table that can be compared, in the order of their lineage, and a last one that gives the verdict."""
    names = [reconcile_step(name) for name in COMPARABLE]
    dependencies: dict[Any, Any] = {
        reconcile_step(name): {"after": _all([reconcile_step(o) for o in upstream_feeds(name) if o in COMPARABLE])}
        for name in COMPARABLE
    }
    dependencies[RECONCILIATION] = {"tables": _all(names)}
    steps = [_step(FEEDS[name]) for name in COMPARABLE]
    graph = dg.GraphDefinition(name=JOB, node_defs=[*steps, reconciliation], dependencies=dependencies)
    return graph.to_job(
        name=JOB,
        description="Compare the ids of every table with the API, repair what differs, and report it.",
        executor_def=dg.in_process_executor,
        tags={SKIP_OFF: "true"},
        resource_defs={**resources, "io_manager": dg.mem_io_manager},
    )


def make_reconcile_schedule(settings: FileSettings) -> dg.ScheduleDefinition:
    """Once a day, in the night; stopped unless ``start_schedules`` is set in ``ado.yaml``."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.start_schedules else dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=f"{JOB}_schedule",
        job_name=JOB,
        cron_schedule=settings.schedules.get(JOB, CRON),
        default_status=status,
        execution_timezone="UTC",
    )


def reconcile_step(name: str) -> str:
    """The step of a table."""
    return f"reconcile_{name}"


def _all(steps: Sequence[str]) -> dg.MultiDependencyDefinition:
    return dg.MultiDependencyDefinition([dg.DependencyDefinition(name) for name in steps])


def _step(feed: Feed) -> dg.OpDefinition:
    @dg.op(
        name=reconcile_step(feed.name),
        description=f"Compare the ids of {feed.name} with the API, and repair what differs.",
        ins={"after": dg.In(dg.Nothing)},
        out=dg.Out(dict),
        required_resource_keys={*CONNECTORS, "deployment", "warehouse"},
        pool=feed.tables[0].connector,
    )
    def step(context: dg.OpExecutionContext, config: ReconcileConfig) -> Iterator[Any]:
        if is_left_out(context, feed):
            yield dg.Output({})
            return
        found = _reconcile(context, feed, config)
        told = as_plain(found)
        for report in found.syncs:
            yield from _materializations(context, report)
        counts = {name: told[name] for name in ("units", "rows", "missing", "surplus", "repaired", "remaining")}
        context.log.info(f"{feed.name}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
        yield dg.AssetObservation(
            feed.name, metadata={**counts, "differences": dg.MetadataValue.json(told["differs"][:_UNITS])}
        )
        yield dg.Output(told)

    return step


def _reconcile(context: dg.OpExecutionContext, feed: Feed, config: ReconcileConfig) -> Reconciliation:
    deployment: AdoDeployment = context.resources.deployment
    warehouse: AdoWarehouse = context.resources.warehouse

    def sync(which: Feed, projects: Sequence[str], full_refresh: bool) -> FeedReport | None:
        try:
            connector_of(context, which)
        except ConnectorOff as off:
            context.log.warning(f"left out: {off.description}")
            return None
        if not deployment.settings().enabled(which.name):
            return None
        return run_feed(context, which, SyncConfig(projects=list(projects), full_refresh=full_refresh))

    selection = selection_of(feed, SyncConfig(projects=config.projects), deployment.settings(), ())
    return reconcile_feed(feed, selection, connector_of(context, feed).client, warehouse.open(), sync)


def _materializations(context: dg.OpExecutionContext, report: FeedReport) -> Iterator[dg.AssetMaterialization]:
    """What a repair wrote, table by table."""
    warehouse: AdoWarehouse = context.resources.warehouse
    for table in FEEDS[report.feed].tables:
        yield dg.AssetMaterialization(
            table.name, metadata=materialization_metadata([table], report, warehouse.open())[table.name]
        )


def as_plain(found: Reconciliation) -> dict[str, Any]:
    """What became of one table, as plain data: counts, the units that differ, and those that could not be compared."""
    remaining = {each.place: each for each in found.remaining}
    return {
        "table": found.table,
        "units": found.units,
        "rows": found.rows,
        "missing": sum(len(each.missing) for each in found.found),
        "surplus": sum(len(each.surplus) for each in found.found),
        "repaired": found.repaired,
        "remaining": sum(each.count for each in found.remaining),
        "calls": sum(report.requests for report in found.syncs),
        "good": found.is_good,
        "differs": [_unit(found, each, remaining.get(each.place)) for each in found.found],
        "not_compared": [
            {**_place(found, each.project_id, each.repository_id), "status": each.status, "reason": each.reason}
            for each in found.unread
        ],
    }


def _unit(found: Reconciliation, each: Difference, remaining: Difference | None) -> dict[str, Any]:
    return {
        **_place(found, each.project_id, each.repository_id),
        "missing": len(each.missing),
        "surplus": len(each.surplus),
        "remaining": remaining.count if remaining else 0,
        "missing_examples": [list(key) for key in sorted(each.missing)[:_EXAMPLES]],
        "surplus_examples": [list(key) for key in sorted(each.surplus)[:_EXAMPLES]],
    }


def _place(found: Reconciliation, project_id: str | None, repository_id: str | None) -> dict[str, str | None]:
    name = found.projects.get(project_id) if project_id else None
    return {"project": name, "project_id": project_id, "repository_id": repository_id}


@dg.op(ins={"tables": dg.In(list[dict[str, Any]])}, description="Fail the run when a table could not be made equal.")
def reconciliation(tables: list[dict[str, Any]]) -> None:
    """Fail the run, naming each table that differs still or could not be compared; all others are repaired by now."""
    bad = [
        f"{table['table']}: {table['remaining']} rows still differ, "
        f"{sum(unit['status'] == 'failed' for unit in table['not_compared'])} units could not be compared"
        for table in tables
        if table and not table["good"]
    ]
    if bad:
        raise dg.Failure(description="\n".join(bad))
