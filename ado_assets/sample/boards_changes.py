"""What happens on the boards: named scenarios and the ordinary day. Each returns the sentence that tells it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ado_assets.sample.boards_fields import Field
from ado_assets.sample.boards_history import Change, Link, WorkItem
from ado_assets.sample.boards_nodes import Node, tree_fields
from ado_assets.sample.boards_processes import SIMPLE, Type
from ado_assets.sample.boards_stories import edit, retype
from ado_assets.sample.core import Project
from ado_assets.sample.core_changes import create_project

if TYPE_CHECKING:
    from ado_assets.sample.boards import Boards

Instant = Callable[[random.Random], int]
Scenario = Callable[["Boards", random.Random, Instant], str]


def _item(boards: Boards, rng: random.Random) -> WorkItem:
    """Pick a visible item."""
    while True:
        item = boards.find(rng.choice(boards.known_ids()))
        if item is not None:
            return item


def _project(boards: Boards, item: WorkItem) -> Project:
    return boards.world.projects[item.project_id]


def edit_item(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Make one ordinary edit."""
    item = _item(boards, rng)
    project, at = _project(boards, item), instant(rng)
    by = rng.choice(project.people)
    fields, added = edit(rng, boards.values(item), boards.setting(project), at, by)
    boards.record(item, Change(at, by, fields, added))
    return f"{by.display_name} edited {', '.join(fields)} of work item {item.id}."


def change_type(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Turn an item into another type."""
    item = _item(boards, rng)
    project, at = _project(boards, item), instant(rng)
    by = rng.choice(project.people)
    fields, _ = retype(rng, boards.values(item), boards.setting(project), at, by)
    boards.record(item, Change(at, by, fields))
    return f"Work item {item.id} became a {fields['System.WorkItemType']}."


def move_item(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Move an item to another project: same id, another team project, area and iteration."""
    item = _item(boards, rng)
    source = _project(boards, item)
    if len(boards.world.live_projects()) < 2:
        create_project(boards.world.core, rng)
    target = rng.choice([project for project in boards.world.live_projects() if project.id != source.id])
    setting, by, at = boards.setting(target), rng.choice(source.people), instant(rng)
    place = tree_fields("area", *setting.areas[0]) | tree_fields("iteration", *setting.iterations[0])
    boards.move(item, target, by, at, place)
    return f"Work item {item.id} moved from {source.name} to {target.name}."


def link_items(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Relate two items: an update of both, a revision of neither."""
    item, other = _item(boards, rng), _item(boards, rng)
    while other is item:
        other = _item(boards, rng)
    by = rng.choice(_project(boards, item).people)
    boards.record_link(Link(instant(rng), "System.LinkTypes.Related", item.id, other.id, True, by))
    return f"{by.display_name} related work items {item.id} and {other.id}."


def delete_item(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Send an item to the recycle bin."""
    item = _item(boards, rng)
    boards.set_status(item, "recycled", rng.choice(_project(boards, item).people), instant(rng))
    return f"Work item {item.id} was sent to the recycle bin."


def restore_item(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Take an item out of the recycle bin."""
    item = _recycled(boards, rng, instant)
    boards.set_status(item, "live", rng.choice(_project(boards, item).people), instant(rng))
    return f"Work item {item.id} was restored."


def destroy_item(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Destroy an item for good: no feed will ever mention it again."""
    item = _item(boards, rng)
    boards.set_status(item, "destroyed", rng.choice(_project(boards, item).people), instant(rng))
    return f"Work item {item.id} was destroyed."


def _recycled(boards: Boards, rng: random.Random, instant: Instant) -> WorkItem:
    bin_ids = [entry[2]["id"] for entry in boards.gone if entry[3] == "recycled"]
    bin_ids = [key for key in bin_ids if _project(boards, boards.items[key]).state == "wellFormed"]
    if not bin_ids:
        delete_item(boards, rng, instant)
        return _recycled(boards, rng, instant)
    return boards.items[rng.choice(bin_ids)]


def create_item(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Create an item."""
    project = rng.choice(boards.world.live_projects())
    item = boards.create(project, rng, instant(rng))
    return f"Work item {item.id} was created in {project.name}."


def _node(boards: Boards, rng: random.Random, structure: str) -> tuple[Project, Node]:
    project = rng.choice(boards.world.live_projects())
    return project, rng.choice(boards.trees.nodes(project.id, structure)[1:])


def rename_area(boards: Boards, rng: random.Random, _instant: Instant) -> str:
    """Rename an area: paths of the items below it change, and none gets a revision."""
    project, node = _node(boards, rng, "area")
    serial = sum(1 for _ in boards.trees.roots[project.id]["area"].walk())
    before, node.name = node.path(), f"{node.name.split(' ~')[0]} ~{serial + rng.randrange(1000)}"
    boards.renamed.add(project.id)
    return f"Area {before!r} is now called {node.name!r}."


def create_iteration(boards: Boards, rng: random.Random, _instant: Instant) -> str:
    """Plan one more sprint, without dates yet."""
    project = rng.choice(boards.world.live_projects())
    root = boards.trees.roots[project.id]["iteration"]
    name = f"Increment {sum(1 for _ in root.walk())}.{rng.randrange(10_000)}"
    boards.trees.add(project, "iteration", name, root)
    return f"Iteration {name!r} was created in {project.name}."


def delete_iteration(boards: Boards, rng: random.Random, instant: Instant) -> str:
    """Delete an iteration; the service makes its items say where they go: to the node above, in a new revision."""
    leaves = [
        (project, node)
        for project in boards.world.live_projects()
        for node in boards.trees.nodes(project.id, "iteration")[1:]
        if not node.children
    ]
    project, node = rng.choice(leaves)
    assert node.parent is not None
    path, above = node.path(), node.parent
    by = rng.choice(project.people)
    moved = 0
    for item in list(boards.items.values()):
        if item.project_id != project.id or item.status == "destroyed":
            continue
        if boards.values(item)["System.IterationId"] == node.id:
            at = instant(rng)
            boards.record(item, Change(at, by, tree_fields("iteration", above.id, above.path())))
            moved += 1
    boards.trees.remove(node)
    boards.gone.append(("classification_nodes", {"project_id": project.id}, {"identifier": node.identifier}, "deleted"))
    return f"Iteration {path!r} was deleted; {moved} work items went to {above.path()!r}."


def add_type(boards: Boards, rng: random.Random, _instant: Instant) -> str:
    """Add a work item type to a process, and so to all of its projects."""
    process = rng.choice(boards.world.live_projects()).process
    types = boards.schema.processes[process]
    name = f"Risk {len(types)}"
    types.append(Type(name, SIMPLE, 9, 1, "602F69", "Microsoft.TaskCategory", f"Custom.Risk{len(types)}"))
    return f"Work item type {name!r} was added to the process {process}."


def add_field(boards: Boards, _rng: random.Random, _instant: Instant) -> str:
    """Add a field to the organization."""
    number = len(boards.schema.fields)
    boards.schema.fields.append(Field(f"Custom.Measure{number}", f"Measure {number}", "double"))
    return f"Field 'Custom.Measure{number}' was added."


SCENARIOS: dict[str, Scenario] = {
    "work-item-edited": edit_item,
    "work-item-type-changed": change_type,
    "work-item-moved": move_item,
    "work-item-linked": link_items,
    "work-item-deleted": delete_item,
    "work-item-restored": restore_item,
    "work-item-destroyed": destroy_item,
    "work-item-created": create_item,
    "area-renamed": rename_area,
    "iteration-created": create_iteration,
    "iteration-deleted": delete_iteration,
    "type-added": add_type,
    "field-added": add_field,
}


def scenarios(boards: Boards) -> dict[str, Callable[[random.Random], str]]:
    """Return the named scenarios bound to *boards*."""

    def bind(scenario: Scenario) -> Callable[[random.Random], str]:
        return lambda rng: scenario(boards, rng, boards.instant)

    return {name: bind(scenario) for name, scenario in SCENARIOS.items()}


DAILY: tuple[tuple[Scenario, float], ...] = (
    (edit_item, 0.8),
    (create_item, 0.08),
    (link_items, 0.08),
    (delete_item, 0.02),
    (restore_item, 0.01),
    (move_item, 0.01),
)


def day(boards: Boards, rng: random.Random) -> list[str]:
    """Return what happened on an ordinary day, spread over its hours; trees change now and then."""
    count = max(3, len(boards.items) // 100)
    instant = boards.instant_within(timedelta(hours=23), count + 200)
    happenings = [scenario for scenario, _ in DAILY]
    chosen = rng.choices(happenings, [weight for _, weight in DAILY], k=count)
    told = [happening(boards, rng, instant) for happening in chosen]
    for scenario, chance in ((create_iteration, 0.1), (rename_area, 0.04)):
        if rng.random() < chance:
            told.append(scenario(boards, rng, instant))
    return told
