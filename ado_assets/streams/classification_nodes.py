"""
How the trees of areas and iterations are read: whole, however deep, as one flat list of nodes.

The service cuts a tree at ``$depth`` without saying so: a node then has ``hasChildren`` but no ``children``. Such nodes
are asked for again by id, as roots of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

import orjson

from ado_assets.ado import AdoClient, Endpoint, Params
from ado_assets.streams.model import Complete, Event, Feed, Page, Request
from ado_assets.tables import AREAS, ITERATIONS

#: One tree. ``structure_group`` is ``areas`` or ``iterations``. Without ``$depth`` no children come.
GET_NODES: Final = Endpoint("{project_id}/_apis/wit/classificationnodes/{structure_group}", records=None)
#: Both roots, or the nodes named by ``ids``; with ``errorPolicy=omit`` unknown ids are left out or null.
LIST_NODES: Final = Endpoint("{project_id}/_apis/wit/classificationnodes")

DEPTH: Final = 20
_IDS_AT_ONCE: Final = 100

Node = dict[str, Any]


def flatten(root: Node, parent_id: str | None) -> tuple[list[Node], list[Node]]:
    """
    The nodes of a tree, parents first, without ``children`` and with ``parentId``; and those cut by the depth limit.

    The root itself never counts as cut: it was asked for with its children, so none are visible to this token.

    Args:
        parent_id: ``identifier`` of the node above *root*.
    """
    nodes: list[Node] = []
    cut: list[Node] = []
    waiting: list[tuple[Node, str | None]] = [(root, parent_id)]
    for node, above in waiting:
        children = node.get("children") or []
        flat = {name: value for name, value in node.items() if name != "children"}
        nodes.append({**flat, "parentId": above})
        if node.get("hasChildren") and not children and node is not root:
            cut.append(nodes[-1])
        waiting.extend((child, node.get("identifier")) for child in children)
    return nodes, cut


class Trees:
    """
    Reads trees of one project to their last node.

    Attributes:
        complete: False when a node vanished while the tree below it was asked for.
    """

    def __init__(self, client: AdoClient, project_id: str) -> None:
        self._client = client
        self._path = {"project_id": project_id}
        self.complete = True

    async def below(self, root: Node, read_at: datetime) -> AsyncIterator[tuple[list[Node], datetime]]:
        """Yield the nodes of *root*'s tree in parts, each with the time it was read."""
        nodes, cut = flatten(root, None)
        yield nodes, read_at
        while cut:
            batch, cut = cut[:_IDS_AT_ONCE], cut[_IDS_AT_ONCE:]
            ids = ",".join(str(node["id"]) for node in batch)
            params: Params = {"ids": ids, "$depth": DEPTH, "errorPolicy": "omit"}
            answer = await self._client.get(LIST_NODES, self._path, params)
            found = [node for node in answer.records if node is not None]
            self.complete = self.complete and len(found) == len(batch)
            deeper = [flatten(node, None) for node in found]
            yield [node for tree, _ in deeper for node in tree[1:]], answer.read_at
            cut += [node for _, still_cut in deeper for node in still_cut]


async def _nodes(client: AdoClient, request: Request, structure_group: str) -> AsyncIterator[Event]:
    assert request.unit.project is not None
    scope = {"project_id": request.unit.project.id}
    answer = await client.get(GET_NODES, {**scope, "structure_group": structure_group}, {"$depth": DEPTH})
    trees = Trees(client, request.unit.project.id)
    async for nodes, read_at in trees.below(answer.data, answer.read_at):
        yield Page(scope, orjson.dumps({"value": nodes}), nodes, read_at)
    if trees.complete:
        yield Complete(scope, answer.read_at)


async def iterations(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield every node of the project's iteration tree."""
    async for event in _nodes(client, request, "iterations"):
        yield event


async def areas(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield every node of the project's area tree."""
    async for event in _nodes(client, request, "areas"):
        yield event


ITERATIONS_FEED: Final = Feed((ITERATIONS,), "project", iterations)
AREAS_FEED: Final = Feed((AREAS,), "project", areas)
