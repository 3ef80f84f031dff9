"""
Run the probes of connectors, with each of their tokens by itself, and say what each answer means.

Few calls, so that a person sees in seconds what works: the tokens are asked about concurrently, the questions of one
token one after the other. A call is tried twice at most.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ado_assets.ado import (
    AccessDenied,
    AdoClient,
    AdoError,
    Answer,
    ClientSettings,
    Endpoint,
    Hosts,
    NotFound,
    Params,
    PathValues,
    PersonalAccessToken,
    TokenRejected,
)
from ado_assets.ado.endpoint import url_of
from ado_assets.config import CONNECTORS, TOKEN_VARIABLES, Settings, connector_for, token_variable
from ado_assets.connections.advice import TokenPlace, action_for, curl_of
from ado_assets.connections.probes import CONNECTION, PROBES, PROJECTS, Probe
from ado_assets.connections.report import ConnectionReport, ConnectorReport, ProbeReport, TokenReport, Verdict
from ado_assets.streams.pull_request_listing import PROJECT_PULL_REQUESTS
from ado_assets.tables import TABLES

_LIMITS: Final = ClientSettings(
    concurrency=2,
    max_concurrency=2,
    attempts=2,
    patience=5.0,
    backoff=0.5,
    connect_timeout=5.0,
    read_timeout=8.0,
    request_timeout=12.0,
)
#: Repositories of all projects at once: a token for Code alone may not list the projects.
_ALL_REPOSITORIES: Final = Endpoint("_apis/git/repositories")
#: So many projects or repositories are looked into before one counts as having nothing.
_PLACES: Final = 4
_ACCEPTED_ELSEWHERE: Final = "the service accepts the token for other resources, but not for this one."


@dataclass(frozen=True)
class _Token:
    """A token and where it stands; the secret is never shown."""

    place: TokenPlace
    credential: PersonalAccessToken = field(repr=False)

    @property
    def fingerprint(self) -> bytes:
        """Equal for equal tokens; kept in memory only."""
        return hashlib.sha256(self.credential.token.encode()).digest()


def check_connections(
    settings: Settings, connectors: Sequence[str] = CONNECTORS, environment: Mapping[str, str] | None = None
) -> ConnectionReport:
    """
    Ask the API what each token of *connectors* may read. Never raises for what the service or the network does.

    Args:
        settings: Organization, hosts and selection of projects.
        environment: Where the tokens stand; that of the process when left out.
    """
    env = os.environ if environment is None else environment
    tokens = {name: _tokens(name, env) for name in connectors}
    found = asyncio.run(_check_all(settings, [token for each in tokens.values() for token in each]))
    reports = [_connector(name, tokens[name], found, connector_for("core", env)) for name in connectors]
    everyone = [token for name in CONNECTORS for token in _tokens(name, env)]
    warnings = (*_shared(everyone, connectors), *_nobody_lists_projects(env))
    return ConnectionReport(settings.organization, tuple(reports), warnings)


def _tokens(connector: str, env: Mapping[str, str]) -> tuple[_Token, ...]:
    variable = token_variable(connector, env)
    if variable is None:
        return ()
    texts = [text.strip() for text in env[variable].split(",") if text.strip()]
    users = tuple(name for name in CONNECTORS if token_variable(name, env) == variable)
    return tuple(
        _Token(place, PersonalAccessToken(place.name, text))
        for n, text in enumerate(texts, 1)
        for place in [TokenPlace(connector, variable, users, n if len(texts) > 1 else None)]
    )


async def _check_all(settings: Settings, tokens: Sequence[_Token]) -> dict[TokenPlace, TokenReport]:
    reports = await asyncio.gather(*(_TokenCheck(settings, token).run() for token in tokens))
    return {token.place: report for token, report in zip(tokens, reports, strict=True)}


class _TokenCheck:
    """All probes of a connector with one token."""

    def __init__(self, settings: Settings, token: _Token) -> None:
        self._settings = settings
        self._token = token
        self._place = token.place
        self._hosts = Hosts(core=settings.core_url, graph=settings.graph_url, release=settings.release_url)
        self._open = AsyncExitStack()
        self._client: AdoClient | None = None
        self._url = ""
        self._projects: list[str] = []
        self._alive = False
        self._limits: dict[str, str] = {}

    async def run(self) -> TokenReport:
        """Ask all; what cannot be asked, because what it stands on failed, has the verdict of that."""
        done: list[ProbeReport] = []
        async with self._open:
            for probe in PROBES[self._place.connector]:
                basis = next((each for each in done if not each.passed and self._stands_on(probe, each)), None)
                done.append(await self._ask(probe) if basis is None else self._not_asked(probe, basis))
        return TokenReport(self._place.name, tuple(map(self._judged, done)), dict(self._limits))

    def _stands_on(self, probe: Probe, failed: ProbeReport) -> bool:
        """A token that connectionData rejects may still be good for other things, so those are asked nevertheless."""
        if failed.probe == CONNECTION.name:
            return failed.verdict in ("unreachable", "no_resources")
        return failed.probe == PROJECTS.name and probe.place == "project"

    def _judged(self, report: ProbeReport) -> ProbeReport:
        """A rejection by one resource, while others accept the token, is about a permission (401 is seen for both)."""
        if report.verdict != "invalid_credentials" or not self._alive:
            return report
        probe = next(p for p in PROBES[self._place.connector] if p.name == report.probe)
        verdict: Verdict = "ok" if probe is CONNECTION else "invalid_permissions"
        action = action_for(verdict, probe, self._place, self._settings)
        return replace(report, verdict=verdict, message=_ACCEPTED_ELSEWHERE, action=action)

    async def _ask(self, probe: Probe) -> ProbeReport:
        refused: AdoError | None = None
        refused_url, status = "", None
        try:
            async for path in self._paths(probe):
                try:
                    answer = await self._get(probe.endpoint, path, probe.params)
                except (AccessDenied, NotFound) as error:  # one project may be closed, or have the service off
                    refused, refused_url = refused or error, refused_url or self._url
                    continue
                status = answer.status
                if self._shows_something(probe, answer):
                    return self._report(probe, "ok", status, "the token may read this.")
            if refused is not None and status is None:
                self._url = refused_url
                raise refused
        except AdoError as error:
            return self._failure(probe, error)
        except (AttributeError, KeyError, TypeError):  # records without the properties that lead to the next call
            return self._report(probe, "unreachable", status, "the answer has a shape that cannot be read.")
        if probe.may_be_empty:
            return self._report(probe, "ok", status or 200, f"nothing refused; no {probe.name} where it was looked.")
        return self._report(probe, "no_resources", status, _nothing_of(probe))

    def _shows_something(self, probe: Probe, answer: Answer) -> bool:
        if probe is CONNECTION:
            return True
        if probe is PROJECTS:
            self._projects = [
                str(each["id"])
                for each in _objects(answer)
                if each.get("state", "wellFormed") == "wellFormed" and self._settings.selects(str(each.get("name")))
            ]
            return bool(self._projects)
        return bool(answer.records)

    async def _paths(self, probe: Probe) -> AsyncIterator[PathValues]:
        """Where the probe may ask, the likeliest first."""
        if probe.place == "organization":
            yield {}
        elif probe.place == "project":
            for project_id in self._projects[:_PLACES]:
                yield {"project_id": project_id}
        else:
            async for path in self._repositories(probe):
                yield path

    async def _repositories(self, probe: Probe) -> AsyncIterator[PathValues]:
        """Repositories with commits of the chosen projects; for a pull request one of each project that has some."""
        held = [each for each in _objects(await self._get(_ALL_REPOSITORIES)) if self._is_readable(each)]
        if probe.place == "repository":
            for each in held[:_PLACES]:
                yield {"project_id": each["project"]["id"], "repository_id": each["id"]}
            return
        for project_id in list(dict.fromkeys(str(each["project"]["id"]) for each in held))[:_PLACES]:
            params: Params = {"searchCriteria.status": "all", "$top": 1}
            for each in _objects(await self._get(PROJECT_PULL_REQUESTS, {"project_id": project_id}, params)):
                repository, number = each["repository"]["id"], each["pullRequestId"]
                yield {"project_id": project_id, "repository_id": repository, "pull_request_id": number}

    def _is_readable(self, repository: Mapping[str, Any]) -> bool:
        if not repository.get("defaultBranch") or repository.get("isDisabled"):
            return False
        return self._settings.selects(str(repository["project"].get("name")))

    async def _get(self, endpoint: Endpoint, path: PathValues | None = None, params: Params | None = None) -> Answer:
        """One call, its address kept. A client does not use a rejected token again, so the next call gets another."""
        place, given = path or {}, params or {}
        self._url = url_of(self._hosts, self._settings.organization, endpoint, place, given)
        if self._client is None:
            client = AdoClient(
                self._hosts,
                self._settings.organization,
                [self._token.credential],
                connector=self._place.connector,
                limits=_LIMITS,
            )
            self._client = await self._open.enter_async_context(client)
        try:
            answer = await self._client.get(endpoint, place, given)
        except TokenRejected:
            self._client = None
            raise
        except AccessDenied:
            self._alive = True
            raise
        self._alive = True
        seen = {name.title(): text for name, text in answer.headers.items() if name.startswith("x-ratelimit-")}
        self._limits |= {name.replace("X-Ratelimit", "X-RateLimit"): text for name, text in seen.items()}
        if "retry-after" in answer.headers:
            self._limits["Retry-After"] = answer.headers["retry-after"]
        return answer

    def _failure(self, probe: Probe, error: AdoError) -> ProbeReport:
        verdict = _verdict(error)
        report = self._report(probe, verdict, error.status, f"{error.message}.")
        action = error.advice if error.kind in ("throttled", "unexpected") else report.action
        return replace(report, service_message=error.service_message, action=action)

    def _not_asked(self, probe: Probe, basis: ProbeReport) -> ProbeReport:
        self._url = url_of(self._hosts, self._settings.organization, CONNECTION.endpoint, {}, {})
        message = f"not asked, since {basis.probe} failed: {basis.message}"
        report = self._report(probe, basis.verdict, None, message)
        return replace(report, action=basis.action, curl=basis.curl)

    def _report(self, probe: Probe, verdict: Verdict, status: int | None, message: str) -> ProbeReport:
        return ProbeReport(
            probe=probe.name,
            verdict=verdict,
            status=status,
            message=message,
            service_message=None,
            action=action_for(verdict, probe, self._place, self._settings),
            permissions=probe.permissions,
            empty_tables=() if verdict == "ok" else probe.tables,
            curl=curl_of(self._url, self._place),
        )


def _nothing_of(probe: Probe) -> str:
    if probe is PROJECTS:
        return "no project is visible to the token, or the configuration chooses none of those that are."
    return f"no {probe.name} are visible to the token in the projects that were looked into."


def _objects(answer: Answer) -> list[dict[str, Any]]:
    return [each for each in answer.records if isinstance(each, dict)]


def _verdict(error: AdoError) -> Verdict:
    match error.kind:
        case "invalid_credentials" | "invalid_permissions" | "no_resources" | "unreachable":
            return error.kind
        case "throttled" | "unexpected":
            return "unreachable"


def _connector(
    name: str, tokens: Sequence[_Token], found: Mapping[TokenPlace, TokenReport], core_reader: str | None
) -> ConnectorReport:
    if not tokens:
        listed = ", ".join(TOKEN_VARIABLES[name])
        return ConnectorReport(name, None, (), f"off: none of {listed} is set, so its tables are not read.")
    reports = [found[token.place] for token in tokens]
    others_work = any(report.passed for report in reports)
    told = [_tables_told(report, others_work, name == core_reader) for report in reports]
    return ConnectorReport(name, tokens[0].place.variable, tuple(told))


def _tables_told(report: TokenReport, others_work: bool, reads_core: bool) -> TokenReport:
    """
    Name only the tables that really stay empty.

    Tables of the core are read by the first connector that is on. A rejected token's work moves to the connector's
    other tokens; one that lacks a permission is still used, so its tables stay incomplete.
    """

    def told(probe: ProbeReport) -> ProbeReport:
        if others_work and probe.verdict == "invalid_credentials":
            return replace(probe, empty_tables=())
        kept = [name for name in probe.empty_tables if reads_core or TABLES[name].connector != "core"]
        return replace(probe, empty_tables=tuple(kept))

    return replace(report, probes=tuple(map(told, report.probes)))


def _shared(tokens: Sequence[_Token], asked: Sequence[str]) -> tuple[str, ...]:
    """A warning for each token that is used more than once."""
    users: dict[bytes, list[TokenPlace]] = {}
    for token in tokens:
        users.setdefault(token.fingerprint, []).append(token.place)
    warnings = []
    for places in users.values():
        connectors = list(dict.fromkeys(place.connector for place in places))
        if len(connectors) > 1 and set(connectors) & set(asked):
            names = ", ".join(dict.fromkeys(place.name for place in places))
            warnings.append(
                f"The connectors {', '.join(connectors)} use the same token ({names}), so they share one rate limit. "
                "Give each its own; tokens of one person share a limit as well."
            )
        elif len(places) > len(connectors) and connectors[0] in asked:
            names = " and ".join(place.name for place in places)
            warnings.append(f"{names} are the same token: it adds nothing.")
    return tuple(warnings)


def _nobody_lists_projects(env: Mapping[str, str]) -> tuple[str, ...]:
    """The connectors of commits stand on the projects and repositories that others list."""
    if connector_for("core", env) or not any(token_variable(name, env) for name in CONNECTORS):
        return ()
    return (
        "No connector that may list projects is on (boards, pipelines or repos), and all other tables stand on the "
        "projects: set the token of one of them, for example ADO_REPOS_PAT.",
    )
