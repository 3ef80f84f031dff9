"""The deployment resource: what this installation reads and keeps, as the environment and ``ado.yaml`` say now."""

import os
from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from ado_assets.config import Settings, load_settings


class AdoDeployment(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Reads the settings when a run asks for them, so that a change counts from the next run on."""

    overrides: dict[str, str] = Field(
        default_factory=dict, description="Variables that take precedence over the environment, for tests. No tokens."
    )

    def settings(self) -> Settings:
        """
        The settings of this moment.

        Raises:
            ConfigurationError: With every problem found.
        """
        environment: Mapping[str, str] = {**os.environ, **self.overrides}
        return load_settings(environment)
