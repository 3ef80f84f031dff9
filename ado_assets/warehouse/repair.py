"""
A page's body rewritten where read_json could not read it as declared; the originals are in the page's ``extra``.

Objects and arrays in a text column's place become null, values in an object's or array's place likewise. A fractional
number in a text column's place becomes that text, digit for digit. Everything else stays as received, exactly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ado_assets.warehouse.nodes import Branch, Elements, Leaf, Node
from ado_assets.warehouse.shape import RecordList


@dataclass(frozen=True)
class _Number:
    """A number with a fraction or exponent, as written."""

    text: str


def repaired(body: bytes, lists: Sequence[RecordList]) -> bytes:
    """The body with what cannot be read as declared nulled, in every record of every list."""
    page = parsed(body)
    for records in lists:
        for record in page.get(records.property) or ():
            _repair(records.root, record)
    return encoded(page)


def parsed(body: bytes) -> Any:
    """The body as Python values that ``encoded`` writes back digit for digit."""
    return json.loads(body, parse_float=_Number)


def encoded(page: Any) -> bytes:
    """JSON of what ``parsed`` gave, changed or not."""
    return _encoded(page).encode()


def _repair(node: Node, value: Any) -> Any:
    match node:
        case Leaf():
            return _repair_leaf(node, value)
        case Branch():
            return _repair_object(node, value)
        case Elements():
            return [_repair_element(node, e) for e in value] if type(value) is list else None
        case _:
            return value


def _repair_leaf(leaf: Leaf, value: Any) -> Any:
    if leaf.is_json or not any(c.type == "VARCHAR" for _, c in leaf.columns):
        return value
    if isinstance(value, _Number):
        return value.text
    return None if type(value) in (dict, list) else value


def _repair_object(branch: Branch, value: Any) -> Any:
    if type(value) is not dict:
        return None if branch.declared else value
    if not branch.is_open:
        for key, child in branch.children.items():
            if key in value:
                value[key] = _repair(child, value[key])
    return value


def _repair_element(elements: Elements, value: Any) -> Any:
    if isinstance(elements.element, Branch):
        return _repair_object(elements.element, value) if type(value) is dict else None
    return _repair_leaf(elements.element, value)


def _encoded(value: Any) -> str:
    match value:
        case _Number():
            return value.text
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}:{_encoded(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_encoded, value)) + "]"
        case _:
            return json.dumps(value)
