"""What a check of the connections found: values, and their plain form for machines. No secret is ever part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "invalid_credentials", "invalid_permissions", "no_resources", "unreachable"]
"""
``invalid_credentials``: the token is not accepted (401, 203, sign-in page). ``invalid_permissions``: it is, but not for
this resource (403). ``no_resources``: nothing is there or visible (404, wrong organization, an empty listing).
``unreachable``: no usable answer came (DNS, TLS, proxy, timeout, refused, the service in trouble or throttling).
"""


@dataclass(frozen=True)
class ProbeReport:
    """
    One question with one token.

    Args:
        probe: What was asked for.
        verdict: What the answer means.
        status: HTTP status; None when no answer came or none was asked for.
        message: What happened, a sentence.
        service_message: The service's own words, if any.
        action: What to do; empty when all is well.
        permissions: What the token needs for it, each with Read.
        empty_tables: Tables that stay empty, or incomplete, until it is done.
        curl: The same call for a shell, the token being a variable of the environment.
    """

    probe: str
    verdict: Verdict
    status: int | None
    message: str
    service_message: str | None
    action: str
    permissions: tuple[str, ...]
    empty_tables: tuple[str, ...]
    curl: str

    @property
    def passed(self) -> bool:
        """Whether the token may read it."""
        return self.verdict == "ok"


@dataclass(frozen=True)
class TokenReport:
    """
    All questions with one token.

    Args:
        token: Name of the token: the variable it stands in, and its place there when there are several.
        limits: The last rate limit headers (``X-RateLimit-*``, ``Retry-After``) seen, by name; empty without any.
    """

    token: str
    probes: tuple[ProbeReport, ...]
    limits: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Whether the token may read all that its connector needs."""
        return all(probe.passed for probe in self.probes)


@dataclass(frozen=True)
class ConnectorReport:
    """
    All tokens of one connector.

    Args:
        variable: Environment variable that holds the tokens; None for a connector that is off.
        off: Why it is off and what to do; empty when it is on.
    """

    connector: str
    variable: str | None
    tokens: tuple[TokenReport, ...]
    off: str = ""

    @property
    def state(self) -> Literal["ok", "failed", "off"]:
        """``off`` without a token, ``ok`` when every token passed."""
        if self.variable is None:
            return "off"
        return "ok" if all(token.passed for token in self.tokens) else "failed"


@dataclass(frozen=True)
class Finding:
    """
    One thing to do, and all that fails because of it.

    Args:
        connectors, tokens, probes: Names of what is concerned, each once.
        example: One of the failed probes; with an answer of the service where there is one.
        empty_tables: Tables that stay empty, or incomplete, until it is done.
    """

    connectors: tuple[str, ...]
    tokens: tuple[str, ...]
    probes: tuple[str, ...]
    example: ProbeReport
    empty_tables: tuple[str, ...]

    @property
    def title(self) -> str:
        """What is concerned and how it failed, in a line."""
        status = f", HTTP {self.example.status}" if self.example.status else ""
        return f"{', '.join(self.connectors)} ({', '.join(self.tokens)}): {self.example.verdict}{status}"


@dataclass(frozen=True)
class ConnectionReport:
    """
    Every connector that was asked about.

    Args:
        warnings: What works, but not as well as it could.
    """

    organization: str
    connectors: tuple[ConnectorReport, ...]
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether at least one connector is on, and every one that is passed."""
        states = {connector.state for connector in self.connectors}
        return "ok" in states and "failed" not in states

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to do, each thing once, in the order in which it was met."""
        failed = [
            (connector.connector, token.token, probe)
            for connector in self.connectors
            for token in connector.tokens
            for probe in token.probes
            if not probe.passed
        ]
        groups: dict[str, list[tuple[str, str, ProbeReport]]] = {}
        for each in failed:
            groups.setdefault(each[2].action, []).append(each)
        return tuple(map(_finding, groups.values()))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "passed": self.passed,
            "organization": self.organization,
            "connectors": [
                {
                    "connector": each.connector,
                    "state": each.state,
                    "variable": each.variable,
                    "off": each.off,
                    "tokens": [_plain(token) for token in each.tokens],
                }
                for each in self.connectors
            ],
            "warnings": list(self.warnings),
        }


def _finding(group: Sequence[tuple[str, str, ProbeReport]]) -> Finding:
    probes = [probe for _, _, probe in group]
    return Finding(
        connectors=_once(connector for connector, _, _ in group),
        tokens=_once(token for _, token, _ in group),
        probes=_once(probe.probe for probe in probes),
        example=next((probe for probe in probes if probe.status), probes[0]),
        empty_tables=_once(name for probe in probes for name in probe.empty_tables),
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _plain(token: TokenReport) -> dict[str, Any]:
    return {
        "token": token.token,
        "passed": token.passed,
        "limits": dict(token.limits),
        "probes": [asdict(probe) for probe in token.probes],
    }
