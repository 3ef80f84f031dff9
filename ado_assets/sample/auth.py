"""Who may ask for what: tokens, their scopes, and the two refusals. An operation declares the scope it needs."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.http import ApiError

CODE = frozenset({"vso.code"})
PEOPLE = frozenset({"vso.graph", "vso.identity", "vso.project"})
RELEASE = frozenset({"vso.release", "vso.taskgroups_read"})
WORK = frozenset({"vso.work"})
BUILD = frozenset({"vso.build"})

TOKENS: dict[str, frozenset[str] | None] = {
    "sample-boards-token": PEOPLE | RELEASE | WORK,
    "sample-pipelines-token": PEOPLE | RELEASE | BUILD,
    "sample-repos-token": PEOPLE | RELEASE | CODE,
    "sample-pull-commits-token": CODE,
    "sample-commits-token": CODE,
    "sample-all-token": PEOPLE | RELEASE | WORK | BUILD | CODE,
    "sample-no-scope-token": frozenset(),
    "sample-expired-token": None,
}
"""Scopes by token; None is a token the service no longer accepts."""

SIGN_IN_PAGE = (
    "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head>"
    "<body><h1>Sign in to your account</h1></body></html>"
)


def sign_in() -> Response:
    """Return what a missing, unknown or expired credential gets: 203 with the sign-in page, never a 401."""
    return Response(SIGN_IN_PAGE, 203, media_type="text/html")


def scopes_of(request: Request) -> frozenset[str] | None:
    """Return the scopes of the request's credential, or None when it is not accepted."""
    token = token_of(request.headers.get("authorization", ""))
    return TOKENS.get(token) if token else None


def token_of(authorization: str) -> str:
    """Return the secret of a Basic (any user) or Bearer header, empty when there is none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def require(scopes: frozenset[str], scope: str) -> None:
    """Refuse with 403 when *scope* is needed and not granted."""
    if scope and scope not in scopes:
        message = f"TF401444: The token does not carry the scope '{scope}' that this resource needs."
        raise ApiError(403, "AccessCheckException", message)
