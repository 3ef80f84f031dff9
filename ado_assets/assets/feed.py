"""
What all assets share: how a declaration becomes asset specs, and how one materialization runs.

One partition, a range of partitions and the whole organization take the same way: a selection, one ``sync_feed``, one
transaction.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from ado_assets.assets.metadata import materialization, project_materializations
from ado_assets.assets.partitions import PROJECTS
from ado_assets.config import CONNECTORS, STAND_INS, Settings, parse_instant
from ado_assets.resources import AdoConnector, AdoDeployment, AdoWarehouse, ConnectorOff
from ado_assets.sync import FEEDS, Feed, FeedReport, Options, Selection, SyncFailed, sync_feed
from ado_assets.tables import Table

#: Version of the code that reads and loads; raised when rows come out differently from the same answers.
CODE_VERSION = "1"

#: Jobs that cover several connectors carry this tag: an asset whose connector is off is then left out, not failed.
SKIP_OFF = "ado/skip_off_connectors"

#: Where the row count of a freshness window ends: a table not read for a day is stale.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1), warn_window=timedelta(hours=6))

Body = Callable[..., Iterator[Any]]


class SyncConfig(dg.Config):
    """Run configuration of every asset."""

    full_refresh: bool = False
    since: str | None = None
    projects: list[str] = []


def asset_spec(table: Table, deps: Sequence[str], available: Sequence[str] = CONNECTORS) -> dg.AssetSpec:
    """The asset that stands for a table, made from its declaration."""
    columns = [
        dg.TableColumn(
            c.name,
            c.type,
            description=c.about,
            constraints=dg.TableColumnConstraints(nullable=c.name not in table.required),
        )
        for c in table.columns
    ]
    return dg.AssetSpec(
        table.name,
        deps=[d for d in deps if d != table.name],
        description=f"{table.about}\n\nRead from {table.source}.",
        group_name=table.connector,
        kinds={"azure", "duckdb"},
        owners=["team:data"],
        tags={"ado/connector": table.connector},
        code_version=CODE_VERSION,
        partitions_def=None if table.unpartitioned else PROJECTS,
        freshness_policy=FRESHNESS,
        skippable=True,
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            "dagster/table_name": f"ado.{table.name}",
            "ado/key": ", ".join(table.full_key),
            "ado/connectors": ", ".join(c for c in STAND_INS[table.connector] if c in available),
        },
    )


def feed_asset(name: str, deps: Sequence[str] = ()) -> Callable[[Body], dg.AssetsDefinition]:
    """
    Make the decorated function the asset (or assets) of the feed of this name.

    Args:
        deps: Names of the tables it stands on, besides those its declarations name.
    """
    feed = FEEDS[name]
    upstream = {table.parent.table for table in feed.tables if table.parent} | set(deps)
    if feed.due:
        upstream.add(feed.due.parent)
    upstream -= {table.name for table in feed.tables}
    unpartitioned = all(table.unpartitioned for table in feed.tables)

    def decorate(body: Body) -> dg.AssetsDefinition:
        return dg.multi_asset(
            name=feed.name,
            specs=[asset_spec(table, sorted(upstream)) for table in feed.tables],
            can_subset=len(feed.tables) > 1,
            backfill_policy=None if unpartitioned else dg.BackfillPolicy.single_run(),
            required_resource_keys={*CONNECTORS, "deployment", "warehouse"},
            pool=feed.tables[0].connector,
        )(body)

    return decorate


def materialize_feed(context: dg.AssetExecutionContext, name: str, config: SyncConfig) -> Iterator[Any]:
    """
    Sync the feed of this name for the partitions of the run, or the projects of the configuration, or the whole organization.

    Yields materialization results of the selected tables; all tables of a feed are always written together, since they
    share one read and one watermark.

    Raises:
        SyncFailed: After everything that could be read is committed and reported, when some units failed.
        dagster.Failure: When no connector that can read the feed is configured.
    """
    feed = FEEDS[name]
    deployment: AdoDeployment = context.resources.deployment
    settings = deployment.settings()
    connector = choose_connector(context, feed)
    if connector is None:
        context.log.warning(f"{feed.name}: left out, since its connector is off")
        return
    warehouse: AdoWarehouse = context.resources.warehouse
    selection = selection_of(context, feed, config, settings)
    report = sync_feed(
        feed,
        selection,
        connector.client,
        warehouse.open(),
        run_id=context.run_id,
        tables=[settings.table(table) for table in feed.tables],
    )
    log_report(context, report)
    yield from _events(context, feed, report, warehouse, partitioned_run=bool(selection.projects))
    if report.failed:
        raise SyncFailed(report)


def choose_connector(context: dg.AssetExecutionContext, feed: Feed) -> AdoConnector | None:
    """The first connector with a token that can read the feed; None when all are off and the run may leave it out."""
    role = feed.tables[0].connector
    connectors: list[AdoConnector] = [getattr(context.resources, name) for name in STAND_INS[role]]
    for connector in connectors:
        if connector.organization and connector.variable:
            return connector
    if context.run.tags.get(SKIP_OFF) and connectors[0].organization:
        return None
    try:
        connectors[0].client()
    except ConnectorOff as off:
        raise ConnectorOff(description=f"{feed.name}: {off.description}") from off
    raise AssertionError("a connector without a token cannot make a client")


def selection_of(context: dg.AssetExecutionContext, feed: Feed, config: SyncConfig, settings: Settings) -> Selection:
    """What the run asks for: its partitions when it has any, else the configured projects."""
    partitioned = not all(table.unpartitioned for table in feed.tables)
    keys = list(context.partition_keys) if partitioned and context.has_partition_key_range else list(config.projects)
    if partitioned and context.has_partition_key:
        keys = [context.partition_key]
    return Selection(
        organization=settings.organization,
        projects=keys if partitioned else (),
        included=settings.selects,
        full_refresh=config.full_refresh,
        since=parse_instant(config.since) if config.since else None,
        options=Options(
            start_date=settings.start_date,
            overlap=timedelta(minutes=settings.file.overlap_minutes),
            lookback=timedelta(days=settings.file.grace_days),
        ),
    )


def log_report(context: dg.AssetExecutionContext, report: FeedReport) -> None:
    """One line a person reads in the log, and one per unit that was left out or failed."""
    counts = report.load.tables[report.feed]
    context.log.info(
        f"{report.feed}: {counts.inserted} new, {counts.updated} changed, {counts.unchanged} unchanged, "
        f"{counts.deleted} deleted; {report.requests} calls, {report.seconds:.1f} s"
    )
    for outcome in report.skipped:
        context.log.warning(f"{report.feed}: {outcome.unit} left out: {outcome.reason}")
    for outcome in report.failed:
        context.log.error(f"{report.feed}: {outcome.unit} failed: {outcome.reason}")


def _events(
    context: dg.AssetExecutionContext, feed: Feed, report: FeedReport, warehouse: AdoWarehouse, partitioned_run: bool
) -> Iterator[Any]:
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    for table in feed.tables:
        if table.name not in selected:
            context.log.info(f"{table.name} was written too: it shares its read with {feed.name}")
            continue
        if not table.unpartitioned and not partitioned_run:
            yield from project_materializations(table, report)
        yield materialization(table, report, warehouse.open())
