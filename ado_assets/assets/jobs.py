"""Jobs and schedules: one per connector, one for the slow snapshots, one for everything."""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from ado_assets.assets.feed import SKIP_OFF
from ado_assets.config import FileSettings

#: What each job materializes. A connector's job refreshes only the listings it stands on, not teams and members.
SELECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "core": (
        *("users", "projects", "teams", "team_members", "iterations", "areas"),
        *("work_item_type_categories", "work_item_types", "work_item_type_states", "work_item_fields"),
    ),
    "boards": ("projects", "work_items", "work_item_relations", "work_item_updates", "work_item_revisions"),
    "pipelines": (
        *("projects", "builds", "build_timeline_records"),
        *("releases", "release_environments", "release_deployments"),
    ),
    "repos": (
        *("projects", "repositories", "pull_requests", "pull_request_reviewers", "pull_request_labels"),
        *("pull_request_iterations", "pull_request_iteration_changes", "pull_request_threads"),
        *("pull_request_comments", "pull_request_work_items"),
    ),
    "pull_commits": (
        *("projects", "repositories", "pull_requests", "pull_request_reviewers", "pull_request_labels"),
        "pull_request_commits",
    ),
    "commits": ("projects", "repositories", "commits"),
}

#: Cron of each schedule unless ``ado.yaml`` says otherwise; minutes differ so that connectors do not start together.
CRONS: Final[Mapping[str, str]] = {
    "core": "5 * * * *",
    "boards": "0,30 * * * *",
    "pipelines": "6,36 * * * *",
    "repos": "12,42 * * * *",
    "pull_commits": "18,48 * * * *",
    "commits": "24,54 * * * *",
}


def make_jobs() -> list[dg.JobDefinition | dg.UnresolvedAssetJobDefinition]:
    """``sync_core``, one job per connector, and ``sync_all``."""
    jobs = [
        dg.define_asset_job(
            f"sync_{name}",
            selection=dg.AssetSelection.assets(*tables),
            description=f"Bring the tables of {name} up to date for the whole organization, or the configured projects.",
            executor_def=dg.in_process_executor,
        )
        for name, tables in SELECTIONS.items()
    ]
    everything = dg.define_asset_job(
        "sync_all",
        selection=dg.AssetSelection.all(),
        tags={SKIP_OFF: "true"},
        description="Bring every table up to date. Assets of connectors without a token are left out.",
        executor_def=dg.in_process_executor,
    )
    return [*jobs, everything]


def make_schedules(settings: FileSettings) -> list[dg.ScheduleDefinition]:
    """One schedule per job but ``sync_all``; stopped unless ``start_schedules`` is set in ``ado.yaml``."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.start_schedules else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=f"{name}_schedule",
            job_name=f"sync_{name}",
            cron_schedule=settings.schedules.get(name, cron),
            default_status=status,
            execution_timezone="UTC",
        )
        for name, cron in CRONS.items()
    ]
