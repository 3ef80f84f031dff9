"""
Pull requests: their state and how the API shows them.

Here: pull requests, reviewers and iterations with their records. Not here: how they change
(pull_request_actions.py), threads (pull_request_threads.py), changed files (pull_request_changes.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ado_assets.sample.clock import SENTINEL, iso
from ado_assets.sample.commits import render_reference
from ado_assets.sample.people import Person
from ado_assets.sample.pull_request_threads import Thread
from ado_assets.sample.repositories import Push, Repository

LISTED_DESCRIPTION = 400


@dataclass(slots=True)
class Reviewer:
    """A reviewer and their vote: 10 approved, 5 with suggestions, 0 none, -5 waiting for the author, -10 rejected."""

    person: Person
    vote: int = 0
    is_required: bool = False
    has_declined: bool = False
    is_flagged: bool = False
    voted_for: list[Person] = field(default_factory=list)


@dataclass(slots=True)
class Iteration:
    """One version of the source branch; commit numbers are of the target repository's History."""

    id: int
    reason: str
    author: Person
    created: datetime
    updated: datetime
    source: int
    target: int
    common: int
    files: int
    push: Push | None = None
    description: str = ""
    retargeted: tuple[str, str] | None = None


@dataclass(slots=True)
class PullRequest:
    """
    One pull request. *source* and *target* are the commit numbers of the last merge attempt.

    *merge* is that attempt's hash, None on conflict. *fork* is where the source branch lives if not here.
    """

    id: int
    repository: Repository
    created: datetime
    created_by: Person
    title: str
    description: str | None
    source_ref: str
    target_ref: str
    source: int
    target: int
    merge: str | None
    merge_id: str
    status: str = "active"
    is_draft: bool = False
    is_conflicted: bool = False
    fork: Repository | None = None
    supports_iterations: bool = True
    closed: datetime | None = None
    closed_by: Person | None = None
    queued: datetime | None = None
    merge_strategy: str | None = None
    auto_complete_by: Person | None = None
    reviewers: dict[str, Reviewer] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    iterations: list[Iteration] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    work_items: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its REST address."""
        return f"{self.repository.url}/pullRequests/{self.id}"

    def commits(self) -> list[int]:
        """Return the commit numbers it would bring to its target, newest first."""
        return self.repository.history.between(self.source, self.target)

    def record(self) -> dict[str, Any]:
        """Return the single get: the whole description, the nested project and merge commit in full, and links."""
        record = self._fields(self._repository_whole(), self.description)
        merged = None if self.merge is None else self.repository.history.find(self.merge)
        if merged is not None:
            record["lastMergeCommit"] = render_reference(self.repository, merged)
        project = self.repository.project.id
        record["artifactId"] = f"vstfs:///Git/PullRequestId/{project}%2f{self.repository.id}%2f{self.id}"
        record["_links"] = {
            "self": {"href": self.url},
            "repository": {"href": self.repository.url},
            "workItems": {"href": f"{self.url}/workitems"},
            "iterations": {"href": f"{self.url}/iterations"},
            "createdBy": {"href": f"{self.repository.base_url}/_apis/Identities/{self.created_by.id}"},
        }
        return record

    def row(self) -> dict[str, Any]:
        """Return the list's row: the description cut, and a stub of the project with false values."""
        description = None if self.description is None else self.description[:LISTED_DESCRIPTION]
        return self._fields(self._repository_stub(), description)

    def _fields(self, repository: dict[str, Any], description: str | None) -> dict[str, Any]:
        record: dict[str, Any] = {
            "repository": repository,
            "pullRequestId": self.id,
            "codeReviewId": self.id,
            "status": self.status,
            "createdBy": self.created_by.ref(),
            "creationDate": iso(self.created),
        }
        if self.closed is not None:
            record["closedDate"] = iso(self.closed)
        record["title"] = self.title
        if description is not None:
            record["description"] = description
        record |= {
            "sourceRefName": self.source_ref,
            "targetRefName": self.target_ref,
            "mergeStatus": "conflicts" if self.is_conflicted else "succeeded",
            "isDraft": self.is_draft,
            "mergeId": self.merge_id,
            "lastMergeSourceCommit": self._commit(self.repository.history[self.source].sha),
            "lastMergeTargetCommit": self._commit(self.repository.history[self.target].sha),
        }
        if self.merge is not None:
            record["lastMergeCommit"] = self._commit(self.merge)
        record["reviewers"] = [self.reviewer_record(reviewer) for reviewer in self.reviewers.values()]
        if self.labels:
            record["labels"] = self.label_records()
        record["url"] = self.url
        record["supportsIterations"] = self.supports_iterations
        return record | self._completion() | self._fork()

    def _completion(self) -> dict[str, Any]:
        record: dict[str, Any] = {}
        if self.merge_strategy is not None:
            record["completionOptions"] = {
                "mergeCommitMessage": f"Merged PR {self.id}: {self.title}",
                "deleteSourceBranch": self.id % 10 < 7,
                "squashMerge": self.merge_strategy == "squash",
                "mergeStrategy": self.merge_strategy,
                "transitionWorkItems": self.id % 2 == 0,
            }
        if self.closed_by is not None:
            record["closedBy"] = self.closed_by.ref()
        if self.auto_complete_by is not None:
            record["autoCompleteSetBy"] = self.auto_complete_by.ref()
        if self.queued is not None:
            record["completionQueueTime"] = iso(self.queued)
        return record

    def _fork(self) -> dict[str, Any]:
        if self.fork is None:
            return {}
        source: dict[str, Any] = {"name": self.source_ref, "objectId": self.repository.history[self.source].sha}
        # forkSource stays after the fork is gone, without its repository
        if self.fork.deleted is None:
            source["repository"] = {
                "id": self.fork.id,
                "name": self.fork.name,
                "url": self.fork.url,
                "project": self._project_stub(self.fork),
                "isFork": True,
            }
        return {"forkSource": source}

    def _repository_whole(self) -> dict[str, Any]:
        return {
            "id": self.repository.id,
            "name": self.repository.name,
            "url": self.repository.url,
            "project": self.repository.project.ref(),
            "remoteUrl": self.repository.remote_url,
        }

    def _repository_stub(self) -> dict[str, Any]:
        return {
            "id": self.repository.id,
            "name": self.repository.name,
            "url": self.repository.url,
            "project": self._project_stub(self.repository),
        }

    @staticmethod
    def _project_stub(repository: Repository) -> dict[str, Any]:
        return {
            "id": repository.project.id,
            "name": repository.project.name,
            "state": "unchanged",
            "visibility": "private",
            "lastUpdateTime": SENTINEL,
        }

    def _commit(self, sha: str) -> dict[str, Any]:
        return {"commitId": sha, "url": f"{self.repository.url}/commits/{sha}"}

    def reviewer_record(self, reviewer: Reviewer) -> dict[str, Any]:
        """Return a reviewer as the reviewers list and the pull request show it; a vote carries no time."""
        person = reviewer.person
        record: dict[str, Any] = {"reviewerUrl": f"{self.url}/reviewers/{person.id}", "vote": reviewer.vote}
        if reviewer.voted_for:
            record["votedFor"] = [
                {"reviewerUrl": f"{self.url}/reviewers/{group.id}", "vote": reviewer.vote, **group.ref()}
                for group in reviewer.voted_for
            ]
        record |= {"hasDeclined": reviewer.has_declined, "isFlagged": reviewer.is_flagged}
        if reviewer.is_required:
            record["isRequired"] = True
        return record | person.ref()

    def label_records(self) -> list[dict[str, Any]]:
        """Return its labels as WebApiTagDefinitions."""
        return [
            {"id": label_id, "name": name, "active": True, "url": f"{self.url}/labels/{label_id}"}
            for name, label_id in self.labels.items()
        ]

    def iteration_record(self, iteration: Iteration) -> dict[str, Any]:
        """Return an iteration as list and single get show it."""
        history = self.repository.history
        record: dict[str, Any] = {
            "id": iteration.id,
            "description": iteration.description,
            "author": iteration.author.ref(),
            "createdDate": iso(iteration.created),
            "updatedDate": iso(iteration.updated),
            "sourceRefCommit": {"commitId": history[iteration.source].sha},
            "targetRefCommit": {"commitId": history[iteration.target].sha},
            "commonRefCommit": {"commitId": history[iteration.common].sha},
            "hasMoreCommits": False,
            "reason": iteration.reason,
        }
        if iteration.retargeted is not None:
            record["oldTargetRefName"], record["newTargetRefName"] = iteration.retargeted
        if iteration.push is not None:
            record["push"] = iteration.push.reference()
        record["_links"] = {"self": {"href": f"{self.url}/iterations/{iteration.id}"}}
        return record

    def work_item_records(self) -> list[dict[str, Any]]:
        """Return its work items as ResourceRefs, whose ids are strings."""
        base = self.repository.base_url
        return [{"id": str(number), "url": f"{base}/_apis/wit/workItems/{number}"} for number in self.work_items]
