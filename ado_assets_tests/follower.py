"""A warehouse that follows a sample organization feed by feed, through HTTP, landing and load, without Dagster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PersonalAccessToken
from ado_assets.sample import SampleServer
from ado_assets.sync import FEEDS, Selection, sync_feed
from ado_assets.tables import TABLES
from ado_assets.warehouse import Warehouse
from ado_assets_tests.oracle import differences, expected_rows, held_rows

Row = dict[str, Any]


class Follower:
    """
    One organization and its warehouse.

    Args:
        feeds: What ``sync`` brings up to date unless told otherwise.
    """

    def __init__(self, server: SampleServer, folder: Path, feeds: Sequence[str]) -> None:
        self.server, self.world, self.feeds = server, server.world, feeds
        self.warehouse = Warehouse(folder / "azure_devops.duckdb", landing=folder / "landing")
        self.warehouse.prepare()

    def sync(self, *feeds: str, full_refresh: bool = False) -> Counter[str]:
        """Bring these feeds up to date, in their order; calls by template, as the server counted them."""
        self.world.requests.clear()
        selection = Selection(self.server.organization, full_refresh=full_refresh)
        for name in FEEDS:
            if name in (feeds or self.feeds):
                report = sync_feed(FEEDS[name], selection, self._client, self.warehouse)
                assert not report.failed, report.failed
        calls: Counter[str] = Counter()
        for (_, template, _), count in self.world.requests.items():
            calls[template] += count
        return calls

    def _client(self) -> AdoClient:
        hosts, token = Hosts(*[self.server.base_url] * 3), PersonalAccessToken("all", "sample-all-token")
        limits = ClientSettings(backoff=0.0)
        return AdoClient(hosts, self.server.organization, [token], connector="recipes", limits=limits)

    def later(self, **time: float) -> None:
        """Let time pass in which nothing happens."""
        self.world.clock.advance(timedelta(**time))

    def happen(self, scenario: str, minutes: float = 30) -> str:
        """Let a named thing happen, a while after the last; the sentence about it."""
        self.later(minutes=minutes)
        sentence: str = self.world.run_scenario(scenario)
        return sentence

    def rows(self, table: str, condition: str = "true", *, live: bool = True) -> list[Row]:
        """Rows of a table as the warehouse holds them, with their bookkeeping; tombstones only when not *live*."""
        names = [*(c.name for c in TABLES[table].columns), "_deleted_at", "_deleted_reason", "_synced_at"]
        state = "_deleted_at IS NULL" if live else "_deleted_at IS NOT NULL"
        found = self.warehouse.rows(
            f'SELECT {", ".join(names)} FROM ado."{table}" WHERE {state} AND ({condition}) ORDER BY ALL'
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def wrong(self, *tables: str) -> list[str]:
        """Which of the tables differ from the organization's truth, and how."""
        expected = expected_rows(self.world.truth())
        return [
            f"{name}: {text}"
            for name in tables
            for text in differences(expected[name], held_rows(self.warehouse, TABLES[name]))
        ]
