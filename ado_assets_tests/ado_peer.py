"""A real HTTP server for the tests of the client: it answers what it is told, well-formed or not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import orjson

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PersonalAccessToken

SIGN_IN = b"<html><body>Azure DevOps Services | Sign In</body></html>"


@dataclass(frozen=True)
class Raw:
    """Bytes to send as they are, and what happens to the connection afterwards."""

    data: bytes = b""
    then: Literal["keep", "close", "abort", "hang"] = "close"


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


def reply(status: int = 200, data: Any = None, *, body: bytes | None = None, **headers: str) -> Raw:
    """An answer with a JSON body, or with *body*. Header names are written with underscores."""
    content = orjson.dumps({} if data is None else data) if body is None else body
    given = {"content_type": "application/json; charset=utf-8", "content_length": str(len(content))} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return Raw(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content, "keep")


Reply = Raw | Callable[[Seen], Raw]


class Peer:
    """Answers the nth request with the nth reply, and every further one with the last."""

    def __init__(self, *replies: Reply) -> None:
        self.seen: list[Seen] = []
        self._replies = replies

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = head.split(" ")
        seen = Seen(method, target, headers, body)
        chosen = self._replies[min(len(self.seen), len(self._replies) - 1)]
        self.seen.append(seen)
        answer = chosen(seen) if callable(chosen) else chosen
        writer.write(answer.data)
        await writer.drain()
        if answer.then == "hang":
            await asyncio.sleep(30)
        if answer.then == "abort":
            await asyncio.sleep(0.02)
            writer.transport.abort()
        return answer.then == "keep"


def client_of(peer: Peer, *tokens: str, **settings: Any) -> AdoClient:
    """A client of *peer* that does not wait between attempts; its tokens are named A, B, ..."""
    credentials = [PersonalAccessToken(name, token) for name, token in zip("ABC", tokens or ("s3cret",), strict=False)]
    limits = ClientSettings(**{"backoff": 0.0, "attempts": 3, "read_timeout": 0.3, "connect_timeout": 0.3} | settings)
    hosts = Hosts(peer.url, peer.url, peer.url)
    return AdoClient(hosts, "acme", credentials, connector="repos", limits=limits)
