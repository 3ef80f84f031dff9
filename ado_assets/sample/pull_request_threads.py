"""
Comment threads of a pull request: what people wrote, and what the service noted on its own.

Here: threads, comments and their records. Not here: when they arise (pull_request_actions.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ado_assets.sample.clock import iso
from ado_assets.sample.people import Person

SERVICE_ID = "00000002-0000-8888-8000-000000000000"
SERVICE_NAME = "Microsoft.VisualStudio.Services.TFS"


@dataclass(slots=True)
class Comment:
    """One comment; *id* restarts at 1 in each thread. A deleted one keeps its row and loses its content."""

    id: int
    parent: int
    author: Person | None
    content: str
    published: datetime
    updated: datetime
    content_updated: datetime
    is_deleted: bool = False
    liked: list[Person] = field(default_factory=list)


@dataclass(slots=True)
class Position:
    """The lines of a file that a thread is about, as seen when comparing *iteration* with the one before."""

    path: str
    line: int
    iteration: int


@dataclass(slots=True)
class Thread:
    """
    One thread. *note* is empty for people's threads and else the service's word for what it noted.

    *facts* are the note's own properties; *identities* are the people whom its properties name by index from 1.
    """

    id: int
    published: datetime
    updated: datetime
    comments: list[Comment]
    status: str | None = None
    position: Position | None = None
    note: str = ""
    facts: dict[str, str | int] = field(default_factory=dict)
    identities: list[Person] = field(default_factory=list)
    is_deleted: bool = False


def render_comment(comment: Comment, note: str, url: str, base_url: str) -> dict[str, Any]:
    """Return a comment as the threads list nests it. *url* is its thread's address."""
    record: dict[str, Any] = {
        "id": comment.id,
        "parentCommentId": comment.parent,
        "author": _service(base_url) if comment.author is None else comment.author.ref(),
        "publishedDate": iso(comment.published),
        "lastUpdatedDate": iso(comment.updated),
        "lastContentUpdatedDate": iso(comment.content_updated),
        "commentType": "system" if note else "text",
        "usersLiked": [person.ref() for person in comment.liked],
    }
    if comment.is_deleted:
        record["isDeleted"] = True
    else:
        record["content"] = comment.content
    record["_links"] = {"self": {"href": f"{url}/comments/{comment.id}"}}
    return record


def render_thread(thread: Thread, pull_request_url: str, base_url: str) -> dict[str, Any]:
    """Return a thread with its comments, nulls where the service writes nulls."""
    url = f"{pull_request_url}/threads/{thread.id}"
    record: dict[str, Any] = {
        "pullRequestThreadContext": None,
        "id": thread.id,
        "publishedDate": iso(thread.published),
        "lastUpdatedDate": iso(thread.updated),
        "comments": [render_comment(comment, thread.note, url, base_url) for comment in thread.comments],
    }
    if thread.status is not None:
        record["status"] = thread.status
    record["threadContext"] = None
    if thread.position is not None:
        place = thread.position
        record["threadContext"] = {
            "filePath": place.path,
            "rightFileStart": {"line": place.line, "offset": 1},
            "rightFileEnd": {"line": place.line + 1, "offset": 14},
        }
        record["pullRequestThreadContext"] = {
            "iterationContext": {
                "firstComparingIteration": max(1, place.iteration - 1),
                "secondComparingIteration": place.iteration,
            },
            "changeTrackingId": 1,
        }
    record["properties"] = _properties(thread)
    record["identities"] = {str(index): each.ref() for index, each in enumerate(thread.identities, 1)} or None
    record["isDeleted"] = thread.is_deleted
    record["_links"] = {"self": {"href": url}, "repository": {"href": pull_request_url.rsplit("/pullRequests/", 1)[0]}}
    return record


def _properties(thread: Thread) -> dict[str, Any]:
    if not thread.note:
        return {"Microsoft.TeamFoundation.Discussion.SupportsMarkdown": {"$type": "System.Int32", "$value": 1}}
    values: dict[str, str | int] = {"CodeReviewThreadType": thread.note, **thread.facts}
    return {
        name: {"$type": "System.Int32" if isinstance(value, int) else "System.String", "$value": value}
        for name, value in values.items()
    }


def _service(base_url: str) -> dict[str, Any]:
    return {
        "displayName": SERVICE_NAME,
        "url": f"{base_url}/_apis/Identities/{SERVICE_ID}",
        "id": SERVICE_ID,
        "uniqueName": SERVICE_ID,
        "imageUrl": f"{base_url}/_api/_common/identityImage?id={SERVICE_ID}",
        "descriptor": "s2s.MDAwMDAwMDItMDAwMC04ODg4LTgwMDAtMDAwMDAwMDAwMDAw",
    }
