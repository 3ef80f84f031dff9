"""
A small WIQL: ``SELECT fields FROM WorkItems WHERE a AND b ORDER BY field ASOF 'date'`` over flat work items.

Conditions compare a field with a literal (``= <> > >= < <=``, ``IN``, ``NOT IN``); ``@project`` is the URL's project.
``OR``, parentheses around conditions, links and other operators are refused, never ignored.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ado_assets.sample.boards_history import WorkItem, milliseconds
from ado_assets.sample.boards_rendering import as_text, current_values, values_at
from ado_assets.sample.http import ApiError, bad_request, parse_time

if TYPE_CHECKING:
    from ado_assets.sample.boards import Boards

TOKEN = re.compile(
    r"\s*(?:\[(?P<field>[^\]]+)\]|'(?P<text>(?:[^']|'')*)'|(?P<word>[@\w.\-]+)|(?P<sign><=|>=|<>|[=<>(),]))"
)
DAY = 86_400_000
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda held, given: held == given,
    "<>": lambda held, given: held != given,
    ">": lambda held, given: held > given,
    ">=": lambda held, given: held >= given,
    "<": lambda held, given: held < given,
    "<=": lambda held, given: held <= given,
}
ALIASES = {"id": "System.Id", "state": "System.State", "title": "System.Title", "changed date": "System.ChangedDate"}
DATES = frozenset({"System.ChangedDate", "System.CreatedDate"})
Token = tuple[str, str]


@dataclass(frozen=True)
class Condition:
    """One comparison; *given* has one literal, or several for IN."""

    field: str
    operator: str
    given: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A parsed query; *order* pairs a field with whether it descends."""

    columns: tuple[str, ...]
    conditions: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    as_of: str | None


def invalid(reason: str) -> ApiError:
    """Return the refusal of a query that cannot be understood."""
    return bad_request(f"TF51006: The query statement is not valid: {reason}.", "QuerySyntaxException")


class _Reader:
    """Walks the tokens of one query."""

    def __init__(self, text: str) -> None:
        self.tokens: list[Token] = []
        position, text = 0, text.strip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None:
                raise invalid(f"unexpected character at {position}")
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind].replace("''", "'") if kind == "text" else match[kind]))
            position = match.end()
        self.at = 0

    def peek(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, *kinds: str) -> str:
        kind, value = self.peek()
        if kind not in kinds:
            raise invalid(f"expected {' or '.join(kinds)}, found '{value or kind}'")
        self.at += 1
        return value

    def word(self, *expected: str) -> bool:
        """Consume the words if they come next, in any case."""
        ahead = self.tokens[self.at : self.at + len(expected)]
        if [value.upper() for kind, value in ahead if kind == "word"] != list(expected):
            return False
        self.at += len(expected)
        return True

    def sign(self, expected: str) -> bool:
        if self.peek() != ("sign", expected):
            return False
        self.at += 1
        return True

    def field(self) -> str:
        name = self.take("field", "word")
        return ALIASES.get(name.lower(), name)


def parse(text: str) -> Query:
    """Read a query. Raises ApiError (400) for anything this small grammar does not hold."""
    if len(text) > 32_000:
        raise invalid("it is longer than 32,000 characters")
    reader = _Reader(text)
    if not reader.word("SELECT"):
        raise invalid("expected SELECT")
    columns = [reader.field()]
    while reader.sign(","):
        columns.append(reader.field())
    if not (reader.word("FROM") and reader.take("word", "field").lower() == "workitems"):
        raise invalid("expected FROM WorkItems")
    conditions = []
    if reader.word("WHERE"):
        conditions.append(_condition(reader))
        while reader.word("AND"):
            conditions.append(_condition(reader))
    order = _order(reader)
    as_of = reader.take("text") if reader.word("ASOF") else None
    if reader.peek()[0] != "end":
        raise invalid(f"unexpected '{reader.peek()[1]}'")
    return Query(tuple(columns), tuple(conditions), tuple(order), as_of)


def _condition(reader: _Reader) -> Condition:
    field = reader.field()
    negated = reader.word("NOT")
    if reader.word("IN"):
        if not reader.sign("("):
            raise invalid("expected ( after IN")
        given = [reader.take("text", "word")]
        while reader.sign(","):
            given.append(reader.take("text", "word"))
        if not reader.sign(")"):
            raise invalid("expected )")
        return Condition(field, "NOT IN" if negated else "IN", tuple(given))
    operator = reader.take("sign")
    if negated or operator not in COMPARE:
        raise invalid(f"unknown operator '{operator}'")
    return Condition(field, operator, (reader.take("text", "word"),))


def _order(reader: _Reader) -> list[tuple[str, bool]]:
    order: list[tuple[str, bool]] = []
    if reader.word("ORDER", "BY"):
        while True:
            field = reader.field()
            descending = reader.word("DESC")
            if not descending:
                reader.word("ASC")
            order.append((field, descending))
            if not reader.sign(","):
                break
    return order


class Search:
    """Evaluates a query; *project* is the name ``@project`` stands for, *precise* compares dates to the instant."""

    def __init__(self, boards: Boards, query: Query, project: str | None, *, precise: bool) -> None:
        self.boards = boards
        self.query = query
        self.project = project
        self.precise = precise
        self.as_of = milliseconds(parse_time(query.as_of)) if query.as_of else None
        self.types = {each.reference_name: each.type for each in boards.schema.fields}
        named = [each.field for each in query.conditions] + [name for name, _ in query.order]
        unknown = [name for name in named if name not in self.types]
        if unknown:
            raise invalid(f"the field '{unknown[0]}' does not exist")

    def ids(self) -> list[int]:
        """Return the ids of matching visible items, in the order asked for, else ascending."""
        tests = [self._test(condition) for condition in self.query.conditions]
        found = [item for item in self._candidates() if all(test(item) for test in tests)]
        for field, descending in reversed(self.query.order):
            found.sort(key=lambda item, name=field: self._sortable(item, name), reverse=descending)  # type: ignore[misc]
        return [item.id for item in found]

    def _candidates(self) -> list[WorkItem]:
        items = self.boards.visible_items()
        if self.as_of is None:
            return list(items)
        return [item for item in items if item.times[0] <= self.as_of]

    def _test(self, condition: Condition) -> Callable[[WorkItem], bool]:
        field = condition.field
        given = [self._literal(field, text) for text in condition.given]
        if condition.operator in ("IN", "NOT IN"):
            wanted = condition.operator == "IN"
            return lambda item: (self._value(item, field) in given) is wanted
        compare, value = COMPARE[condition.operator], given[0]

        def test(item: WorkItem) -> bool:
            held = self._value(item, field)
            return (condition.operator == "<>") if held is None else compare(held, value)

        return test

    def _literal(self, field: str, text: str) -> Any:
        if text.lower() == "@project":
            if self.project is None:
                raise invalid("@project needs a project in the URL")
            return self.project.casefold()
        if field in DATES:
            return self._date(text)
        if self.types[field] not in ("integer", "double"):
            return text.casefold()
        try:
            return float(text)
        except ValueError:
            raise invalid(f"'{text}' is not a number") from None

    def _date(self, text: str) -> int:
        instant: datetime = parse_time(text)
        moment = milliseconds(instant)
        if self.precise:
            return moment
        if moment % DAY or "T" in text or ":" in text:
            message = "You cannot supply a time with the date when running a query using date precision."
            raise bad_request(message, "WorkItemTrackingQueryException")
        return moment // DAY

    def _value(self, item: WorkItem, field: str) -> Any:
        if field == "System.Id":
            return item.id
        if field in DATES:
            at = item.times[0] if field == "System.CreatedDate" else item.times[self._rev(item) - 1]
            return at if self.precise else at // DAY
        if field == "System.TeamProject" and self.as_of is None:
            return self.boards.world.projects[item.project_id].name.casefold()
        values = current_values(self.boards, item) if self.as_of is None else self._past(item)
        value = as_text(values.get(field))
        return value.casefold() if isinstance(value, str) else value

    def _sortable(self, item: WorkItem, field: str) -> Any:
        value = self._value(item, field)
        return (value is not None, value if isinstance(value, int | float) else str(value or ""))

    def _rev(self, item: WorkItem) -> int:
        return item.rev if self.as_of is None else bisect_right(item.times, self.as_of)

    def _past(self, item: WorkItem) -> dict[str, Any]:
        return values_at(self.boards, item, self._rev(item))
