"""
A history of a sample organization and of a warehouse that follows it, step by step, with what must hold in between.

A step is a change of the organization, a sync of some part of it in some way, or both at once. Everything is drawn from
one seed and happens in this process, so that a history can be told again. ``test_proof`` lets hypothesis choose the
steps, ``prove`` tells a long history.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import httpx
import pytest

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PersonalAccessToken
from ado_assets.sample import SampleServer
from ado_assets.sample.server import create_app
from ado_assets.sync import (
    COMPARABLE,
    FEEDS,
    Feed,
    FeedReport,
    Options,
    Reconciliation,
    Selection,
    UnknownProject,
    reconcile_feed,
    sync_feed,
)
from ado_assets.tables import TABLES
from ado_assets.warehouse import Warehouse
from ado_assets_tests.conftest import TOKENS, Deployment
from ado_assets_tests.oracle import differences, expected_rows, held_rows
from ado_assets_tests.tombstones import Graveyard, wrong_tombstones

CONNECTORS = tuple(dict.fromkeys(feed.tables[0].connector for feed in FEEDS.values()))

#: Rows that go without any sign; a comparison of ids finds them.
VANISHING = {"work-item-destroyed": "work_items", "build-purged": "builds"}

#: How long what is finished is looked at again. Afterwards a change of it is as good as silent.
DEFAULTS = Options()
GRACE = DEFAULTS.lookback

#: Tables below a repository: while it is disabled nothing of them can be read, and nothing is deleted.
BELOW_REPOSITORIES = tuple(
    name
    for name, table in TABLES.items()
    if name != "repositories" and table.connector in ("repos", "pull_commits", "commits")
)


class KeptOpen(Warehouse):
    """A warehouse that stays open between sessions: to open and close the file takes most of a small sync's time."""

    _kept: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def _session(self, read_only: bool, megabytes: int) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of the one connection, whatever it is wanted for."""
        del read_only, megabytes
        if self._kept is None:
            self._kept = duckdb.connect(str(self.path))
        with self._kept.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            yield cursor

    def close(self) -> None:
        """Leave the file to others until the next session."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


class Interrupted(httpx.ASGITransport):
    """The organization's answers without a network; after some of them the organization changes."""

    def __init__(self, history: History, changes: dict[int, str]) -> None:
        super().__init__(app=history.app)
        self._history = history
        self._changes = changes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        self._history.answers += 1
        if name := self._changes.pop(self._history.answers, None):
            self._history.happen(name)
            self._history.counts["changes during a sync"] += 1
        return answer

    async def aclose(self) -> None:
        """Nothing is open."""


class History:
    """
    One organization, one warehouse, and what happened to both.

    Attributes:
        told: A line for each step, to be read when something is wrong.
        counts: How often each kind of step, and each scenario, was taken.
    """

    def __init__(self, seed: int, scale: str = "tiny") -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._environment = pytest.MonkeyPatch()
        self.server = SampleServer(scale=scale, seed=seed)
        self.server.__enter__()
        self.world = self.server.world
        self.app = create_app(self.world)
        self.organization = self.server.organization
        folder = Path(self._folder.name)
        self.warehouse = KeptOpen(folder / "azure_devops.duckdb", landing=folder / "landing")
        self.warehouse.prepare()
        self.told: list[str] = []
        self.counts: Counter[str] = Counter()
        self.answers = 0
        self._graveyard = Graveyard()
        self._graveyard.note(self.world.gone())
        self._vanished: set[str] = set()
        self._unseen: set[str] = set()
        self._settled_at = self.world.clock.now()
        self._frozen: dict[str, dict[str, int]] = {}
        self.sync(("projects",))

    def close(self) -> None:
        """Stop the server, give the folder back."""
        self.warehouse.close()
        self._environment.undo()
        self.server.__exit__(None, None, None)
        self._folder.cleanup()

    def happen(self, name: str) -> None:
        """Run a named scenario; one that finds nothing to happen to is left out."""
        try:
            told = self.world.run_scenario(name)
        except LookupError as error:
            self.told.append(f"{name}: not possible ({error})")
            self.counts["scenarios not possible"] += 1
            return
        self.told.append(f"{name}: {told}")
        self.counts[f"scenario {name}"] += 1
        self._graveyard.note(self.world.gone())
        if name in VANISHING:
            self._vanished.add(VANISHING[name])
        if name == "build-tagged":
            build = next(each for each in self.world.pipelines.builds.all() if f"Build {each.id} " in told)
            if self.world.clock.now() - build.finished > GRACE:
                self._unseen.add("builds")
        if name == "pr-commented-after-closing":
            number = int(told.rpartition(" ")[2].rstrip("."))
            closed = self.world.git.find_pull_request(number).closed
            if self.world.clock.now() - closed > GRACE:
                self._unseen.add("pull_request_threads")
            else:
                # The service tells its time in whole seconds.
                self._settled_at = max(self._settled_at, closed + GRACE + timedelta(seconds=1))

    def days(self, days: int) -> None:
        """Let days of ordinary activity pass."""
        happened = self.world.tick(days)
        self.told.append(f"{days} days: {len(happened)} things happened")
        self.counts["days"] += days
        self._graveyard.note(self.world.gone())

    def time(self, seconds: int) -> None:
        """Let time pass without anything happening."""
        self.world.clock.advance(timedelta(seconds=seconds))

    def projects(self) -> list[str]:
        """Ids of the projects that the warehouse holds as readable."""
        return sorted(row["id"] for row in self.warehouse.projects(self.organization) if row["state"] == "wellFormed")

    def sync(
        self,
        feeds: Collection[str] = tuple(FEEDS),
        *,
        projects: Sequence[str] = (),
        without: Collection[str] = (),
        full_refresh: bool = False,
        since: datetime | None = None,
        options: Options = DEFAULTS,
        meanwhile: Sequence[tuple[int, str]] = (),
    ) -> None:
        """
        Sync these feeds in the order in which they stand on each other.

        Args:
            projects: Ids of the projects to cover; all when empty.
            without: Names of projects that the configuration leaves out.
            meanwhile: Scenarios, each with after how many further answers it happens.
        """
        names = [name for name in FEEDS if name in feeds]
        changes: dict[int, str] = {}
        for after, name in meanwhile:
            changes[self.answers + after] = name
        ways = [f"projects={list(projects)}"] * bool(projects) + [f"without={sorted(without)}"] * bool(without)
        ways += ["full_refresh"] * full_refresh + [f"meanwhile={list(meanwhile)}"] * bool(meanwhile)
        listed = "everything" if len(names) == len(FEEDS) else ", ".join(names)
        self.told.append(f"sync {listed} {' '.join(ways)}")
        selection = Selection(
            self.organization,
            projects=projects,
            included=lambda name: name not in without,
            full_refresh=full_refresh,
            since=since,
            options=options,
        )
        for name in names:
            try:
                report = sync_feed(FEEDS[name], selection, lambda: self._client(changes), self.warehouse)
            except UnknownProject:
                # It is gone since the sync of projects that came before.
                assert projects, self.explain([f"{name}: a project is unknown that nobody asked for"])
                return
            self._check(report)
        self.counts["feeds synced"] += len(names)
        self.counts["full refreshes of feeds"] += len(names) * full_refresh

    def _client(self, changes: dict[int, str]) -> AdoClient:
        return AdoClient(
            Hosts(*[self.server.base_url] * 3),
            self.organization,
            [PersonalAccessToken("all", "sample-all-token")],
            connector="proof",
            limits=ClientSettings(backoff=0.0),
            transport=Interrupted(self, changes),
        )

    def _check(self, report: FeedReport) -> None:
        """A unit may be skipped; none may fail, since the service answers everything."""
        assert not report.failed, self.explain([f"{report.feed}: {each.unit}: {each.reason}" for each in report.failed])

    def run(self, *feeds: str) -> None:
        """Sync through Dagster and over HTTP, as an installation does."""
        variables = {
            **TOKENS,
            "ADO_ORGANIZATION": self.organization,
            "ADO_BASE_URL": self.server.base_url,
            "ADO_WAREHOUSE": str(self.warehouse.path),
            "ADO_LANDING": str(self.warehouse.landing),
        }
        for name, value in variables.items():
            self._environment.setenv(name, value)
        self.told.append(f"Dagster run of {', '.join(feeds) or 'everything'}")
        self.warehouse.close()
        with dg.DagsterInstance.ephemeral() as instance:
            Deployment(self.server, Path(self._folder.name), instance).sync(*feeds)
        self.counts["Dagster runs"] += 1

    def settle(self) -> list[str]:
        """
        Sync everything while nothing changes; what then differs from the organization, and wrong tombstones.

        What changed without a sign is read completely before, and tables that lost rows without one are reconciled.
        For comments on what has just closed the end of the grace window is awaited.
        """
        if self._settled_at > self.world.clock.now():
            self.world.clock.advance(self._settled_at - self.world.clock.now())
            self.told.append(f"the grace window ends at {self._settled_at}")
            self.counts["grace windows awaited"] += 1
        if self._unseen:
            self.sync(("projects", "repositories", "pull_requests"))
            self.sync(self._unseen, full_refresh=True)
            self._unseen.clear()
        self.sync()
        for name in sorted(self._vanished):
            found = self.reconcile(name)
            assert not found.remaining, self.explain([f"{name}: reconcile leaves {found.remaining}"])
        self._vanished.clear()
        self.counts["complete syncs compared"] += 1
        return [*self.findings(), *self._reconcile_healthy()]

    def reconcile(self, name: str) -> Reconciliation:
        """Compare the ids of a feed with the API, and repair it."""
        self.told.append(f"reconcile {name}")
        self.counts["feeds reconciled"] += 1

        def sync(feed: Feed, projects: Sequence[str], full_refresh: bool) -> FeedReport:
            selection = Selection(self.organization, projects=projects, full_refresh=full_refresh)
            return sync_feed(feed, selection, lambda: self._client({}), self.warehouse)

        selection = Selection(self.organization)
        return reconcile_feed(FEEDS[name], selection, lambda: self._client({}), self.warehouse, sync)

    def _reconcile_healthy(self) -> list[str]:
        """Now and then reconcile everything: there must be nothing to find."""
        if self.counts["complete syncs compared"] % 5:
            return []
        return [
            f"{name}: reconcile finds {found.found}" for name in COMPARABLE if (found := self.reconcile(name)).found
        ]

    def findings(self) -> list[str]:
        """What differs between the warehouse and the organization."""
        expected = expected_rows(self.world.truth())
        disabled = {each.id for each in self.world.git.visible() if each.is_disabled}
        found: list[str] = []
        for name, table in TABLES.items():
            held = held_rows(self.warehouse, table)
            if name in BELOW_REPOSITORIES:
                held = {key: row for key, row in held.items() if row["repository_id"] not in disabled}
            found += [f"{name}: {text}" for text in differences(expected[name], held)]
        found += self._lost_while_disabled(disabled)
        found += wrong_tombstones(self.warehouse, self._graveyard)
        return found

    def _lost_while_disabled(self, disabled: set[str]) -> list[str]:
        """Rows below repositories that were disabled at the last comparison, too, must be as many as they were."""
        frozen: dict[str, dict[str, int]] = {}
        for name in BELOW_REPOSITORIES:
            rows = self.warehouse.rows(
                f'SELECT repository_id, count(*) FROM ado."{name}" WHERE _deleted_at IS NULL GROUP BY ALL'
            )
            frozen[name] = {repository: count for repository, count in rows if repository in disabled}
        found = [
            f"{name}: disabled repository {repository} has {frozen[name].get(repository, 0)} rows instead of {count}"
            for name, counts in self._frozen.items()
            for repository, count in counts.items()
            if repository in disabled and frozen[name].get(repository, 0) != count
        ]
        self._frozen = frozen
        return found

    def explain(self, found: Sequence[str]) -> str:
        """The findings and what led to them, for a person."""
        recent = self.told[-60:]
        return "\n".join([f"{len(found)} findings:", *found[:20], "after:", *recent])
