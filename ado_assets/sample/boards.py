"""
Work items, their trees and metadata: what exists, in which order it changed, and the few ways to change it.

Belongs here: the index over all items and the recording of mutations. Content is boards_stories, looks are
boards_rendering, named happenings are boards_changes.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ado_assets.sample import boards_changes
from ado_assets.sample.boards_history import Change, Fields, Link, WorkItem, milliseconds
from ado_assets.sample.boards_nodes import Trees
from ado_assets.sample.boards_processes import Schema, Type
from ado_assets.sample.boards_rendering import long_fields, render_item, render_reported, render_updates, values_at
from ado_assets.sample.boards_stories import Setting, creation, tell
from ado_assets.sample.clock import START
from ado_assets.sample.core import Project
from ado_assets.sample.people import Person

if TYPE_CHECKING:
    from ado_assets.sample.world import Gone, Truth, World

REACH = timedelta(days=720)
REMEMBERED = 4_096
LONG_ITEM = 5
ID_BITS, REV_BITS = 26, 14


def feed_key(at: int, item_id: int, rev: int) -> int:
    """Pack a revision's place in the reporting feed; keys sort by time, then id, then revision."""
    return (at << (ID_BITS + REV_BITS)) | (item_id << REV_BITS) | rev


class Boards:
    """All work items by id, their links, and the order in which everything changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gone: list[Gone] = []
        self.scenarios: dict[str, Callable[[random.Random], str]] = boards_changes.scenarios(self)
        self.schema = Schema(world.base_url, world.guid("picklist"))
        self.trees = Trees(world)
        self.items: dict[int, WorkItem] = {}
        self.feed: list[int] = []
        self.links: list[Link] = []
        self.links_of: dict[int, list[Link]] = {}
        self.renamed: set[str] = set()
        self._born: dict[str, Setting] = {}
        self._histories: OrderedDict[int, list[Change]] = OrderedDict()
        self._ids: dict[str, list[int]] | None = None
        self._known: list[int] = []
        self._long: tuple[frozenset[str], int] = (frozenset(), 0)
        for project in world.projects.values():
            self._plant(project)
        self._populate()
        self._latest = max(self.feed[-1] >> (ID_BITS + REV_BITS), self.links[-1].at if self.links else 0)

    def _plant(self, project: Project) -> None:
        self.trees.plant(project)
        self._born[project.id] = self.setting(project)

    def setting(self, project: Project) -> Setting:
        """Return where a project's stories play now."""
        areas, iterations = (
            [(node.id, node.path()) for node in self.trees.nodes(project.id, tree)] for tree in ("area", "iteration")
        )
        return Setting(self.schema, project.process, project.name, tuple(project.people), areas, iterations)

    def _populate(self) -> None:
        """Create the items at rest: ids in order of creation, with gaps where something was destroyed long ago."""
        drafts: list[tuple[list[int], str, Type, bool]] = []
        for project in self.world.live_projects():
            drafts += self._drafts(project, self.world.share(self.world.scale.work_items, project))
        drafts.sort(key=lambda draft: draft[0])
        number = 0
        for times, project_id, kind, recycled in drafts:
            number += 2 if number % 97 == 96 else 1
            item = WorkItem(number, project_id, project_id, kind.name, times, recycled_at_start=recycled)
            self.items[number] = item
            if recycled:
                item.status = "recycled"
                self.gone.append(("work_items", {"project_id": project_id}, {"id": number}, "recycled"))
        self.feed = sorted(
            feed_key(at, item.id, rev) for item in self.items.values() for rev, at in enumerate(item.times, 1)
        )
        self._relate()

    def _drafts(self, project: Project, count: int) -> Iterator[tuple[list[int], str, Type, bool]]:
        rng = self.world.rng("boards", project.id)
        types = [kind for kind in self.schema.processes[project.process] if kind.share]
        kinds = rng.choices(types, [kind.share for kind in types], k=count)
        newest, span = milliseconds(START) - 3_600_000, REACH // timedelta(milliseconds=1)
        draw = rng.random
        for index, kind in enumerate(kinds):
            created = newest - int(span * draw() ** 1.3) - 60_000
            life = min(newest - created, int(rng.expovariate(1 / 2.6e9)) + 60_000)
            times = {created}
            times.update(created + 1 + int(life * draw()) for _ in range(min(120, int(rng.expovariate(0.24)))))
            recycled = index % 61 == 17 and len(times) > 1
            yield sorted(times), project.id, kind, recycled

    def _relate(self) -> None:
        """Link the items at rest: most have a parent one level up, some are related, and some links were removed."""
        parents: dict[tuple[str, int], list[int]] = {}
        links: list[Link] = []
        for item in self.items.values():
            rng = self.world.rng("links", item.id)
            setting = self._born[item.born_in]
            level = self.schema.type(setting.process, item.born_as).level
            above = next((up for up in range(level - 1, -1, -1) if parents.get((item.born_in, up))), None)
            at = item.times[0] + rng.randrange(900, 40_000)
            if level < 9 and above is not None and rng.random() < 0.7:
                parent = rng.choice(parents[item.born_in, above][-40:])
                by = rng.choice(setting.cast)
                links.append(Link(at, "System.LinkTypes.Hierarchy", parent, item.id, True, by))
            if item.id > 3 and rng.random() < 0.12:
                other = rng.randrange(max(1, item.id - 300), item.id)
                if other in self.items:
                    rel = rng.choice(("System.LinkTypes.Related", "System.LinkTypes.Dependency"))
                    by = rng.choice(setting.cast)
                    links.append(Link(at + 50_000, rel, item.id, other, True, by))
                    if rng.random() < 0.15:
                        links.append(Link(at + 150_000, rel, item.id, other, False, by))
            parents.setdefault((item.born_in, level), []).append(item.id)
        links.sort(key=lambda link: link.at)
        for link in links:
            self._index_link(link)

    def _index_link(self, link: Link) -> None:
        self.links.append(link)
        for end in (link.source, link.target):
            self.links_of.setdefault(end, []).append(link)

    def changes(self, item: WorkItem) -> list[Change]:
        """Return an item's changes, told anew from the seed while nobody has touched it."""
        if item.changes is not None:
            return item.changes
        told = self._histories.get(item.id)
        if told is None:
            setting = self._born[item.born_in]
            kind = self.schema.type(setting.process, item.born_as)
            rng = self.world.rng("work_item", item.id)
            told = tell(rng, setting, item, kind, long_text=item.id == LONG_ITEM)
            self._histories[item.id] = told
            if len(self._histories) > REMEMBERED:
                self._histories.popitem(last=False)
        return told

    def watermark(self, item: WorkItem, rev: int) -> int:
        """Return the place of a revision in the order of all changes, from 1."""
        return bisect_left(self.feed, feed_key(item.times[rev - 1], item.id, rev)) + 1

    def parent(self, item: WorkItem) -> int | None:
        """Return the id of the item's parent now."""
        found: int | None = None
        for link in self.links_of.get(item.id, ()):
            if link.rel == "System.LinkTypes.Hierarchy" and link.target == item.id:
                found = link.source if link.active else None
        return found

    @property
    def long_fields(self) -> frozenset[str]:
        """The fields of long text, which the reporting feed leaves out by default."""
        if self._long[1] != len(self.schema.fields):
            self._long = (long_fields(self), len(self.schema.fields))
        return self._long[0]

    def is_visible(self, item: WorkItem) -> bool:
        """Tell whether an item answers: live, in a live project."""
        return item.status == "live" and self.world.projects[item.project_id].state == "wellFormed"

    def find(self, item_id: int) -> WorkItem | None:
        """Return the visible item of that id."""
        item = self.items.get(item_id)
        return item if item is not None and self.is_visible(item) else None

    def work_item_ids(self, project_id: str) -> list[int]:
        """Return the ids of a project's live items, ascending."""
        if self._ids is None:
            self._ids = {}
            for item in self.items.values():
                if item.status == "live":
                    self._ids.setdefault(item.project_id, []).append(item.id)
        return self._ids.get(project_id, [])

    def add_project(self, project: Project, rng: random.Random) -> None:
        """Give a project that was just created its trees and a few items."""
        self._plant(project)
        for _ in range(5):
            self.create(project, rng)

    def project_renamed(self, project: Project) -> None:
        """Let the trees' roots follow their project's name."""
        self.renamed.add(project.id)
        for root in self.trees.roots[project.id].values():
            root.name = project.name

    def instant(self, rng: random.Random) -> int:
        """Return the time of the next change: after everything recorded, not after the clock."""
        now = milliseconds(self.world.clock.now())
        self._latest = max(self._latest + 1, now - 50_000 + rng.randrange(5))
        return self._latest

    def instant_within(self, day: timedelta, parts: int) -> Callable[[random.Random], int]:
        """Return a clock for *parts* changes spread over the *day* that just passed."""
        now, step = milliseconds(self.world.clock.now()), day // timedelta(milliseconds=1) // (parts + 1)
        turn = iter(range(parts))

        def next_instant(rng: random.Random) -> int:
            index = next(turn, parts)
            self._latest = max(self._latest + 1, now - step * (parts - index + 1) + rng.randrange(max(1, step)))
            return self._latest

        return next_instant

    def record(self, item: WorkItem, change: Change) -> None:
        """Append a revision; *change* must be later than everything recorded."""
        item.changes = list(self.changes(item))
        self._histories.pop(item.id, None)
        item.changes.append(change)
        item.times.append(change.at)
        self.feed.append(feed_key(change.at, item.id, item.rev))

    def record_link(self, link: Link) -> None:
        """Append a link or its removal; neither end gets a revision."""
        self._index_link(link)

    def create(self, project: Project, rng: random.Random, at: int | None = None) -> WorkItem:
        """Create an item in a project."""
        setting = self.setting(project)
        moment = self.instant(rng) if at is None else at
        types = [kind for kind in self.schema.processes[project.process] if kind.share]
        kind = rng.choices(types, [each.share for each in types])[0]
        by = rng.choice(project.people)
        item = WorkItem(max(self.items, default=0) + 1, project.id, project.id, kind.name, [], changes=[])
        self.items[item.id] = item
        self._ids = None
        self.record(item, Change(moment, by, creation(rng, setting, kind, moment, by)))
        return item

    def values(self, item: WorkItem) -> Fields:
        """Return the item's fields as last recorded."""
        return values_at(self, item, item.rev)

    def set_status(self, item: WorkItem, status: str, by: Person, at: int) -> None:
        """Recycle, restore or destroy an item. The first two make a revision, destroying leaves none."""
        key = {"id": item.id}
        self.gone = [entry for entry in self.gone if not (entry[0] == "work_items" and entry[2] == key)]
        if status != "destroyed":
            self.record(item, Change(at, by, {"System.IsDeleted": status == "recycled"}))
        if status != "live":
            self.gone.append(("work_items", {"project_id": item.project_id}, key, status))
        item.status = status
        self._ids = None

    def move(self, item: WorkItem, project: Project, by: Person, at: int, fields: Fields) -> None:
        """Move an item to another project; *fields* place it there."""
        self.record(item, Change(at, by, {"System.TeamProject": project.name, **fields}))
        item.project_id = project.id
        self._ids = None

    def type_at(self, item: WorkItem, rev: int) -> str:
        """Return the name of the type an item had at a revision."""
        name = item.born_as
        for change in self.changes(item)[:rev]:
            name = change.fields.get("System.WorkItemType", name)
        return name

    def known_ids(self) -> Sequence[int]:
        """Return every id ever given out here, ascending."""
        if len(self._known) != len(self.items):
            self._known = list(self.items)
        return self._known

    def visible_items(self) -> Iterator[WorkItem]:
        """Yield the items that answer, by id."""
        return (item for item in self.items.values() if self.is_visible(item))

    def truth(self) -> Iterator[Truth]:
        """Yield nodes, categories, types, fields, and every visible item with its updates and revisions."""
        for project in self.world.live_projects():
            yield from self._metadata_truth(project)
        for item in self.visible_items():
            scope: dict[str, Any] = {"project_id": item.project_id}
            yield "work_items", scope, render_item(self, item)
            for update in render_updates(self, item):
                yield "work_item_updates", scope, update
            for rev in range(1, item.rev + 1):
                yield "work_item_revisions", scope, render_reported(self, item, rev, identities=True, full=True)

    def _metadata_truth(self, project: Project) -> Iterator[Truth]:
        scope: dict[str, Any] = {"project_id": project.id}
        for root in self.trees.roots[project.id].values():
            for node in root.walk():
                parent = node.parent.identifier if node.parent else None
                yield "classification_nodes", scope | {"parent_id": parent}, self.trees.render(project.id, node, 0)
        for name in self.schema.categories(project.process):
            category = self.schema.render_category(name, project.process, project.id)
            yield "work_item_type_categories", scope, category
        for kind in self.schema.processes[project.process]:
            yield "work_item_types", scope, self.schema.render_type(kind, project.id)
        for field in self.schema.visible_fields():
            yield "work_item_fields", scope, self.schema.render_field(field, project.id)

    def day(self, rng: random.Random) -> list[str]:
        """Let an ordinary day pass: about one item in a hundred changes."""
        return boards_changes.day(self, rng)
