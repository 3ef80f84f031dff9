"""
The client: one call, one loop over pages, for one organization with one connector's credentials.

Belongs here: how credentials, pace, retries, transport, paging and statistics are put together. What each of them
decides is in the module of its name.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType, TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
import orjson

from ado_assets.ado.answer import Answer, read_answer, server_time
from ado_assets.ado.credentials import Credential
from ado_assets.ado.endpoint import Endpoint, Hosts, Params, PathValues, url_of
from ado_assets.ado.errors import AdoError, BadAnswer, ConnectionLost, TokenRejected, Transient
from ado_assets.ado.governor import signs_of
from ado_assets.ado.paging import Guard, single
from ado_assets.ado.pool import CredentialPool, Lease
from ado_assets.ado.retry import retry_policy, wait_seconds
from ado_assets.ado.settings import ClientSettings
from ado_assets.ado.stats import ClientStats
from ado_assets.ado.transport import PooledTransport, proxies_of

_log = logging.getLogger(__name__)
_CONNECTION_DATA = Endpoint("_apis/connectionData", api_version="7.1-preview.1", records=None)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass
class _Call:
    """One call while it is tried, and what its errors need to know about it."""

    endpoint: Endpoint
    url: str
    project: str | None
    content: bytes | None
    attempts: int = 0


class AdoClient:
    """
    Asks the API of one organization, at the pace its credentials allow.

    Used as an async context manager, inside one event loop, by any number of tasks at once.

    Args:
        hosts: Base addresses.
        organization: Name of the organization, or of the collection on a server.
        credentials: One or several; work goes to whichever is free.
        connector: Whose credentials they are; only for messages.
        limits: Concurrency, attempts and times.
        transport: What carries the requests; a pooled one of its own by default.
    """

    def __init__(
        self,
        hosts: Hosts,
        organization: str,
        credentials: Sequence[Credential],
        *,
        connector: str,
        limits: ClientSettings | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.organization = organization
        self.connector = connector
        self._hosts = hosts
        self._settings = limits or ClientSettings()
        self._pool = CredentialPool(credentials, self._settings)
        self._retry = retry_policy(self._settings, self._wait, self._announce)
        self._stats = ClientStats()
        self._headers = _constant_headers()
        self._connections = self._settings.max_concurrency * len(credentials)
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        bases = {self._hosts.core, self._hosts.graph, self._hosts.release}
        own = self._transport is None
        self._http = httpx.AsyncClient(
            transport=self._transport or PooledTransport(max_connections=self._connections),
            mounts=proxies_of(bases, self._connections) if own else None,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    @property
    def stats(self) -> ClientStats:
        """What this client did so far."""
        self._stats.throttled_seconds = self._pool.throttled_seconds
        return self._stats

    async def now(self) -> datetime:
        """
        Return the time by the service's clock, UTC-aware, whole seconds.

        Asks for the connection data: the cheapest call there is, and one that every accepted token may make.
        """
        return (await self.get(_CONNECTION_DATA)).read_at

    async def get(self, endpoint: Endpoint, path: PathValues = _NOTHING, params: Params = _NOTHING) -> Answer:
        """
        Return the answer of one GET, retried while its error is transient.

        Raises:
            AdoError: With organization, connector, project and address filled in.
        """
        return await self._whole(self._call(endpoint, path, params, None))

    async def post(self, endpoint: Endpoint, path: PathValues, params: Params, json: Any) -> Answer:
        """
        Return the answer of one read-only POST, retried like a GET.

        Raises:
            AdoError: With organization, connector, project and address filled in.
        """
        return await self._whole(self._call(endpoint, path, params, orjson.dumps(json)))

    async def pages(
        self,
        endpoint: Endpoint,
        path: PathValues = _NOTHING,
        params: Params = _NOTHING,
        json: Any = None,
    ) -> AsyncGenerator[Answer, None]:
        """
        Yield the answers of a listing, page by page; the next one is requested when it is asked for.

        Raises:
            AdoError: As for one call; PagingLoop when the service repeats itself.
        """
        content = None if json is None else orjson.dumps(json)
        guard = Guard(endpoint)
        paging = (endpoint.paging or single)(params, endpoint)
        asked = next(paging)
        while True:
            call = self._call(endpoint, path, asked, content)
            answer = await self._request(call)
            with self._explained(call):
                answer.require_records()
            yield answer
            try:
                with self._explained(call):
                    asked = paging.send(answer)
                    guard.answered(answer)
                    guard.asked(asked)
            except StopIteration:
                return

    async def _whole(self, call: _Call) -> Answer:
        answer = await self._request(call)
        with self._explained(call):
            answer.require_whole()
        return answer

    async def _request(self, call: _Call) -> Answer:
        with self._explained(call):
            answer: Answer = await self._retry.copy()(self._attempt, call)
            return answer

    def _call(self, endpoint: Endpoint, path: PathValues, params: Params, content: bytes | None) -> _Call:
        url = url_of(self._hosts, self.organization, endpoint, path, params)
        project = path.get("project_id") or path.get("project")
        return _Call(endpoint, url, None if project is None else str(project), content)

    async def _attempt(self, call: _Call) -> Answer:
        """Ask once; a credential that turns out to be dead costs no attempt while another one is left."""
        call.attempts += 1
        while True:
            lease = await self._pool.take()
            try:
                return await self._ask(call, lease)
            except TokenRejected as error:
                _log.warning("%s: the token %s was rejected", self.connector, lease.credential.name)
                error.message = f"{error.message}, token {lease.credential.name}"
                if not self._pool.reject(lease, error):
                    raise
            finally:
                self._pool.give_back(lease)

    async def _ask(self, call: _Call, lease: Lease) -> Answer:
        """Send the request once, read its answer to the last byte and parse it."""
        started = time.monotonic()
        status = size = 0
        pause = 0.0
        try:
            response = await self._send(call, lease)
            status, size = response.status_code, len(response.content)
            read_at = server_time(response.headers)
            pause = self._pool.observe(lease, signs_of(status, response.headers, read_at))
            return read_answer(call.endpoint, response, read_at)
        except AdoError as error:
            error.retry_after = pause or None
            raise
        finally:
            seconds = time.monotonic() - started
            retry = call.attempts > 1
            self._stats.record(call.endpoint.template, status, seconds=seconds, size=size, retry=retry)

    async def _send(self, call: _Call, lease: Lease) -> httpx.Response:
        if self._http is None:
            raise RuntimeError("AdoClient is used outside of its `async with` block")
        headers = self._headers | {"Authorization": await lease.credential.header()}
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        request = httpx.Request(
            call.endpoint.method, call.url, headers=headers, content=call.content, extensions=self._timeouts
        )
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                return await self._http.send(request)
        except httpx.DecodingError as error:
            raise BadAnswer(f"the compressed body is damaged ({error})") from error
        except (httpx.TransportError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise ConnectionLost(f"no complete answer came ({reason})") from error

    @property
    def _timeouts(self) -> dict[str, Any]:
        settings = self._settings
        timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout, pool=settings.request_timeout)
        return {"timeout": timeout.as_dict()}

    def _wait(self, error: Transient, attempt: int) -> float:
        """Seconds before the next attempt; none where the service wants a pause and another credential has none."""
        if error.retry_after and self._pool.is_open():
            return 0.0
        return wait_seconds(attempt, error.retry_after, random.random(), self._settings)

    def _announce(self, error: Transient, seconds: float) -> None:
        _log.warning("%s: trying again in %.1f s: %s", self.connector, seconds, error.message)

    @contextmanager
    def _explained(self, call: _Call) -> Iterator[None]:
        """Add to an error what only the client knows: whose call it was, and which."""
        try:
            yield
        except AdoError as error:
            error.add_context(
                organization=self.organization,
                connector=self.connector,
                project=call.project,
                method=call.endpoint.method,
                url=call.url,
            )
            error.attempts = max(error.attempts, call.attempts)
            raise


def _constant_headers() -> dict[str, str]:
    """
    Headers of every request, as the service's own client library sends them.

    ``X-TFS-FedAuthRedirect`` asks for a status instead of a redirect to the sign-in page; the session id lets the
    service's support find the calls of one run.
    """
    try:
        release = version("ado-assets")
    except PackageNotFoundError:
        release = "source"
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"ado-assets/{release}",
        "X-TFS-FedAuthRedirect": "Suppress",
        "X-VSS-ForceMsaPassThrough": "true",
        "X-TFS-Session": str(uuid4()),
    }
