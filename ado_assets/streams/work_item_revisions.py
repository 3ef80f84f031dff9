"""
How the revisions of work items are read: every state that an item ever had.

The reporting feed brings them in the order they were made. It leaves three things open, which are settled by reading
items again: a revision that is superseded gets a ``System.RevisedDate``, an item that moves takes its history along to
the other project, and one that was restored was not followed while it was in the recycle bin.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from ado_assets.ado import AdoClient, Answer, BadRequest, Endpoint, Params, by_body_token, merge, split
from ado_assets.streams.model import Complete, Event, Feed, Page, Request, Watermark
from ado_assets.streams.project_names import ProjectNames
from ado_assets.streams.reporting import Changes, place_at
from ado_assets.streams.work_item_histories import Histories, revisions_page
from ado_assets.streams.work_item_ids import live_ids
from ado_assets.tables import WORK_ITEM_REVISIONS

#: Without ``$expand=fields`` long text is missing, without ``includeIdentityRef`` identities are ``Name <mail>``.
LIST_REVISIONS: Final = Endpoint("_apis/wit/reporting/workitemrevisions", records="values", paging=by_body_token)
LIST_REVISIONS_OF_PROJECT: Final = Endpoint(
    "{project_id}/_apis/wit/reporting/workitemrevisions", records="values", paging=by_body_token
)

_WHOLE: Final[Params] = {"$expand": "fields", "includeIdentityRef": True, "includeDeleted": True}
_PROJECTS_AT_ONCE: Final = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mark:
    """
    The watermark of this stream.

    Args:
        revisions: Place in the feed of the whole organization.
        projects: Ids of the projects whose histories were read up to there.
        names: Project id -> every name it is known to have had: old revisions show the names of their time.
    """

    revisions: str
    projects: frozenset[str]
    names: Mapping[str, Iterable[str]]

    @classmethod
    def read(cls, watermark: str) -> Mark:
        """The mark that ``text`` wrote."""
        stored = orjson.loads(watermark)
        return cls(stored["revisions"], frozenset(stored["projects"]), stored["names"])

    @property
    def text(self) -> str:
        """As it is stored."""
        names = {project_id: sorted(known) for project_id, known in self.names.items()}
        stored = {"revisions": self.revisions, "projects": sorted(self.projects), "names": names}
        return orjson.dumps(stored, option=orjson.OPT_SORT_KEYS).decode()


async def work_item_revisions(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the revisions of live work items of the selected projects that are new; all when there is no watermark.

    Projects that the watermark does not name are read completely. It only moves when the selection is whole. A place
    that the service refuses leads to a complete read.
    """
    projects = await ProjectNames.listed(client)
    selected = {each.id for each in request.projects if each.id in projects.names}
    before = Mark.read(request.watermark) if request.watermark else None
    projects.remember(before.names if before else {})
    feed = Changes(client, LIST_REVISIONS, before.revisions if before else _just_before(request))
    histories = Histories(client, projects)
    if before is not None:
        try:
            async for event in _new(feed, histories, selected & before.projects):
                yield event
        except BadRequest as error:
            _log.warning("revisions are read completely, because the service refuses the stored place: %s", error)
            before, feed = None, Changes(client, LIST_REVISIONS, _just_before(request))
    if before is None:
        async for _ in feed.answers(_WHOLE):
            pass
    anew = selected - (before.projects if before else set())
    async for event in merge((_all(client, request, histories, each) for each in sorted(anew)), _PROJECTS_AT_ONCE):
        yield event
    if request.whole:
        yield Watermark(Mark(feed.place, frozenset(selected), projects.known).text)


def _just_before(request: Request) -> str:
    return place_at(request.now - request.options.overlap)


async def _new(feed: Changes, histories: Histories, project_ids: Iterable[str]) -> AsyncIterator[Event]:
    """The revisions since the feed's place, of items that are now in one of the projects, and what they supersede."""
    wanted = frozenset(project_ids)
    first: dict[int, tuple[int, str]] = {}
    async for answer in feed.answers(_WHOLE):
        homes = await histories.homes(record["id"] for record in answer.records)
        for record in answer.records:
            revision = (record["rev"], str(record["fields"].get("System.ChangedDate", "")))
            if homes[record["id"]] in wanted:
                first[record["id"]] = min(revision, first.get(record["id"], revision))
        for project_id in sorted(wanted & set(homes.values())):
            yield _page(answer, project_id, {each for each, home in homes.items() if home == project_id})
    async for event in histories.superseded(first):
        yield event


async def _all(client: AdoClient, request: Request, histories: Histories, project_id: str) -> AsyncIterator[Event]:
    """
    Every revision of the items that are in the project now.

    A feed that is filtered by project may lack what an item was in another one: histories with a gap are read singly.
    """
    live: set[int] = set()
    async for part in live_ids(client, project_id):
        live.update(part)
    newest: dict[int, int] = dict.fromkeys(live, 0)
    gaps: set[int] = set()
    async for answer in client.pages(LIST_REVISIONS_OF_PROJECT, {"project_id": project_id}, _WHOLE):
        for record in answer.records:
            item, rev = record["id"], record["rev"]
            if item in live and rev > newest[item]:
                gaps.update({item} if rev > newest[item] + 1 else ())
                newest[item] = rev
        yield _page(answer, project_id, live)
    gaps.update(item for item, rev in newest.items() if not rev)
    async for event in histories.whole(dict.fromkeys(gaps, project_id)):
        yield event
    yield Complete({"project_id": project_id}, request.now)


def _page(answer: Answer, project_id: str, items: set[int]) -> Page:
    """The revisions of an answer that belong to the items, as a page of the project."""
    kept = [
        (raw, record)
        for raw, record in zip(split(answer.body, "values"), answer.records, strict=True)
        if record["id"] in items
    ]
    return revisions_page([raw for raw, _ in kept], [record for _, record in kept], project_id, answer.read_at)


WORK_ITEM_REVISIONS_FEED: Final = Feed((WORK_ITEM_REVISIONS,), "organization", work_item_revisions)
