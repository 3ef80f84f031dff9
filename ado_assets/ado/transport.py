"""
The wire: aiohttp under httpx's interface, which costs a quarter of the CPU of httpx's own transport.

Belongs here: what the package ``httpx-aiohttp`` leaves open, checked by experiment in ``test_ado_transport``. It sends
addresses re-quoted (``%26`` becomes ``&``) and answers cookies, and an answer that is not HTTP escapes as an aiohttp
error.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from yarl import URL


class PooledTransport(AiohttpTransport):
    """One pool of kept connections; no cookies, no redirects; addresses go out exactly as given."""

    def __init__(self, *, max_connections: int, proxy: httpx.Proxy | None = None) -> None:
        limits = httpx.Limits(max_connections=max_connections)
        super().__init__(verify=_trust(), limits=limits, proxy=proxy)
        self._proxy_headers = _sign_in(proxy.auth) if proxy and proxy.auth else {}

    def get_client(self) -> ClientSession:
        """Return the session; called once, inside the event loop."""
        connector = TCPConnector(limit=self.limits.max_connections or 0, ssl=self.ssl_context)
        return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), auto_decompress=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """
        Send *request* and return the response, its body still to be read.

        Raises:
            httpx.TransportError: No complete head of an answer came.
        """
        if not isinstance(self.client, ClientSession):
            self.client = self.get_client()
        timeout = request.extensions.get("timeout", {})
        if request.url.scheme == "http":  # aiohttp sends the proxy's headers only with CONNECT, that is for https
            request.headers.update(self._proxy_headers)
        with _all_errors_as_httpx():
            response = await self.client.request(
                method=request.method,
                url=URL(str(request.url), encoded=True),
                headers=request.headers,
                data=request.content or None,
                allow_redirects=False,
                timeout=ClientTimeout(sock_connect=timeout.get("connect"), sock_read=timeout.get("read")),
                proxy=str(self.proxy.url) if self.proxy else None,
                proxy_headers=self._proxy_headers,
            )
        stream = _Body(AiohttpResponseStream(response))
        return httpx.Response(response.status, headers=response.raw_headers, stream=stream, request=request)


@cache
def _trust() -> ssl.SSLContext:
    """The certificates to trust, read once per process: reading them costs as much as two hundred requests."""
    return httpx.create_ssl_context()


def _sign_in(auth: tuple[str, str]) -> dict[str, str]:
    return {"Proxy-Authorization": "Basic " + b64encode(":".join(auth).encode()).decode("ascii")}


class _Body(httpx.AsyncByteStream):
    """The body of a response; a malformed one ends in an httpx error as well."""

    def __init__(self, stream: AiohttpResponseStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _all_errors_as_httpx():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        with _all_errors_as_httpx():
            await self._stream.aclose()


@contextmanager
def _all_errors_as_httpx() -> Iterator[None]:
    try:
        with map_aiohttp_exceptions():
            yield
    except ClientError as error:
        raise httpx.RemoteProtocolError(str(error)) from error


def proxies_of(bases: Iterable[str], max_connections: int) -> dict[str, httpx.AsyncBaseTransport]:
    """Return a transport for each base address that the environment (``HTTPS_PROXY``, ``NO_PROXY``) gives a proxy."""
    proxies = getproxies()
    found: dict[str, httpx.AsyncBaseTransport] = {}
    for base in bases:
        address = urlsplit(base)
        proxy = proxies.get(address.scheme) or proxies.get("all")
        if proxy and not proxy_bypass(address.hostname or ""):
            origin = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
            found[origin] = PooledTransport(max_connections=max_connections, proxy=httpx.Proxy(proxy))
    return found
