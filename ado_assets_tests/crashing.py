"""The process that ``test_crash`` kills: it syncs feed after feed, again and again, and says what it is about to do."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import chain, cycle
from pathlib import Path

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PersonalAccessToken
from ado_assets.streams.model import Event, Page, Request
from ado_assets.sync import FEEDS, Feed, Selection, sync_feed
from ado_assets.sync.selection import NothingToRead
from ado_assets.tables import Table
from ado_assets.warehouse import LoadReport, Manifest, SyncRecord, Warehouse

READING, LANDING, LOADING, LOADED = "reading", "landing", "loading", "loaded"


def say(*words: str) -> None:
    """A line to whoever watches; it has left this process when this returns."""
    print(*words, flush=True)


class Announced(Warehouse):
    """The warehouse, with a word before and after each load."""

    def load(self, manifest: Manifest, tables: Sequence[Table], sync: SyncRecord) -> LoadReport:
        say(LOADING, manifest.feed)
        report = super().load(manifest, tables, sync)
        say(LOADED, manifest.feed)
        return report


def announced(feed: Feed) -> Feed:
    """The feed, with a word before each page that it brings."""

    async def read(client: AdoClient, request: Request) -> AsyncIterator[Event]:
        async for event in feed.read(client, request):
            if isinstance(event, Page):
                say(LANDING, feed.name)
            yield event

    return replace(feed, read=read)


def main(base_url: str, organization: str, folder: str, first: str) -> None:
    """Sync all feeds in their order for ever, beginning with *first*."""

    def client() -> AdoClient:
        token = PersonalAccessToken("all", "sample-all-token")
        hosts, limits = Hosts(*[base_url] * 3), ClientSettings(backoff=0.0)
        return AdoClient(hosts, organization, [token], connector="crash", limits=limits)

    warehouse = Announced(Path(folder) / "azure_devops.duckdb", landing=Path(folder) / "landing", lock_timeout=20)
    names = list(FEEDS)
    for name in chain(names[names.index(first) :], cycle(names)):
        say(READING, name)
        try:
            sync_feed(announced(FEEDS[name]), Selection(organization), client, warehouse)
        except NothingToRead:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
