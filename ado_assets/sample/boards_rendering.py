"""How work items, revisions, updates and links look in the answers. Reads the boards, never changes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ado_assets.sample.boards_fields import LONG_TYPES
from ado_assets.sample.boards_history import Change, Fields, Link, WorkItem, fold, person_number, stamp
from ado_assets.sample.boards_nodes import tree_fields
from ado_assets.sample.clock import FOREVER
from ado_assets.sample.people import Person

if TYPE_CHECKING:
    from ado_assets.sample.boards import Boards

HIDDEN_BY_DEFAULT = frozenset(
    {
        "System.Id",
        "System.AreaId",
        "System.NodeName",
        "System.Rev",
        "System.AuthorizedDate",
        "System.RevisedDate",
        "System.IterationId",
        "System.AuthorizedAs",
        "System.PersonId",
        "System.Watermark",
        "System.ExternalLinkCount",
        "System.HyperLinkCount",
        *(f"System.{tree}Level{level}" for tree in ("Area", "Iteration") for level in range(1, 5)),
    }
)
"""What a plain get leaves out and ``$expand=fields`` adds."""


def as_identity(value: Any) -> Any:
    """Return a field value for JSON, identities as IdentityRef."""
    return value.ref() if type(value) is Person else value


def as_text(value: Any) -> Any:
    """Return a field value for JSON, identities as ``Name <mail>``."""
    return value.text() if type(value) is Person else value


def values_at(boards: Boards, item: WorkItem, rev: int) -> Fields:
    """Return every field of one revision, as it was written then; identities are Person."""
    changes = boards.changes(item)
    values: Fields = {}
    for change in changes[:rev]:
        fold(values, change)
    return {
        "System.Id": item.id,
        **values,
        "System.Rev": rev,
        **_signature(boards, item, rev, changes[rev - 1]),
    }


def _signature(boards: Boards, item: WorkItem, rev: int, change: Change) -> Fields:
    """Return the fields every revision has anew: when, by whom, until when."""
    at = stamp(change.at)
    return {
        "System.AuthorizedDate": at,
        "System.RevisedDate": stamp(item.times[rev]) if rev < item.rev else FOREVER,
        "System.ChangedDate": at,
        "System.ChangedBy": change.by,
        "System.AuthorizedAs": change.by,
        "System.PersonId": person_number(change.by),
        "System.Watermark": boards.watermark(item, rev),
    }


def current_values(boards: Boards, item: WorkItem) -> Fields:
    """
    Return the fields an item has now.

    A renamed project or node shows at once, without a revision: paths come from the trees, not from the history.
    """
    values = values_at(boards, item, item.rev)
    if item.project_id in boards.renamed:
        trees = boards.trees
        for structure, key in (("area", "System.AreaId"), ("iteration", "System.IterationId")):
            node = trees.node(item.project_id, values[key])
            placed = tree_fields(structure, node.id, node.path())
            values |= {name: value for name, value in placed.items() if value is not None}
        values["System.TeamProject"] = boards.world.projects[item.project_id].name
    parent = boards.parent(item)
    if parent is not None:
        values["System.Parent"] = parent
    return values


def relations(boards: Boards, item: WorkItem, until: int | None = None) -> list[dict[str, Any]]:
    """Return an item's relations, now or at an instant in milliseconds."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    base = boards.world.base_url
    for event in timeline(boards, item):
        if until is not None and event.at > until:
            break
        if isinstance(event, Change):
            found |= {(relation["rel"], relation["url"]): relation for relation in event.added}
            continue
        relation = event.seen_from(item.id, base)
        key = (relation["rel"], relation["url"])
        if event.active:
            found[key] = relation
        else:
            found.pop(key, None)
    return list(found.values())


def timeline(boards: Boards, item: WorkItem) -> list[Change | Link]:
    """Return an item's changes and links in the order they happened: one entry an update."""
    links = boards.links_of.get(item.id)
    changes = boards.changes(item)
    return sorted([*changes, *links], key=lambda event: event.at) if links else list(changes)


def item_url(boards: Boards, item_id: int) -> str:
    """Return an item's URL; it names no project, because items move."""
    return f"{boards.world.base_url}/_apis/wit/workItems/{item_id}"


def render_item(
    boards: Boards,
    item: WorkItem,
    *,
    expand: str = "all",
    only: frozenset[str] | None = None,
    as_of: int | None = None,
) -> dict[str, Any]:
    """
    Return a work item.

    *expand* is none, fields, relations, links or all; *only* limits the fields; *as_of* (milliseconds, not before its
    creation) goes back in history.
    """
    rev = item.rev if as_of is None else bisect_right(item.times, as_of)
    values = current_values(boards, item) if as_of is None else values_at(boards, item, rev)
    full = expand in ("all", "fields")
    url = item_url(boards, item.id)
    row: dict[str, Any] = {"id": item.id, "rev": rev}
    if only is not None:
        row["fields"] = {name: as_identity(value) for name, value in values.items() if name in only}
    else:
        row["fields"] = {
            name: as_identity(value) for name, value in values.items() if full or name not in HIDDEN_BY_DEFAULT
        }
    if expand in ("all", "relations"):
        related = relations(boards, item, as_of)
        if related:
            row["relations"] = related
    if expand in ("all", "links"):
        kind = quote(values["System.WorkItemType"], safe="")
        row["_links"] = {
            "self": {"href": url},
            "workItemUpdates": {"href": f"{url}/updates"},
            "workItemRevisions": {"href": f"{url}/revisions"},
            "workItemType": {
                "href": f"{boards.world.base_url}/{item.project_id}/_apis/wit/workItemTypes/{kind}",
            },
        }
    row["url"] = url
    return row


def render_revision(boards: Boards, item: WorkItem, rev: int) -> dict[str, Any]:
    """Return one revision in full, as ``revisions`` gives it."""
    fields = {name: as_identity(value) for name, value in values_at(boards, item, rev).items()}
    return {"id": item.id, "rev": rev, "fields": fields, "url": f"{item_url(boards, item.id)}/revisions/{rev}"}


def render_reported(
    boards: Boards, item: WorkItem, rev: int, *, identities: bool, full: bool, only: frozenset[str] | None = None
) -> dict[str, Any]:
    """Return one revision as the reporting feed gives it; long text only when *full*."""
    render: Callable[[Any], Any] = as_identity if identities else as_text
    values = values_at(boards, item, rev)
    if only is not None:
        values = {name: value for name, value in values.items() if name in only}
    elif not full:
        long = boards.long_fields
        values = {name: value for name, value in values.items() if name not in long}
    return {"id": item.id, "rev": rev, "fields": {name: render(value) for name, value in values.items()}}


def render_updates(boards: Boards, item: WorkItem) -> Iterator[dict[str, Any]]:
    """
    Yield an item's updates, oldest first.

    An update by links alone repeats the revision's number, has no fields and its own time as ``revisedDate``.
    """
    base = item_url(boards, item.id)
    values: Fields = {}
    rev = 0
    for index, event in enumerate(timeline(boards, item), 1):
        row: dict[str, Any] = {"id": index, "workItemId": item.id, "rev": rev, "revisedBy": event.by.ref()}
        if isinstance(event, Link):
            word = "added" if event.active else "removed"
            row["revisedDate"] = stamp(event.at)
            row["relations"] = {word: [event.seen_from(item.id, boards.world.base_url)]}
        else:
            rev += 1
            row["rev"] = rev
            after = _signature(boards, item, rev, event) | {"System.Rev": rev} | event.fields
            if rev == 1:
                after["System.Id"] = item.id
            row["revisedDate"] = after["System.RevisedDate"]
            row["fields"] = _differences(values, after)
            if event.added:
                row["relations"] = {"added": event.added}
            for name, value in after.items():
                values[name] = value
            values.pop("System.History", None)
        row["url"] = f"{base}/updates/{index}"
        yield row


def _differences(before: Fields, after: Fields) -> dict[str, Any]:
    """Return oldValue and newValue of the fields that differ; a cleared field has no newValue."""
    differences: dict[str, Any] = {}
    for name, new in after.items():
        old = before.get(name)
        if name == "System.RevisedDate" and old is not None:
            old = after["System.ChangedDate"]
        if old is new or (type(old) is type(new) and old == new):
            continue
        entry: dict[str, Any] = {}
        if old is not None:
            entry["oldValue"] = as_identity(old)
        if new is not None:
            entry["newValue"] = as_identity(new)
        differences[name] = entry
    return differences


def render_link(boards: Boards, link: Link) -> dict[str, Any]:
    """Return a link as the reporting feed gives it, from its source."""
    return {
        "rel": link.rel,
        "sourceId": link.source,
        "targetId": link.target,
        "changedDate": stamp(link.at),
        "isActive": link.active,
        "sourceProjectId": boards.items[link.source].project_id,
        "targetProjectId": boards.items[link.target].project_id,
        "changedBy": link.by.ref(),
    }


def render_shallow_deleted(boards: Boards, item: WorkItem) -> dict[str, Any]:
    """Return a recycle bin entry as the list gives it."""
    return {"id": item.id, "url": f"{boards.world.base_url}/_apis/wit/recycleBin/{item.id}"}


def render_deleted(boards: Boards, item: WorkItem, *, local: bool) -> dict[str, Any]:
    """Return a recycle bin entry; *local* writes the id as text and the date as in the United States."""
    values = values_at(boards, item, item.rev)
    deleted = values["System.ChangedDate"]
    row: dict[str, Any] = {
        "id": item.id,
        "code": 200,
        "type": values["System.WorkItemType"],
        "name": values["System.Title"],
        "project": boards.world.projects[item.project_id].name,
        "deletedDate": deleted,
        "deletedBy": values["System.ChangedBy"].text(),
        "url": f"{boards.world.base_url}/_apis/wit/recycleBin/{item.id}",
    }
    if local:
        hour = int(deleted[11:13])
        day = f"{int(deleted[5:7])}/{int(deleted[8:10])}/{deleted[:4]}"
        row["id"] = str(item.id)
        row["deletedDate"] = f"{day} {(hour - 1) % 12 + 1}:{deleted[14:19]} {'AM' if hour < 12 else 'PM'}"
    return row


def long_fields(boards: Boards) -> frozenset[str]:
    """Return the names of the fields the reporting feed leaves out by default."""
    long = {field.reference_name for field in boards.schema.fields if field.type in LONG_TYPES}
    return frozenset(long - {"System.Tags"})
