"""Users, projects, teams and members, read over HTTP and compared with the organization's truth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ado_assets.ado import AccessDenied, NotFound, RepositoryNotFound, ServiceUnavailable
from ado_assets.sample.server import SampleServer
from ado_assets.streams.children import per_parent
from ado_assets.streams.core import LIST_TEAMS, PROJECTS_FEED, TEAM_MEMBERS_FEED, TEAMS_FEED, USERS_FEED
from ado_assets.streams.listings import steady_pages
from ado_assets.streams.model import ChildrenRead, Complete, Parent, Request, Skipped, Unit
from ado_assets_tests.ado_peer import Peer, client_of, reply
from ado_assets_tests.copied import Copy

FEEDS = (USERS_FEED, PROJECTS_FEED, TEAMS_FEED, TEAM_MEMBERS_FEED)
SCENARIOS = [
    "team-created",
    "team-renamed",
    "team-deleted",
    "member-added",
    "member-removed",
    "user-added",
    "user-removed",
    "project-created",
    "project-renamed",
    "project-deleted",
    "project-restored",
    "project-name-reused",
]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def followed() -> Iterator[Copy]:
    """A complete copy of an organization to which one thing after the other happens."""
    with SampleServer("tiny", seed=5) as server:
        copy = Copy(server, FEEDS)
        copy.sync()
        yield copy


def test_complete_reads_equal_the_truth(followed):
    """All tables have the rows of the organization, service principals and every project but deleted ones included."""
    assert followed.differences() == []
    assert {row["subject_kind"] for row in followed.rows["users"].values()} == {"user", "servicePrincipal"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_change_is_seen_by_the_next_read(followed, name):
    """Whatever happens, the next read makes the copy equal the truth, and knows why rows are gone."""
    followed.world.clock.advance(timedelta(minutes=30))
    followed.world.run_scenario(name)

    followed.sync()

    assert followed.differences() == []
    projects = [entry for entry in followed.world.core.gone if entry[0] == "projects"]
    assert followed.wrong_reasons(projects) == []


def test_more_than_a_hundred_teams_and_members_are_read():
    """The service gives 100 at a time without saying that there are more."""
    with SampleServer("small") as server:
        copy = Copy(server, FEEDS)
        copy.sync("users", "projects", "teams")
        teams = copy.world.core.teams
        project, largest = max(teams.items(), key=lambda entry: len(entry[1]))
        held = [row for row in copy.live("teams").values() if row["project_id"] == project]

    assert len(held) == len(largest) > 100


def test_users_stay_complete_where_service_principals_are_refused():
    """Their refusal is written down; users who left are gone all the same, service principals stay."""

    def answer(seen):
        if "serviceprincipals" in seen.target:
            return reply(403, {"message": "no"})
        return reply(200, {"value": [{"descriptor": "aad.1", "subjectKind": "user"}]})

    events = run_feed(USERS_FEED, Request(Unit("organization"), None, NOW), answer)

    assert [event.scope for event in events if isinstance(event, Complete)] == [{"subject_kind": "user"}]
    assert "service principals" in next(event.reason for event in events if isinstance(event, Skipped))


def test_listing_that_shifts_while_it_is_paged_is_read_until_it_is_steady():
    """A team deleted between two pages moves the next ones up; none of them may look deleted."""
    teams = [{"id": str(number)} for number in range(8)]

    def answer(seen):
        skip = int(seen.target.partition("$skip=")[2].partition("&")[0])
        page = reply(200, {"value": teams[skip : skip + 5]})
        if skip == 0 and len(teams) == 8:
            teams.pop(2)
        return page

    pages, complete = [], []
    for event in run_listing(answer, page_size=5):
        (complete if isinstance(event, Complete) else pages).append(event)

    assert {record["id"] for page in pages for record in page.records} == {str(number) for number in range(8)}
    assert {record["id"] for page in pages[-2:] for record in page.records} == {team["id"] for team in teams}
    assert len(complete) == 1


def test_listing_that_never_gets_steady_is_not_called_complete():
    """Rows that it did not bring are left alone then."""
    calls = iter(range(1000))

    def answer(seen):
        first = "$skip=0" in seen.target
        return reply(200, {"value": [{"id": f"{next(calls)}-{n}"} for n in range(5 if first else 1)]})

    assert not any(isinstance(event, Complete) for event in run_listing(answer, page_size=5))


def test_children_of_one_missing_parent_stop_no_other():
    """A disabled repository is skipped once, with the reason, and its other parents are not asked for any more."""
    asked = []

    async def read_one(_client, _request, parent):
        asked.append(parent.values["id"])
        if parent.values["repository_id"] == "off":
            raise RepositoryNotFound("it is disabled")
        yield Complete({}, NOW)

    events = run_children(read_one, [{"id": n, "repository_id": "off" if n % 2 else "on"} for n in range(6)], limit=1)

    assert asked == [0, 1, 2, 4]
    assert [event.parent.values["id"] for event in events if isinstance(event, ChildrenRead)] == [0, 2, 4]
    assert [event.repository_id for event in events if isinstance(event, Skipped)] == ["off"]


def test_parent_that_is_gone_stays_due_and_is_named():
    """Outside of repositories a 404 concerns one row only."""

    async def read_one(_client, _request, parent):
        if parent.values["id"] == 1:
            raise NotFound("gone")
        yield Complete({}, NOW)

    events = run_children(read_one, [{"id": 1}, {"id": 2}])

    assert [event.parent.values["id"] for event in events if isinstance(event, ChildrenRead)] == [2]
    assert "id 1" in next(event.reason for event in events if isinstance(event, Skipped))


@pytest.mark.parametrize("error", [AccessDenied, ServiceUnavailable])
def test_other_errors_of_a_parent_fail_the_unit(error):
    """They are not a property of one row."""

    async def read_one(_client, _request, _parent):
        raise error("no")
        yield

    with pytest.raises(error):
        run_children(read_one, [{"id": 1}])


def run_feed(feed, request, answer):
    """All events of a feed read from a server that answers by *answer*."""

    async def run():
        async with Peer(answer) as peer, client_of(peer) as client:
            return [event async for event in feed.read(client, request)]

    return asyncio.run(run())


def run_listing(answer, page_size):
    """All events of a steady listing of teams."""

    async def run():
        async with Peer(answer) as peer, client_of(peer) as client:
            endpoint = type(LIST_TEAMS)(LIST_TEAMS.path, paging=LIST_TEAMS.paging, page_size=page_size)
            path = {"project_id": "p"}
            return [e async for e in steady_pages(client, endpoint, path, {}, {}, {}, lambda record: record["id"])]

    return asyncio.run(run())


def run_children(read_one, values, limit=4):
    """All events of reading the children of parents with these values."""

    async def run():
        parents = tuple(Parent(each, version=1) for each in values)
        request = Request(Unit("project:p"), None, NOW, parents=parents)
        return [event async for event in per_parent(None, request, read_one, limit)]

    return asyncio.run(run())
