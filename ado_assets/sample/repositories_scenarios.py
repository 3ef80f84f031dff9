"""Named changes of repositories and their default branches. Pull requests and pushes are git_scenarios.py."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ado_assets.sample.git_scenarios import Change, busy_repository, some_repository, someone
from ado_assets.sample.repositories import HEADS

if TYPE_CHECKING:
    from ado_assets.sample.git import Git


def _force_push(git: Git, rng: random.Random) -> str:
    """Replace the last two commits of a default branch by one other."""
    repository, now = busy_repository(git, rng), git.world.clock.now()
    name, base = repository.default_branch or f"{HEADS}main", repository.default_head
    with git.watching(repository):
        for _ in range(2):
            parents = repository.history[base].parents if base is not None else ()
            base = parents[0] if parents else base
        repository.commit_and_push(name, someone(git, repository, rng), now, rng, 1, base=base)
    return f"{name} of {repository.name} was pushed by force."


def _default_branch_switched(git: Git, rng: random.Random) -> str:
    """Make another branch with other commits the default."""
    repository, now = busy_repository(git, rng), git.world.clock.now()
    others = [ref.name for ref in repository.branches() if ref.name != repository.default_branch]
    with git.watching(repository):
        name = next((each for each in others if each.endswith(("/develop", "/next"))), f"{HEADS}next")
        if name not in repository.refs:
            person = someone(git, repository, rng)
            repository.commit_and_push(name, person, now, rng, 2, base=repository.default_head)
        repository.default_branch = name
    return f"The default branch of {repository.name} is now {name}."


def _default_branch_renamed(git: Git, rng: random.Random) -> str:
    """Give the default branch another name; its commits stay the same."""
    repository, now = busy_repository(git, rng), git.world.clock.now()
    person, old = someone(git, repository, rng), repository.default_branch or f"{HEADS}main"
    new = f"{HEADS}trunk" if f"{HEADS}trunk" not in repository.refs else f"{HEADS}trunk-{len(repository.refs)}"
    repository.push(person, now, new, repository.default_head, [])
    repository.default_branch = new
    repository.push(person, now, old, None, [])
    return f"The default branch of {repository.name} was renamed from {old} to {new}."


def _created(git: Git, rng: random.Random) -> str:
    project = rng.choice([each for each in git.world.live_projects() if each.source_control == "Git"])
    git.visible()  # a project created meanwhile gets its own repository first
    repository = git.add_repository(project, f"service-{len(git.repositories)}", rng, 0.0)
    repository.created, now = git.world.clock.now(), git.world.clock.now()
    person = someone(git, repository, rng)
    repository.commit_and_push(repository.default_branch or f"{HEADS}main", person, now, rng, 1)
    return f"Repository {repository.name} was created in {project.name}."


def _renamed(git: Git, rng: random.Random) -> str:
    repository = busy_repository(git, rng)
    old, repository.name = repository.name, f"{repository.name}-v2"
    return f"Repository {old} was renamed to {repository.name}."


def _disabled(git: Git, rng: random.Random) -> str:
    repository = busy_repository(git, rng)
    repository.is_disabled = True
    return f"Repository {repository.name} was disabled."


def _enabled(git: Git, rng: random.Random) -> str:
    disabled = [each for each in git.visible() if each.is_disabled]
    if not disabled:
        return "No repository is disabled."
    repository = rng.choice(disabled)
    repository.is_disabled = False
    return f"Repository {repository.name} was enabled again."


def _deleted(git: Git, rng: random.Random) -> str:
    """Move a repository to the recycle bin, by preference one that nobody named a project after."""
    repository = some_repository(git, rng, lambda each: each.name != each.project.name) or busy_repository(git, rng)
    repository.deleted, repository.deleted_by = git.world.clock.now(), someone(git, repository, rng)
    git.gone.append(("repositories", {}, {"id": repository.id}, "recycled"))
    return f"Repository {repository.name} was deleted."


def _restored(git: Git, rng: random.Random) -> str:
    bin_of_all = [each for each in git.repositories.values() if each.deleted is not None and not each.is_purged]
    deleted = [each for each in bin_of_all if each.project.state == "wellFormed"]
    if not deleted:
        return "No repository is in the recycle bin."
    repository = rng.choice(deleted)
    repository.deleted, repository.deleted_by = None, None
    git.gone[:] = [entry for entry in git.gone if entry[2] != {"id": repository.id}]
    return f"Repository {repository.name} was restored."


def _first_commit(git: Git, rng: random.Random) -> str:
    empty = [each for each in git.usable() if each.default_branch is None]
    if not empty:
        return "No repository is empty."
    repository = rng.choice(empty)
    repository.default_branch = f"{HEADS}main"
    person = someone(git, repository, rng)
    repository.commit_and_push(repository.default_branch, person, git.world.clock.now(), rng, 2)
    return f"The first commits were pushed to {repository.name}."


CHANGES: dict[str, Change] = {
    "force-push": _force_push,
    "default-branch-switched": _default_branch_switched,
    "default-branch-renamed": _default_branch_renamed,
    "repository-created": _created,
    "repository-renamed": _renamed,
    "repository-disabled": _disabled,
    "repository-enabled": _enabled,
    "repository-deleted": _deleted,
    "repository-restored": _restored,
    "first-commit": _first_commit,
}
