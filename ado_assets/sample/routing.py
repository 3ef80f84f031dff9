"""From a request path to its operation: a tree of segments. Knows no entity and no HTTP answer but "no such route"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from ado_assets.sample.http import ApiError, Operation


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    named: list[tuple[str, _Node]] = field(default_factory=list)
    rest: tuple[str, _Node] | None = None
    operations: dict[str, Operation] = field(default_factory=dict)

    def child(self, segment: str) -> _Node:
        """Return the node below for one template segment, made when new."""
        if segment.startswith("{*"):
            self.rest = self.rest or (segment[2:-1], _Node())
            return self.rest[1]
        if not segment.startswith("{"):
            return self.fixed.setdefault(segment.lower(), _Node())
        name = segment[1:-1]
        for known, node in self.named:
            if known == name:
                return node
        self.named.append((name, _Node()))
        return self.named[-1][1]


class Routes:
    """All operations, found by method and path; fixed segments match in any case and before named ones."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation, operation.template)
            if operation.optional_project:
                self._add(operation, operation.template.removeprefix("{project}/"))

    def _add(self, operation: Operation, template: str) -> None:
        node = self._root
        for segment in template.split("/"):
            node = node.child(segment)
        node.operations[operation.method] = operation

    def find(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
        """
        Return the operation and its decoded path parameters for an undecoded path below the organization.

        Raises ApiError: 404 when no route has that path, 405 when one has, for another method.
        """
        segments = [unquote(segment) for segment in raw_path.strip("/").split("/")]
        found: dict[str, str] = {}
        node = _walk(self._root, segments, 0, found, method)
        if node is not None:
            return node.operations[method], found
        if _walk(self._root, segments, 0, {}, None) is not None:
            raise ApiError(405, "HttpException", f"The requested resource does not support http method '{method}'.")
        raise ApiError(404, "HttpException", f"The controller for path '/{unquote(raw_path)}' was not found.")


def _walk(node: _Node, segments: list[str], at: int, found: dict[str, str], method: str | None) -> _Node | None:
    """Return the first node at the end of *segments* that serves *method* (any, when None), filling *found*."""
    if at == len(segments):
        return node if (method in node.operations if method else node.operations) else None
    segment = segments[at]
    below = node.fixed.get(segment.lower())
    if below is not None and (hit := _walk(below, segments, at + 1, found, method)) is not None:
        return hit
    for name, below in node.named:
        if segment and (hit := _walk(below, segments, at + 1, found, method)) is not None:
            found[name] = segment
            return hit
    if node.rest is not None:
        name, below = node.rest
        found[name] = "/".join(segments[at:])
        return _walk(below, segments, len(segments), found, method)
    return None
