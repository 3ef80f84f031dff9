"""
Named changes of pull requests and pushes, one function each, that tests and demonstrations ask for by name.

Each makes exactly what its name says happen now, preparing what it needs (an open pull request, an unmerged branch),
and returns a sentence. Repositories are repositories_scenarios.py, everyday activity is git_days.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample import git_words
from ado_assets.sample import pull_request_actions as actions
from ado_assets.sample.people import Person
from ado_assets.sample.pull_request_threads import Thread
from ado_assets.sample.pull_requests import PullRequest
from ado_assets.sample.repositories import HEADS, Repository
from ado_assets.sample.words import paragraph, title

if TYPE_CHECKING:
    from ado_assets.sample.git import Git

Change = Callable[["Git", random.Random], str]


def someone(git: Git, repository: Repository, rng: random.Random) -> Person:
    """Return a person who works in the repository's project."""
    return rng.choice(git.people_of(repository.project.id))


def some_repository(
    git: Git, rng: random.Random, fits: Callable[[Repository], bool] = lambda _: True
) -> Repository | None:
    """Return a usable repository that has commits and fits, None if there is none."""
    candidates = [each for each in git.usable() if each.default_branch is not None and not each.is_hidden]
    rng.shuffle(candidates)
    return next((each for each in candidates if fits(each)), None)


def busy_repository(git: Git, rng: random.Random) -> Repository:
    """Return a usable repository with commits. Raises LookupError if the organization has none left."""
    repository = some_repository(git, rng, lambda each: each.parent is None)
    if repository is None:
        raise LookupError("no repository with commits is left")
    return repository


def open_one(git: Git, repository: Repository, rng: random.Random, at: datetime | None = None) -> PullRequest:
    """Open a pull request, now unless told otherwise, with one reviewer."""
    now = at or git.world.clock.now()
    number, person = git.next_pull_request(repository), someone(git, repository, rng)
    pull_request = actions.open_pull_request(
        repository,
        number,
        person,
        now,
        rng,
        title=title(rng),
        description=git_words.description(rng, number % 6),
        topic=git_words.topic(rng),
        commits=1 + rng.randrange(3),
    )
    reviewer = someone(git, repository, rng)
    if reviewer is not person:
        actions.add_reviewer(pull_request, reviewer, person, now)
    return pull_request


def some_pull_request(
    git: Git,
    rng: random.Random,
    status: str = "active",
    fits: Callable[[PullRequest], bool] = lambda _: True,
    at: datetime | None = None,
) -> PullRequest:
    """Return a pull request in a status that fits; brings one about, now or *at*, when there is none."""
    repositories = [each for each in git.usable() if each.planned_pull_requests or each.is_open]
    rng.shuffle(repositories)
    for repository in repositories:
        found = [each for each in repository.pull_requests.values() if each.status == status and fits(each)]
        if found:
            return rng.choice(found)
    now = at or git.world.clock.now()
    made = open_one(git, busy_repository(git, rng), rng, now)
    if status == "completed":
        actions.complete(made, made.created_by, now, rng)
    elif status == "abandoned":
        actions.abandon(made, made.created_by, now)
    return made


def _opened(git: Git, rng: random.Random) -> str:
    made = open_one(git, busy_repository(git, rng), rng)
    return f"Pull request {made.id} was opened in {made.repository.name}."


def _edited(git: Git, rng: random.Random) -> str:
    edited = some_pull_request(git, rng)
    actions.edit(edited, f"{title(rng)} (edited)", paragraph(rng, 9))
    return f"Pull request {edited.id} got a new title and description."


def _retargeted(git: Git, rng: random.Random) -> str:
    moved = some_pull_request(git, rng, fits=lambda each: each.fork is None)
    repository, now = moved.repository, git.world.clock.now()
    name = f"{HEADS}release/{git.world.clock.now():%Y.%m}-{moved.id}"
    repository.push(moved.created_by, now, name, moved.target, [])
    with git.watching(repository, moved):
        actions.retarget(moved, moved.created_by, now, name)
    return f"Pull request {moved.id} now targets {name}."


def _drafted(git: Git, rng: random.Random) -> str:
    turned = some_pull_request(git, rng, fits=lambda each: not each.is_draft)
    actions.set_draft(turned, turned.created_by, git.world.clock.now(), True)
    return f"Pull request {turned.id} became a draft."


def _voted(git: Git, rng: random.Random) -> str:
    voted = some_pull_request(git, rng)
    person, value = someone(git, voted.repository, rng), rng.choice((10, 5, -5, -10))
    actions.vote(voted, person, git.world.clock.now(), value)
    return f"{person.display_name} voted {value} on pull request {voted.id}."


def _labelled(git: Git, rng: random.Random) -> str:
    labelled = some_pull_request(git, rng)
    name = next((each for each in git_words.LABELS if each not in labelled.labels), f"label-{labelled.id}")
    actions.label(labelled, name)
    return f"Pull request {labelled.id} was labelled {name}."


def _pushed(git: Git, rng: random.Random, *, force: bool = False) -> str:
    pushed = some_pull_request(git, rng, fits=lambda each: each.supports_iterations)
    with git.watching(pushed.repository, pushed):
        actions.push_to_source(pushed, pushed.created_by, git.world.clock.now(), rng, 2, force=force, files=2)
    return f"Pull request {pushed.id} was pushed to{' by force' if force else ''}."


def _force_pushed(git: Git, rng: random.Random) -> str:
    return _pushed(git, rng, force=True)


def _comment_on(git: Git, pull_request: PullRequest, rng: random.Random) -> Thread:
    now = git.world.clock.now()
    thread = actions.comment(pull_request, someone(git, pull_request.repository, rng), now, rng)
    actions.reply(thread, pull_request.created_by, now, rng)
    return thread


def _commented(git: Git, rng: random.Random) -> str:
    commented = some_pull_request(git, rng)
    return f"Thread {_comment_on(git, commented, rng).id} was opened on pull request {commented.id}."


def _commented_after_closing(git: Git, rng: random.Random) -> str:
    commented = some_pull_request(git, rng, "completed")
    return f"Thread {_comment_on(git, commented, rng).id} was opened on completed pull request {commented.id}."


def _some_thread(git: Git, rng: random.Random) -> tuple[PullRequest, Thread]:
    """Return a thread with a live first comment on an active pull request."""
    pull_request = some_pull_request(git, rng)
    for thread in pull_request.threads:
        if not thread.note and not thread.comments[0].is_deleted:
            return pull_request, thread
    return pull_request, _comment_on(git, pull_request, rng)


def _comment_edited(git: Git, rng: random.Random) -> str:
    pull_request, thread = _some_thread(git, rng)
    actions.edit_comment(thread, 0, git.world.clock.now(), f"{paragraph(rng, 1)} (edited)")
    return f"Comment 1 of thread {thread.id} of pull request {pull_request.id} was edited."


def _comment_deleted(git: Git, rng: random.Random) -> str:
    pull_request, thread = _some_thread(git, rng)
    actions.delete_comment(thread, 0, git.world.clock.now())
    return f"Comment 1 of thread {thread.id} of pull request {pull_request.id} was deleted."


def _completed(git: Git, rng: random.Random) -> str:
    merged = some_pull_request(git, rng, fits=lambda each: not each.is_conflicted)
    merged.is_draft = False
    with git.watching(merged.repository, merged):
        actions.complete(merged, merged.created_by, git.world.clock.now(), rng)
    return f"Pull request {merged.id} was completed ({merged.merge_strategy})."


def _abandoned(git: Git, rng: random.Random) -> str:
    left = some_pull_request(git, rng)
    actions.abandon(left, left.created_by, git.world.clock.now())
    return f"Pull request {left.id} was abandoned."


def _reactivated(git: Git, rng: random.Random) -> str:
    revived = some_pull_request(git, rng, "abandoned")
    actions.reactivate(revived, revived.created_by, git.world.clock.now())
    return f"Pull request {revived.id} was reactivated."


def _work_item_linked(git: Git, rng: random.Random) -> str:
    def linkable(each: PullRequest) -> bool:
        return bool(set(git.work_items_at_start(each.repository.project.id)) - set(each.work_items))

    linked = some_pull_request(git, rng, fits=linkable)
    free = sorted(set(git.work_items_at_start(linked.repository.project.id)) - set(linked.work_items))
    if not free:
        return f"Pull request {linked.id} has no work item left to link."
    linked.work_items.append(rng.choice(free))
    return f"Work item {linked.work_items[-1]} was linked to pull request {linked.id}."


def _commits_pushed(git: Git, rng: random.Random) -> str:
    repository = busy_repository(git, rng)
    name = repository.default_branch or f"{HEADS}main"
    repository.commit_and_push(name, someone(git, repository, rng), git.world.clock.now(), rng, 3)
    return f"Three commits were pushed to {name} of {repository.name}."


def _late_push(git: Git, rng: random.Random) -> str:
    repository, now = busy_repository(git, rng), git.world.clock.now()
    name, dated = repository.default_branch or f"{HEADS}main", now - timedelta(days=90)
    repository.commit_and_push(name, someone(git, repository, rng), now, rng, 2, dated=dated)
    return f"Two commits dated 90 days ago were pushed to {name} of {repository.name}."


def _old_branch_merged(git: Git, rng: random.Random) -> str:
    """Merge commits that are far older than the last sync into the default branch."""
    repository, now = busy_repository(git, rng), git.world.clock.now()
    main, person, name = (
        repository.default_branch or f"{HEADS}main",
        someone(git, repository, rng),
        f"{HEADS}spike/old-idea",
    )
    target, old = repository.default_head, repository.refs.get(name)
    if target is None:
        raise LookupError(f"repository {repository.name} has no commits")
    if old is None or repository.history.holds(target, old.head):
        name = f"{HEADS}spike/older-idea-{len(repository.contents.pushes)}"
        dated = now - timedelta(days=400)
        repository.commit_and_push(name, person, now, rng, 3, base=target, dated=dated)
        old = repository.refs[name]
    merge = repository.commit([target, old.head], person, now, rng, f"Merge branch '{name.removeprefix(HEADS)}'")
    repository.push(person, now, main, merge.number, [merge.number])
    return f"The old branch {name} was merged into {main} of {repository.name}."


CHANGES: dict[str, Change] = {
    "pr-opened": _opened,
    "pr-edited": _edited,
    "pr-retargeted": _retargeted,
    "pr-drafted": _drafted,
    "pr-voted": _voted,
    "pr-labelled": _labelled,
    "pr-pushed": _pushed,
    "pr-force-pushed": _force_pushed,
    "pr-commented": _commented,
    "pr-comment-edited": _comment_edited,
    "pr-comment-deleted": _comment_deleted,
    "pr-completed": _completed,
    "pr-abandoned": _abandoned,
    "pr-reactivated": _reactivated,
    "pr-commented-after-closing": _commented_after_closing,
    "pr-work-item-linked": _work_item_linked,
    "commits-pushed": _commits_pushed,
    "late-push": _late_push,
    "old-branch-merged": _old_branch_merged,
}
