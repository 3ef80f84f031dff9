"""
Where the API lives and what one call of it looks like: values only, nothing is sent from here.

The official specification of version 7.1 is the source of the paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from ado_assets.ado.paging import Paging

Host = Literal["core", "graph", "release"]
PathValues = Mapping[str, str | int]
Params = Mapping[str, str | int | bool | None]


@dataclass(frozen=True)
class Hosts:
    """
    Base addresses of the three hosts; the organization follows each. All three are equal on Azure DevOps Server.

    Raises:
        ValueError: One is not an http(s) address.
    """

    core: str
    graph: str
    release: str

    def __post_init__(self) -> None:
        for name in ("core", "graph", "release"):
            base = getattr(self, name).rstrip("/")
            if not base.startswith(("https://", "http://")):
                raise ValueError(f"the {name} host must start with https:// or http://, not {base!r}")
            object.__setattr__(self, name, base)

    def base(self, host: Host) -> str:
        """Return the base address of *host*, without a slash at its end."""
        return {"core": self.core, "graph": self.graph, "release": self.release}[host]


@dataclass(frozen=True)
class Endpoint:
    """
    One operation of the API.

    Args:
        path: What follows ``{base}/{organization}/``, for example ``{project_id}/_apis/build/builds``. Each value in
            braces becomes exactly one segment, whatever characters it holds.
        host: Which of the three hosts serves it.
        api_version: With the ``-preview`` suffix where the service demands one.
        paging: How the next page is asked for; None when there is only one.
        records: Property that holds the list; None for an answer that is one object.
        page_size: Records asked for in one page; None leaves the size to the service.
        method: POST only for the read-only ones (wiql, workitemsbatch, reporting): they are repeated after a failure.
    """

    path: str
    host: Host = "core"
    api_version: str = "7.1"
    paging: Paging | None = None
    records: str | None = "value"
    page_size: int | None = None
    method: Literal["GET", "POST"] = "GET"

    @property
    def template(self) -> str:
        """The operation's name in statistics, the same for all its calls."""
        return f"{self.method} {self.path}"


def url_of(hosts: Hosts, organization: str, endpoint: Endpoint, path: PathValues, params: Params) -> str:
    """
    Return the full address of a call, encoded as it has to be sent.

    ``$`` in parameter names stays literal. A parameter that is None is left out; booleans are ``true`` and ``false``.

    Raises:
        ValueError: A value of the path is missing or cannot be one segment.
    """
    given = {name: _text(value) for name, value in params.items() if value is not None}
    query = urlencode(given | {"api-version": endpoint.api_version}, quote_via=quote, safe="$")
    base = f"{hosts.base(endpoint.host)}/{quote(organization, safe='')}"
    return f"{base}/{_fill(endpoint.path, path)}?{query}"


def _fill(template: str, values: PathValues) -> str:
    filled = []
    for literal, name, _, _ in Formatter().parse(template):
        filled.append(literal)
        if name is not None:
            filled.append(_segment(template, name, values))
    return "".join(filled)


def _segment(template: str, name: str, values: PathValues) -> str:
    if name not in values:
        raise ValueError(f"the path {template} needs a value for {name}; given: {', '.join(values) or 'none'}")
    text = str(values[name])
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} cannot be the segment {name} of {template}")
    return quote(text, safe="")


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
