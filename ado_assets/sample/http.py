"""
What every handler shares: answers, errors, parameters, paging, and the declaration of an operation.

Belongs here: HTTP manners of the service. Does not belong here: any entity, routing and authentication (server, auth).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.world import World

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
JSON_TYPE = "application/json; charset=utf-8; api-version=7.1"


@dataclass(frozen=True)
class Operation:
    """
    One REST operation.

    *template* leaves out the organization, for example ``{project}/_apis/build/builds``; a last segment ``{*path}``
    takes the rest. With *optional_project* the template is also served without ``{project}/``. *scope* is the OAuth
    scope a token needs, empty for none. *preview* is the version that must be asked for with its ``-preview`` suffix.
    """

    method: str
    template: str
    handler: Handler
    scope: str
    optional_project: bool = False
    preview: str | None = None


class ApiError(Exception):
    """A refusal, turned into the service's error body by the application."""

    def __init__(self, status: int, type_key: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type_key = type_key
        self.message = message

    def body(self) -> dict[str, Any]:
        """Return the WrappedException the service sends."""
        return {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"Microsoft.TeamFoundation.{self.type_key}, Microsoft.TeamFoundation",
            "typeKey": self.type_key,
            "errorCode": 0,
            "eventId": 3000,
        }


def not_found_project(name: str) -> ApiError:
    """Return the refusal for a project that is unknown, deleted or not yet well formed: all look the same."""
    message = (
        f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and "
        "that the project exists on the specified Azure DevOps Server."
    )
    return ApiError(404, "ProjectDoesNotExistWithNameException", message)


def bad_request(message: str, type_key: str = "VssPropertyValidationException") -> ApiError:
    """Return a 400 with the service's body."""
    return ApiError(400, type_key, message)


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return *data* as the service's JSON, with an ActivityId that depends on the body only."""
    body = orjson.dumps(data)
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    activity = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
    response = Response(body, status, {"ActivityId": activity, "X-VSS-E2EID": activity, **(headers or {})})
    response.headers["content-type"] = JSON_TYPE
    return response


def envelope(values: Sequence[Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return the list envelope; ``count`` is the page's size, never the total."""
    return json_response({"count": len(values), "value": values}, headers=headers)


def page_by_skip(
    request: Request, items: Sequence[T], render: Callable[[T], Any], *, default: int, maximum: int | None
) -> Response:
    """Answer one page chosen by ``$top`` and ``$skip``; only the page's items are rendered."""
    top, skip = _number(request, "$top", default), _number(request, "$skip", 0)
    if maximum is not None:
        top = min(top, maximum)
    return envelope([render(item) for item in items[skip : skip + top]])


def page_by_token(
    request: Request, items: Sequence[T], render: Callable[[T], Any], *, default: int, maximum: int | None
) -> Response:
    """Answer one page and, when more follow, the next position in the ``x-ms-continuationtoken`` header."""
    top, start = _number(request, "$top", default), _position(parameter(request, "continuationToken"))
    if maximum is not None:
        top = min(top, maximum)
    end = start + top
    headers = {"x-ms-continuationtoken": f"{end};{end * 7919 % 10007}"} if end < len(items) else None
    return envelope([render(item) for item in items[start:end]], headers)


def _position(token: str | None) -> int:
    if not token:
        return 0
    head, _, check = token.partition(";")
    if not head.isdigit() or check != str(int(head) * 7919 % 10007):
        raise bad_request(f"The continuation token '{token}' is not valid.", "InvalidContinuationTokenException")
    return int(head)


def _number(request: Request, name: str, default: int) -> int:
    text = parameter(request, name)
    if text is None or text == "":
        return default
    if not text.lstrip("-").isdigit():
        raise bad_request(f"The value '{text}' is not valid for {name}.", "ArgumentException")
    number = int(text)
    if number < 0:
        raise bad_request(f"A non-negative number is required for {name}.", "ArgumentOutOfRangeException")
    return number


def number(request: Request, name: str, default: int) -> int:
    """Return a non-negative integer parameter, or a 400 that names it."""
    return _number(request, name, default)


def parameters(request: Request) -> dict[str, str]:
    """Return the query by lower-case name; ``searchCriteria.`` is dropped, the first of equal names is kept."""
    found: dict[str, str] | None = request.scope.get("parameters")
    if found is None:
        found = {}
        for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True):
            found.setdefault(name.lower().removeprefix("searchcriteria."), value)
        request.scope["parameters"] = found
    return found


def parameter(request: Request, name: str) -> str | None:
    """Return a query parameter by name in any case; the ``searchCriteria.`` prefix is optional, ``$`` is literal."""
    return parameters(request).get(name.lower().removeprefix("searchcriteria."))


def flag(request: Request, name: str, default: bool = False) -> bool:
    """Return a boolean parameter; anything but true, 1 or false, 0 is a 400."""
    text = (parameter(request, name) or "").lower()
    if text == "":
        return default
    if text not in ("true", "false", "1", "0"):
        raise bad_request(f"The value '{text}' is not valid for {name}.", "ArgumentException")
    return text in ("true", "1")


def parse_time(text: str) -> datetime:
    """Read an ISO instant; without a zone it is UTC. Digits below microseconds are cut. A 400 when it is no instant."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(f"The value '{text}' is not a valid date and time.", "ArgumentException") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def world_of(request: Request) -> World:
    """Return the organization the request speaks to."""
    world: World = request.scope["world"]
    return world


def project_of(request: Request) -> Project:
    """Return the live project of the ``{project}`` (or ``{projectId}``) segment, a GUID or a name; 404 otherwise."""
    segment = request.path_params.get("project") or request.path_params["projectId"]
    project = world_of(request).find_project(segment)
    if project is None:
        raise not_found_project(segment)
    return project


def optional_project_of(request: Request) -> Project | None:
    """Return the project when the route names one, None for the organization-wide route."""
    return project_of(request) if "project" in request.path_params else None
