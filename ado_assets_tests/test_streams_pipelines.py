"""Builds, timelines, releases and deployments, read over HTTP and compared with the organization's truth."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from ado_assets.sample.server import SampleServer
from ado_assets.streams.build_timelines import BUILD_TIMELINE_RECORDS_FEED
from ado_assets.streams.builds import BUILDS_FEED
from ado_assets.streams.core import PROJECTS_FEED
from ado_assets.streams.model import (
    ChildrenRead,
    Complete,
    Gone,
    Options,
    Page,
    Parent,
    Project,
    Request,
    Unit,
    Watermark,
)
from ado_assets.streams.release_deployments import RELEASE_DEPLOYMENTS_FEED
from ado_assets.streams.releases import RELEASES_FEED, Progress, outlook
from ado_assets_tests.ado_peer import Peer, client_of, reply
from ado_assets_tests.copied import Copy, happen

FEEDS = (PROJECTS_FEED, BUILDS_FEED, BUILD_TIMELINE_RECORDS_FEED, RELEASES_FEED, RELEASE_DEPLOYMENTS_FEED)
SCENARIOS = [
    "build-queued",
    "build-finished",
    "build-retried",
    "build-tagged",
    "build-deleted",
    "build-without-timeline",
    "release-created",
    "release-redeployed",
    "release-approved",
    "release-abandoned",
    "release-deleted",
    "release-restored",
    "project-renamed",
    "project-deleted",
    "project-restored",
]
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
LIST_BUILDS = "GET {project_id}/_apis/build/builds"
GET_BUILD = "GET {project_id}/_apis/build/builds/{build_id}"
TIMELINE = "GET {project_id}/_apis/build/builds/{build_id}/timeline"
GET_RELEASE = "GET {project_id}/_apis/release/releases/{release_id}"


@pytest.fixture(scope="module")
def followed() -> Iterator[Copy]:
    """A complete copy of an organization to which one thing after the other happens."""
    with SampleServer("tiny", seed=5) as server:
        copy = Copy(server, FEEDS)
        copy.sync()
        yield copy


@pytest.fixture
def copy() -> Iterator[Copy]:
    """A complete copy of an organization of its own."""
    with SampleServer("tiny") as server:
        copy = Copy(server, FEEDS)
        copy.sync()
        yield copy


def gone(copy: Copy) -> list:
    """What the organization says is gone of builds and releases in live projects, and why."""
    live = {project.id for project in copy.world.live_projects()}
    entries = [entry for entry in copy.world.pipelines.gone if entry[1]["project_id"] in live]
    return [entry for entry in entries if entry[0] in ("builds", "releases")]


def test_complete_reads_equal_the_truth(followed):
    """All tables have the rows and values of the truth; earlier attempts and failed builds are among them."""
    assert followed.differences() == []
    assert {row["attempt"] for row in followed.live("build_timeline_records").values()} >= {1, 2}


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_change_is_seen_by_the_next_read(followed, name):
    """Whatever happens, the next read makes the copy equal the truth, and knows why rows are gone."""
    happen(followed, name)

    followed.sync()

    assert followed.differences() == []
    assert followed.wrong_reasons(gone(followed)) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history_is_followed(copy, seed):
    """Days pass and changes come in any order, some while the copy is read; it is equal once everything is quiet."""
    rng = random.Random(seed)
    for _ in range(5):
        happen(copy, *rng.choices(SCENARIOS[:-3], k=rng.randrange(1, 5)))
        if rng.random() < 0.4:
            copy.world.tick(rng.choice((1, 3)))
        chances = iter([rng.random() < 0.3 for _ in range(12)])
        copy.meanwhile = lambda _feed, chances=chances: (
            next(chances, False) and copy.world.run_scenario(rng.choice(SCENARIOS[:-3]))
        )
        copy.sync()
        copy.meanwhile = lambda _feed: None
        copy.world.clock.advance(timedelta(minutes=5))
        copy.sync()

        assert copy.differences() == []
        assert copy.wrong_reasons(gone(copy)) == []


def test_build_that_ran_longer_than_any_window_finishes(copy):
    """It was held as running; weeks later it is final, and so is its timeline."""
    happen(copy, "build-queued")
    copy.sync()
    copy.world.clock.advance(timedelta(days=40))
    running = [b for b in copy.world.pipelines.builds.all() if b.status == "inProgress" and b.deleted_on is None]
    assert running
    for _ in running:
        copy.world.run_scenario("build-finished")

    copy.sync()

    assert copy.differences() == []
    assert not [row for row in copy.live("builds").values() if row["status"] == "inProgress"]


def test_held_build_that_was_purged_is_gone(copy):
    """It is in no list and not found by itself."""
    happen(copy, "build-queued")
    copy.sync()
    running = next(b for b in copy.world.pipelines.builds.all() if b.status == "inProgress" and b.deleted_on is None)
    copy.world.pipelines.builds.purge(running)

    copy.sync()

    assert copy.reasons["builds"][running.project_id, running.id] == "destroyed"
    assert copy.differences() == []


def test_complete_read_finds_builds_purged_unseen(copy):
    """A build that was deleted and purged between two reads is noticed by a complete one."""
    build = next(b for b in copy.world.pipelines.builds.all() if b.status == "completed" and b.deleted_on is None)
    copy.world.pipelines.builds.purge(build)

    copy.sync(full=True)

    assert copy.reasons["builds"][build.project_id, build.id] == "destroyed"
    assert copy.differences() == []


def test_quiet_read_asks_for_no_final_build_and_no_final_release(copy):
    """Final builds cost no call each; of the releases only those being deployed do."""
    happen(copy)

    calls = copy.sync()

    open_builds = [row for row in copy.live("builds").values() if row["status"] != "completed"]
    running = sum(len(orjson.loads(m)["running"]) for (name, _), m in copy.watermarks.items() if name == "releases")
    projects = len(copy.world.live_projects())
    assert calls[GET_BUILD] == 0
    assert calls[LIST_BUILDS] <= 3 * projects
    assert calls[TIMELINE] == len(open_builds)
    assert calls[GET_RELEASE] == running


def test_build_without_a_timeline_is_not_asked_again(copy):
    """No content is remembered as an answer."""
    happen(copy, "build-without-timeline")
    first = copy.sync()[TIMELINE]

    again = copy.sync()[TIMELINE]

    assert first == again + 1
    assert copy.differences() == []


def test_start_date_leaves_older_builds_and_releases_out():
    """A first read brings what finished, ran or was created since, and calls no listing complete."""
    with SampleServer("tiny") as server:
        start = server.world.clock.now() - timedelta(days=60)
        copy = Copy(server, FEEDS, Options(start_date=start))
        copy.sync()
        first = {name: set(copy.live(name)) for name in ("builds", "releases")}
        copy.world.clock.advance(timedelta(minutes=10))
        copy.sync()
        builds, releases = copy.live("builds").values(), copy.live("releases").values()

        assert first == {name: set(copy.live(name)) for name in first}
        assert 0 < len(builds) < len(server.world.pipelines.builds.all())
        assert all(row["finish_time"] is None or row["finish_time"] >= start for row in builds)
        deployed = {row["release_id"] for row in copy.live("release_deployments").values()}
        assert releases
        assert all(row["created_on"] >= start or row["id"] in deployed for row in releases)
        older = [r for p in server.world.live_projects() for r in server.world.pipelines.releases.of(p.id)]
        assert len(releases) < len([release for release in older if not release.deleted])


def test_statuses_are_asked_for_one_by_one_where_they_cannot_be_joined():
    """A server that takes no list of statuses still gives every unfinished build."""

    def answer(seen):
        query = seen.target.partition("?")[2]
        if "statusFilter=inProgress%2C" in query:
            return reply(400, {"message": "The value is not valid for statusFilter."})
        found = [{"id": 7, "status": "postponed"}] if "statusFilter=postponed" in query else []
        return reply(200, {"value": found})

    events = run_feed(BUILDS_FEED, request(watermark=NOW.isoformat()), answer)

    assert [record["id"] for event in events if isinstance(event, Page) for record in event.records] == [7]


def test_held_build_found_deleted_is_gone_with_its_reason():
    """The list by ids says that a build which is held as running was deleted since."""

    def answer(seen):
        if "buildIds=5%2C6" in seen.target:
            deleted = {"id": 5, "deleted": True, "deletedReason": "Build retention policy"}
            return reply(200, {"value": [deleted, {"id": 6, "status": "inProgress"}]})
        return reply(200, {"value": []})

    held = ({"id": 6, "status": "inProgress"}, {"id": 5, "status": "inProgress"})
    events = run_feed(BUILDS_FEED, request(watermark=NOW.isoformat(), held=held), answer)

    assert [(event.key["id"], event.reason) for event in events if isinstance(event, Gone)] == [(5, "retention")]
    pages = [event for event in events if isinstance(event, Page) and event.records]
    assert [record["id"] for record in pages[0].records] == [6]
    assert orjson.loads(pages[0].body)["value"] == pages[0].records


def test_timeline_that_cannot_be_read_whole_deletes_nothing():
    """An earlier attempt that is not there any more leaves its rows as they are."""

    def answer(seen):
        if seen.target.partition("?")[0].endswith("/timeline"):
            attempts = [{"attempt": 1, "timelineId": "old", "recordId": "r"}]
            return reply(200, {"id": "main", "records": [{"id": "r", "previousAttempts": attempts}]})
        return reply(204, body=b"")

    build = Parent({"project_id": "p", "id": 1, "status": "completed"}, version=1)
    events = run_feed(BUILD_TIMELINE_RECORDS_FEED, request(parents=(build,)), answer)

    assert [event.scope["timeline_id"] for event in events if isinstance(event, Page)] == ["main"]
    assert [event.parent for event in events if isinstance(event, ChildrenRead)] == [build]
    assert not [event for event in events if isinstance(event, Complete)]


def test_edit_of_an_old_release_is_found_in_its_turn():
    """A page of old releases is looked through at each read, then the next one, then again from the start."""
    places = []

    def answer(seen):
        query = seen.target.partition("?")[2]
        if "/releases/" in seen.target:
            return reply(200, {"id": 150, "status": "active", "environments": []})
        if "isDeleted=false" in query and "minCreatedTime" not in query:
            place = query.partition("continuationToken=")[2].partition("&")[0]
            places.append(place)
            first, last = (1, 100) if not place else (101, 150)
            rows = [
                {"id": n, "status": "active", "modifiedOn": f"2026-01-0{1 + (n == 150)}"}
                for n in range(first, last + 1)
            ]
            return reply(200, {"value": rows}, **({} if place else {"x_ms_continuationtoken": "101"}))
        return reply(200, {"value": []})

    held = tuple({"id": n, "status": "active", "modified_on": datetime(2026, 1, 1, tzinfo=UTC)} for n in range(1, 151))
    mark, read = Progress("Here", NOW.isoformat()).text, []
    for _ in range(3):
        events = run_feed(RELEASES_FEED, request(watermark=mark, held=held), answer)
        mark = next(event.value for event in events if isinstance(event, Watermark))
        read.append([record["id"] for event in events if isinstance(event, Page) for record in event.records])

    assert places == ["", "101", ""]
    assert read == [[], [150], []]


def test_running_and_restored_releases_are_read_whatever_the_list_shows():
    """Neither the progress of a deployment nor being deleted no more moves a time that the list can be asked for."""

    def answer(seen):
        if "/releases/" in seen.target:
            number = int(seen.target.partition("/releases/")[2].partition("?")[0])
            return reply(200, {"id": number, "status": "active", "environments": [{"status": "succeeded"}]})
        return reply(200, {"value": []})

    mark = Progress("Here", NOW.isoformat(), running=frozenset({3}), deleted=frozenset({8})).text
    events = run_feed(RELEASES_FEED, request(watermark=mark), answer)

    assert [record["id"] for event in events if isinstance(event, Page) for record in event.records] == [3, 8]
    after = Progress.read(next(event.value for event in events if isinstance(event, Watermark)))
    assert not after.running | after.waiting | after.deleted


@pytest.mark.parametrize(
    ("status", "states", "expected"),
    [
        ("active", ["succeeded", "rejected"], "final"),
        ("active", ["succeeded", "notStarted"], "waiting"),
        ("active", ["inProgress", "notStarted"], "running"),
        ("active", ["Queued"], "running"),
        ("active", ["somethingNew"], "waiting"),
        ("draft", [], "waiting"),
        ("abandoned", ["notStarted"], "final"),
    ],
)
def test_outlook_of_a_release(status, states, expected):
    """What can still change, and whether the list would show it."""
    assert outlook({"status": status, "environments": [{"status": state} for state in states]}) == expected


def request(watermark=None, held=(), parents=()):
    return Request(Unit("project:p", Project("p", "Here")), watermark, NOW, held=held, parents=parents)


def run_feed(feed, asked, answer):
    """All events of a feed read from a server that answers by *answer*."""

    async def run():
        async with Peer(answer) as peer, client_of(peer) as client:
            return [event async for event in feed.read(client, asked)]

    return asyncio.run(run())
