"""What the service may do to a reader of pull requests and commits, answered by a peer over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ado_assets.ado import AdoError, PagingLoop
from ado_assets.streams.commits import COMMITS_FEED, Head
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
from ado_assets.streams.pull_request_iterations import PULL_REQUEST_ITERATIONS_FEED
from ado_assets.streams.pull_requests import PULL_REQUESTS_FEED
from ado_assets.streams.repositories import REPOSITORIES_FEED
from ado_assets_tests.ado_peer import Peer, Raw, Seen, client_of, reply

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PROJECT = Project("p1", "Fabrikam")
Query = dict[str, str]
Answers = Callable[[list[str], Query], Any]


def read(feed: Feed, request: Request, answers: Answers) -> list[Event]:
    """
    The events of a feed whose requests *answers* answers.

    It is given the path below ``_apis/git/`` in parts and the query without ``searchCriteria.``; None is a 404.
    """

    def handle(seen: Seen) -> Raw:
        url = urlsplit(seen.target)
        query = {name.removeprefix("searchCriteria."): value for name, value in parse_qsl(url.query)}
        found = answers(url.path.partition("/_apis/git/")[2].split("/"), query)
        if found is None:
            return reply(404, {"message": "TF401019", "typeKey": "GitRepositoryNotFoundException"})
        return found if isinstance(found, Raw) else reply(200, found)

    async def run() -> list[Event]:
        async with Peer(handle) as peer, client_of(peer, read_timeout=5, connect_timeout=5) as client:
            return [event async for event in feed.read(client, request)]

    return asyncio.run(run())


def of(kind: type, events: Sequence[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def listed(values: Sequence[Any]) -> dict[str, Any]:
    return {"count": len(values), "value": list(values)}


def cut(values: Sequence[Any], query: Query) -> dict[str, Any]:
    skip, top = int(query.get("$skip", 0)), int(query["$top"])
    return listed(values[skip : skip + top])


# --- pull requests -------------------------------------------------------------------------------------------------


def pull_request(number: int, **more: Any) -> dict[str, Any]:
    repository = {"id": "r1", "name": "web", "project": {"id": "p1"}}
    return {"pullRequestId": number, "repository": repository, "status": "active", "title": f"PR {number}", **more}


def pull_requests(
    answers: Answers,
    watermark: str | None = '2026-03-02T08:30:00Z {"r1": null}',
    held: Sequence[tuple[str, int]] = (),
    **more: Any,
) -> list[Event]:
    rows = tuple({"repository_id": repository, "pull_request_id": number} for repository, number in held)
    request = Request(Unit("project:p1", PROJECT), watermark, NOW, held=rows, **more)
    return read(PULL_REQUESTS_FEED, request, answers)


def numbers(events: Sequence[Event]) -> list[int]:
    return [record["pullRequestId"] for page in of(Page, events) for record in page.records]


REPOSITORY = {"id": "r1", "name": "web"}


@pytest.mark.parametrize("closing", [1, 40, 700])
def test_pull_requests_that_close_while_the_listing_is_paged_hide_no_other(closing):
    """Everything moves up when some close; whether the overlap covers it or not, no other one is jumped over."""
    active = list(range(2500, 0, -1))

    def answers(path: list[str], query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY])
        if query["status"] != "active":
            return listed([])
        page = cut([pull_request(number) for number in active], query)
        if query["$skip"] == "0":
            del active[100 : 100 + closing]
        return page

    assert set(numbers(pull_requests(answers))) >= set(active)


def test_pull_requests_that_open_while_the_listing_is_paged_land_once():
    """Everything moves down when some open; what is seen twice is landed once."""
    active = list(range(1500, 0, -1))

    def answers(path: list[str], query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY])
        if query["status"] != "active":
            return listed([])
        page = cut([pull_request(number) for number in active], query)
        if query["$skip"] == "0":
            active[:0] = range(1530, 1500, -1)
        return page

    assert sorted(numbers(pull_requests(answers))) == list(range(1, 1501))


def test_listing_that_never_joins_on_ends_in_an_error():
    """A service that answers every page with others is not followed for ever, and nothing is taken for complete."""

    def answers(path: list[str], query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY])
        first = 1_000_000 - 5000 * int(query["$skip"])
        return listed([pull_request(number) for number in range(first, first - 1000, -1)])

    with pytest.raises(PagingLoop):
        pull_requests(answers, watermark=None)


def test_page_the_service_made_smaller_is_not_the_end():
    """A server that allows fewer to a page than were asked for does not end the listing with its first page."""
    active = list(range(300, 0, -1))

    def answers(path: list[str], query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY])
        found = [pull_request(number) for number in active] if query["status"] == "active" else []
        return cut(found, {**query, "$top": "120"})

    assert set(numbers(pull_requests(answers))) == set(active)


@pytest.mark.parametrize("text", ["x" * 1000, "\N{ROCKET}" * 300, "\N{ROCKET}" + "x" * 700])
def test_cut_description_is_replaced_by_the_whole_one(text):
    """The service counts UTF-16 units, of which an emoji has two; the record that lands is the whole one alone."""
    shown = text.encode("utf-16-le")[:800].decode("utf-16-le", "ignore")
    whole, short = pull_request(7, description=text), pull_request(8, description="short")

    def answers(path: list[str], query: Query) -> Any:
        if path[-1] == "7":
            return whole
        if path == ["repositories"]:
            return listed([REPOSITORY])
        return listed([{**whole, "description": shown}, short] if query["status"] == "active" else [])

    pages = of(Page, pull_requests(answers))
    records = [record for page in pages for record in page.records]

    assert sorted(records, key=lambda r: r["pullRequestId"]) == [whole, short]
    assert b"short" in pages[0].body
    assert b'"pullRequestId":7' not in pages[0].body


def test_cut_description_never_lands():
    """When the whole one is not to be had, the row stays as it is; its repository is skipped and read anew later."""

    def answers(path: list[str], query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY, {"id": "r2", "name": "api"}])
        if path[-1] == "7":
            return None
        return listed([pull_request(7, description="x" * 400)] if query["status"] == "active" else [])

    events = pull_requests(answers, watermark='2026-03-02T08:30:00Z {"r1": null, "r2": null}')

    assert numbers(events) == []
    assert [skipped.repository_id for skipped in of(Skipped, events)] == ["r1"]
    assert of(Watermark, events) == [Watermark('2026-03-02T09:00:00Z {"r2": null}')]


def test_held_as_active_and_listed_nowhere_is_read_by_its_number():
    """It closed before the window, or was never seen closing; the answer lands, a 404 deletes nothing."""

    def answers(path: list[str], _query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY])
        if path[-1] == "5":
            return pull_request(5, status="completed")
        return listed([]) if path == ["pullrequests"] else None

    events = pull_requests(answers, held=[("r1", 5), ("r1", 6), ("gone", 9)])

    assert numbers(events) == [5]
    assert of(Gone, events) == of(Complete, events) == []
    assert sorted(skipped.repository_id for skipped in of(Skipped, events)) == ["gone", "r1"]


def test_closed_windows_reach_back_over_the_watermark():
    """Closing times are compared inexactly, so the window starts before the watermark, on a whole second."""
    asked = []

    def answers(_path: list[str], query: Query) -> Any:
        asked.append((query.get("status"), query.get("queryTimeRangeType"), query.get("minTime")))
        return listed([])

    pull_requests(answers, watermark="2026-03-02T08:30:00.500000Z {}")

    window = ("closed", "2026-03-02T08:20:00Z")
    assert asked == [("completed", *window), ("abandoned", *window), ("active", None, None), (None, None, None)]


def test_instant_given_by_a_person_reads_from_there_and_backfills_nothing():
    """A plain instant in place of the watermark says nothing about repositories, so that none counts as new."""
    asked = []

    def answers(path: list[str], query: Query) -> Any:
        asked.append(query.get("status"))
        return listed([REPOSITORY] if path == ["repositories"] else [])

    events = pull_requests(answers, watermark="2026-01-01T00:00:00+00:00")

    assert asked == ["completed", "abandoned", "active", None]
    assert of(Watermark, events) == [Watermark('2026-03-02T09:00:00Z {"r1": null}')]


def test_start_date_leaves_out_what_closed_before_and_completes_nothing():
    """A first read from a start date is not the whole listing, so that nothing may be taken for gone."""
    asked = []

    def answers(path: list[str], query: Query) -> Any:
        asked.append((query.get("status"), query.get("minTime")))
        return listed([REPOSITORY] if path == ["repositories"] else [])

    events = pull_requests(answers, watermark=None, options=Options(start_date=NOW - timedelta(days=1)))

    assert ("all", None) not in asked
    assert ("completed", "2026-03-01T09:00:00Z") in asked
    assert of(Complete, events) == []


def test_repository_disabled_while_its_pull_requests_are_listed_is_not_complete():
    """It drops out of the listing half-way; what was not seen of it is not gone."""
    looks = []

    def answers(path: list[str], query: Query) -> Any:
        if path != ["repositories"]:
            return cut([pull_request(number) for number in range(10, 0, -1)], query)
        looks.append(path)
        return listed([{**REPOSITORY, "isDisabled": len(looks) > 1}, {"id": "r2", "name": "api"}])

    events = pull_requests(answers, watermark=None)

    assert [event.scope for event in of(Complete, events)] == [{"repository_id": "r2"}]
    assert of(Watermark, events) == [Watermark('2026-03-02T09:00:00Z {"r2": null}')]


def test_pull_request_without_its_repository_is_an_error_not_a_gap():
    """A record that cannot be told from the others ends the unit; it is not left out in silence."""

    def answers(path: list[str], _query: Query) -> Any:
        return listed([REPOSITORY] if path == ["repositories"] else [{"pullRequestId": 1}])

    with pytest.raises(AdoError, match="repository"):
        pull_requests(answers)


def test_pull_request_without_iterations_is_read_without_a_call():
    """Very old pull requests have none and say so; they are done with, so that they are not due for ever."""
    old = Parent({"project_id": "p1", "repository_id": "r1", "pull_request_id": 3, "supports_iterations": False}, 1)
    request = Request(Unit("project:p1", PROJECT), None, NOW, parents=(old,))

    def answers(path: list[str], _query: Query) -> Any:
        raise AssertionError(path)

    assert read(PULL_REQUEST_ITERATIONS_FEED, request, answers) == [ChildrenRead(old, NOW)]


# --- repositories --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "recycled"), [(["r2", "r9"], ["r2"]), ([], []), (None, [])])
def test_recycle_bin_tells_why_repositories_are_gone(found, recycled):
    """What can be restored was recycled, the rest deleted; so is all of it where the bin is not to be seen."""

    def answers(path: list[str], _query: Query) -> Any:
        if path == ["repositories"]:
            return listed([REPOSITORY])
        return None if found is None else listed([{"id": each} for each in found])

    held = tuple({"id": each} for each in ("r1", "r2", "r3"))
    events = read(REPOSITORIES_FEED, Request(Unit("project:p1", PROJECT), None, NOW, held=held), answers)

    assert [(event.key["id"], event.reason) for event in of(Gone, events)] == [(each, "recycled") for each in recycled]
    assert [(event.scope, event.reason) for event in of(Complete, events)] == [({"project_id": "p1"}, "deleted")]


# --- commits -------------------------------------------------------------------------------------------------------


class Git:
    """
    A repository of commits a0, a1, ... (a line), and b3, b4, ... (another line that starts after a2).

    *manner* is how the service takes ``compareVersion``: it leaves out what that version reaches (exact), or what
    ``itemVersion`` reaches (reversed), or nothing (ignored); or it knows no old commits (forgotten, refused).
    """

    def __init__(self, head: str, manner: str = "exact", length: int = 6) -> None:
        self.head = head
        self.manner = manner
        self.length = length
        self.calls = 0

    def reachable(self, sha: str) -> list[str]:
        line, number = sha[0], int(sha[1:])
        return [f"{line if each > 2 else 'a'}{each}" for each in range(number, -1, -1)]

    def answers(self, path: list[str], query: Query) -> Any:
        if path[-1] == "refs":
            branches = {"refs/heads/main": self.head, "refs/heads/ma": "b9", "refs/heads/main-2": "b9"}
            names = sorted(name for name in branches if name.startswith(f"refs/{query['filter']}"))
            return listed([{"name": name, "objectId": branches[name]} for name in reversed(names)])
        if path[-1] != "commits":
            return {"id": "r1", "defaultBranch": "refs/heads/main"}
        self.calls += 1
        item, compare = query["itemVersion.version"], query.get("compareVersion.version")
        assert query["itemVersion.versionType"] == "commit"
        if compare and self.manner in ("forgotten", "refused"):
            return reply({"forgotten": 404, "refused": 400}[self.manner], {"message": "TF401175"})
        if self.manner == "reversed" and compare:
            item, compare = compare, item
        kept = set(self.reachable(compare)) if compare and self.manner != "ignored" else set()
        found = [{"commitId": each} for each in self.reachable(item) if each not in kept]
        return cut(found, query)


def commits_of(git: Git, held: Head | None, answers: Answers | None = None, branch: str = "refs/heads/main"):
    """What the table holds after a read that began with what *held* reaches, and the events."""
    row = {"id": "r1", "project_id": "p1", "name": "web", "default_branch": branch, "is_disabled": False}
    watermark = None if held is None else held.watermark().value
    request = Request(Unit("repository:r1", PROJECT, "r1"), watermark, NOW, parents=(Parent(row, 1),))
    events = read(COMMITS_FEED, request, answers or git.answers)
    rows = set(git.reachable(held.sha)) if held and held.sha else set()
    brought = {record["commitId"] for page in of(Page, events) for record in page.records}
    rows = brought if of(Complete, events) else rows | brought
    return rows - {event.key["commit_id"] for event in of(Gone, events)}, events


@pytest.mark.parametrize("manner", ["exact", "reversed", "ignored", "forgotten", "refused"])
@pytest.mark.parametrize(("old", "new"), [("a2", "a5"), ("a5", "b5"), ("a5", "a3"), ("a5", "a5")])
def test_moved_head_leaves_what_it_reaches(old, new, manner):
    """Pushed to, pushed by force, reset: the rows are what the new head reaches, however the service compares."""
    git = Git(new, manner)

    rows, events = commits_of(git, Head("refs/heads/main", old))

    assert rows == set(git.reachable(new))
    if old != new:
        assert of(Watermark, events) == [Head("refs/heads/main", new).watermark()]
    if manner in ("exact", "reversed") or old == new:
        assert of(Complete, events) == []
        assert git.calls == (0 if old == new else 2)


def test_push_while_commits_are_listed_moves_no_page():
    """The listing is of a commit, not of the branch, so that nothing is jumped over or read twice."""
    git = Git("a2300")

    def answers(path: list[str], query: Query) -> Any:
        found = git.answers(path, query)
        if path[-1] == "commits":
            git.head = "a2310"
        return found

    rows, events = commits_of(git, None, answers)
    sizes = [len(page.records) for page in of(Page, events)]

    assert rows == set(Git("a2300").reachable("a2300"))
    assert sum(sizes) == 2301
    assert of(Watermark, events) == [Head("refs/heads/main", "a2300").watermark()]


def test_branch_of_a_similar_name_is_not_the_default_branch():
    """The filter of refs says how a name begins, so that main-2 comes as well, here before main."""
    rows, _ = commits_of(Git("a4"), None)

    assert rows == set(Git("a4").reachable("a4"))


def test_default_branch_that_does_not_exist_has_no_commits():
    """The repository names a branch that is not there: what was reachable is gone."""
    git = Git("a4")

    def answers(path: list[str], query: Query) -> Any:
        return listed([]) if path[-1] == "refs" else git.answers(path, query)

    rows, events = commits_of(git, Head("refs/heads/main", "a4"), answers)

    assert rows == set()
    assert of(Watermark, events) == [Head().watermark()]


def test_repository_that_is_disabled_meanwhile_is_not_read_as_empty():
    """A 404 of the repository is neither an unknown old head nor an empty branch: the unit ends, nothing is gone."""
    git = Git("a5")

    def answers(path: list[str], query: Query) -> Any:
        return git.answers(path, query) if path[-1] == "refs" else None

    with pytest.raises(AdoError):
        commits_of(git, Head("refs/heads/main", "a2"), answers)
