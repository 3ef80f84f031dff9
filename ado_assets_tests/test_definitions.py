"""The asset graph, pinned: a renamed asset, a lost dependency or a changed partition shows up as a difference."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ado_assets.assets.jobs import CRONS, SELECTIONS, step_name
from ado_assets.graph import build_defs
from ado_assets.sync import FEEDS
from ado_assets.tables import TABLES

PINNED = Path(__file__).with_name("asset_graph.txt")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


def describe(definitions: dg.Definitions) -> str:
    """One line per asset: group, name, partitions, dependencies; then jobs and schedules."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.materializable_asset_keys, key=lambda k: k.to_user_string()):
        node = graph.get(key)
        deps = " ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or "-"
        partitions = node.partitions_def.name if node.partitions_def else "-"
        lines.append(f"{node.group_name:12} {key.to_user_string():32} {partitions:9} <- {deps}")
    for name, feeds in SELECTIONS.items():
        lines.append(f"job sync_{name}: {' '.join(feeds)}; {CRONS[name]}")
    return "\n".join(lines) + "\n"


def test_asset_graph_is_the_pinned_one(definitions):
    assert PINNED.read_text(encoding="utf-8") == describe(definitions), "if it is meant: write the new text to the file"


def test_every_table_is_an_asset_with_its_columns(definitions):
    """What the declarations say is what the Dagster UI shows."""
    graph = definitions.resolve_asset_graph()

    for table in TABLES.values():
        node = graph.get(dg.AssetKey(table.name))
        schema = node.metadata["dagster/column_schema"]
        assert ["organization", *(c.name for c in table.columns)] == [c.name for c in schema.columns][:-5]
        assert all(c.description for c in schema.columns)
        assert f"ado.{table.name}" == node.metadata["dagster/table_name"]


def test_every_job_and_schedule_loads(definitions):
    """Everything resolves as a code location does it, names being unique over assets and jobs."""
    definitions.get_repository_def().load_all_definitions()

    for name in (*SELECTIONS, "all"):
        assert definitions.resolve_job_def(f"sync_{name}")
    for name in SELECTIONS:
        assert definitions.resolve_schedule_def(f"{name}_schedule").job_name == f"sync_{name}"


def test_sync_all_reads_every_feed_after_what_it_stands_on(definitions):
    """The order inside the job is that of the lineage."""
    job = definitions.resolve_job_def("sync_all")
    names = {node.name for node in job.graph.nodes}

    assert {*map(step_name, FEEDS), "verdict"} == names
    order = [node.name for node in job.nodes_in_topological_order]
    for before, after in [("projects", "work_items"), ("builds", "build_timeline_records"), ("areas", "work_items")]:
        assert order.index(step_name(before)) < order.index(step_name(after))


def test_definitions_load_without_any_configuration(monkeypatch):
    """A person opens the UI before the first token exists."""
    for name in ("ADO_ORGANIZATION", "ADO_PAT"):
        monkeypatch.delenv(name, raising=False)

    assert build_defs().resolve_job_def("sync_all")
