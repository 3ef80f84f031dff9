"""
Who we are to the service.

Belongs here: how a credential becomes an ``Authorization`` header. A credential's name may be shown; the secret never.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol


class Credential(Protocol):
    """Something that can sign requests. ``name`` tells it from the others in messages and holds no secret."""

    @property
    def name(self) -> str:
        """What the credential is called in messages, for example ``ADO_REPOS_PAT``."""

    async def header(self) -> str:
        """Return the value of the ``Authorization`` header, valid now; called once for each attempt."""


@dataclass(frozen=True)
class PersonalAccessToken:
    """A personal access token: Basic authentication with an empty user."""

    name: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.token.strip():
            raise ValueError(f"the personal access token {self.name} is empty")

    async def header(self) -> str:
        """Return the Basic header of the token."""
        return "Basic " + b64encode(f":{self.token.strip()}".encode()).decode("ascii")
