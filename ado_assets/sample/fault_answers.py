"""What each kind of fault makes of an answer: its bytes, its connection. Which call gets one is in ``faults``."""

from __future__ import annotations

import asyncio
import gzip
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ado_assets.sample.auth import SIGN_IN_PAGE, sign_in
from ado_assets.sample.faults import Faults, Rule
from ado_assets.sample.http import ApiError, json_response

_TOKEN_HEADER = "x-ms-continuationtoken"
_TROUBLE = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Try again later.</body></html>"
_RESETS = ("reset_before", "reset_inside")
_LISTS = ("value", "values")
_PIECES = 10

Answering = Callable[[], Awaitable[Response]]


def with_connection(app: ASGIApp) -> ASGIApp:
    """Let *app* see the connection of each request, to reset it."""

    async def seen(scope: Scope, receive: Receive, send: Send) -> None:
        scope["connection"] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return seen


async def faulty(rule: Rule, request: Request, faults: Faults, now: datetime, answering: Answering) -> Response:
    """Return the answer to the request as the rule wants it; *now* is the organization's time."""
    if rule.kind in _PAGING:
        response = await answering()
        rule.applied += _PAGING[rule.kind](rule, request, response, faults)
        return response
    rule.applied += 1
    if rule.kind in _INSTEAD:
        response = _INSTEAD[rule.kind](rule)
    else:
        if rule.kind == "hang":
            await request.body()  # who hangs up meanwhile takes an unread body along
            await asyncio.sleep(rule.seconds)
        response = await answering()
        _spoil(rule, response)
    if rule.retry_after is not None:
        until = format_datetime(now + timedelta(seconds=rule.retry_after), usegmt=True)
        response.headers["retry-after"] = until if rule.as_date else f"{rule.retry_after:g}"
    return response


async def deliver(rule: Rule, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the answer, or as much of it as the rule lets through."""
    if rule.kind in _RESETS:
        if rule.kind == "reset_inside":
            await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
            half = bytes(response.body[: len(response.body) // 2])
            await send({"type": "http.response.body", "body": half, "more_body": True})
        _reset(scope)
        while (await receive())["type"] != "http.disconnect":
            """Until the server has noticed, too."""
    elif rule.kind == "slow_drip":
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        size = len(response.body) // _PIECES + 1
        for start in range(0, len(response.body), size):
            await asyncio.sleep(rule.seconds / _PIECES)
            piece = bytes(response.body[start : start + size])
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await response(scope, receive, send)


def translate(request: Request, faults: Faults) -> None:
    """Put the true continuation token into a request that carries one made by a fault."""
    if not faults.further:
        return
    asked = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    true = []
    for name, value in asked:
        if value in faults.further and name.lower() == "continuationtoken":
            if (meant := faults.further[value]) is not None:
                true.append((name, meant))
        else:
            true.append((name, value))
    request.scope["query_string"] = urlencode(true).encode()


def _reset(scope: Scope) -> None:
    transport = scope.get("connection")
    if transport is None:
        raise ConnectionResetError("the connection was reset")
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _status(rule: Rule) -> Response:
    return Response(_TROUBLE, rule.status, media_type="text/html")


def _garbage(rule: Rule) -> Response:
    noise = random.Random(f"{rule.seed}|{rule.matched}").randbytes(400)
    return Response(noise, 200, media_type="application/json")


def _refusal(status: int, type_key: str, message: str) -> Callable[[Rule], Response]:
    return lambda _rule: json_response(ApiError(status, type_key, message).body(), status)


_INSTEAD: dict[str, Callable[[Rule], Response]] = {
    "status": _status,
    "garbage": _garbage,
    "html_200": lambda _rule: Response(SIGN_IN_PAGE, 200, media_type="text/html"),
    "sign_in_203": lambda _rule: sign_in(),
    "redirect_302": lambda _rule: Response(
        SIGN_IN_PAGE, 302, {"location": "https://spsprodweu1.vssps.visualstudio.com/_signin"}, "text/html"
    ),
    "forbidden_403": _refusal(403, "AccessCheckException", "TF401027: You need the permission to read this."),
    "not_found_404": _refusal(
        404,
        "GitRepositoryNotFoundException",
        "TF401019: The Git repository does not exist or you do not have permissions for the operation.",
    ),
}


def _spoil(rule: Rule, response: Response) -> None:
    if rule.kind == "truncated":
        _replace(response, bytes(response.body[: len(response.body) // 2]))
    elif rule.kind == "wrong_content_type":
        response.headers["content-type"] = "text/plain; charset=utf-8"
    elif rule.kind == "gzip":
        _replace(response, gzip.compress(bytes(response.body), mtime=0))
        response.headers["content-encoding"] = "gzip"


def _replace(response: Response, body: bytes) -> None:
    response.body = body
    response.headers["content-length"] = str(len(body))


def _asked_token(request: Request) -> str | None:
    return next((v for n, v in request.query_params.items() if n.lower() == "continuationtoken"), None)


def _is_skipping(request: Request) -> bool:
    """Whether the caller pages by numbers, so that a token means nothing to it."""
    return any(name.lower().endswith("$skip") for name in request.query_params)


def _listing(response: Response) -> tuple[Any, str | None]:
    """The parsed answer and the name of its list; None where it is no list."""
    data = orjson.loads(response.body) if response.status_code == 200 else None
    if not isinstance(data, dict):
        return data, None
    return data, next((name for name in _LISTS if isinstance(data.get(name), list)), None)


def _pages_by_token(response: Response, data: Any) -> bool:
    """Whether the answer says that a token leads on."""
    return _TOKEN_HEADER in response.headers or (isinstance(data, dict) and data.get("isLastBatch") is False)


def _lead_to(response: Response, data: Any, token: str) -> None:
    if "isLastBatch" in data:
        data |= {"isLastBatch": False, "continuationToken": token, "nextLink": None}
    else:
        response.headers[_TOKEN_HEADER] = token
    _replace(response, orjson.dumps(data))


def _repeated_token(rule: Rule, request: Request, response: Response, faults: Faults) -> bool:
    data, name = _listing(response)
    if name is None or _is_skipping(request):
        return False
    token = f"again-{faults.rules.index(rule) + 1}"
    faults.further.setdefault(token, _asked_token(request))
    _lead_to(response, data, token)
    return True


def _missing_token(_rule: Rule, _request: Request, response: Response, _faults: Faults) -> bool:
    data, name = _listing(response)
    if name is None or not _pages_by_token(response, data):
        return False
    if _TOKEN_HEADER in response.headers:
        del response.headers[_TOKEN_HEADER]
    else:
        _replace(response, orjson.dumps({**data, "continuationToken": None, "nextLink": None}))
    return True


def _empty_page_with_token(_rule: Rule, request: Request, response: Response, faults: Faults) -> bool:
    data, name = _listing(response)
    if name is None or _is_skipping(request):
        return False
    token = f"empty-{len(faults.further) + 1}"
    faults.further[token] = _asked_token(request)
    _lead_to(response, {**data, name: []} | ({"count": 0} if "count" in data else {}), token)
    return True


def _duplicates_across_pages(rule: Rule, request: Request, response: Response, _faults: Faults) -> bool:
    data, name = _listing(response)
    if name is None or not data[name]:
        return False
    skipped = any(n.lower().endswith("$skip") and v not in ("", "0") for n, v in request.query_params.items())
    before, rule.last_record = rule.last_record, data[name][-1]
    if before is None or not (skipped or _asked_token(request)):
        return False
    _replace(response, orjson.dumps({**data, name: [before, *data[name]]}))
    return True


_PAGING: dict[str, Callable[[Rule, Request, Response, Faults], bool]] = {
    "repeated_token": _repeated_token,
    "missing_token": _missing_token,
    "empty_page_with_token": _empty_page_with_token,
    "duplicates_across_pages": _duplicates_across_pages,
}
