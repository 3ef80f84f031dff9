"""What to tell a person: where a token stands, what to do about a verdict, and the same call for a shell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ado_assets.ado.errors import without_secrets
from ado_assets.config import Settings
from ado_assets.connections.probes import CONNECTION, PERMISSIONS, PROJECTS, Probe
from ado_assets.connections.report import Verdict


@dataclass(frozen=True)
class TokenPlace:
    """
    Where a token stands. It holds no secret.

    Args:
        connector: Whose it is.
        variable: Environment variable it stands in.
        users: All connectors that take their tokens from there.
        number: Its place among the comma-separated ones, from 1; None when it is the only one.
    """

    connector: str
    variable: str
    users: tuple[str, ...]
    number: int | None = None

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return self.variable if self.number is None else f"{self.variable}[{self.number}]"

    @property
    def permissions(self) -> tuple[str, ...]:
        """All it needs, for every connector that uses it."""
        return tuple(dict.fromkeys(name for user in self.users for name in PERMISSIONS[user]))

    @property
    def shell(self) -> str:
        """The token for a shell, as an expression over the variable."""
        if self.number is None:
            return f"${self.variable}"
        return f'$(echo "${self.variable}" | cut -d, -f{self.number})'


def curl_of(url: str, place: TokenPlace) -> str:
    """The call for a shell. The token is read from the environment there, so that the text can be shown to anyone."""
    return f'curl -sS -i -u ":{place.shell}" {shlex.quote(without_secrets(url))}'


def ticks(permissions: tuple[str, ...]) -> str:
    """Permissions as the page of tokens names them."""
    return ", ".join(f"{name} > Read" for name in permissions)


def action_for(verdict: Verdict, probe: Probe, place: TokenPlace, settings: Settings) -> str:
    """What to do about a probe that did not pass; empty for one that did."""
    again = "then run `ado-assets verify` again."
    page = f"{settings.core_url}/{settings.organization}/_usersSettings/tokens"
    match verdict:
        case "ok":
            return ""
        case "invalid_credentials":
            return (
                f"The token in {place.name} is wrong, expired, revoked, or not of the organization "
                f"{settings.organization!r} (ADO_ORGANIZATION). Make a new one at {page}, tick "
                f"{ticks(place.permissions)}, put it in {place.variable}, {again}"
            )
        case "invalid_permissions":
            return (
                f"At {page} edit the token of {place.name} (Show all scopes) and tick {ticks(probe.permissions)}"
                f"{_unseen(probe, place)}. Its owner must also be allowed to read it in the project. Save, {again}"
            )
        case "unreachable":
            return (
                f"Check the network, the host in ADO_BASE_URL ({settings.core_url}), HTTPS_PROXY and NO_PROXY, and for "
                f"a private certificate authority SSL_CERT_FILE; {again}"
            )
        case "no_resources":
            return f"{_where_nothing_is(probe, settings)}; {again}"


def _unseen(probe: Probe, place: TokenPlace) -> str:
    """Without projects most other things cannot be asked for, so that all is told at once."""
    others = tuple(name for name in place.permissions if name not in probe.permissions)
    return f" (and, if they are not yet ticked, {ticks(others)})" if probe is PROJECTS and others else ""


def _where_nothing_is(probe: Probe, settings: Settings) -> str:
    if probe is CONNECTION:
        return (
            f"Check ADO_ORGANIZATION: {settings.core_url}/{settings.organization} was not found. It is the name in "
            "https://dev.azure.com/<name>, and the token has to be of that organization"
        )
    if probe is PROJECTS:
        chosen = ", and that ADO_PROJECTS and ADO_EXCLUDE_PROJECTS leave some" if _chooses(settings) else ""
        return f"Add the token's owner to the projects (Project settings > Permissions > Readers){chosen}"
    return (
        f"Check that the service is switched on in the projects (Project settings > Overview), that their "
        f"permissions let the token's owner read it, and that the token has {ticks(probe.permissions)}"
    )


def _chooses(settings: Settings) -> bool:
    return bool(settings.projects or settings.exclude_projects)
