"""
Commits of one repository as a directed graph that only grows.

Here: what a commit is, which commits a head reaches, which lie between two heads, and how the
API shows a commit. Not here: branches and pushes (repositories.py), query parameters (commits_routes.py).
"""

from __future__ import annotations

import hashlib
import heapq
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ado_assets.sample.clock import iso

if TYPE_CHECKING:
    from ado_assets.sample.repositories import Push, Repository

NO_COMMIT = "0" * 40
KEPT_WALKS = 4
SHOWN_COMMENT = 100


class Signature(NamedTuple):
    """Who git says it was: free text from the committer's machine, not an identity."""

    name: str
    email: str


class Counts(NamedTuple):
    """Files added, edited and deleted by one commit."""

    add: int
    edit: int
    delete: int


@dataclass(slots=True)
class Commit:
    """
    One commit. *number* is its place in the History; parents always have lower numbers.

    Dates are whole epoch seconds, as git keeps them.
    """

    number: int
    sha: str
    parents: tuple[int, ...]
    author: Signature
    authored: int
    committer: Signature
    committed: int
    comment: str
    counts: Counts
    push: Push | None = None


class History:
    """
    All commits a repository ever held, reachable from a branch or not.

    *namespace* makes the hashes of this repository its own. Commits taken from another History keep their hash.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.commits: list[Commit] = []
        self._number: dict[str, int] = {}
        self._walks: OrderedDict[tuple[int, int | None], list[int]] = OrderedDict()

    def __getitem__(self, number: int) -> Commit:
        return self.commits[number]

    def find(self, sha: str) -> Commit | None:
        """Return the commit with this full hash, whether reachable or not."""
        number = self._number.get(sha.lower())
        return None if number is None else self.commits[number]

    def add(
        self,
        parents: Sequence[int],
        author: Signature,
        authored: int,
        committed: int,
        comment: str,
        counts: Counts,
        committer: Signature | None = None,
    ) -> Commit:
        """Append a commit on top of *parents*."""
        number = len(self.commits)
        ancestry = "".join(self.commits[parent].sha for parent in parents)
        sha = hashlib.sha1(f"{self.namespace} {number} {ancestry} {committed} {comment}".encode()).hexdigest()
        commit = Commit(number, sha, tuple(parents), author, authored, committer or author, committed, comment, counts)
        self.commits.append(commit)
        self._number[sha] = number
        return commit

    def take(self, other: History, head: int) -> int:
        """Copy the commit *head* of *other* with all its ancestors and return its number here."""
        missing, stack = set[int](), [head]
        while stack:
            number = stack.pop()
            if number not in missing and other[number].sha not in self._number:
                missing.add(number)
                stack.extend(other[number].parents)
        for number in sorted(missing):
            commit = other[number]
            parents = tuple(self._number[other[parent].sha] for parent in commit.parents)
            self._number[commit.sha] = len(self.commits)
            self.commits.append(
                Commit(
                    len(self.commits),
                    commit.sha,
                    parents,
                    commit.author,
                    commit.authored,
                    commit.committer,
                    commit.committed,
                    commit.comment,
                    commit.counts,
                )
            )
        return self._number[other[head].sha]

    def reachable(self, head: int) -> list[int]:
        """Return the numbers of *head* and its ancestors in `git log` order: newest committer date first."""
        return self._kept((head, None))

    def between(self, item: int, compare: int) -> list[int]:
        """Return what *item* reaches and *compare* does not, in `git log` order (`git log compare..item`)."""
        return self._kept((item, compare))

    def holds(self, head: int, ancestor: int) -> bool:
        """Say whether *head* reaches *ancestor*."""
        return not self._only_in(ancestor, head)

    def _kept(self, key: tuple[int, int | None]) -> list[int]:
        walk = self._walks.get(key)
        if walk is None:
            item, compare = key
            walk = self._by_date(item, None if compare is None else self._only_in(item, compare))
            self._walks[key] = walk
            if len(self._walks) > KEPT_WALKS:
                self._walks.popitem(last=False)
        else:
            self._walks.move_to_end(key)
        return walk

    def _by_date(self, head: int, within: set[int] | None) -> list[int]:
        if within is not None and head not in within:
            return []
        commits = self.commits
        waiting, seen, order = [(-commits[head].committed, -head)], {head}, list[int]()
        while waiting:
            number = -heapq.heappop(waiting)[1]
            order.append(number)
            for parent in commits[number].parents:
                if parent not in seen and (within is None or parent in within):
                    seen.add(parent)
                    heapq.heappush(waiting, (-commits[parent].committed, -parent))
        return order

    def _only_in(self, item: int, compare: int) -> set[int]:
        """
        Walk both heads downwards at once, children before parents, until only shared commits wait.

        A set that is closed under "every path from item to a member stays inside": a parent of a
        shared commit is shared, so a walk within the set finds all of it.
        """
        shared = {item: False, compare: True} if item != compare else {item: True}
        waiting = [-number for number in shared]
        heapq.heapify(waiting)
        own, result = sum(not flag for flag in shared.values()), set[int]()
        while waiting and own:
            number = -heapq.heappop(waiting)
            is_shared = shared.pop(number)
            if not is_shared:
                own -= 1
                result.add(number)
            for parent in self.commits[number].parents:
                known = shared.get(parent)
                if known is None:
                    shared[parent] = is_shared
                    own += not is_shared
                    heapq.heappush(waiting, -parent)
                elif is_shared and not known:
                    shared[parent] = True
                    own -= 1
        return result


def shown_comment(comment: str) -> tuple[str, bool]:
    """Return a comment as lists show it (its first line, at most 100 characters) and whether that cut it."""
    first = comment.split("\n", 1)[0][:SHOWN_COMMENT]
    return first, first != comment


def _date(seconds: int) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))


def render_reference(repository: Repository, commit: Commit) -> dict[str, Any]:
    """Return a commit as a row of a pull request's commits: no change counts, no web address."""
    comment, truncated = shown_comment(commit.comment)
    record: dict[str, Any] = {
        "commitId": commit.sha,
        "author": {"name": commit.author.name, "email": commit.author.email, "date": _date(commit.authored)},
        "committer": {
            "name": commit.committer.name,
            "email": commit.committer.email,
            "date": _date(commit.committed),
        },
        "comment": comment,
    }
    if truncated:
        record["commentTruncated"] = True
    record["url"] = f"{repository.url}/commits/{commit.sha}"
    return record


def render_row(repository: Repository, commit: Commit, *, push: bool = False) -> dict[str, Any]:
    """Return a commit as a row of the commits list. *push* adds who pushed it and when."""
    record = render_reference(repository, commit)
    url = record.pop("url")
    record["changeCounts"] = {"Add": commit.counts.add, "Edit": commit.counts.edit, "Delete": commit.counts.delete}
    record["url"] = url
    record["remoteUrl"] = f"{repository.remote_url}/commit/{commit.sha}"
    if push and commit.push is not None:
        record["push"] = commit.push.reference()
    return record


def render_whole(repository: Repository, commit: Commit) -> dict[str, Any]:
    """Return a commit as the single get answers: the whole comment, parents, tree and push."""
    history = repository.history
    tree = hashlib.sha1(f"tree {commit.sha}".encode()).hexdigest()
    record = render_row(repository, commit, push=True)
    record.pop("commentTruncated", None)
    record["comment"] = commit.comment
    record["parents"] = [history[parent].sha for parent in commit.parents]
    record["treeId"] = tree
    record["_links"] = {
        "self": {"href": record["url"]},
        "repository": {"href": repository.url},
        "web": {"href": record["remoteUrl"]},
        "changes": {"href": f"{record['url']}/changes"},
        "tree": {"href": f"{repository.url}/trees/{tree}"},
    }
    return record


def render_rows(repository: Repository, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the list rows of these commits, one at a time."""
    for number in numbers:
        yield render_row(repository, repository.history[number])
