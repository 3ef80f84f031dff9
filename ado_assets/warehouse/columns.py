"""
SQL expressions that take a column's value out of a landed record and cast it exactly.

Leaves are read as text and cast here, since a leaf that does not cast would fail the whole read. A cast that would
change a value (1.5 to a BIGINT) or invent one ('infinity' to an instant) yields NULL instead, and the value is kept in
``_extra``.
"""

from __future__ import annotations

from collections.abc import Sequence

from ado_assets.tables import Column
from ado_assets.warehouse.errors import BadDeclaration
from ado_assets.warehouse.nodes import Branch, Elements, Ignored, Leaf, Node
from ado_assets.warehouse.sql import literal, quote

#: Instants before and from these mean "never": the service's year 1 and year 9999.
_FIRST_INSTANT = "TIMESTAMPTZ '0002-01-01 00:00:00+00'"
_LAST_INSTANT = "TIMESTAMPTZ '9999-01-01 00:00:00+00'"

_NUMBER = r"'-?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?'"


def read_type(node: Node) -> str:
    """The type as which read_json reads what stands at the node; empty where nothing is read."""
    match node:
        case Leaf():
            return "JSON" if node.is_json else "VARCHAR"
        case Elements():
            return f"{read_type(node.element)}[]"
        case Branch() if node.is_open:
            return "MAP(VARCHAR, JSON)"
        case Branch():
            fields = ((name, read_type(child)) for name, child in node.children.items())
            inner = ", ".join(f"{quote(name)} {kind}" for name, kind in fields if kind)
            return f"STRUCT({inner})" if inner else ""
        case Ignored():
            return ""


def value_at(root: Branch, alias: str, path: str, column: Column) -> str:
    """
    The column's value at the path, uncast: JSON for a JSON column, text for all others.

    Args:
        alias: SQL name of the record (of the element, in an array table).
    """
    expression, node = alias, root
    parts = path.split("/")
    for position, part in enumerate(parts):
        if node.is_open:
            return _value_in_map(expression, parts[position:], column)
        expression = f"{expression}.{quote(part)}"
        child = node.children[part]
        if isinstance(child, Leaf):
            return _leaf_value(expression, child, column)
        assert isinstance(child, Branch)
        node = child
    return f"CAST(to_json({expression}) AS JSON)"


def _leaf_value(expression: str, leaf: Leaf, column: Column) -> str:
    return _text(expression, column) if leaf.is_json and column.type != "JSON" else expression


def element_value(element: Branch | Leaf, alias: str, column: Column) -> str:
    """The column's value in an element of an array; ``#`` is the element itself."""
    if isinstance(element, Leaf):
        return _leaf_value(alias, element, column)
    return value_at(element, alias, column.path, column)


def _value_in_map(expression: str, parts: Sequence[str], column: Column) -> str:
    value = f"{expression}[{literal(parts[0])}]"
    if len(parts) > 1:
        if any('"' in part for part in parts):
            raise BadDeclaration(f"{column.name}: a double quote in the path {column.path!r} cannot be looked up.")
        value = f"json_extract({value}, {literal('$' + ''.join(f'.{quote(part)}' for part in parts[1:]))})"
    return f"nullif({value}, 'null')" if column.type == "JSON" else _text(value, column)


def _text(value: str, column: Column) -> str:
    """The text of a JSON value; NULL for an object or array in a text column's place."""
    text = f"({value} ->> '$')"
    if column.type != "VARCHAR":
        return text
    return f"CASE WHEN json_type({value}) NOT IN ('OBJECT', 'ARRAY') THEN {text} END"


def cast(raw: str, kind: str) -> str:
    """The exact value of the text *raw* as *kind*, or NULL."""
    match kind:
        case "BIGINT":
            number = f"TRY_CAST({raw} AS DOUBLE)"
            return (
                f"CASE WHEN regexp_full_match({raw}, '-?[0-9]+') THEN TRY_CAST({raw} AS BIGINT) "
                f"WHEN regexp_full_match({raw}, {_NUMBER}) AND abs({number}) < 9007199254740992 "
                f"AND {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"
            )
        case "DOUBLE":
            number = f"TRY_CAST({raw} AS DOUBLE)"
            return f"CASE WHEN regexp_full_match({raw}, {_NUMBER}) AND isfinite({number}) THEN {number} END"
        case "BOOLEAN":
            return f"CASE lower({raw}) WHEN 'true' THEN true WHEN 'false' THEN false END"
        case "TIMESTAMPTZ":
            return f"CASE WHEN {raw} LIKE '____-__-__%' THEN TRY_CAST({raw} AS TIMESTAMPTZ) END"
        case _:
            return raw


def settled(value: str, kind: str) -> str:
    """The cast value with the service's "never" as NULL, which is no failure to cast."""
    if kind != "TIMESTAMPTZ":
        return value
    return f"CASE WHEN {value} >= {_FIRST_INSTANT} AND {value} < {_LAST_INSTANT} THEN {value} END"
