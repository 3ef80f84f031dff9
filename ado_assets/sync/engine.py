"""
Sync one feed: plan, extract, load.

Extraction talks to the API and writes landing files; it holds no lock. Loading is one transaction. Between the two lies
only the sealed manifest, so that a crash at any moment costs a re-read and nothing else.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from ado_assets.ado import AccessDenied, AdoClient, AdoError, NotFound, TokenRejected, merge
from ado_assets.streams.model import ChildrenRead, Complete, Event, Feed, Gone, Page, Request, Skipped, Watermark
from ado_assets.sync.plan import Plan, plan
from ado_assets.sync.report import FeedReport
from ado_assets.sync.selection import Selection
from ado_assets.tables import TABLES, Table
from ado_assets.warehouse import Landing, SyncRecord, UnitOutcome, Warehouse

#: How many units are read at once. The governor of the credential decides how many requests that makes.
UNITS_AT_ONCE = 16


@dataclass(frozen=True)
class _Ended:
    """The last word on a unit."""

    outcome: UnitOutcome


def sync_feed(
    feed: Feed,
    selection: Selection,
    client: Callable[[], AdoClient],
    warehouse: Warehouse,
    *,
    run_id: str = "",
    tables: Sequence[Table] = (),
) -> FeedReport:
    """
    Bring the feed's tables up to date for the selection, in one transaction.

    Args:
        client: Makes the client of the connector that reads the feed; entered and closed here.
        run_id: Name of the run that asked, kept in ``ado_meta.syncs``.
        tables: The feed's declarations as configured, when columns are dropped; the feed's own otherwise.

    Raises:
        TokenRejected: No credential of the connector is accepted any more. Nothing is committed.
        UnknownProject, NothingToRead: See ``plan``.
        WarehouseError: The rows cannot be landed or loaded. Nothing is committed.

    A unit that fails otherwise does not raise: it is in ``FeedReport.failed``, and the others are committed.
    """
    return asyncio.run(_sync(feed, selection, client, warehouse, run_id, tuple(tables) or feed.tables))


async def _sync(
    feed: Feed,
    selection: Selection,
    client: Callable[[], AdoClient],
    warehouse: Warehouse,
    run_id: str,
    tables: tuple[Table, ...],
) -> FeedReport:
    started, started_at = time.monotonic(), datetime.now(UTC)
    sync_id = f"{started_at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    async with client() as api:
        now = await api.now()
        planned = plan(feed, selection, warehouse, now)
        with Landing(warehouse.landing, selection.organization, tables, sync_id) as landing:
            outcomes = await _extract(feed, planned, api, landing, now)
            manifest = landing.seal(outcomes)
        stats = api.stats.snapshot()
    record = SyncRecord(
        sync_id=sync_id,
        run_id=run_id,
        organization=selection.organization,
        feed=feed.name,
        mode=selection.mode,
        started_at=started_at,
        calls=stats.endpoints,
        received_bytes=stats.received_bytes,
        retries=stats.retries,
        throttled_seconds=stats.throttled_seconds,
    )
    load = warehouse.load(manifest, tables, record)
    return FeedReport(
        feed=feed.name,
        sync_id=sync_id,
        mode=selection.mode,
        load=load,
        outcomes=outcomes,
        seconds=time.monotonic() - started,
        calls=stats.calls_by_endpoint(),
        retries=stats.retries,
        throttled_seconds=stats.throttled_seconds,
        received_bytes=stats.received_bytes,
        projects={project.id: project.name for project in planned.projects},
    )


async def _extract(
    feed: Feed, planned: Plan, api: AdoClient, landing: Landing, now: datetime
) -> tuple[UnitOutcome, ...]:
    """Read all units concurrently and land what they bring; one outcome per unit and per part left out."""
    outcomes: list[UnitOutcome] = []
    units = (_read_unit(feed, request, api, now) for request in planned.requests)
    async with aclosing(merge(units, UNITS_AT_ONCE)) as events:
        async for unit, event in events:
            if isinstance(event, _Ended):
                outcomes.append(event.outcome)
            else:
                _land(landing, feed, unit, event)
    return tuple(outcomes)


async def _read_unit(
    feed: Feed, request: Request, api: AdoClient, now: datetime
) -> AsyncIterator[tuple[str, Event | _Ended]]:
    """
    The unit's events, and last its outcome.

    Permission and existence are facts about the unit that a retry does not change: coverage says so, nothing fails. Any
    other fault of the API fails this unit alone. A rejected token ends the sync: no other unit would fare better.
    """
    key = request.unit.key
    watermark: str | None = None
    skipped: list[Skipped] = []
    brought = False
    try:
        async for event in feed.read(api, request):
            if isinstance(event, Watermark):
                watermark = event.value
            elif isinstance(event, Skipped):
                skipped.append(event)
            else:
                brought = True
                yield key, event
    except TokenRejected:
        raise
    except (AccessDenied, NotFound) as error:
        yield key, _Ended(_outcome(request, "skipped", str(error), None, now))
        return
    except AdoError as error:
        yield key, _Ended(_outcome(request, "failed", str(error), None, now))
        return
    for part in skipped:
        if part.repository_id != request.unit.repository_id:
            skip = _outcome(request, "skipped", part.reason, None, now)
            yield key, _Ended(replace(skip, repository_id=part.repository_id))
    reason = "; ".join(part.reason for part in skipped if part.repository_id == request.unit.repository_id) or None
    yield key, _Ended(_outcome(request, "read" if brought or not reason else "skipped", reason, watermark, now))


def _outcome(
    request: Request,
    status: Literal["read", "skipped", "failed"],
    reason: str | None,
    watermark: str | None,
    at: datetime,
) -> UnitOutcome:
    unit = request.unit
    return UnitOutcome(
        unit=unit.key,
        project_id=unit.project.id if unit.project else None,
        repository_id=unit.repository_id,
        status=status,
        reason=reason,
        watermark=watermark,
        at=at,
    )


def _land(landing: Landing, feed: Feed, unit: str, event: Event) -> None:
    match event:
        case Page():
            landing.page(unit, event.scope, event.body, event.records, event.read_at)
        case Complete():
            for table in event.tables or (feed.name,):
                landing.complete(unit, table, event.scope, event.reason, event.at)
        case Gone():
            landing.gone(unit, event.key, event.reason, event.at)
        case ChildrenRead():
            landing.children_read(unit, _parent_key(feed, event), event.parent.version, event.at)


def _parent_key(feed: Feed, event: ChildrenRead) -> dict[str, object]:
    assert feed.due is not None
    return {name: event.parent.values[name] for name in TABLES[feed.due.parent].key}
