"""All operations of the Git area, gathered from its three route modules."""

from __future__ import annotations

from ado_assets.sample import commits_routes, pull_requests_routes, repositories_routes

OPERATIONS = [
    *repositories_routes.OPERATIONS,
    *pull_requests_routes.OPERATIONS,
    *commits_routes.OPERATIONS,
]
