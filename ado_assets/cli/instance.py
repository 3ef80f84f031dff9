"""Which Dagster instance the command line works on, and one run on it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import dagster as dg

from ado_assets.assets.jobs import SKIP_OFF, VERDICT, step_name
from ado_assets.cli.processes import signing
from ado_assets.config import Settings
from ado_assets.graph import build_defs

#: The same as the ``dagster.yaml`` that is shipped; written where there is no Dagster home yet.
INSTANCE_SETTINGS = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 4
  pools:
    default_limit: 1
    granularity: op
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 60
"""


@dataclass(frozen=True)
class RunResult:
    """
    What became of one run.

    Args:
        run_id: Its id on the instance.
        succeeded: Whether every asset did.
        errors: One text per asset that failed: its name and the reason.
    """

    run_id: str
    succeeded: bool
    errors: tuple[str, ...]


def dagster_home(settings: Settings) -> Path:
    """The configured Dagster home, or one beside the warehouse; made with telemetry off when it is new."""
    home = Path(os.environ.get("DAGSTER_HOME") or settings.data / "dagster_home").absolute()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(INSTANCE_SETTINGS, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def forget(settings: Settings) -> None:
    """Remove the warehouse of a sample organization and its landing files, so that it starts from nothing."""
    for path in (settings.warehouse, Path(f"{settings.warehouse}.wal"), Path(f"{settings.warehouse}.lock")):
        path.unlink(missing_ok=True)
    shutil.rmtree(settings.landing, ignore_errors=True)


def run_feeds(
    settings: Settings,
    feeds: Sequence[str],
    *,
    config: dict[str, Any],
    skip_off: bool,
    quiet: bool = False,
) -> RunResult:
    """
    Bring feeds up to date in one real Dagster run on the configured instance, in this process.

    Args:
        feeds: Names of feeds.
        config: The run configuration every step gets, as in ``SyncConfig``.
        skip_off: Leave out what a connector that is off would read, instead of failing it.
        quiet: Print nothing while it runs.
    """
    home = dagster_home(settings)
    defs = build_defs(settings, loggers={"console": line_logger(quiet)})
    job = defs.resolve_job_def("sync_all")
    with dg.DagsterInstance.from_config(str(home)) as instance, signing(instance, home) as signature:
        result = job.execute_in_process(
            instance=instance,
            op_selection=[*map(step_name, feeds), VERDICT],
            run_config={
                "loggers": {"console": {}},
                "ops": {step_name(name): {"config": config} for name in feeds} if any(config.values()) else {},
            },
            tags={SKIP_OFF: "true" if skip_off else "", **signature},
            raise_on_error=False,
        )
        errors = tuple(reason_of(event) for event in result.all_events if event.is_step_failure)
        return RunResult(result.run_id, result.success, errors)


def reason_of(event: dg.DagsterEvent) -> str:
    """The failing step and what was raised there, without Dagster's wrapping and without a traceback."""
    error = event.step_failure_data.error
    raised = (error.cause or error) if error else None
    text = raised.message.split(": ", 1)[-1].strip() if raised else "failed"
    return f"{(event.step_key or '').removeprefix('read_').removeprefix('reconcile_')}: {text}"


def line_logger(quiet: bool) -> dg.LoggerDefinition:
    """Writes what assets say to stderr, a line each, without Dagster's own bookkeeping."""

    def lines(_context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("ado_assets.lines", logging.CRITICAL if quiet else logging.INFO)
        logger.addHandler(_Lines())
        return logger

    return dg.LoggerDefinition(lines, description="Plain lines for the command line.")


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", None) or {}
        if meta.get("dagster_event") is None:
            click.echo(f"  {meta.get('orig_message', record.getMessage())}", err=True)
