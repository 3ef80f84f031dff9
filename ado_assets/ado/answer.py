"""
What came back: a readable answer, or the error it stands for.

Belongs here: which response is a success and which error each other one is. Sources: the service's manners as
collected from its documentation and clients (a dead token is answered with a sign-in page as 203, 302 or even 200, so
only 2xx *with JSON* is a success).
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import httpx
import orjson

from ado_assets.ado.endpoint import Endpoint
from ado_assets.ado.errors import (
    AccessDenied,
    AdoError,
    BadAnswer,
    BadRequest,
    NotFound,
    RepositoryNotFound,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
    UnexpectedAnswer,
)
from ado_assets.ado.timestamps import parse_http_date

_LONGEST_QUOTE = 500


@dataclass(frozen=True)
class Answer:
    """
    A success of the API.

    Args:
        endpoint: What was asked.
        status: HTTP status, 2xx.
        body: The body as received, decompressed; empty for 204.
        data: The body, parsed; None for 204.
        headers: Response headers; names in any case.
        read_at: When the server answered by its own clock (``Date``, whole seconds), UTC-aware; ours where it names
            none.
    """

    endpoint: Endpoint = field(repr=False)
    status: int
    body: bytes = field(repr=False)
    data: Any = field(repr=False)
    headers: httpx.Headers = field(repr=False)
    read_at: datetime

    @property
    def records(self) -> list[Any]:
        """
        The list of records of the answer; empty for 204.

        Raises:
            UnexpectedAnswer: The endpoint answers one object, or the list is missing.
        """
        if self.data is None:
            return []
        key = self.endpoint.records
        found = self.data.get(key) if key is not None and isinstance(self.data, dict) else None
        if not isinstance(found, list):
            raise UnexpectedAnswer(f"the answer of {self.endpoint.template} holds no list {key!r}", status=self.status)
        return found

    def require_records(self) -> None:
        """
        Check that the answer of a listing holds its list.

        Raises:
            UnexpectedAnswer: It does not.
        """
        if self.endpoint.records is not None:
            _ = self.records

    def require_whole(self) -> None:
        """
        Check that an answer that should bring a whole list does not announce a further page of it.

        Raises:
            UnexpectedAnswer: It does, and to take it for the whole would look like deletions.
        """
        if self.endpoint.paging is None and self.endpoint.records and self.headers.get("x-ms-continuationtoken"):
            message = f"{self.endpoint.template} announces a further page where one answer brings everything"
            raise UnexpectedAnswer(message, status=self.status)


def server_time(headers: httpx.Headers) -> datetime:
    """Return when the server answered by its own clock, UTC-aware; our clock where it does not say."""
    return parse_http_date(headers.get("date")) or datetime.now(UTC)


def read_answer(endpoint: Endpoint, response: httpx.Response, read_at: datetime) -> Answer:
    """
    Return what a completely received response says.

    Raises:
        AdoError: It is not a success; without the context that only the caller knows.
    """
    if response.status_code == 204:
        return Answer(endpoint, 204, b"", None, response.headers, read_at)
    if response.is_success and response.status_code != 203:
        data = _parsed(response)
        return Answer(endpoint, response.status_code, response.content, data, response.headers, read_at)
    raise _error_of(response)


def _parsed(response: httpx.Response) -> Any:
    content_type = response.headers.get("content-type", "")
    if "json" not in content_type:
        raise _not_json(response, content_type)
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        message = f"the body of {len(response.content)} bytes is not complete JSON ({error})"
        raise BadAnswer(message, status=response.status_code) from error


def _not_json(response: httpx.Response, content_type: str) -> AdoError:
    if "html" in content_type or response.content.lstrip()[:1] == b"<":
        return _sign_in_page(response)
    message = f"the body is {content_type or 'of no declared type'} where JSON was expected"
    return BadAnswer(message, status=response.status_code)


def _sign_in_page(response: httpx.Response) -> TokenRejected:
    message = "the service showed a sign-in page instead of an answer"
    return TokenRejected(message, status=response.status_code, service_message=_service_error(response))


def _error_of(response: httpx.Response) -> AdoError:
    status = response.status_code
    if status == 203 or response.is_redirect or 300 <= status < 400:
        return _sign_in_page(response)
    body = _error_body(response)
    type_key = _text_of(body, "typeKey")
    words = _text_of(body, "message", "Message") or _service_error(response)
    error_type, message = _meaning(status, type_key)
    return error_type(
        message,
        status=status,
        type_key=type_key,
        service_message=words and _without_credential(words, response.request)[:_LONGEST_QUOTE],
        activity_id=response.headers.get("activityid") or response.headers.get("x-vss-e2eid"),
    )


def _meaning(status: int, type_key: str | None) -> tuple[type[AdoError], str]:
    if status == 404 and type_key == "GitRepositoryNotFoundException":
        return RepositoryNotFound, "the repository was not found"
    if status >= 500 or status == 408:
        return ServiceUnavailable, "the service could not answer"
    meanings: dict[int, tuple[type[AdoError], str]] = {
        401: (TokenRejected, "the service does not accept the token"),
        403: (AccessDenied, "the token may not read this"),
        404: (NotFound, "nothing was found"),
        429: (Throttled, "the service blocked the call because of its rate limit"),
    }
    return meanings.get(status, (BadRequest, "the service refused the call"))


def _error_body(response: httpx.Response) -> dict[str, Any]:
    """The vendor's error object, also from its wrapped form ``{"count": 1, "value": {"Message": ...}}``; or empty."""
    try:
        data = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(data, dict):
        return {}
    wrapped = data.get("value")
    return wrapped if isinstance(wrapped, dict) else data


def _text_of(body: dict[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := body.get(name), str) and value), None)


def _service_error(response: httpx.Response) -> str | None:
    words = unquote_plus(response.headers.get("x-tfs-serviceerror", ""))
    return _without_credential(words, response.request)[:_LONGEST_QUOTE] or None


def _without_credential(text: str, request: httpx.Request) -> str:
    """Hide the credential of *request* in *text*, should the service or a proxy have echoed it."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if not secret:
        return text
    plain = b64decode(secret).decode().removeprefix(":") if scheme.lower() == "basic" else secret
    return text.replace(secret, "***").replace(plain, "***")
