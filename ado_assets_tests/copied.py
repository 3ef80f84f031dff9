"""
The least that can hold a copy of an organization, so that streams are tested without sync and SQL.

Rows by key, what was deleted and why, watermarks, and when whose children were read. Rows are made by the oracle.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ado_assets.ado import AccessDenied, AdoClient, ClientSettings, Hosts, NotFound, PersonalAccessToken
from ado_assets.sample.server import SampleServer
from ado_assets.streams.model import (
    ChildrenRead,
    Complete,
    Event,
    Feed,
    Gone,
    Options,
    Page,
    Parent,
    Project,
    Request,
    Skipped,
    Unit,
    Watermark,
)
from ado_assets.tables import TABLES
from ado_assets_tests.oracle import differences, expected_rows

Row = dict[str, Any]
Key = tuple[Any, ...]


class Copy:
    """A copy of what *feeds* read, brought up to date by ``sync``."""

    def __init__(self, server: SampleServer, feeds: Sequence[Feed], options: Options | None = None) -> None:
        self.server, self.world, self.feeds = server, server.world, feeds
        self.options = options or Options()
        self.token = "sample-all-token"
        self.rows: dict[str, dict[Key, Row]] = defaultdict(dict)
        self.reasons: dict[str, dict[Key, str]] = defaultdict(dict)
        self.watermarks: dict[tuple[str, str], str] = {}
        self.read: dict[tuple[str, Key], int] = {}
        self.skipped: list[Skipped] = []
        self.meanwhile: Callable[[Feed], None] = lambda _feed: None

    def sync(self, *names: str, full: bool = False, projects: Sequence[str] = ()) -> Counter[str]:
        """Read the feeds named, all by default, for the projects named, all by default; calls by endpoint."""
        return asyncio.run(self._sync(names, full, projects))

    async def _sync(self, names: Sequence[str], full: bool, only: Sequence[str]) -> Counter[str]:
        base, settings = self.server.base_url, ClientSettings(backoff=0.0)
        hosts, token = Hosts(base, base, base), PersonalAccessToken("test", self.token)
        async with AdoClient(hosts, self.server.organization, [token], connector="test", limits=settings) as client:
            for feed in self.feeds:
                if not names or feed.name in names:
                    for request in list(self._requests(feed, full, only)):
                        await self._read(client, feed, request)
            calls: Counter[str] = Counter()
            for each in client.stats.snapshot().endpoints:
                calls[each.endpoint] += each.calls
            return calls

    def _requests(self, feed: Feed, full: bool, only: Sequence[str]) -> Iterator[Request]:
        projects = tuple(Project(p.id, p.name) for p in self.world.live_projects() if not only or p.name in only)
        units = [Unit(f"project:{project.id}", project) for project in projects]
        for unit in [Unit("organization")] if feed.unit == "organization" else units:
            parents = tuple(self._due(feed, unit, full))
            if feed.due and not parents:
                continue
            yield Request(
                unit=unit,
                watermark=None if full else self.watermarks.get((feed.name, unit.key)),
                now=self.world.clock.now(),
                projects=projects,
                whole=not only,
                parents=parents,
                held=tuple(self._held(feed, unit)),
                options=self.options,
            )

    def _held(self, feed: Feed, unit: Unit) -> Iterator[Row]:
        column, values = (feed.held and feed.held.unless) or ("", ())
        for row in self.live(feed.name).values() if feed.held else ():
            if row["project_id"] == unit.project.id and row.get(column) not in values:
                yield {name: row[name] for name in feed.held.columns}

    def _due(self, feed: Feed, unit: Unit, full: bool) -> Iterator[Parent]:
        if feed.due is None:
            return
        column, finals = feed.due.final or ("", (None,))
        for key, row in self.live(feed.due.parent).items():
            if row["project_id"] != unit.project.id:
                continue
            version = self._version(feed.due.parent, key)
            if full or self.read.get((feed.name, key)) != version or row.get(column) not in finals:
                joined = feed.tables[0].parent.columns
                children = sum(
                    all(child[mine] == row[theirs] for mine, theirs in joined.items())
                    for child in self.live(feed.name).values()
                )
                yield Parent({name: row[name] for name in feed.due.columns}, version, children)

    def _version(self, name: str, key: Key) -> int:
        """Another number once the row or one of its arrays is another."""
        arrays = [table.name for table in TABLES.values() if table.array and table.feed_name == name]
        below = [row for array in arrays for own, row in self.rows[array].items() if own[: len(key)] == key]
        return hash(repr([self.rows[name][key], *below]))

    async def _read(self, client: AdoClient, feed: Feed, request: Request) -> None:
        """Like a sync: a unit that is not found or not allowed leaves everything as it is."""
        events: list[Event] = []
        try:
            async for event in feed.read(client, request):
                events.append(event)
                self.meanwhile(feed)
        except (AccessDenied, NotFound):
            return
        self._apply(feed, request, events)

    def _apply(self, feed: Feed, request: Request, events: Sequence[Event]) -> None:
        brought: set[Key] = set()
        for event in events:
            if isinstance(event, Page):
                brought |= self._land(feed, event)
            elif isinstance(event, ChildrenRead):
                parent = tuple(event.parent.values[name] for name in TABLES[feed.due.parent].key)
                self.read[feed.name, parent] = event.parent.version
            elif isinstance(event, Watermark):
                self.watermarks[feed.name, request.unit.key] = event.value
            elif isinstance(event, Skipped):
                self.skipped.append(event)
        for event in events:
            if isinstance(event, Gone):
                self._bury(feed.name, tuple(event.key[name] for name in TABLES[feed.name].key), event.reason, brought)
        for event in events:
            if isinstance(event, Complete):
                for key, row in list(self.rows[feed.name].items()):
                    if all(row[name] == value for name, value in event.scope.items()):
                        self._bury(feed.name, key, event.reason, brought)

    def _land(self, feed: Feed, page: Page) -> set[Key]:
        found = expected_rows((feed.name, page.scope, record) for record in page.records)
        for table in feed.tables:
            if table.array:
                stale = [key for key in self.rows[table.name] if any(key[: len(o)] == o for o in found[feed.name])]
                for key in stale:
                    del self.rows[table.name][key]
            self.rows[table.name].update(found[table.name])
        for key in found[feed.name]:
            self.reasons[feed.name].pop(key, None)
        return set(found[feed.name])

    def _bury(self, name: str, key: Key, reason: str, brought: set[Key]) -> None:
        if key in self.rows[name] and key not in brought:
            self.reasons[name].setdefault(key, reason)

    def live(self, name: str) -> dict[Key, Row]:
        """The rows of a table that are not deleted and whose parents are live, as far as those are read here."""
        table, dead = TABLES[name], self.reasons[name]
        rows = {key: row for key, row in self.rows[name].items() if key not in dead}
        if table.parent is None or self.rows.get(table.parent.table) is None:
            return rows
        parents = self.live(table.parent.table).values()
        there = {tuple(parent[theirs] for theirs in table.parent.columns.values()) for parent in parents}
        return {key: row for key, row in rows.items() if tuple(row[mine] for mine in table.parent.columns) in there}

    def differences(self) -> list[str]:
        """What differs from the truth of the organization, in the tables of the feeds."""
        expected = expected_rows(self.world.truth())
        names = [table.name for feed in self.feeds for table in feed.tables]
        return [f"{name}: {text}" for name in names for text in differences(expected[name], self.live(name))]

    def wrong_reasons(self, gone: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any], str]]) -> list[str]:
        """What is held, gone by the organization's own account, and flagged for another reason."""
        wrong = []
        for resource, scope, values, reason in gone:
            if resource in self.rows:
                key = tuple({**scope, **values}[name] for name in TABLES[resource].key)
                found = self.reasons[resource].get(key)
                if key in self.rows[resource] and found != reason:
                    wrong.append(f"{resource} {key}: {found} instead of {reason}")
        return wrong


def happen(copy: Copy, *names: str) -> None:
    """Let things happen, some time after the last read."""
    copy.world.clock.advance(timedelta(minutes=30))
    for name in names:
        copy.world.run_scenario(name)
