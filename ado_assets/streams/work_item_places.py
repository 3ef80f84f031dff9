"""
What work items show of their surroundings: the name of their project and the paths of its areas and iterations.

Renaming one changes the fields of every work item below without a revision, so no feed tells. A fingerprint of the
trees does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from hashlib import blake2b
from typing import Any

from ado_assets.ado import AccessDenied, AdoClient, NotFound, merge
from ado_assets.streams.classification_nodes import DEPTH, LIST_NODES, Trees

_PROJECTS_AT_ONCE = 8


def fingerprint(nodes: Iterable[Any], up_to: int | None = None) -> str:
    """
    ``<highest node id>:<digest of the paths>`` of the nodes whose id is at most *up_to* (all by default).

    New nodes have higher ids, so a tree that only grew still gives the fingerprint it had up to its old highest id.
    """
    kept = sorted((node["id"], node.get("structureType", ""), node["path"]) for node in nodes)
    if up_to is not None:
        kept = [entry for entry in kept if entry[0] <= up_to]
    digest = blake2b(digest_size=12)
    for entry in kept:
        digest.update("\0".join(map(str, entry)).encode() + b"\n")
    return f"{kept[-1][0] if kept else 0}:{digest.hexdigest()}"


def same_paths(before: str, nodes: Iterable[Any]) -> bool:
    """Whether every node that was there when the fingerprint *before* was taken still has the same path."""
    highest, _, _ = before.partition(":")
    return highest.isdigit() and fingerprint(nodes, int(highest)) == before


async def all_nodes(client: AdoClient, project_ids: Iterable[str]) -> dict[str, list[Any] | None]:
    """The nodes of both trees of each project; None where this token may not read them."""

    async def read(project_id: str) -> AsyncIterator[tuple[str, list[Any] | None]]:
        nodes: list[Any] = []
        try:
            roots = await client.get(LIST_NODES, {"project_id": project_id}, {"$depth": DEPTH})
            for root in roots.records:
                async for part, _ in Trees(client, project_id).below(root, roots.read_at):
                    nodes += part
        except (AccessDenied, NotFound):
            yield project_id, None
        else:
            yield project_id, nodes

    return {each: nodes async for each, nodes in merge(map(read, project_ids), _PROJECTS_AT_ONCE)}
