"""Assembles the definitions from what the folders hold. Nothing is read or opened when this module is loaded."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ado_assets.assets import boards, commits, core, pipelines, repos
from ado_assets.assets.checks import make_checks
from ado_assets.assets.jobs import make_jobs, make_schedules
from ado_assets.assets.reconcile import make_reconcile_job, make_reconcile_schedule
from ado_assets.assets.verify import make_verify_job
from ado_assets.config import CONNECTORS, TOKEN_VARIABLES, Settings, load_settings
from ado_assets.resources import AdoConnector, AdoDeployment, AdoWarehouse


def resources(settings: Settings) -> dict[str, Any]:
    """The five connectors, the warehouse and the deployment."""
    connectors = {
        name: AdoConnector(
            connector=name,
            organization=settings.organization,
            core_url=settings.core_url,
            graph_url=settings.graph_url,
            release_url=settings.release_url,
            token_variables=list(TOKEN_VARIABLES[name]),
            concurrency=settings.file.concurrency,
            attempts=settings.file.attempts,
        )
        for name in CONNECTORS
    }
    warehouse = AdoWarehouse(database=str(settings.warehouse), landing=str(settings.landing))
    return {**connectors, "warehouse": warehouse, "deployment": AdoDeployment()}


def build_defs(
    settings: Settings | None = None, loggers: Mapping[str, dg.LoggerDefinition] | None = None
) -> dg.Definitions:
    """
    The whole graph.

    Args:
        settings: What to assemble it for; read from the environment when left out.
        loggers: Loggers to use instead of Dagster's.
    """
    chosen = settings or load_settings()
    return dg.Definitions(
        assets=dg.load_assets_from_modules([core, boards, pipelines, repos, commits]),
        asset_checks=make_checks(),
        jobs=[
            *make_jobs(resources(chosen)),
            make_reconcile_job(resources(chosen)),
            make_verify_job(resources(chosen)),
        ],
        schedules=[*make_schedules(chosen.file), make_reconcile_schedule(chosen.file)],
        resources=resources(chosen),
        executor=dg.in_process_executor,
        loggers=loggers,
    )
