"""
What people do to pull requests, one function an action, each with its moment.

Both the past (git_past.py) and what ticks and scenarios bring about are made of these, so that states, iterations,
pushes, votes and the service's own threads always agree. Not here: who does what when.
"""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from ado_assets.sample.git_words import REVIEW_COMMENTS
from ado_assets.sample.people import Person
from ado_assets.sample.pull_request_threads import Comment, Position, Thread
from ado_assets.sample.pull_requests import Iteration, PullRequest, Reviewer
from ado_assets.sample.repositories import HEADS, Push, Repository

STRATEGIES = ("noFastForward", "noFastForward", "squash", "squash", "rebase")


def attempt_merge(pull_request: PullRequest) -> None:
    """Merge source and target as they are now, under a new merge id; a conflict leaves no merge commit."""
    history = pull_request.repository.history
    ref = pull_request.repository.refs.get(pull_request.target_ref)
    if ref is not None:
        pull_request.target = ref.head
    text = f"{pull_request.id} {history[pull_request.source].sha} {history[pull_request.target].sha}"
    pull_request.merge = None if pull_request.is_conflicted else hashlib.sha1(text.encode()).hexdigest()
    pull_request.merge_id = str(uuid5(UUID(pull_request.merge_id), text))


def add_iteration(
    pull_request: PullRequest, person: Person, at: datetime, reason: str, files: int, push: Push | None
) -> Iteration | None:
    """Append the iteration for the present source and target; very old pull requests have none."""
    if not pull_request.supports_iterations:
        return None
    history = pull_request.repository.history
    brought = pull_request.commits()
    parents = history[brought[-1]].parents if brought else (pull_request.source,)
    held = pull_request.iterations[-1].files if pull_request.iterations else 0
    iteration = Iteration(
        id=len(pull_request.iterations) + 1,
        reason=reason,
        author=person,
        created=at,
        updated=at,
        source=pull_request.source,
        target=pull_request.target,
        common=parents[0] if parents else pull_request.target,
        files=held + files,
        push=push,
        description=history[pull_request.source].comment.split("\n")[0],
    )
    pull_request.iterations.append(iteration)
    return iteration


def push_to_source(
    pull_request: PullRequest,
    person: Person,
    at: datetime,
    rng: random.Random,
    count: int,
    *,
    force: bool = False,
    files: int | None = None,
) -> None:
    """Push *count* commits to the source branch: a new iteration. By force, they replace what was there."""
    base = pull_request.source
    if force:
        brought = pull_request.commits()
        oldest = pull_request.repository.history[brought[-1]].parents if brought else ()
        base = oldest[0] if oldest else pull_request.target
    made, push = push_branch(
        pull_request.repository, pull_request.fork, pull_request.source_ref, person, at, rng, count, base
    )
    pull_request.source = made[-1]
    attempt_merge(pull_request)
    added = int(rng.random() * 4) if files is None else files
    add_iteration(pull_request, person, at, "forcePush" if force else "push", added, push)
    head = pull_request.repository.history[pull_request.source].sha
    facts: dict[str, str | int] = {
        "CodeReviewRefName": pull_request.source_ref,
        "CodeReviewRefNewCommits": head,
        "CodeReviewRefNewCommitsCount": count,
        "CodeReviewRefNewHeadCommit": head,
        "CodeReviewRefUpdatedByIdentity": "1",
    }
    note(pull_request, at, "RefUpdate", f"The reference {pull_request.source_ref} was updated.", facts, [person])


def push_branch(
    repository: Repository,
    fork: Repository | None,
    name: str,
    person: Person,
    at: datetime,
    rng: random.Random,
    count: int,
    base: int,
) -> tuple[list[int], Push | None]:
    """
    Push commits on top of *base* to the branch *name*, in *repository* or in its *fork*; return their numbers here.

    A fork's branch is no ref of the parent and its push no push of the parent, yet the parent holds the commits.
    """
    if fork is None:
        push = repository.commit_and_push(name, person, at, rng, count, base=base)
        return push.commits, push
    made = list[int]()
    for _ in range(count):
        made.append(repository.commit([made[-1] if made else base], person, at, rng).number)
    if fork.is_open:
        fork.receive(at, person, name, made[-1])
    else:
        fork.inbox.append((at, person, name, made[-1]))
    return made, None


def note(
    pull_request: PullRequest,
    at: datetime,
    kind: str,
    content: str,
    facts: dict[str, str | int],
    identities: list[Person],
    author: Person | None = None,
) -> Thread:
    """Add a thread of the service itself. *author* None is the service's own identity."""
    comment = Comment(1, 0, author, content, at, at, at)
    thread = Thread(_thread_id(pull_request), at, at, [comment], note=kind, facts=facts, identities=identities)
    pull_request.threads.append(thread)
    return thread


def _thread_id(pull_request: PullRequest) -> int:
    contents = pull_request.repository.contents
    contents.next_thread += 1
    return contents.next_thread - 1


def add_reviewer(
    pull_request: PullRequest, person: Person, by: Person, at: datetime, *, is_required: bool = False
) -> None:
    """Ask a person or a group for review."""
    if person.id in pull_request.reviewers:
        return
    pull_request.reviewers[person.id] = Reviewer(person, is_required=is_required)
    facts: dict[str, str | int] = {
        "CodeReviewReviewersUpdatedNumAdded": 1,
        "CodeReviewReviewersUpdatedNumRemoved": 0,
        "CodeReviewReviewersUpdatedAddedIdentity": "1",
        "CodeReviewReviewersUpdatedByIdentity": "2",
    }
    content = f"{by.display_name} added {person.display_name} as a reviewer"
    note(pull_request, at, "ReviewersUpdate", content, facts, [person, by])


def vote(pull_request: PullRequest, person: Person, at: datetime, value: int) -> None:
    """Vote; a group that was asked takes over the vote of its member."""
    reviewer = pull_request.reviewers.get(person.id)
    if reviewer is None:
        reviewer = pull_request.reviewers[person.id] = Reviewer(person)
    reviewer.vote = value
    groups = [each for each in pull_request.reviewers.values() if each.person.kind == "group"]
    for group in groups:
        group.vote = value
    reviewer.voted_for = [group.person for group in groups]
    facts: dict[str, str | int] = {"CodeReviewVoteResult": str(value), "CodeReviewVotedByIdentity": "1"}
    note(pull_request, at, "VoteUpdate", f"{person.display_name} voted {value}", facts, [person], person)


def comment(pull_request: PullRequest, person: Person, at: datetime, rng: random.Random) -> Thread:
    """Open a thread, in two of three cases on a line of a file."""
    position = None
    if pull_request.iterations and rng.random() < 0.66:
        position = Position(
            f"/src/core/part_{rng.randrange(40)}.py", rng.randrange(1, 400), len(pull_request.iterations)
        )
    first = Comment(1, 0, person, rng.choice(REVIEW_COMMENTS), at, at, at)
    thread = Thread(_thread_id(pull_request), at, at, [first], status="active", position=position)
    pull_request.threads.append(thread)
    return thread


def reply(thread: Thread, person: Person, at: datetime, rng: random.Random, status: str | None = None) -> Comment:
    """Answer in a thread and, with *status*, settle it."""
    answer = Comment(len(thread.comments) + 1, 1, person, rng.choice(REVIEW_COMMENTS), at, at, at)
    thread.comments.append(answer)
    thread.updated, thread.status = at, status or thread.status
    return answer


def edit_comment(thread: Thread, index: int, at: datetime, content: str) -> None:
    """Replace what a comment says."""
    edited = thread.comments[index]
    edited.content, edited.content_updated, edited.updated, thread.updated = content, at, at, at


def delete_comment(thread: Thread, index: int, at: datetime) -> None:
    """Delete a comment softly; a thread without comments left is deleted too."""
    deleted = thread.comments[index]
    deleted.is_deleted, deleted.content, deleted.updated, thread.updated = True, "", at, at
    thread.is_deleted = all(each.is_deleted for each in thread.comments)


def edit(pull_request: PullRequest, title: str, description: str | None) -> None:
    """Change the words. Nothing else tells that this happened: no date, no thread."""
    pull_request.title, pull_request.description = title, description


def label(pull_request: PullRequest, name: str) -> None:
    """Add a label; its id is the project's for that name."""
    pull_request.labels[name] = str(uuid5(UUID(pull_request.repository.project.id), name))


def set_draft(pull_request: PullRequest, person: Person, at: datetime, is_draft: bool) -> None:
    """Publish a draft or make it one again; only a thread keeps the moment."""
    pull_request.is_draft = is_draft
    content = (
        f"{person.display_name} {'marked the pull request as a draft' if is_draft else 'published the pull request'}"
    )
    note(pull_request, at, "IsDraftUpdate", content, {"CodeReviewIsDraft": str(is_draft)}, [person], person)


def retarget(pull_request: PullRequest, person: Person, at: datetime, target_ref: str) -> None:
    """Aim at another branch: a new iteration that names both."""
    old, pull_request.target_ref = pull_request.target_ref, target_ref
    attempt_merge(pull_request)
    iteration = add_iteration(pull_request, person, at, "retarget", 0, None)
    if iteration is not None:
        iteration.retargeted = (old, target_ref)
    facts: dict[str, str | int] = {"CodeReviewOldTargetRefName": old, "CodeReviewTargetRefName": target_ref}
    note(pull_request, at, "TargetChanged", f"{person.display_name} changed the target branch", facts, [person], person)


def complete(pull_request: PullRequest, person: Person, at: datetime, rng: random.Random) -> None:
    """Merge into the target by one of three strategies, note it, and mostly delete the source branch."""
    repository = pull_request.repository
    strategy = STRATEGIES[pull_request.id % len(STRATEGIES)]
    attempt_merge(pull_request)
    before, brought = pull_request.target, pull_request.commits()
    message = f"Merged PR {pull_request.id}: {pull_request.title}\n\n{pull_request.description or ''}"
    if strategy == "noFastForward":
        made = [repository.commit([before, pull_request.source], person, at, rng, message).number]
    elif strategy == "squash":
        made = [repository.commit([before], person, at, rng, message).number]
    else:
        made, head = [], before
        for number in reversed(brought):
            head = repository.commit([head], person, at, rng, repository.history[number].comment).number
            made.append(head)
    if not made:
        made = [repository.commit([before], person, at, rng, message).number]
    from_fork = [number for number in brought if repository.history[number].push is None]
    merged_here = from_fork if strategy == "noFastForward" else []
    repository.push(person, at, pull_request.target_ref, made[-1], merged_here + made)
    pull_request.merge = repository.history[made[-1]].sha
    pull_request.merge_strategy = strategy
    pull_request.queued = at - timedelta(milliseconds=1403)
    _close(pull_request, person, at, "completed")
    if pull_request.fork is None and pull_request.id % 10 < 7 and pull_request.source_ref in repository.refs:
        repository.push(person, at, pull_request.source_ref, None, [])


def abandon(pull_request: PullRequest, person: Person, at: datetime) -> None:
    """Close without merging; the source branch stays."""
    _close(pull_request, person, at, "abandoned")


def reactivate(pull_request: PullRequest, person: Person, at: datetime) -> None:
    """Open an abandoned pull request again: its closed date is gone."""
    pull_request.status, pull_request.closed, pull_request.closed_by = "active", None, None
    _note_status(pull_request, person, at, "Active")


def _close(pull_request: PullRequest, person: Person, at: datetime, status: str) -> None:
    pull_request.status, pull_request.closed, pull_request.closed_by = status, at, person
    _note_status(pull_request, person, at, status.capitalize())


def _note_status(pull_request: PullRequest, person: Person, at: datetime, status: str) -> None:
    facts: dict[str, str | int] = {"CodeReviewStatus": status, "CodeReviewStatusUpdatedByIdentity": "1"}
    content = f"{person.display_name} updated the pull request status to {status}"
    note(pull_request, at, "StatusUpdate", content, facts, [person], person)


def open_pull_request(
    repository: Repository,
    number: int,
    person: Person,
    at: datetime,
    rng: random.Random,
    *,
    title: str,
    description: str | None,
    topic: str,
    commits: int,
    fork: Repository | None = None,
    supports_iterations: bool = True,
    is_conflicted: bool = False,
    is_draft: bool = False,
    files: int | None = None,
) -> PullRequest:
    """Push a new branch off the default branch and open a pull request to bring it back. Needs a default branch."""
    target_ref, target = repository.default_branch, repository.default_head
    if target_ref is None or target is None:
        raise ValueError(f"repository {repository.name} is empty")
    source_ref = f"{HEADS}users/{person.display_name.split()[0].lower()}/{topic}-{number}"
    made, push = push_branch(repository, fork, source_ref, person, at - timedelta(seconds=20), rng, commits, target)
    pull_request = PullRequest(
        id=number,
        repository=repository,
        created=at,
        created_by=person,
        title=title,
        description=description,
        source_ref=source_ref,
        target_ref=target_ref,
        source=made[-1],
        target=target,
        merge=None,
        merge_id=str(UUID(int=rng.getrandbits(128), version=4)),
        is_draft=is_draft,
        is_conflicted=is_conflicted,
        fork=fork,
        supports_iterations=supports_iterations,
    )
    repository.pull_requests[number] = pull_request
    attempt_merge(pull_request)
    add_iteration(pull_request, person, at, "create", 1 + int(rng.expovariate(0.2)) if files is None else files, push)
    status = "Conflicts" if is_conflicted else "Succeeded"
    facts: dict[str, str | int] = {"CodeReviewMergeStatus": status}
    note(pull_request, at, "MergeAttempt", f"The pull request merge ended: {status}.", facts, [])
    return pull_request
