"""One sync of one feed inside a Dagster run: which connector, which projects, what the log says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from ado_assets.assets.partitions import follow_projects
from ado_assets.config import STAND_INS, Settings, parse_instant
from ado_assets.resources import AdoConnector, AdoDeployment, AdoWarehouse, ConnectorOff
from ado_assets.sync import Feed, FeedReport, Options, Selection, select_projects, sync_feed
from ado_assets.warehouse import prune

Context = dg.AssetExecutionContext | dg.OpExecutionContext


class SyncConfig(dg.Config):
    """
    Run configuration of every asset and of every job's steps.

    Args:
        full_refresh: Read everything again, whatever the watermarks say, and flag what is gone.
        since: Read from this instant (ISO 8601) where the feed has a time window.
        projects: Names of the projects to cover when the run has no partitions; empty for all.
    """

    full_refresh: bool = False
    since: str | None = None
    projects: list[str] = []  # noqa: RUF012 (the configuration system copies defaults)


def run_feed(context: Context, feed: Feed, config: SyncConfig, partitions: Sequence[str] = ()) -> FeedReport:
    """
    Sync the feed and log what came of it.

    Raises:
        ConnectorOff: No connector that can read the feed is configured.
        AdoError, WarehouseError: As ``sync_feed``.
    """
    deployment: AdoDeployment = context.resources.deployment
    warehouse: AdoWarehouse = context.resources.warehouse
    settings = deployment.settings()
    report = sync_feed(
        feed,
        selection_of(feed, config, settings, partitions),
        connector_of(context, feed).client,
        warehouse.open(),
        run_id=context.run.run_id,
        tables=[settings.table(table) for table in feed.tables],
    )
    _log(context, report)
    if feed.name == "projects":
        _follow(context, settings, warehouse)
    return report


def finish(context: Context) -> None:
    """After the last commit of a run: publish the read-only copy, if one is configured, and prune landing files."""
    deployment: AdoDeployment = context.resources.deployment
    warehouse: AdoWarehouse = context.resources.warehouse
    settings = deployment.settings()
    removed = prune(settings.landing, timedelta(days=settings.file.keep_landing_days), datetime.now(UTC))
    if removed:
        context.log.info(f"{len(removed)} landing folders removed: abandoned, or older than they are kept")
    if settings.publish:
        warehouse.open().publish(settings.publish)
        context.log.info(f"published to {settings.publish}")


def connector_of(context: Context, feed: Feed) -> AdoConnector:
    """
    The first connector with a token that can read the feed.

    Raises:
        ConnectorOff: All are off.
    """
    connectors: list[AdoConnector] = [getattr(context.resources, name) for name in STAND_INS[feed.tables[0].connector]]
    for connector in connectors:
        if connector.is_on:
            return connector
    raise ConnectorOff(description=f"{feed.name}: {connectors[0].why_off}")


def selection_of(feed: Feed, config: SyncConfig, settings: Settings, partitions: Sequence[str]) -> Selection:
    """What the run asks for: its partitions when it has any, else the configured projects."""
    partitioned = not all(table.unpartitioned for table in feed.tables)
    return Selection(
        organization=settings.organization,
        projects=(partitions or config.projects) if partitioned else (),
        included=settings.selects,
        full_refresh=config.full_refresh,
        since=parse_instant(config.since) if config.since else None,
        options=Options(
            start_date=settings.start_date,
            overlap=timedelta(minutes=settings.file.overlap_minutes),
            lookback=timedelta(days=settings.file.grace_days),
        ),
    )


def _log(context: Context, report: FeedReport) -> None:
    """One line a person reads in the log, and one per unit that was left out or failed."""
    counts = report.load.tables[report.feed]
    context.log.info(
        f"{report.feed}: {counts.inserted} new, {counts.updated} changed, {counts.unchanged} unchanged, "
        f"{counts.deleted} deleted; {report.requests} calls, {report.seconds:.1f} s"
    )
    for outcome in report.skipped:
        context.log.warning(f"{report.feed}: {outcome.repository_id or outcome.unit} left out: {outcome.reason}")
    for outcome in report.failed:
        context.log.error(f"{report.feed}: {outcome.repository_id or outcome.unit} failed: {outcome.reason}")


def _follow(context: Context, settings: Settings, warehouse: AdoWarehouse) -> None:
    """After the projects were read, the partitions are those that can be read and are included."""
    held = warehouse.open().projects(settings.organization)
    readable = select_projects(Selection(settings.organization, included=settings.selects), held)
    added, removed = follow_projects(context.instance, {project.name for project in readable})
    if added or removed:
        context.log.info(f"partitions: {len(added)} added, {len(removed)} removed")
