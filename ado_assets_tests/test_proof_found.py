"""Defects that long histories found, each as the shortest history that shows it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ado_assets.sample import pull_request_actions as actions
from ado_assets.sample.git_scenarios import busy_repository, open_one
from ado_assets.sync import Options
from ado_assets_tests.history import History


@pytest.fixture
def history() -> Iterator[History]:
    told = History(7)
    yield told
    told.close()


def newest(history: History, *statuses: str) -> Any:
    """The pull request of these statuses that closed last, or was opened last."""
    found = [each for r in history.world.git.usable() for each in r.pull_requests.values() if each.status in statuses]
    return max(found, key=lambda each: (each.closed or each.created, each.id))


def threads(history: History, pull_request: Any) -> int:
    """How many threads of the pull request are held."""
    count = "SELECT count(*) FROM ado.pull_request_threads WHERE pull_request_id = ? AND _deleted_at IS NULL"
    return int(history.warehouse.rows(count, [pull_request.id])[0][0])


@pytest.mark.parametrize("days", [2, 30])
def test_the_grace_window_ends_with_a_last_look_at_what_closed(history: History, days: int) -> None:
    """Nothing in a closed pull request's row tells of a comment; the configured window decides how long one counts."""
    options = Options(lookback=timedelta(days=days))
    history.happen("pr-completed")
    history.sync(options=options)
    closed = newest(history, "completed")
    before = threads(history, closed)

    history.time(int(timedelta(days=days, hours=-1).total_seconds()))
    history.sync(("pull_request_threads",), options=options)
    actions.comment(closed, closed.created_by, history.world.clock.now(), random.Random(1))
    history.sync(("pull_request_threads",), options=options)
    assert threads(history, closed) == before
    history.time(3600)
    history.sync(("pull_request_threads",), options=options)

    assert threads(history, closed) == before + 1


def test_a_pull_request_retargeted_twice_to_the_same_branch_has_all_its_iterations(history: History) -> None:
    """The second time its row changes in nothing but the id of the trial merge."""
    moved = newest(history, "active")
    history.sync()
    for _ in range(2):
        actions.retarget(moved, moved.created_by, history.world.clock.now(), moved.target_ref)
        history.sync(("pull_requests", "pull_request_iterations"))

    held = "SELECT count(*) FROM ado.pull_request_iterations WHERE pull_request_id = ? AND _deleted_at IS NULL"
    assert history.warehouse.rows(held, [moved.id]) == [(len(moved.iterations),)]


def test_a_tag_is_found_after_a_long_pause(history: History) -> None:
    """A tag moves no time that builds can be filtered by; how long nothing was read since does not matter."""
    history.happen("build-finished")
    history.time(86_400)
    history.sync()
    history.happen("build-tagged")
    history.time(60 * 86_400)

    assert history.settle() == []


def test_reading_since_an_instant_does_not_forget_which_repositories_were_read(history: History) -> None:
    """A repository that comes back has all its pull requests read, also when a person says since when to read."""
    history.sync()
    git, rng, now = history.world.git, random.Random(1), history.world.clock.now()
    repository = busy_repository(git, rng)
    opened = open_one(git, repository, rng, now)
    actions.abandon(opened, opened.created_by, now)
    repository.is_disabled = True
    history.sync()
    history.time(40 * 86_400)
    repository.is_disabled = False
    history.sync(("projects", "repositories"))

    history.sync(("pull_requests",), since=history.world.clock.now() - timedelta(hours=1))

    assert [found for found in history.findings() if found.startswith("pull_requests:")] == []


@pytest.mark.parametrize("answers", [None, 4])
def test_work_items_of_a_deleted_project_are_not_taken_for_destroyed(history: History, answers: int | None) -> None:
    """Links still name them, and they answer like destroyed ones. Their project goes before the read or during it."""
    history.sync()
    for _ in range(30):
        history.happen("work-item-linked")
    if answers is None:
        history.happen("project-deleted")
        history.sync(("projects",))
    history.sync(("work_items",), meanwhile=[(answers, "project-deleted")] if answers else [])

    assert history.settle() == []
