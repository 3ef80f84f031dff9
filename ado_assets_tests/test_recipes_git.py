"""Repositories, pull requests and branches change: what the next sync makes of it, down to the rows and tombstones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from ado_assets.sample import SampleServer
from ado_assets.sample import pull_request_actions as actions
from ado_assets.sample.git_scenarios import open_one
from ado_assets.tables import TABLES
from ado_assets_tests.follower import Follower

PULL_REQUESTS = (
    "pull_requests",
    "pull_request_reviewers",
    "pull_request_labels",
    "pull_request_iterations",
    "pull_request_iteration_changes",
    "pull_request_threads",
    "pull_request_comments",
    "pull_request_work_items",
    "pull_request_commits",
)
PUSHES = ("pull_requests", "pull_request_iterations", "pull_request_commits")
COMMITS = ("repositories", "commits")


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    with SampleServer("tiny") as server:
        follower = Follower(server, tmp_path_factory.mktemp("git"), ("repositories", *PULL_REQUESTS, "commits"))
        follower.sync("projects", *follower.feeds)
        yield follower


def number_in(sentence: str) -> int:
    """The number of the pull request that a scenario's sentence is about."""
    found = re.search(r"pull request (\d+)", sentence, re.IGNORECASE)
    assert found, sentence
    return int(found[1])


@pytest.mark.parametrize(
    ("scenario", "columns"),
    [
        ("pr-edited", ("title", "description")),
        ("pr-drafted", ("is_draft",)),
        ("pr-retargeted", ("target_ref_name",)),
        ("pr-pushed", ("last_merge_source_commit_id",)),
        ("pr-completed", ("status", "closed_date", "closed_by_id")),
        ("pr-abandoned", ("status", "closed_date")),
        ("pr-reactivated", ("status", "closed_date")),
    ],
)
def test_pull_request_shows_what_became_of_it(follower, scenario, columns):
    """However long ago it was created; its own row changes, and its pushes are those that there are."""
    follower.happen("pr-abandoned" if scenario == "pr-reactivated" else "pr-opened")
    follower.later(days=40)
    follower.sync(*PUSHES)
    before = {row["pull_request_id"]: row for row in follower.rows("pull_requests")}
    number = number_in(follower.happen(scenario))
    follower.sync(*PUSHES)
    [row] = follower.rows("pull_requests", f"pull_request_id = {number}")

    assert all(row[name] != before[number][name] for name in columns)
    assert follower.wrong(*PUSHES) == []


@pytest.mark.parametrize(
    ("scenario", "table"),
    [
        ("pr-voted", "pull_request_reviewers"),
        ("pr-labelled", "pull_request_labels"),
        ("pr-commented", "pull_request_comments"),
        ("pr-work-item-linked", "pull_request_work_items"),
    ],
)
def test_what_leaves_no_time_on_an_active_pull_request_is_seen(follower, scenario, table):
    """Nothing that could be filtered by moves; active ones are looked at by every sync."""
    follower.happen(scenario)
    assert follower.wrong(table)

    follower.sync("pull_requests", TABLES[table].feed_name)

    assert follower.wrong(table) == []


def test_pull_request_that_came_and_went_between_two_syncs_is_there(follower):
    """It was never seen active: the window of closing times has it, with everything below it."""
    held = {row["pull_request_id"] for row in follower.rows("pull_requests")}
    number = number_in(follower.happen("pr-opened"))
    while number_in(follower.happen("pr-completed")) != number:
        pass
    follower.later(days=2)
    follower.sync(*PULL_REQUESTS)

    assert number not in held
    assert follower.rows("pull_requests", f"pull_request_id = {number}")[0]["status"] == "completed"
    assert follower.rows("pull_request_commits", f"pull_request_id = {number}")
    assert follower.wrong(*PULL_REQUESTS) == []


def test_comment_on_a_closed_pull_request_is_found_when_its_turn_comes(follower):
    """Not at once, but when an hour, a day, three days or the whole grace time are over."""
    threads = ("pull_requests", "pull_request_threads")
    number = number_in(follower.happen("pr-completed"))
    where = f"pull_request_id = {number}"
    follower.sync(*threads)
    closed = next(each for r in follower.world.git.usable() for each in r.pull_requests.values() if each.id == number)
    seen = [1]
    for hours in (0.5, 0.6, 22.9, 48, 24 * 11):
        if seen[-1]:
            held = len(follower.rows("pull_request_comments", where))
            actions.comment(closed, closed.created_by, follower.world.clock.now(), random.Random(1))
        follower.later(hours=hours)
        follower.sync(*threads)
        seen.append(len(follower.rows("pull_request_comments", where)) - held)

    assert seen[1:] == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("scenario", ["late-push", "old-branch-merged"])
def test_commits_with_old_dates_are_not_missed(follower, scenario):
    """The head of the branch moved; how old the commits claim to be does not matter."""
    held = {row["commit_id"] for row in follower.rows("commits")}
    follower.happen(scenario)
    follower.sync(*COMMITS)
    new = [row for row in follower.rows("commits") if row["commit_id"] not in held]
    oldest = min(row["committer_date"] for row in new)

    assert (follower.world.clock.now() - oldest).days >= 90
    assert follower.wrong("commits") == []


def test_force_push_leaves_tombstones(follower):
    """What the branch no longer reaches is flagged as deleted, and only that."""
    held = {(row["repository_id"], row["commit_id"]) for row in follower.rows("commits")}
    follower.happen("force-push")
    follower.sync(*COMMITS)
    gone = {
        (row["repository_id"], row["commit_id"]): row["_deleted_reason"] for row in follower.rows("commits", live=False)
    }

    assert held & gone.keys()
    assert {gone[each] for each in held & gone.keys()} == {"deleted"}
    assert follower.wrong("commits") == []


@pytest.mark.parametrize("scenario", ["default-branch-renamed", "default-branch-switched", "first-commit"])
def test_table_follows_the_default_branch(follower, scenario):
    """Renamed, another one, or the first there ever was: the commits are those of the branch that is default now."""
    before = {row["id"]: row["default_branch"] for row in follower.rows("repositories")}
    follower.happen(scenario)
    follower.sync(*COMMITS)
    changed = [row for row in follower.rows("repositories") if row["default_branch"] != before.get(row["id"])]

    assert len(changed) == 1
    assert follower.rows("commits", f"repository_id = '{changed[0]['id']}'")
    assert follower.wrong(*COMMITS) == []


def test_repository_is_caught_up_with_when_it_is_enabled_again(follower):
    """
    Disabled, it keeps its rows and coverage says why. A pull request that came and went just before was seen by nobody
    and is in no window any more; it is read once the repository is enabled.
    """
    world = follower.world
    repository = next(each for each in world.git.usable() if each.pull_requests and each.default_branch)
    where = f"repository_id = '{repository.id}'"
    held = {name: len(follower.rows(name, where)) for name in ("commits", "pull_requests")}
    follower.later(minutes=30)
    unseen = open_one(world.git, repository, random.Random(5))
    actions.abandon(unseen, unseen.created_by, world.clock.now())
    repository.is_disabled = True
    follower.later(hours=1)
    follower.sync(*COMMITS, "pull_requests")

    assert {name: len(follower.rows(name, where)) for name in held} == held
    reasons = follower.warehouse.rows(
        f"SELECT reason FROM ado_meta.coverage WHERE {where} AND status = 'skipped' AND table_name = 'commits'"
    )
    assert reasons == [("repository is disabled",)]

    follower.later(days=60)
    repository.is_disabled = False
    follower.sync()
    assert follower.rows("pull_requests", f"pull_request_id = {unseen.id}")[0]["status"] == "abandoned"
    assert follower.wrong("commits", *PULL_REQUESTS) == []


def test_deleted_repository_takes_everything_along_and_brings_it_back(follower):
    """Flagged as recycled, all that hangs below it as ``parent_deleted``; restored, all of it is live again."""
    before = {row["id"] for row in follower.rows("repositories")}
    follower.happen("repository-deleted")
    follower.sync()
    [gone] = [row for row in follower.rows("repositories", live=False) if row["id"] in before]
    where = f"repository_id = '{gone['id']}'"

    assert gone["_deleted_reason"] == "recycled"
    for name in ("commits", *PULL_REQUESTS):
        assert follower.rows(name, where) == []
    assert follower.wrong("repositories", "commits", *PULL_REQUESTS) == []

    follower.happen("repository-restored")
    follower.sync()
    assert gone["id"] in {row["id"] for row in follower.rows("repositories")}
    assert follower.wrong("repositories", "commits", *PULL_REQUESTS) == []
