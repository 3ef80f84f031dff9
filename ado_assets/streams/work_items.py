"""
How work items are read, with their links.

The reporting feeds say which items changed anywhere in the organization; the rows are then read by id. A complete read
takes the ids from queries instead. Destroyed items appear in no feed: only a complete read notices those.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from ado_assets.ado import AdoClient, BadRequest, merge
from ado_assets.streams.model import Complete, Event, Feed, Gone, Reason, Request, Watermark
from ado_assets.streams.project_names import ProjectNames
from ado_assets.streams.reporting import changed_items, changed_links, place_at
from ado_assets.streams.work_item_ids import deleted_among, deleted_ids, live_ids
from ado_assets.streams.work_item_places import all_nodes, fingerprint, same_paths
from ado_assets.streams.work_item_rows import WorkItemRows
from ado_assets.tables import WORK_ITEM_RELATIONS, WORK_ITEMS

UNREADABLE: Final = "unreadable"
"""Stands for the fingerprint of trees that this token may not read."""

_QUERIES_AT_ONCE: Final = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mark:
    """
    The watermark of this stream.

    Args:
        revisions: Place in the feed of revisions.
        links: Place in the feed of links.
        projects: Project id -> its name and the fingerprint of its trees, for the projects that were read.
    """

    revisions: str
    links: str
    projects: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, watermark: str) -> Mark:
        """The mark that ``text`` wrote."""
        stored = orjson.loads(watermark)
        projects = {each: (name, nodes) for each, (name, nodes) in stored["projects"].items()}
        return cls(stored["revisions"], stored["links"], projects)

    @property
    def text(self) -> str:
        """As it is stored."""
        return orjson.dumps(
            {"revisions": self.revisions, "links": self.links, "projects": self.projects}, option=orjson.OPT_SORT_KEYS
        ).decode()

    def covers(self, project_id: str, name: str, nodes: list[Any] | None) -> bool:
        """Whether rows of the project that were not changed since still show it as it is."""
        before_name, before_nodes = self.projects.get(project_id, ("", ""))
        same = before_nodes == UNREADABLE if nodes is None else same_paths(before_nodes, nodes)
        return before_name == name and same


async def work_items(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the work items of the selected projects that may differ from what is held; all when there is no watermark.

    The watermark covers the projects it names: one selected for the first time, or again after it was deleted, is read
    completely, and one whose name or paths changed has all its rows read again. It only moves when the selection is
    whole. A place that the service refuses leads to a complete read.
    """
    projects = await ProjectNames.listed(client)
    selected = {each.id: projects.names[each.id] for each in request.projects if each.id in projects.names}
    before, feeds, changed = await _what_changed(client, request)
    # Before the rows: what is renamed while they are read is then seen by the next read.
    nodes = await all_nodes(client, selected)
    anew = {each for each in selected if before is None or each not in before.projects}
    again = {each for each in selected if before and not before.covers(each, selected[each], nodes[each])}
    ids = set(changed)
    if anew | again:
        everywhere = projects.names.keys() <= anew | again
        scopes = [None] if everywhere else sorted(anew | again)
        async for part in merge((live_ids(client, each) for each in scopes), _QUERIES_AT_ONCE):
            ids.update(part)
    rows = WorkItemRows(client, projects, selected)
    async for page in rows.pages(sorted(ids)):
        yield page
    async for event in _gone(client, request, rows, changed):
        yield event
    if anew:
        async for event in _complete(client, request, sorted(anew), everywhere=projects.names.keys() <= anew):
            yield event
    if request.whole:
        places = {each: fingerprint(found) if found is not None else UNREADABLE for each, found in nodes.items()}
        covered = {each: (name, places[each]) for each, name in selected.items()}
        yield Watermark(Mark(feeds.revisions.place, feeds.links.place, covered).text)


class _Feeds:
    """Both reporting feeds, from where they were read to."""

    def __init__(self, client: AdoClient, revisions: str, links: str) -> None:
        self.revisions = changed_items(client, revisions)
        self.links = changed_links(client, links)

    async def follow(self) -> set[int]:
        """Read both to their ends; ids of the items that changed, both ends of links included."""
        changed: set[int] = set()
        async for answer in self.revisions.answers():
            changed.update(record["id"] for record in answer.records)
        async for answer in self.links.answers():
            for record in answer.records:
                changed.update((record["sourceId"], record["targetId"]))
        return changed


async def _what_changed(client: AdoClient, request: Request) -> tuple[Mark | None, _Feeds, set[int]]:
    """
    The mark to go by, the feeds followed to their ends, and the ids that changed since the mark.

    Without a mark, or with one that the service refuses, the feeds are followed from just before now on, for their
    places: whatever changes while the rows are read is then found by the next read.
    """
    if request.watermark:
        before = Mark.read(request.watermark)
        feeds = _Feeds(client, before.revisions, before.links)
        try:
            return before, feeds, await feeds.follow()
        except BadRequest as error:
            _log.warning("work items are read completely, because the service refuses the stored place: %s", error)
    start = place_at(request.now - request.options.overlap)
    feeds = _Feeds(client, start, start)
    await feeds.follow()
    return None, feeds, set()


async def _gone(client: AdoClient, request: Request, rows: WorkItemRows, changed: set[int]) -> AsyncIterator[Event]:
    """
    What became of the changed items that no selected project holds any more.

    One that neither answers nor is in the recycle bin was destroyed, or its project is gone. Where a project went while
    this read lasted, nothing is said of it: the project's own row takes its work items along.
    """
    if request.whole:
        for each in sorted(rows.outside & changed):
            yield Gone({"id": each}, "unreachable", request.now)
    missing = sorted(rows.missing & changed)
    recycled = await deleted_among(client, missing)
    lost = recycled is not None and len(recycled) < len(missing) and await _lost_projects(client, request)
    for each in missing:
        reason: Reason = "deleted" if recycled is None else "recycled" if each in recycled else "destroyed"
        if reason != "destroyed" or not lost:
            yield Gone({"id": each}, reason, request.now)


async def _lost_projects(client: AdoClient, request: Request) -> bool:
    """Whether a project that was there when the read was planned is not any more."""
    now = await ProjectNames.listed(client)
    return any(project.id not in now.names for project in request.projects)


async def _complete(
    client: AdoClient, request: Request, project_ids: list[str], *, everywhere: bool
) -> AsyncIterator[Event]:
    """
    What a complete read says of the rows it did not bring.

    An item that is neither live in any project nor in the recycle bin was destroyed. Where other projects were not
    looked into, it may as well have moved to one of them.

    Args:
        everywhere: All projects of the organization were read.
    """
    recycled = await deleted_ids(client, project_ids)
    for each in sorted(recycled or ()):
        yield Gone({"id": each}, "recycled", request.now)
    reason: Reason = "deleted" if recycled is None else "destroyed" if everywhere else "unreachable"
    for project_id in project_ids:
        yield Complete({"project_id": project_id}, request.now, reason)


WORK_ITEMS_FEED: Final = Feed((WORK_ITEMS, WORK_ITEM_RELATIONS), "organization", work_items)
