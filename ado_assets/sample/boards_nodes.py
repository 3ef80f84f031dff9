"""Area and iteration trees of the projects: building, finding, changing and rendering nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ado_assets.sample.clock import START, iso
from ado_assets.sample.core import Project

if TYPE_CHECKING:
    from ado_assets.sample.world import World

AREA_NAMES = ("Web & Mobile", "Platform", "Data", "Operations")
SUB_AREAS = ("Core", "Tooling", "Søgning")
LEVELS = 4


@dataclass(slots=True, eq=False)
class Node:
    """One node; *id* counts within its project, *born* is its field path (``Project\\A\\B``) when it was created."""

    id: int
    identifier: str
    name: str
    structure: str
    parent: Node | None
    start: datetime | None = None
    finish: datetime | None = None
    born: str = ""
    children: list[Node] = field(default_factory=list)

    def line(self) -> list[Node]:
        """Return the nodes from the root to this one."""
        above = self.parent.line() if self.parent else []
        return [*above, self]

    def path(self) -> str:
        """Return the path as work item fields write it now."""
        return "\\".join(node.name for node in self.line())

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


class Trees:
    """The two trees of every project."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.roots: dict[str, dict[str, Node]] = {}
        self._nodes: dict[str, list[Node]] = {}

    def plant(self, project: Project) -> None:
        """Create a project's areas and iterations, some dated, some not, up to three levels below the root."""
        self._nodes[project.id] = []
        area = self.add(project, "area", project.name, None)
        iteration = self.add(project, "iteration", project.name, None)
        self.roots[project.id] = {"area": area, "iteration": iteration}
        for name in AREA_NAMES:
            top = self.add(project, "area", name, area)
            for below in SUB_AREAS[: 1 + len(name) % 3]:
                middle = self.add(project, "area", below, top)
            if name == "Platform":
                self.add(project, "area", "Kernel", middle)
        self.add(project, "iteration", "Backlog", iteration)
        monday = (START - timedelta(days=START.weekday())).replace(hour=0)
        for release in range(3):
            top = self.add(project, "iteration", f"Release {release + 1}", iteration)
            for sprint in range(4):
                begin = monday + timedelta(days=14 * (release * 4 + sprint - 10))
                node = self.add(project, "iteration", f"Sprint {release * 4 + sprint + 1}", top)
                node.start, node.finish = begin, begin + timedelta(days=11)

    def add(self, project: Project, structure: str, name: str, parent: Node | None) -> Node:
        """Create a node below *parent*, or a root."""
        number = len(self._nodes[project.id]) + 1
        node = Node(number, self.world.guid("node", project.id, number), name, structure, parent)
        node.born = node.path()
        self._nodes[project.id].append(node)
        if parent is not None:
            parent.children.append(node)
        return node

    def remove(self, node: Node) -> None:
        """Take a node without children out of its tree; its id is not used again."""
        assert node.parent is not None
        node.parent.children.remove(node)

    def nodes(self, project_id: str, structure: str) -> list[Node]:
        """Return the nodes of one tree, parents first."""
        return list(self.roots[project_id][structure].walk())

    def node(self, project_id: str, number: int) -> Node:
        """Return a node by its id, also when it is no longer in the tree."""
        return self._nodes[project_id][number - 1]

    def live(self, project_id: str, number: int) -> Node | None:
        """Return a node by its id when it is in a tree of the project."""
        roots = self.roots[project_id].values()
        return next((node for root in roots for node in root.walk() if node.id == number), None)

    def find(self, project_id: str, structure: str, path: str) -> Node | None:
        """Return the node at a path below the root (``A/B``, any case), the root for an empty one."""
        node = self.roots[project_id][structure]
        for name in filter(None, path.replace("\\", "/").split("/")):
            below = next((child for child in node.children if child.name.casefold() == name.casefold()), None)
            if below is None:
                return None
            node = below
        return node

    def render(self, project_id: str, node: Node, depth: int) -> dict[str, Any]:
        """Return a node with *depth* levels below it; ``children`` is absent at the limit and for leaves."""
        line = node.line()
        group = "Areas" if node.structure == "area" else "Iterations"
        word = node.structure.capitalize()
        names = [line[0].name, word, *(each.name for each in line[1:])]
        below = "".join("/" + quote(each.name, safe="") for each in line[1:])
        row: dict[str, Any] = {
            "id": node.id,
            "identifier": node.identifier,
            "name": node.name,
            "structureType": node.structure,
            "hasChildren": bool(node.children),
            "path": "\\" + "\\".join(names),
            "url": f"{self.world.base_url}/{project_id}/_apis/wit/classificationNodes/{group}{below}",
        }
        if node.start and node.finish:
            row["attributes"] = {"startDate": iso(node.start), "finishDate": iso(node.finish)}
        if depth > 0 and node.children:
            row["children"] = [self.render(project_id, child, depth - 1) for child in node.children]
        return row


def tree_fields(structure: str, node_id: int, path: str) -> dict[str, Any]:
    """Return the work item fields that place an item at a node; deeper levels that do not exist are None."""
    names = path.split("\\")
    word = structure.capitalize()
    fields: dict[str, Any] = {f"System.{word}Id": node_id, f"System.{word}Path": path}
    if structure == "area":
        fields["System.NodeName"] = names[-1]
    for level in range(LEVELS):
        fields[f"System.{word}Level{level + 1}"] = names[level] if level < len(names) else None
    return fields
