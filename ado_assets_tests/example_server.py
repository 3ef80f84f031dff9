"""
A small HTTP server that answers for any number of organizations what it is told, in the envelopes of the real service.

What an organization holds is told in ``example_scenarios`` and in the tests; nothing here knows a table or a stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PersonalAccessToken

Query = Mapping[str, str]
Handler = Callable[[Query, Any], Any]

#: Names of the page size and of the start, as the listings call them.
_WINDOWS = (("$top", "$skip"), ("searchCriteria.$top", "searchCriteria.$skip"))


class ExampleServer:
    """
    The server; a context manager.

    Attributes:
        refused: Calls that nothing was told about; they were answered 404.
    """

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Handler] = {}
        self.refused: list[str] = []
        handler = type("_Requests", (_Requests,), {"examples": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, target: str, body: Any) -> tuple[int, bytes]:
        """Status and body of the answer to one request."""
        address = urlsplit(target)
        handler = self.routes.get((method, unquote(address.path).strip("/").lower()))
        if handler is None:
            self.refused.append(f"{method} {target}")
            return 404, json.dumps({"$id": "1", "message": "Page not found.", "typeKey": "NotFound"}).encode()
        found = handler(dict(parse_qsl(address.query)), body)
        return 200, found if isinstance(found, bytes) else json.dumps(found).encode()


class Organization:
    """What one organization of the server answers. Told again, an answer replaces the one before."""

    def __init__(self, server: ExampleServer, name: str) -> None:
        self.name = name
        self._server = server
        self.answers("_apis/connectionData", {"instanceId": "0"})

    def handles(self, path: str, handler: Handler, method: str = "GET") -> None:
        """Answer calls of *path* (below the organization, in any case) with what *handler* returns."""
        self._server.routes[method, f"{self.name}/{path}".lower()] = handler

    def answers(self, path: str, value: Any, method: str = "GET") -> None:
        """Answer *value*: an object, a list without envelope, or bytes as they are."""
        self.handles(path, lambda _query, _body: value, method)

    def lists(self, path: str, records: Sequence[Any], key: str = "value", **told: Any) -> None:
        """
        Answer a listing in its envelope, paged as asked for.

        Args:
            told: More properties of the envelope.
        """
        self.handles(path, lambda query, _body: {**listing(_window(records, query), key), **told})

    def client(self) -> AdoClient:
        """A client of this organization that asks once and does not wait."""
        limits = ClientSettings(attempts=1, backoff=0.0, read_timeout=10.0)
        hosts = Hosts(self._server.url, self._server.url, self._server.url)
        token = PersonalAccessToken("A", "example-token")
        return AdoClient(hosts, self.name, [token], connector="example", limits=limits)


def listing(records: Sequence[Any], key: str = "value") -> dict[str, Any]:
    """The envelope of a list, whatever the example showed (a few old ones show a bare array)."""
    return {"count": len(records), key: list(records)}


def _window(records: Sequence[Any], query: Query) -> Sequence[Any]:
    for top, skip in _WINDOWS:
        if top in query or skip in query:
            first = int(query.get(skip, 0))
            return records[first : first + int(query.get(top, len(records)))]
    return records


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    examples: ExampleServer

    def do_GET(self) -> None:
        self._reply(None)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._reply(json.loads(content) if content else None)

    def _reply(self, body: Any) -> None:
        status, content = self.examples.answer(self.command, self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8; api-version=7.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
