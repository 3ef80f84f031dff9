"""
How the sample organization misbehaves on demand: which calls get which fault, and who asks inside a pause.

Belongs here: rules, how they match, and the counts. What a fault does to an answer is in ``fault_answers``.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

#: What a rule may do, by name, with what the caller gets.
KINDS: Mapping[str, str] = {
    "status": "an HTML page with a status (429, 500, 503 and so on), with Retry-After when the rule names seconds",
    "pause": "the true answer with Retry-After",
    "reset_before": "the connection is reset before any answer",
    "reset_inside": "the connection is reset in the middle of the body",
    "truncated": "a complete HTTP answer whose JSON is cut in the middle",
    "garbage": "bytes that are no JSON, declared as JSON",
    "html_200": "an HTML page with status 200",
    "sign_in_203": "the sign-in page with status 203",
    "redirect_302": "a redirect to the sign-in page",
    "hang": "nothing for some seconds, then the true answer",
    "slow_drip": "the true answer in small pieces over some seconds",
    "wrong_content_type": "the true answer, declared as plain text",
    "gzip": "the true answer, compressed",
    "repeated_token": "a continuation token that leads to the same page again",
    "missing_token": "more pages follow, and no token says how to ask for them",
    "empty_page_with_token": "a page without records and a token that leads to the page asked for",
    "duplicates_across_pages": "a further page begins with the last record of the page before",
    "forbidden_403": "no permission, in the service's words",
    "not_found_404": "no such repository, in the service's words",
}

#: Seconds after a pause was asked for in which requests may still arrive that were sent before it was heard.
_UNDER_WAY = 0.1


@dataclass
class Rule:
    """
    Which calls get a fault. Calls that match are numbered from 1; the same calls in the same order get the same faults.

    Args:
        kind: One of ``KINDS``.
        template: Only calls of this operation, as ``/_sample/requests`` names it, in any case.
        path: Only paths below the organization in which this regular expression is found.
        token: Only calls signed with this token.
        nth: The first matching call that gets it.
        count: How many get it; None for all from there on.
        probability: How likely each of them gets it, drawn from *seed* and its number.
        status: Status of the kind ``status``.
        retry_after: Seconds of ``Retry-After``; None for no header.
        as_date: ``Retry-After`` is an HTTP date by the organization's clock instead of seconds.
        seconds: How long ``hang`` and ``slow_drip`` take.
    """

    kind: str
    template: str = ""
    path: str = ""
    token: str = ""
    nth: int = 1
    count: int | None = 1
    probability: float = 1.0
    seed: int = 0
    status: int = 503
    retry_after: float | None = None
    as_date: bool = False
    seconds: float = 1.0
    matched: int = field(default=0, init=False)
    applied: int = field(default=0, init=False)
    last_record: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no kind {self.kind!r}; known: {', '.join(KINDS)}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path {self.path!r} is no regular expression: {error}") from error

    def takes(self, template: str, path: str, token: str) -> bool:
        """Whether this call gets the fault; numbers it."""
        if self.template and self.template.lower() != template.lower():
            return False
        if (self.token and self.token != token) or not re.search(self.path, path):
            return False
        self.matched += 1
        if self.matched < self.nth or (self.count is not None and self.applied >= self.count):
            return False
        return self.probability >= 1 or random.Random(f"{self.seed}|{self.matched}").random() < self.probability


def rule_from(described: Any) -> Rule:
    """
    Return the rule that a JSON object describes.

    Raises:
        ValueError: It is no object, or a name or value in it is not known.
    """
    if not isinstance(described, dict):
        raise ValueError(f"a rule is an object, not {described!r}")
    known = [each.name for each in fields(Rule) if each.init]
    if unknown := sorted(described.keys() - set(known)):
        raise ValueError(f"no property {', '.join(unknown)}; known: {', '.join(known)}")
    if "kind" not in described:
        raise ValueError(f"a rule needs a kind; known: {', '.join(KINDS)}")
    return Rule(**described)


class Faults:
    """
    The rules in force, and what they did.

    Attributes:
        rules: In their order; a call gets the fault of the first that takes it.
        violations: Token -> requests that came inside a pause the service had asked its owner to make.
        further: Tokens handed out by faults -> the true token that each stands for, None for the first page.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pauses: dict[str, tuple[float, float]] = {}
        self.rules: list[Rule] = []
        self.violations: Counter[str] = Counter()
        self.further: dict[str, str | None] = {}

    def set(self, *rules: Rule) -> None:
        """Add rules to those in force."""
        self.rules += rules

    def clear(self) -> None:
        """End all rules and pauses; forget the counts."""
        self.rules.clear()
        self.violations.clear()
        self.further.clear()
        self._pauses.clear()

    def rule_for(self, template: str, path: str, token: str) -> Rule | None:
        """Return the rule that takes this call, if any."""
        return next((rule for rule in self.rules if rule.takes(template, path, token)), None)

    def arrived(self, token: str) -> None:
        """Note a request of a token: a violation when it comes inside a pause."""
        begins, ends = self._pauses.get(token, (0.0, 0.0))
        if begins + _UNDER_WAY < self._clock() < ends:
            self.violations[token] += 1

    def pause(self, token: str, seconds: float) -> None:
        """Note that the token's owner was just asked to wait so long; a pause under way goes on."""
        now = self._clock()
        begins, ends = self._pauses.get(token, (now, now))
        self._pauses[token] = (begins if ends > now else now, max(ends, now + seconds))

    def state(self) -> dict[str, Sequence[dict[str, Any]] | dict[str, int]]:
        """Return the rules with their counts, and the violations."""
        shown = [each.name for each in fields(Rule) if each.repr]
        return {
            "rules": [{name: getattr(rule, name) for name in shown} for rule in self.rules],
            "violations": dict(self.violations),
        }
