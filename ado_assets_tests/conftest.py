"""What most tests stand on: a sample organization, an environment that points at it, and a way to sync."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ado_assets.assets.jobs import VERDICT, step_name
from ado_assets.config import load_settings
from ado_assets.graph import build_defs
from ado_assets.sample import SampleServer
from ado_assets.sync import FEEDS
from ado_assets.warehouse import Warehouse
from ado_assets_tests.oracle import all_differences

TOKENS = {
    "ADO_BOARDS_PAT": "sample-boards-token",
    "ADO_PIPELINES_PAT": "sample-pipelines-token",
    "ADO_REPOS_PAT": "sample-repos-token",
    "ADO_PULL_COMMITS_PAT": "sample-pull-commits-token",
    "ADO_COMMITS_PAT": "sample-commits-token",
}


@dataclass
class Deployment:
    """One installation over one sample organization: its warehouse, its Dagster instance, and how to sync it."""

    server: SampleServer
    folder: Path
    instance: dg.DagsterInstance

    @property
    def world(self) -> Any:
        return self.server.world

    @property
    def warehouse(self) -> Warehouse:
        settings = load_settings()
        return Warehouse(settings.warehouse, landing=settings.landing)

    def sync(self, *feeds: str, **config: Any) -> dg.ExecuteInProcessResult:
        """Run ``sync_all`` (or only these feeds of it) in this process; raises when a step fails."""
        job = build_defs().resolve_job_def("sync_all")
        chosen = feeds or tuple(FEEDS)
        return job.execute_in_process(
            instance=self.instance,
            op_selection=[*map(step_name, chosen), VERDICT],
            run_config={"ops": {step_name(name): {"config": config} for name in chosen}} if config else None,
        )

    def differences(self, tables: Sequence[str] | None = None) -> list[str]:
        """What differs between the warehouse and the organization's truth; empty when every table is equal."""
        truth = self.world.truth()
        return all_differences(truth, self.warehouse, tables) if tables else all_differences(truth, self.warehouse)


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that starts a deployment over a fresh sample organization of a scale."""
    servers = []
    for name in [name for name in os.environ if name.startswith("ADO_")]:
        monkeypatch.delenv(name)

    def start(scale: str = "tiny", seed: int = 7, **environment: str) -> Deployment:
        server = SampleServer(scale=scale, seed=seed)
        server.__enter__()
        servers.append(server)
        variables = {
            **TOKENS,
            "ADO_ORGANIZATION": server.organization,
            "ADO_BASE_URL": server.base_url,
            "ADO_WAREHOUSE": str(tmp_path / "azure_devops.duckdb"),
            **environment,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Deployment(server, tmp_path, dg.DagsterInstance.ephemeral())

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def deployment(deploy: Any) -> Deployment:
    """A deployment over the smallest sample organization."""
    return deploy()
