"""The connector resource: one organization seen through one set of credentials."""

import os

import dagster as dg
from pydantic import Field

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PersonalAccessToken


class ConnectorOff(dg.Failure):
    """The connector has no organization or no token, so that nothing can be read through it."""


class AdoConnector(dg.ConfigurableResource):  # type: ignore[type-arg]
    """
    Reads one Azure DevOps organization with the credentials of one connector.

    Only the *names* of environment variables are configured here; the tokens are read from the environment when a run
    starts. So no token is part of any Dagster configuration, and a rotated one counts from the next run on.
    """

    connector: str = Field(description="boards, pipelines, repos, pull_commits or commits.")
    organization: str = Field(description="Name of the organization or collection.")
    core_url: str = Field(description="Host of projects, boards, builds and repositories.")
    graph_url: str = Field(description="Host of users.")
    release_url: str = Field(description="Host of releases.")
    token_variables: list[str] = Field(
        description="Environment variables that may hold the tokens (comma-separated); the first that is set counts."
    )
    concurrency: int = Field(default=32, description="Most requests in flight on one credential.")
    attempts: int = Field(default=6, description="How often a request is sent before its unit counts as failed.")

    @property
    def variable(self) -> str | None:
        """Name of the variable that holds the tokens; None when none is set and the connector is off."""
        return next((name for name in self.token_variables if os.environ.get(name, "").strip()), None)

    @property
    def is_on(self) -> bool:
        """Whether an organization and a token are configured."""
        return bool(self.organization and self.variable)

    @property
    def why_off(self) -> str:
        """What is missing and what to do, for a person."""
        if not self.organization:
            return (
                "ADO_ORGANIZATION is not set. Set it to the name in https://dev.azure.com/<name>, or run "
                "`ado-assets demo` to try everything without an organization."
            )
        return (
            f"The {self.connector} connector is off: none of {', '.join(self.token_variables)} is set. Create a "
            "personal access token (User settings > Personal access tokens) and put it there."
        )

    def client(self) -> AdoClient:
        """
        A client with this connector's credentials, to be entered as an async context manager.

        Raises:
            ConnectorOff: No organization or no token is configured.
        """
        variable = self.variable
        if not self.organization or variable is None:
            raise ConnectorOff(description=self.why_off)
        texts = [text.strip() for text in os.environ[variable].split(",") if text.strip()]
        return AdoClient(
            Hosts(core=self.core_url, graph=self.graph_url, release=self.release_url),
            self.organization,
            [PersonalAccessToken(f"{variable}[{n}]", text) for n, text in enumerate(texts, 1)],
            connector=self.connector,
            limits=ClientSettings(max_concurrency=self.concurrency, attempts=self.attempts),
        )
