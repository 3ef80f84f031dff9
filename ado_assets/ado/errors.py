"""
What can go wrong when the API is asked, as one tree.

::

    AdoError                          says what happened, for whom, why as far as known, and what to do next
    ├─ Transient                      may pass by itself: retried by the client, then raised
    │  ├─ Throttled                   429: the service asked us to slow down
    │  ├─ ServiceUnavailable          408, 500, 502, 503, 504 and other 5xx
    │  ├─ ConnectionLost              refused, reset, timed out, or a body cut short
    │  └─ BadAnswer                   success whose body is not the JSON it should be
    └─ Permanent                      asking again the same way gives the same answer: raised at once
       ├─ TokenRejected               401, 203, a redirect, or a sign-in page instead of JSON
       ├─ AccessDenied                403
       ├─ NotFound                    404: gone, or not visible to this token; the service does not tell which
       │  └─ RepositoryNotFound       the same of a repository: deleted, disabled, or not visible
       ├─ BadRequest                  400 and the other 4xx
       ├─ UnexpectedAnswer            JSON of a shape that we cannot read
       └─ PagingLoop                  the service repeats a page or a token

Belongs here: the types, their words, and what keeps secrets out of them. Which response becomes which error is
decided in ``answer``; what is retried, in ``retry``.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

Kind = Literal["invalid_credentials", "invalid_permissions", "no_resources", "unreachable", "throttled", "unexpected"]
"""What a connection check reports."""

_SECRET_VALUES = re.compile(r"([?&][^=&]*(?:token|secret|password|passwd|signature|sig|pat|key|code)=)[^&#]*", re.I)
_PAGING_TOKEN = re.compile(r"[?&]continuationToken=", re.I)
_USER_INFO = re.compile(r"(?<=://)[^/@]*@")


def without_secrets(url: str) -> str:
    """Return *url* without user information and without the values of query parameters that may be secrets."""

    def hide(match: re.Match[str]) -> str:
        return match[0] if _PAGING_TOKEN.match(match[1]) else f"{match[1]}***"

    return _SECRET_VALUES.sub(hide, _USER_INFO.sub("", url))


class AdoError(Exception):
    """
    A call of the Azure DevOps API that did not bring what was asked for.

    Attributes:
        organization: Organization (or collection) that was asked.
        connector: Connector whose token was used, for example ``repos``.
        project: Project id or name, where the path of the call has one.
        stream: Name of what was being read, for example ``builds``; whoever reads a stream adds it.
        method: HTTP method.
        url: Full address without secrets.
        status: HTTP status, None when no answer came.
        type_key: The service's ``typeKey``, for example ``GitRepositoryNotFoundException``.
        service_message: The service's own words.
        activity_id: The service's ActivityId, which its support asks for.
        retry_after: Seconds that the service asked us to wait.
        attempts: How often the call was tried.
    """

    kind: ClassVar[Kind] = "unexpected"
    advice: ClassVar[str] = "Run the sync again; if it stays, report it with the activity id."

    def __init__(
        self,
        message: str,
        *,
        organization: str | None = None,
        connector: str | None = None,
        project: str | None = None,
        stream: str | None = None,
        method: str | None = None,
        url: str | None = None,
        status: int | None = None,
        type_key: str | None = None,
        service_message: str | None = None,
        activity_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.organization = organization
        self.connector = connector
        self.project = project
        self.stream = stream
        self.method = method
        self.url = None if url is None else without_secrets(url)
        self.status = status
        self.type_key = type_key
        self.service_message = service_message
        self.activity_id = activity_id
        self.retry_after = retry_after
        self.attempts = 1

    def __str__(self) -> str:
        parts = (f"{self.message}{self._where()}.", self._service_words(), self.advice)
        return " ".join(part for part in parts if part)

    def add_context(
        self,
        *,
        organization: str | None = None,
        connector: str | None = None,
        project: str | None = None,
        stream: str | None = None,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        """Fill in what the raiser did not know. What is already known stays."""
        self.organization = self.organization or organization
        self.connector = self.connector or connector
        self.project = self.project or project
        self.stream = self.stream or stream
        self.method = self.method or method
        self.url = self.url or (None if url is None else without_secrets(url))

    def _where(self) -> str:
        named = {
            "organization": self.organization,
            "project": self.project,
            "stream": self.stream,
            "connector": self.connector,
        }
        scope = ", ".join(f"{name} {value}" for name, value in named.items() if value)
        call = f" at {self.method} {self.url}" if self.url else ""
        status = f" (HTTP {self.status})" if self.status else ""
        tried = f", tried {self.attempts} times" if self.attempts > 1 else ""
        return f"{status}{call}{tried}" + (f" [{scope}]" if scope else "")

    def _service_words(self) -> str:
        words = f'The service says: "{self.service_message}".' if self.service_message else ""
        details = {"typeKey": self.type_key, "ActivityId": self.activity_id}
        known = ", ".join(f"{name} {value}" for name, value in details.items() if value)
        return " ".join(part for part in (words, f"({known})" if known else "") if part)


class Transient(AdoError):
    """May pass by itself: the client retries it, and raises it when it did not pass."""

    kind: ClassVar[Kind] = "unreachable"


class Throttled(Transient):
    """The service refused the call because this identity used more than its share (429)."""

    kind = "throttled"
    advice = "Wait a few minutes and run the sync again; fewer connectors at once or a second token for it also help."


class ServiceUnavailable(Transient):
    """The service answered that it cannot answer now (408, 5xx)."""

    advice = "The service is in trouble: see https://status.dev.azure.com and run the sync again later."


class ConnectionLost(Transient):
    """No complete answer arrived: refused, reset, timed out or cut short."""

    advice = "Check the network, proxy and base URL, then run the sync again."


class BadAnswer(Transient):
    """A success whose body is not the JSON it should be; mostly one that was cut on its way."""

    kind = "unexpected"
    advice = "Check that no proxy changes the answers, then run the sync again."


class Permanent(AdoError):
    """Asking again the same way gives the same answer."""


class TokenRejected(Permanent):
    """The service does not know the token: invalid, expired, revoked, or not of this organization."""

    kind = "invalid_credentials"
    advice = "The token is invalid, expired or revoked: create a new one, set it for the connector and run again."


class AccessDenied(Permanent):
    """The token is valid and lacks the permission for this resource (403)."""

    kind = "invalid_permissions"
    advice = "Give the token the read scope this resource needs, and its owner access to the project; then run again."


class NotFound(Permanent):
    """
    There is nothing at this address (404), or nothing that this token may see.

    The service does not tell the two apart, so this is never a reason to delete rows.
    """

    kind = "no_resources"
    advice = "Check the names, and that the token's owner may read this resource; it may also have been deleted."


class RepositoryNotFound(NotFound):
    """A repository is deleted, disabled or not visible: all answer ``GitRepositoryNotFoundException``."""

    advice = "The repository is disabled, deleted, or the token's owner may not read it. What was read before stays."


class BadRequest(Permanent):
    """The service refuses the call as it is (400 and other 4xx); ``type_key`` says why."""

    advice = "Check the configuration (host, API version, filters); a server older than 2022 may not know this call."


class UnexpectedAnswer(Permanent):
    """The answer is JSON, but of a shape that we cannot read."""

    advice = "The service may have changed this answer: update ado-assets, or report it with the address."


class PagingLoop(Permanent):
    """The service repeats a page or a continuation token, so the listing would never end."""

    advice = "Nothing was lost or deleted: run the sync again; if it stays, report it with the address."
