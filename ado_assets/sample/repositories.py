"""
Git repositories: what they are called, what they hold, and how branches move.

Here: the repository row, refs, pushes and the ways commits get onto a branch. Not here: the graph itself
(commits.py), pull requests (pull_requests.py), and what happened before the clock started (git_past.py).
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ado_assets.sample.clock import iso
from ado_assets.sample.commits import NO_COMMIT, Commit, Counts, History, Signature
from ado_assets.sample.git_words import commit_comment
from ado_assets.sample.people import Person

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.pull_requests import PullRequest

HEADS = "refs/heads/"


@dataclass(slots=True)
class RefUpdate:
    """One ref moved by a push; hashes are all zeros where the ref did not exist before or does not after."""

    name: str
    old: str
    new: str


@dataclass(slots=True)
class Push:
    """One push: who moved which refs when, and the numbers of the commits it brought."""

    id: int
    date: datetime
    person: Person
    updates: list[RefUpdate]
    commits: list[int]
    url: str

    def reference(self) -> dict[str, Any]:
        """Return the push as commits and iterations nest it."""
        return {"pushedBy": self.person.ref(), "pushId": self.id, "date": iso(self.date)}


@dataclass(slots=True)
class Ref:
    """A branch or tag; *head* is a commit number."""

    name: str
    head: int
    creator: Person


@dataclass
class Contents:
    """What a repository holds. Filled on first use, so that a large organization starts quickly."""

    history: History
    refs: dict[str, Ref] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    pull_requests: dict[int, PullRequest] = field(default_factory=dict)
    fork_points: dict[str, int] = field(default_factory=dict)
    next_thread: int = 1


@dataclass
class Repository:
    """
    One repository. Its id survives renames; *default_branch* is None while it is empty.

    *past* fills the contents with what happened before the clock started; *is_open* says that it has. *inbox* holds,
    for a fork not yet open, the pushes of its pull requests: (date, person, ref name, head number in the parent).
    """

    id: str
    name: str
    project: Project
    ordinal: int
    created: datetime
    base_url: str
    past: Callable[[Repository], None]
    default_branch: str | None = None
    planned_commits: int = 0
    planned_pull_requests: list[tuple[int, datetime]] = field(default_factory=list)
    parent: Repository | None = None
    is_disabled: bool = False
    is_hidden: bool = False
    deleted: datetime | None = None
    deleted_by: Person | None = None
    is_purged: bool = False
    inbox: list[tuple[datetime, Person, str, int]] = field(default_factory=list)
    is_open: bool = False
    _contents: Contents | None = None

    @property
    def contents(self) -> Contents:
        """What it holds, brought about on first use."""
        if self._contents is None:
            self._contents = Contents(History(self.id), next_thread=101 + 37 * self.ordinal)
            with _collector_paused():
                self.past(self)
            self.is_open = True
        return self._contents

    @property
    def history(self) -> History:
        """Its commits."""
        return self.contents.history

    @property
    def refs(self) -> dict[str, Ref]:
        """Its branches and tags by full name."""
        return self.contents.refs

    @property
    def pull_requests(self) -> dict[int, PullRequest]:
        """Its pull requests by id, oldest first."""
        return self.contents.pull_requests

    @property
    def default_head(self) -> int | None:
        """The commit number of the default branch, None while there is none."""
        ref = self.refs.get(self.default_branch or "")
        return None if ref is None else ref.head

    @property
    def head(self) -> str | None:
        """The hash the default branch points to, None while the repository is empty."""
        head = self.default_head
        return None if head is None else self.history[head].sha

    @property
    def url(self) -> str:
        """Its REST address."""
        return f"{self.base_url}/{self.project.id}/_apis/git/repositories/{self.id}"

    @property
    def remote_url(self) -> str:
        """Its clone and web address, which follows names."""
        return f"{self.base_url}/{quote(self.project.name, safe='')}/_git/{quote(self.name, safe='')}"

    def branches(self) -> list[Ref]:
        """Return the branches by name."""
        return sorted((ref for ref in self.refs.values() if ref.name.startswith(HEADS)), key=lambda ref: ref.name)

    def find_commit(self, version: str, kind: str) -> Commit | None:
        """Return what a version names: kind branch (short or full name), tag, or commit (full hash)."""
        if kind == "commit":
            return self.history.find(version)
        prefix = "refs/tags/" if kind == "tag" else HEADS
        ref = self.refs.get(version if version.startswith("refs/") else prefix + version)
        return None if ref is None else self.history[ref.head]

    def push(self, person: Person, at: datetime, name: str, head: int | None, commits: list[int]) -> Push:
        """Move, create or (head None) delete the ref *name* and record who did it."""
        contents = self.contents
        held = contents.refs.get(name)
        old = NO_COMMIT if held is None else self.history[held.head].sha
        new = NO_COMMIT if head is None else self.history[head].sha
        number = len(contents.pushes) + 1
        push = Push(number, at, person, [RefUpdate(name, old, new)], commits, f"{self.url}/pushes/{number}")
        contents.pushes.append(push)
        for commit in commits:
            if self.history[commit].push is None:
                self.history[commit].push = push
        if head is None:
            contents.refs.pop(name, None)
        elif held is None:
            contents.refs[name] = Ref(name, head, person)
        else:
            held.head = head
        return push

    def commit(
        self,
        parents: list[int],
        person: Person,
        at: datetime,
        rng: random.Random,
        comment: str | None = None,
    ) -> Commit:
        """Make a commit dated *at* that is on no branch yet."""
        committed = int(at.timestamp())
        text = commit_comment(rng) if comment is None else comment
        counts = _counts(int(rng.random() * 3), 1 + int(rng.random() * 6), int(rng.random() * 1.4))
        return self.history.add(
            parents, signature(person), committed - int(rng.random() * 900), committed, text, counts
        )

    def commit_and_push(
        self,
        name: str,
        person: Person,
        at: datetime,
        rng: random.Random,
        count: int,
        *,
        base: int | None = None,
        dated: datetime | None = None,
    ) -> Push:
        """
        Push *count* new commits onto the ref *name*, created from *base* when new, moved by force when *base* is given.

        The commits are dated minutes apart, the last at *dated*, which is *at* unless someone pushes late.
        """
        held = self.refs.get(name)
        head = base if base is not None else (None if held is None else held.head)
        last, made = dated or at, list[int]()
        for index in range(count):
            parents = [] if head is None else [head]
            head = self.commit(parents, person, last - timedelta(minutes=11 * (count - 1 - index)), rng).number
            made.append(head)
        return self.push(person, at, name, head, made)

    def receive(self, at: datetime, person: Person, name: str, number: int) -> None:
        """Make the push that a pull request from this fork brought about; *number* is the parent's for the head."""
        if self.parent is None:
            raise ValueError(f"repository {self.name} is no fork")
        held = len(self.history.commits)
        head = self.history.take(self.parent.history, number)
        self.push(person, at, name, head, list(range(held, len(self.history.commits))))

    def record(self, *, whole: bool = False) -> dict[str, Any]:
        """Return the repository as the API lists it; *whole* adds the parent of a fork."""
        web = self.remote_url
        record: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "url": self.url,
            "project": self.project.ref(),
        }
        if self.default_branch is not None:
            record["defaultBranch"] = self.default_branch
        segments = web.removeprefix(self.base_url).replace("/_git/", "/")
        record |= {
            "size": self.planned_commits * 4_211,
            "remoteUrl": web,
            "sshUrl": f"git@ssh.dev.azure.com:v3/{self.base_url.rsplit('/', 1)[-1]}{segments}",
            "webUrl": web,
            "isDisabled": self.is_disabled,
            "isInMaintenance": False,
        }
        if self.parent is not None:
            record["isFork"] = True
            if whole:
                record["parentRepository"] = self.parent.reference()
        return record

    def reference(self) -> dict[str, Any]:
        """Return the GitRepositoryRef by which a fork names its parent."""
        return {
            "id": self.id,
            "name": self.name,
            "isFork": self.parent is not None,
            "url": self.url,
            "project": self.project.ref(),
            "remoteUrl": self.remote_url,
        }

    def links(self) -> dict[str, Any]:
        """Return the _links of the single get and of includeLinks."""
        targets = {name: f"{self.url}/{name}" for name in ("commits", "refs", "pullRequests", "items", "pushes")}
        fixed = {
            "self": self.url,
            "project": f"vstfs:///Classification/TeamProject/{self.project.id}",
            "web": self.remote_url,
        }
        return {name: {"href": href} for name, href in (fixed | targets).items()}

    def deleted_record(self) -> dict[str, Any]:
        """Return the GitDeletedRepository. Only for a repository in the recycle bin."""
        if self.deleted is None or self.deleted_by is None:
            raise ValueError(f"repository {self.name} is not deleted")
        return {
            "id": self.id,
            "name": self.name,
            "project": self.project.ref(),
            "deletedBy": self.deleted_by.ref(),
            "createdDate": iso(self.created),
            "deletedDate": iso(self.deleted),
        }


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Make many objects that all stay: looking for garbage among them meanwhile would double the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def signature(person: Person) -> Signature:
    """Return who git says a person is; some machines are set up with another name or address."""
    return _signature(person.id, person.display_name, person.mail or person.unique_name)


@lru_cache(maxsize=4096)
def _signature(person_id: str, name: str, mail: str) -> Signature:
    digit = int(person_id[-1], 16)
    if digit == 0:
        return Signature(name.split()[0].lower(), f"{person_id[:6]}@users.noreply.example")
    if digit == 1:
        return Signature(name, f"{name.split()[0].lower()}@laptop.local")
    return Signature(name, mail)


@lru_cache(maxsize=64)
def _counts(add: int, edit: int, delete: int) -> Counts:
    return Counts(add, edit, delete)


def render_push(repository: Repository, push: Push, *, updates: bool) -> dict[str, Any]:
    """Return a push as the list shows it; *updates* includes which refs moved."""
    record: dict[str, Any] = {}
    if updates:
        record["refUpdates"] = [
            {"repositoryId": repository.id, "name": each.name, "oldObjectId": each.old, "newObjectId": each.new}
            for each in push.updates
        ]
    record["repository"] = repository.record()
    record |= push.reference()
    record["url"] = push.url
    return record


def render_ref(repository: Repository, ref: Ref) -> dict[str, Any]:
    """Return a branch or tag as the refs list shows it."""
    return {
        "name": ref.name,
        "objectId": repository.history[ref.head].sha,
        "creator": ref.creator.ref(),
        "url": f"{repository.url}/refs?filter={quote(ref.name.removeprefix('refs/'), safe='')}",
    }
