"""Identities: users, service principals and groups, and how resources refer to them. Who works where is core."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal

from ado_assets.sample.words import FIRST_NAMES, LAST_NAMES

Kind = Literal["user", "service_principal", "group"]
PREFIXES = {"user": "aad", "service_principal": "aadsp", "group": "vssgp"}


@dataclass(slots=True)
class Person:
    """One identity of the organization; *id* is its storage key, *descriptor* its Graph key."""

    id: str
    descriptor: str
    display_name: str
    unique_name: str
    mail: str
    kind: Kind
    base_url: str
    origin_id: str = ""

    def ref(self) -> dict[str, Any]:
        """Return a fresh IdentityRef, as every resource nests it."""
        avatar = f"{self.base_url}/_apis/GraphProfile/MemberAvatars/{self.descriptor}"
        ref: dict[str, Any] = {
            "displayName": self.display_name,
            "url": f"{self.base_url}/_apis/Identities/{self.id}",
            "_links": {"avatar": {"href": avatar}},
            "id": self.id,
            "uniqueName": self.unique_name,
            "imageUrl": avatar,
            "descriptor": self.descriptor,
        }
        if self.kind == "group":
            ref["isContainer"] = True
        return ref

    def text(self) -> str:
        """Return the identity as feeds without identity objects write it: ``Name <mail>``."""
        return f"{self.display_name} <{self.unique_name}>"


def person(key: str, kind: Kind, display_name: str, unique_name: str, base_url: str, mail: str | None = None) -> Person:
    """Make an identity whose descriptor follows from its id *key* (a GUID)."""
    prefix = "msa" if unique_name.endswith("@outlook.com") else PREFIXES[kind]
    encoded = base64.b64encode(key.encode()).decode().rstrip("=")
    origin_id = f"{key[24:32]}-{key[9:13]}-{key[14:18]}-{key[19:23]}-{key[:8]}{key[32:36]}"
    address = (unique_name if kind == "user" else "") if mail is None else mail
    return Person(key, f"{prefix}.{encoded}", display_name, unique_name, address, kind, base_url, origin_id)


def full_name(index: int) -> tuple[str, str]:
    """Return the first and last name of the user at *index*; names repeat, as they do in real organizations."""
    first = FIRST_NAMES[index % len(FIRST_NAMES)]
    last = LAST_NAMES[(index * 7 + index // len(FIRST_NAMES)) % len(LAST_NAMES)]
    return first, last
