"""The operations of the pipelines area: builds and releases together. Handlers are in the two modules it joins."""

from __future__ import annotations

from ado_assets.sample import builds_routes, releases_routes

OPERATIONS = [*builds_routes.OPERATIONS, *releases_routes.OPERATIONS]
