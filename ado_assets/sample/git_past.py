"""
What happened in a repository before the clock started, played through once in the order of time.

The same actions that ticks use are put on an agenda from plans that depend on the seed alone, so the result does
not depend on when, or in which order, repositories are first looked at.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from ado_assets.sample import pull_request_actions as actions
from ado_assets.sample.git_words import LABELS, description, topic
from ado_assets.sample.people import Person
from ado_assets.sample.pull_requests import PullRequest
from ado_assets.sample.repositories import HEADS, Repository
from ado_assets.sample.words import title

if TYPE_CHECKING:
    from ado_assets.sample.git import Git

COMMITS_OF_A_PULL_REQUEST = 5.3
"""How many commits a pull request brings on average, merge included; the rest of a repository's commits are direct."""
VOTES = (10, 10, 10, 10, 5, 0, -5, -10)
LARGE_CHANGE = 2_345
"""Files of the one pull request that changes more than the 2,000 a page of changes may hold."""


class Agenda:
    """What is still to happen until *end*, in the order of time."""

    def __init__(self, end: datetime) -> None:
        self.end = end
        self._waiting: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = count()

    def at(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Put *act* on the agenda; what would happen after the end never does."""
        if when < self.end:
            heapq.heappush(self._waiting, (when, next(self._order), act))

    def play(self) -> None:
        """Let everything happen, including what acts add meanwhile."""
        while self._waiting:
            when, _, act = heapq.heappop(self._waiting)
            act(when)


class Past:
    """Plays the past of one repository."""

    def __init__(self, git: Git, repository: Repository) -> None:
        self.git = git
        self.repository = repository
        self.rng = git.world.rng("git past", repository.id)
        self.people = git.people_of(repository.project.id)
        self.forks = git.forks_of(repository)
        self.agenda = Agenda(git.start)

    def play(self) -> None:
        """Fill the repository's contents."""
        repository, rng = self.repository, self.rng
        if repository.planned_commits == 0:
            return
        if repository.parent is None:
            self._found()
        else:
            self._fork(repository.parent)
        expected = len(repository.planned_pull_requests) * COMMITS_OF_A_PULL_REQUEST
        span = (self.agenda.end - repository.created).total_seconds()
        left = int(repository.planned_commits - expected - (2 if repository.parent is None else 0))
        while left > 0:
            size = min(left, 1 + int(rng.random() * 3))
            left -= size
            when = repository.created + timedelta(seconds=60 + int(rng.random() * (span - 60)))
            self.agenda.at(when, partial(self._push_directly, size=size))
        for number, created in repository.planned_pull_requests:
            self.agenda.at(created, partial(self._open, number))
        self.agenda.play()
        for entry in repository.inbox:
            repository.receive(*entry)
        repository.inbox.clear()

    def _found(self) -> None:
        """The first push, an old branch nobody merged, a long-lived develop branch, a tag, and points to fork from."""
        repository, rng, created = self.repository, self.rng, self.repository.created
        main = repository.default_branch or f"{HEADS}main"
        person = self._person()
        repository.commit_and_push(main, person, created, rng, 2)
        if repository.planned_commits > 12:
            old = created + timedelta(days=3)
            start = repository.default_head
            self.agenda.at(old, lambda at: self._branch(f"{HEADS}spike/old-idea", at, 3, start))
            self.agenda.at(old, lambda at: self._branch(f"{HEADS}develop", at, 1, start))
            self.agenda.at(created + timedelta(days=40), lambda at: self._tag("refs/tags/v1.0", at))
        for fork in self.forks:
            self.agenda.at(fork.created, partial(self._remember_fork_point, fork))

    def _remember_fork_point(self, fork: Repository, _at: datetime) -> None:
        head = self.repository.default_head
        if head is not None:
            self.repository.contents.fork_points[fork.id] = head

    def _fork(self, parent: Repository) -> None:
        """Start with what the parent held when it was forked; pushes of pull requests follow from the inbox."""
        repository = self.repository
        point = parent.contents.fork_points[repository.id]
        head = repository.history.take(parent.history, point)
        main = repository.default_branch or f"{HEADS}main"
        repository.push(self._person(), repository.created, main, head, list(range(head + 1)))
        for at, person, name, number in repository.inbox:
            if at < self.agenda.end:
                self.agenda.at(at, partial(repository.receive, person=person, name=name, number=number))
        repository.inbox = [entry for entry in repository.inbox if entry[0] >= self.agenda.end]

    def _branch(self, name: str, at: datetime, size: int, base: int | None) -> None:
        self.repository.commit_and_push(name, self._person(), at, self.rng, size, base=base)

    def _tag(self, name: str, at: datetime) -> None:
        self.repository.push(self._person(), at, name, self.repository.default_head, [])

    def _push_directly(self, at: datetime, size: int) -> None:
        """Push to the default branch, sometimes to develop, rarely with commits written weeks before."""
        repository, chance = self.repository, self.rng.random()
        name = repository.default_branch or f"{HEADS}main"
        if chance < 0.12 and f"{HEADS}develop" in repository.refs:
            name = f"{HEADS}develop"
        dated = at - timedelta(days=self.rng.randrange(5, 90)) if 0.12 <= chance < 0.15 else None
        if 0.15 <= chance < 0.152 and repository.default_head is not None:
            parents = repository.history[repository.default_head].parents
            repository.commit_and_push(name, self._person(), at, self.rng, size, base=parents[0] if parents else None)
        else:
            repository.commit_and_push(name, self._person(), at, self.rng, size, dated=dated)

    def _person(self) -> Person:
        return self.people[int(self.rng.random() * len(self.people))]

    def _open(self, number: int, at: datetime) -> None:
        """Open a pull request; its number decides what is peculiar about it."""
        rng, repository = self.git.world.rng("pull request", number), self.repository
        forks = [fork for fork in self.forks if fork.created < at]
        pull_request = actions.open_pull_request(
            repository,
            number,
            rng.choice(self.people),
            at,
            rng,
            title=title(rng),
            description=description(rng, 0 if number % 10 == 7 else number % 6),
            topic=topic(rng),
            commits=1 + int(rng.random() * 3),
            fork=forks[0] if forks and len(repository.pull_requests) % 4 == 1 else None,
            supports_iterations=number % 97 != 3,
            is_conflicted=number % 13 == 5,
            is_draft=number % 9 == 4,
            files=LARGE_CHANGE if number == self.git.large_change else None,
        )
        self._ask(pull_request, at, rng)
        self._plan(pull_request, at, rng)

    def _ask(self, pull_request: PullRequest, at: datetime, rng: random.Random) -> None:
        """Labels, work items and reviewers, one in five a group."""
        number, project = pull_request.id, pull_request.repository.project.id
        for name in rng.sample(LABELS, 1 + number % 2) if number % 4 == 0 else ():
            actions.label(pull_request, name)
        known = self.git.work_items_at_start(project)
        if known and rng.random() < 0.6:
            pull_request.work_items += sorted(set(rng.choices(known, k=1 + int(rng.random() * 2.4))))
        groups = self.git.groups_of(project)
        if groups and number % 5 == 2:
            actions.add_reviewer(pull_request, rng.choice(groups), pull_request.created_by, at, is_required=True)
        for person in rng.sample(self.people, min(len(self.people), 1 + int(rng.random() * 2.5))):
            if person is not pull_request.created_by:
                actions.add_reviewer(pull_request, person, pull_request.created_by, at)

    def _plan(self, pull_request: PullRequest, opened: datetime, rng: random.Random) -> None:
        """Put the rest of its life on the agenda: pushes, reviews and, for all but a few, the end."""
        hours = 2 + rng.expovariate(1 / 80)
        closing = opened + timedelta(hours=hours)

        def during(act: Callable[[PullRequest, datetime, random.Random], None]) -> None:
            when = opened + timedelta(hours=hours * (0.05 + 0.85 * rng.random()), microseconds=rng.randrange(10**6))
            self.agenda.at(when, lambda at: act(pull_request, at, rng))

        for _ in range(int(rng.random() * 2.6)):
            during(self._push)
        for _ in range(1 + int(rng.random() * 2)):
            during(self._vote)
        for _ in range(int(rng.random() * 3.2)):
            during(self._comment)
        if pull_request.is_draft and number_is_published(pull_request.id):
            during(lambda each, at, _: actions.set_draft(each, each.created_by, at, False))
        is_stuck = pull_request.is_conflicted or pull_request.is_draft
        if rng.random() < (0.85 if is_stuck else 0.95):
            self.agenda.at(closing, lambda at: self._close(pull_request, at, rng))
        if pull_request.id % 6 == 1:
            self.agenda.at(closing + timedelta(hours=9), lambda at: self._comment(pull_request, at, rng))

    def _push(self, pull_request: PullRequest, at: datetime, rng: random.Random) -> None:
        force = rng.random() < 0.2
        actions.push_to_source(pull_request, pull_request.created_by, at, rng, 1 + int(rng.random() * 2), force=force)

    def _vote(self, pull_request: PullRequest, at: datetime, rng: random.Random) -> None:
        voters = [each.person for each in pull_request.reviewers.values() if each.person.kind != "group"]
        if voters:
            actions.vote(pull_request, rng.choice(voters), at, rng.choice(VOTES))

    def _comment(self, pull_request: PullRequest, at: datetime, rng: random.Random) -> None:
        """A thread with its answers; some comments, some whole threads are deleted later."""
        thread = actions.comment(pull_request, rng.choice(self.people), at, rng)
        for step in range(int(rng.random() * 3)):
            later = min(at + timedelta(minutes=17 * (step + 1)), self.agenda.end - timedelta(milliseconds=1))
            actions.reply(thread, rng.choice(self.people), later, rng, rng.choice((None, "fixed", "wontFix", "closed")))
        last = len(thread.comments) - 1
        if last and pull_request.id % 7 == 1:
            actions.delete_comment(thread, last, thread.updated)
        if pull_request.id % 8 == 3:
            for index in range(last + 1):
                actions.delete_comment(thread, index, thread.updated)
        elif last and rng.random() < 0.3:
            thread.comments[0].liked.append(thread.comments[last].author or pull_request.created_by)

    def _close(self, pull_request: PullRequest, at: datetime, rng: random.Random) -> None:
        """Complete, or abandon what conflicts, is still a draft or found no friends."""
        person = pull_request.created_by
        if pull_request.is_draft or pull_request.is_conflicted or rng.random() < 0.06:
            actions.abandon(pull_request, person, at)
            return
        if pull_request.id % 3 == 0:
            pull_request.auto_complete_by = person
        actions.complete(pull_request, person, at, rng)


def number_is_published(number: int) -> bool:
    """Say whether the draft of this number was published before it closed."""
    return number % 2 == 0
