"""Repositories, pull requests and commits, read from the sample organization over HTTP and compared with its truth."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ado_assets.ado import AccessDenied, AdoClient, ClientSettings, Hosts, NotFound, PersonalAccessToken
from ado_assets.sample.server import SampleServer
from ado_assets.streams.commits import COMMITS_FEED
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
from ado_assets.streams.pull_request_commits import PULL_REQUEST_COMMITS_FEED
from ado_assets.streams.pull_request_iteration_changes import PULL_REQUEST_ITERATION_CHANGES_FEED
from ado_assets.streams.pull_request_iterations import PULL_REQUEST_ITERATIONS_FEED
from ado_assets.streams.pull_request_threads import PULL_REQUEST_THREADS_FEED
from ado_assets.streams.pull_request_work_items import PULL_REQUEST_WORK_ITEMS_FEED
from ado_assets.streams.pull_requests import PULL_REQUESTS_FEED
from ado_assets.streams.repositories import REPOSITORIES_FEED
from ado_assets.sync.plan import revisits
from ado_assets.tables import TABLES
from ado_assets_tests.oracle import differences, expected_rows

FEEDS = (
    REPOSITORIES_FEED,
    PULL_REQUESTS_FEED,
    PULL_REQUEST_ITERATIONS_FEED,
    PULL_REQUEST_ITERATION_CHANGES_FEED,
    PULL_REQUEST_THREADS_FEED,
    PULL_REQUEST_WORK_ITEMS_FEED,
    PULL_REQUEST_COMMITS_FEED,
    COMMITS_FEED,
)
GIT_TABLES = [table.name for feed in FEEDS for table in feed.tables]

REPOSITORY = "{project_id}/_apis/git/repositories/{repository_id}"
PULL_REQUEST = f"{REPOSITORY}/pullRequests/{{pull_request_id}}"

Row = dict[str, Any]
Key = tuple[Any, ...]


class Copy:
    """The least that can hold a copy: rows by key, what was read of whom, watermarks. Rows are made by the oracle."""

    def __init__(self, server: SampleServer) -> None:
        self.server = server
        self.world = server.world
        self.rows: dict[str, dict[Key, Row]] = defaultdict(dict)
        self.reasons: dict[str, dict[Key, str]] = defaultdict(dict)
        self.read: dict[tuple[str, Key], tuple[int, Any]] = {}
        self.watermarks: dict[tuple[str, str], str] = {}
        self.skipped: list[tuple[str, Skipped]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def sync(self, *feeds: Feed, full: bool = False) -> Counter[str]:
        """Read *feeds* (all by default) and return the calls by endpoint."""
        return asyncio.run(self._sync(feeds or FEEDS, full))

    async def _sync(self, feeds: Iterable[Feed], full: bool) -> Counter[str]:
        base = self.server.base_url
        token = PersonalAccessToken("test", "sample-all-token")
        settings = ClientSettings(backoff=0.0)
        hosts = Hosts(base, base, base)
        async with AdoClient(hosts, self.server.organization, [token], connector="repos", limits=settings) as client:
            for feed in feeds:
                for request in list(self._requests(feed, full)):
                    await self._read(client, feed, request)
            calls = Counter({e.endpoint.removeprefix("GET "): e.calls for e in client.stats.snapshot().endpoints})
        return calls

    def _requests(self, feed: Feed, full: bool) -> Iterator[Request]:
        projects = [Project(p.id, p.name) for p in self.world.live_projects()]
        for project in projects:
            units = [Unit(f"project:{project.id}", project)]
            if feed.unit == "repository":
                held = self.live("repositories", project.id)
                units = [Unit(f"repository:{row['id']}", project, row["id"]) for row in held]
            for unit in units:
                parents = tuple(self._due(feed, unit, full))
                if feed.due and not parents:
                    continue
                watermark = None if full else self.watermarks.get((feed.name, unit.key))
                now = self.world.clock.now()
                yield Request(unit, watermark, now, parents=parents, held=tuple(self._held(feed, project.id)))

    def _held(self, feed: Feed, project_id: str) -> Iterator[Row]:
        if feed.held:
            column, values = feed.held.unless or ("", ())
            for row in self.live(feed.name, project_id):
                if row.get(column) not in values:
                    yield {name: row[name] for name in feed.held.columns}

    def _due(self, feed: Feed, unit: Unit, full: bool) -> Iterator[Parent]:
        if feed.due is None:
            return
        table, now = TABLES[feed.due.parent], self.world.clock.now()
        for row in self.live(table.name, unit.project.id):
            if unit.repository_id not in (None, row.get("id")):
                continue
            version, at = self.read.get((feed.name, key_of(table.name, row)), (None, None))
            is_final = feed.due.final is None or row[feed.due.final[0]] in feed.due.final[1]
            column, afters = revisits(feed.due, Options()) or ("", ())
            instants = [row[column] + after for after in afters if row.get(column)]
            again = at is not None and any(at < instant <= now for instant in instants)
            if full or at is None or version != self._version(table.name, row) or not is_final or again:
                yield Parent({name: row[name] for name in feed.due.columns}, self._version(table.name, row))

    def _version(self, name: str, row: Row) -> int:
        """Changes when the row changes, or one of its arrays."""
        key = key_of(name, row)
        arrays = [t for t in TABLES.values() if t.array and t.feed_name == name]
        below = [r for t in arrays for k, r in self.rows[t.name].items() if k[: len(key)] == key]
        return hash(repr([row, *below]))

    async def _read(self, client: AdoClient, feed: Feed, request: Request) -> None:
        """Like a sync: a unit that is not found or not allowed leaves everything as it is."""
        events: list[Event] = []
        try:
            async for event in feed.read(client, request):
                events.append(event)
                if isinstance(event, Page):
                    self.meanwhile()
        except (AccessDenied, NotFound):
            return
        self._apply(feed, request, events)

    def _apply(self, feed: Feed, request: Request, events: list[Event]) -> None:
        brought: dict[str, set[Key]] = defaultdict(set)
        for event in events:
            if isinstance(event, Page):
                self._land(feed, event, brought)
            elif isinstance(event, ChildrenRead):
                parent = key_of(feed.due.parent, event.parent.values)
                self.read[feed.name, parent] = (event.parent.version, event.at)
            elif isinstance(event, Watermark):
                self.watermarks[feed.name, request.unit.key] = event.value
            elif isinstance(event, Skipped):
                self.skipped.append((feed.name, event))
        for kind in (Gone, Complete):
            for event in events:
                if isinstance(event, kind):
                    self._end(feed.name, event, brought)

    def _land(self, feed: Feed, page: Page, brought: dict[str, set[Key]]) -> None:
        found = expected_rows((feed.name, page.scope, record) for record in page.records)
        for table in feed.tables:
            if table.array:
                owners = set(found[feed.name])
                for key in [k for k in self.rows[table.name] if k[: len(next(iter(owners), ()))] in owners]:
                    del self.rows[table.name][key]
            self.rows[table.name].update(found[table.name])
            brought[table.name].update(found[table.name])
            for key in found[table.name]:
                self.reasons[table.name].pop(key, None)

    def _end(self, name: str, event: Event, brought: dict[str, set[Key]]) -> None:
        if isinstance(event, Gone):
            gone = [tuple(event.key[column] for column in TABLES[name].key)]
        else:
            gone = [
                key
                for key, row in self.rows[name].items()
                if key not in brought[name] and all(row[c] == v for c, v in event.scope.items())
            ]
        for key in gone:
            if self.rows[name].pop(key, None):
                self.reasons[name][key] = event.reason

    def live(self, name: str, project_id: str | None = None) -> list[Row]:
        """The rows of a table whose repository is there, as the warehouse's cascade leaves them live."""
        there = self.rows["repositories"]
        rows = [r for r in self.rows[name].values() if name == "repositories" or (r["repository_id"],) in there]
        return [row for row in rows if project_id in (None, row["project_id"])]

    def differences(self) -> list[str]:
        """What differs from the truth, of repositories that can be read."""
        expected = expected_rows(self.world.git.truth())
        usable = {repository.id for repository in self.world.git.usable()}
        found = []
        for name in GIT_TABLES:
            held = {key_of(name, row): dict(row) for row in self.live(name)}
            if name != "repositories":
                held = {key: row for key, row in held.items() if row["repository_id"] in usable}
            for row in [*expected[name].values(), *held.values()]:
                # only the read of one pull request has it, so that it says how a row was read
                row.pop("artifact_id", None)
            found += [f"{name}: {text}" for text in differences(expected[name], held)]
        return found


def key_of(name: str, row: Any) -> Key:
    return tuple(row[column] for column in TABLES[name].key)


@pytest.fixture(scope="module")
def copied() -> Iterator[tuple[SampleServer, Copy, Counter[str]]]:
    """A sample organization at rest and a complete copy of it."""
    with SampleServer("tiny") as server:
        copy = Copy(server)
        yield server, copy, copy.sync()


@pytest.fixture
def copy() -> Iterator[Copy]:
    """A complete copy of an organization of its own, to which things may happen."""
    with SampleServer("tiny") as server:
        copy = Copy(server)
        copy.sync()
        yield copy


def test_complete_reads_equal_the_truth(copied):
    """Every table of the Git area has the rows and values of the organization's truth."""
    _, copy, _ = copied

    assert copy.differences() == []
    assert all(copy.rows[name] for name in GIT_TABLES)


def test_pull_requests_have_their_whole_descriptions(copied):
    """The listing cuts descriptions at 400 characters; none lands cut."""
    _, copy, calls = copied
    whole = {key: row["description"] for key, row in copy.rows["pull_requests"].items()}
    long = [text for text in whole.values() if text and len(text) > 400]

    assert long
    assert calls[f"{REPOSITORY}/pullrequests/{{pull_request_id}}"] >= len(long)


def test_more_changes_than_a_page_holds_are_all_read(copied):
    """One iteration of the organization changes more than the 2,000 files of a page."""
    _, copy, _ = copied
    sizes = Counter(key[:3] for key in copy.rows["pull_request_iteration_changes"])

    assert max(sizes.values()) > 2000


def test_disabled_repository_is_skipped_with_the_reason(copied):
    """A disabled repository is a row, its commits are not asked for, and the coverage says why."""
    _, copy, _ = copied
    disabled = {row["id"] for row in copy.live("repositories") if row["is_disabled"]}

    assert disabled
    assert {("commits", Skipped("repository is disabled", each)) for each in disabled} <= set(copy.skipped)


def test_reading_again_changes_nothing_and_costs_little(copied):
    """With nothing changed, a repository's commits cost one call, and closed pull requests none."""
    _, copy, first = copied
    calls = copy.sync()
    active = sum(row["status"] == "active" for row in copy.live("pull_requests"))
    with_branch = [r for r in copy.live("repositories") if r["default_branch"] and not r["is_disabled"]]

    assert copy.differences() == []
    assert calls[f"{REPOSITORY}/refs"] == len(with_branch)
    assert calls[f"{REPOSITORY}/commits"] == 0
    assert calls[f"{PULL_REQUEST}/threads"] == calls[f"{PULL_REQUEST}/workitems"] == active
    assert calls[f"{PULL_REQUEST}/iterations"] == calls[f"{PULL_REQUEST}/commits"] == 0
    assert sum(calls.values()) < sum(first.values()) / 2


SCENARIOS = [
    "pr-opened",
    "pr-edited",
    "pr-retargeted",
    "pr-drafted",
    "pr-voted",
    "pr-labelled",
    "pr-pushed",
    "pr-force-pushed",
    "pr-commented",
    "pr-comment-edited",
    "pr-comment-deleted",
    "pr-completed",
    "pr-abandoned",
    "pr-reactivated",
    "pr-work-item-linked",
    "commits-pushed",
    "late-push",
    "old-branch-merged",
    "force-push",
    "default-branch-switched",
    "default-branch-renamed",
    "repository-created",
    "repository-renamed",
    "repository-disabled",
    "repository-enabled",
    "repository-deleted",
    "repository-restored",
    "first-commit",
]


@pytest.fixture(scope="module")
def followed() -> Iterator[Copy]:
    """A complete copy of an organization to which one thing after the other happens."""
    with SampleServer("tiny", seed=3) as server:
        copy = Copy(server)
        copy.sync()
        yield copy


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_change_is_seen_by_the_next_read(followed, name):
    """Whatever happens, the next incremental read makes the copy equal the truth."""
    followed.world.clock.advance(timedelta(minutes=30))
    followed.world.run_scenario(name)

    followed.sync()

    assert followed.differences() == []


#: The second retarget of a pull request within a month aims at the branch it aims at already, which nothing can show.
REPEATABLE = [name for name in SCENARIOS if name != "pr-retargeted"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_history_is_followed(copy, seed):
    """Changes in any order, several between two reads, some while pull requests are read, end in equality."""
    rng = random.Random(seed)
    happened = []

    def something() -> None:
        name = rng.choice(REPEATABLE)
        happened.append(name)
        copy.world.run_scenario(name)

    for _ in range(6):
        copy.world.clock.advance(timedelta(minutes=rng.choice((1, 20, 300, 3000))))
        for _ in range(rng.randrange(4)):
            something()
        copy.meanwhile = lambda: something() if rng.random() < 0.05 else None
        copy.sync(*rng.sample(FEEDS, rng.randrange(len(FEEDS) + 1)))
        copy.meanwhile = lambda: None
        copy.sync()

        assert copy.differences() == [], happened


def test_comments_after_closing_are_seen_on_the_schedule(copy):
    """A closed pull request's threads are read again after an hour, a day, three days and two weeks."""
    copy.world.run_scenario("pr-completed")
    copy.sync()
    seen = []
    for hours in (0.5, 0.6, 22, 1, 47, 2, 262, 2, 24):
        copy.world.clock.advance(timedelta(hours=hours))
        before = {key: at for key, at in copy.read.items() if key[0] == "pull_request_threads"}
        copy.sync(PULL_REQUEST_THREADS_FEED)
        closed = max(copy.live("pull_requests"), key=lambda row: str(row["closed_date"] or ""))
        key = ("pull_request_threads", key_of("pull_requests", closed))
        seen.append(copy.read[key] != before[key])

    assert seen == [False, True, False, True, False, True, False, True, False]


def test_recycled_repository_is_told_from_a_deleted_one(copy):
    """A repository in the recycle bin can be restored, and its tombstone says so."""
    before = {row["id"] for row in copy.live("repositories")}
    copy.world.run_scenario("repository-deleted")
    copy.sync(REPOSITORIES_FEED)
    gone = before - {row["id"] for row in copy.live("repositories")}

    assert [copy.reasons["repositories"][each,] for each in gone] == ["recycled"]


def test_pull_requests_closed_while_their_repository_was_out_of_sight_are_read_when_it_is_back(copy):
    """Opened and closed before anybody read them, then disabled for a while: no window of closing times has them."""
    world = copy.world
    repository = next(r for r in world.git.usable() if r.pull_requests)
    world.clock.advance(timedelta(minutes=30))
    pull_request = open_and_abandon(world, repository)
    repository.is_disabled = True
    copy.sync()
    world.clock.advance(timedelta(days=2))
    copy.sync()
    repository.is_disabled = False
    copy.sync()

    assert (repository.id, pull_request.id) in copy.rows["pull_requests"]
    assert copy.differences() == []


def open_and_abandon(world, repository):
    """A pull request that was opened and abandoned just now."""
    from ado_assets.sample import pull_request_actions as actions
    from ado_assets.sample.git_scenarios import open_one

    pull_request = open_one(world.git, repository, random.Random(5))
    actions.abandon(pull_request, pull_request.created_by, world.clock.now())
    return pull_request


def test_disabled_repository_deletes_nothing(copy):
    """Not even a complete read takes the rows of a repository that cannot be read for deleted."""
    world = copy.world
    repository = next(r for r in world.git.usable() if r.pull_requests)
    repository.is_disabled = True
    before = {name: set(copy.rows[name]) for name in GIT_TABLES}

    copy.sync(full=True)

    assert {name: set(copy.rows[name]) for name in GIT_TABLES} == before


def test_moved_head_costs_calls_for_the_difference_only(copy):
    """A push is one call for the head, one for what it brought and one for what it took away."""
    copy.world.run_scenario("commits-pushed")
    calls = copy.sync(COMMITS_FEED)

    assert calls[f"{REPOSITORY}/commits"] == 2


def test_force_push_takes_commits_away(copy):
    """Commits that the default branch no longer reaches are gone with the reason that the truth names."""
    before = set(copy.rows["commits"])
    copy.world.run_scenario("force-push")
    copy.sync(COMMITS_FEED)
    lost = {(scope["repository_id"], key["commitId"]) for r, scope, key, _ in copy.world.git.gone if r == "commits"}

    assert lost
    assert before - set(copy.rows["commits"]) == lost
    assert {copy.reasons["commits"][key] for key in lost} == {"deleted"}


def test_renamed_default_branch_costs_no_commits(copy):
    """The new branch stands where the old one stood, so that nothing is listed."""
    copy.world.run_scenario("default-branch-renamed")
    calls = copy.sync(REPOSITORIES_FEED, COMMITS_FEED)

    assert calls[f"{REPOSITORY}/commits"] == 0
    assert copy.differences() == []


def test_branch_renamed_since_repositories_were_read_is_found(copy):
    """The row names a branch that is no more; the commits are not taken for gone."""
    copy.world.run_scenario("default-branch-renamed")
    before = dict(copy.rows["commits"])
    copy.sync(COMMITS_FEED)

    assert copy.rows["commits"] == before
