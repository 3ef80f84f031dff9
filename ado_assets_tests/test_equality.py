"""The promise: after a sync every table equals what the organization says now, keys and all columns."""

from __future__ import annotations

import pytest

from ado_assets.tables import TABLES


@pytest.mark.parametrize("scale", ["tiny", "small"])
def test_every_table_equals_the_organization(deploy, scale):
    """A first sync from nothing, over real HTTP and real Dagster runs, lands everything exactly."""
    deployment = deploy(scale)

    deployment.sync()

    assert [] == deployment.differences()
    counts = deployment.warehouse.live_counts(deployment.server.organization, list(TABLES))
    assert [] == [name for name, rows in counts.items() if not rows]


def test_every_table_equals_the_organization_after_days_of_activity(deployment):
    """Two incremental syncs, days apart, leave no table behind."""
    deployment.sync()
    for _ in range(2):
        deployment.world.tick(days=3)

        deployment.sync()

        assert [] == deployment.differences()
