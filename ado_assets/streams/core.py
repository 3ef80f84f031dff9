"""
How users, projects, teams and their members are read.

All four are snapshots: the API says nothing about what changed, so each sync reads them whole and compares.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from ado_assets.ado import (
    AccessDenied,
    AdoClient,
    Answer,
    Endpoint,
    NotFound,
    by_continuation_header,
    by_skip,
    split,
)
from ado_assets.streams.children import per_parent
from ado_assets.streams.listings import objects, steady, steady_pages
from ado_assets.streams.model import (
    Complete,
    Due,
    Event,
    Feed,
    Gone,
    Page,
    Parent,
    Request,
    Skipped,
    page,
    regrouped,
)
from ado_assets.tables import PROJECTS, TEAM_MEMBERS, TEAMS, USERS

#: Pages have no fixed size and take no ``$top``: the end is the missing token (vsts-rest-api-specs#155).
LIST_USERS: Final = Endpoint(
    "_apis/graph/users", host="graph", api_version="7.1-preview.1", paging=by_continuation_header
)
#: Not among the users.
LIST_SERVICE_PRINCIPALS: Final = Endpoint(
    "_apis/graph/serviceprincipals", host="graph", api_version="7.1-preview.1", paging=by_continuation_header
)
#: ``stateFilter=all`` is every state but deleted; ``deleted`` lists what can still be restored (28 days).
LIST_PROJECTS: Final = Endpoint("_apis/projects", paging=by_skip, page_size=500)
#: 100 without ``$top``, and no word that there are more.
LIST_TEAMS: Final = Endpoint("_apis/projects/{project_id}/teams", paging=by_skip, page_size=500)
LIST_TEAM_MEMBERS: Final = Endpoint(
    "_apis/projects/{project_id}/teams/{team_id}/members", paging=by_skip, page_size=500
)

_ON_THE_WAY_OUT: Final = ("deleting", "deleted")


async def users(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield every user and service principal of the organization.

    Where the token may not list service principals (or a server has none), the users are complete all the same and the
    coverage says what is missing.
    """
    at: datetime | None = None
    async for answer in client.pages(LIST_USERS):
        at = at or answer.read_at
        yield page(answer, {})
    try:
        async for answer in client.pages(LIST_SERVICE_PRINCIPALS):
            yield page(answer, {})
    except (AccessDenied, NotFound) as error:
        yield Complete({"subject_kind": "user"}, at or request.now)
        yield Skipped(f"service principals are not readable: {error}")
    else:
        yield Complete({}, at or request.now)


async def projects(client: AdoClient, _request: Request) -> AsyncIterator[Event]:
    """
    Yield every project that exists, in any state but deleted or deleting.

    A deleted project is left out of the pages: its row stays as it was last seen, becomes a tombstone, and is written
    again only when the project is restored. The list of deleted projects is the evidence; a project in neither list was
    deleted for good (after 28 days), or is hidden from this token.
    """
    deleted = await _deleted_projects(client)
    existing: set[str] = set()
    async for found in steady(client, LIST_PROJECTS, {}, {"stateFilter": "all"}, _id):
        if isinstance(found, datetime):
            yield Complete({}, found, "unreachable")
            continue
        existing.update(record["id"] for record in found.records if _stays(record))
        deleted.update({record["id"]: found.read_at for record in found.records if not _stays(record)})
        yield _without_leaving(found)
    for project_id, seen_at in deleted.items():
        if project_id not in existing:
            yield Gone({"id": project_id}, "deleted", seen_at)


async def _deleted_projects(client: AdoClient) -> dict[str, datetime]:
    """Ids of the deleted projects that can be restored, and when they were listed; empty where that is refused."""
    found: dict[str, datetime] = {}
    try:
        async for answer in client.pages(LIST_PROJECTS, {}, {"stateFilter": "deleted"}):
            found.update({record["id"]: answer.read_at for record in objects(answer)})
    except (AccessDenied, NotFound):
        return {}
    return found


def _without_leaving(answer: Answer) -> Page:
    """The page of the listed projects without those that are being deleted."""
    if all(_stays(record) for record in answer.records):
        return page(answer, {})
    raw_records = split(answer.body, "value")
    kept = [(raw, record) for raw, record in zip(raw_records, answer.records, strict=True) if _stays(record)]
    return regrouped([raw for raw, _ in kept], [record for _, record in kept], {}, answer.read_at)


def _stays(project: Any) -> bool:
    return str(project.get("state", "")).lower() not in _ON_THE_WAY_OUT


def _id(record: Any) -> str:
    return str(record["id"])


async def teams(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield every team of the project."""
    assert request.unit.project is not None
    scope = {"project_id": request.unit.project.id}
    async for event in steady_pages(client, LIST_TEAMS, scope, {"$expandIdentity": False}, scope, scope, _id):
        yield event


async def team_members(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield the direct members of every team of the project; a group among them stays one row."""
    async for event in per_parent(client, request, _members_of):
        yield event


async def _members_of(client: AdoClient, _request: Request, team: Parent) -> AsyncIterator[Event]:
    scope = {"project_id": team.values["project_id"], "team_id": team.values["id"]}
    complete = {"team_id": team.values["id"]}
    async for event in steady_pages(client, LIST_TEAM_MEMBERS, scope, {}, scope, complete, _identity_id):
        yield event


def _identity_id(member: Any) -> str:
    return str(member["identity"]["id"])


USERS_FEED: Final = Feed((USERS,), "organization", users)
PROJECTS_FEED: Final = Feed((PROJECTS,), "organization", projects)
TEAMS_FEED: Final = Feed((TEAMS,), "project", teams)
#: Membership changes nothing on the team, so every team is due at every sync: no value of ``id`` is final.
TEAM_MEMBERS_FEED: Final = Feed(
    (TEAM_MEMBERS,), "project", team_members, due=Due("teams", columns=("project_id", "id"), final=("id", ()))
)
