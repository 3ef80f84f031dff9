"""One ordinary day of the Git area: about one percent of the pull requests move, and people push. No rare events."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ado_assets.sample import git_words
from ado_assets.sample import pull_request_actions as actions
from ado_assets.sample.git_scenarios import busy_repository, open_one, some_pull_request, someone
from ado_assets.sample.pull_requests import PullRequest
from ado_assets.sample.repositories import HEADS
from ado_assets.sample.words import paragraph, title

if TYPE_CHECKING:
    from ado_assets.sample.git import Git

ACTS = ("open", "open", "push", "push", "vote", "vote", "comment", "comment", "complete", "complete", "edit", "abandon")


def day(git: Git, rng: random.Random) -> list[str]:
    """Let the day that ends now happen, in the order of time; return a sentence for each thing."""
    end, scale = git.world.clock.now(), git.world.scale
    if not any(each.default_branch is not None and each.parent is None for each in git.usable()):
        return []
    acts = rng.choices(ACTS, k=max(2, scale.pull_requests // 100))
    acts += ["commit"] * max(1, scale.commits // 1_500)
    rng.shuffle(acts)
    moments = sorted(end - timedelta(days=1) * rng.random() for _ in acts)
    return [_act(git, act, at, rng) for act, at in zip(acts, moments, strict=True)]


def _act(git: Git, act: str, at: datetime, rng: random.Random) -> str:
    if act == "open":
        made = open_one(git, busy_repository(git, rng), rng, at)
        return f"Pull request {made.id} was opened in {made.repository.name}."
    if act == "commit":
        repository = busy_repository(git, rng)
        name = repository.default_branch or f"{HEADS}main"
        push = repository.commit_and_push(name, someone(git, repository, rng), at, rng, 1 + rng.randrange(3))
        return f"{len(push.commits)} commits were pushed to {repository.name}."
    return _move(git, act, some_pull_request(git, rng, at=at), at, rng)


def _move(git: Git, act: str, moved: PullRequest, at: datetime, rng: random.Random) -> str:
    with git.watching(moved.repository, moved):
        if act == "push":
            actions.push_to_source(moved, moved.created_by, at, rng, 1 + rng.randrange(2), force=rng.random() < 0.2)
        elif act == "vote":
            actions.vote(moved, someone(git, moved.repository, rng), at, rng.choice((10, 10, 5, -5)))
        elif act == "comment":
            thread = actions.comment(moved, someone(git, moved.repository, rng), at, rng)
            actions.reply(thread, moved.created_by, at, rng, rng.choice((None, "fixed")))
        elif act == "edit":
            actions.edit(moved, title(rng), paragraph(rng, 2))
            actions.label(moved, rng.choice(git_words.LABELS))
        elif act == "complete" and not (moved.is_draft or moved.is_conflicted):
            actions.complete(moved, moved.created_by, at, rng)
        else:
            actions.abandon(moved, moved.created_by, at)
    return f"Pull request {moved.id} in {moved.repository.name}: {act}."
