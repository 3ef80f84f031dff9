"""
How the description of a project's process is read: work item types with their states, categories and fields.

All are snapshots without pages: the API gives each whole and says nothing about what changed. The trees of areas and
iterations are in ``classification_nodes``, work items in ``work_items``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ado_assets.ado import AdoClient, Endpoint
from ado_assets.streams.listings import whole
from ado_assets.streams.model import Event, Feed, Request
from ado_assets.tables import WORK_ITEM_FIELDS, WORK_ITEM_TYPE_CATEGORIES, WORK_ITEM_TYPE_STATES, WORK_ITEM_TYPES

LIST_WORK_ITEM_TYPE_CATEGORIES: Final = Endpoint("{project_id}/_apis/wit/workitemtypecategories")
#: Hundreds of kilobytes for a project: fields, form and transitions of every type, and its states.
LIST_WORK_ITEM_TYPES: Final = Endpoint("{project_id}/_apis/wit/workitemtypes")
#: Up to 8192 fields, all in one answer.
LIST_WORK_ITEM_FIELDS: Final = Endpoint("{project_id}/_apis/wit/fields")


async def _snapshot(client: AdoClient, request: Request, endpoint: Endpoint) -> AsyncIterator[Event]:
    assert request.unit.project is not None
    scope = {"project_id": request.unit.project.id}
    async for event in whole(client, endpoint, scope, {}, scope):
        yield event


async def work_item_type_categories(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield every category of work item types of the project, the hidden one included."""
    async for event in _snapshot(client, request, LIST_WORK_ITEM_TYPE_CATEGORIES):
        yield event


async def work_item_types(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield every work item type of the project, each with its states."""
    async for event in _snapshot(client, request, LIST_WORK_ITEM_TYPES):
        yield event


async def work_item_fields(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """Yield every field that the project knows."""
    async for event in _snapshot(client, request, LIST_WORK_ITEM_FIELDS):
        yield event


WORK_ITEM_TYPE_CATEGORIES_FEED: Final = Feed((WORK_ITEM_TYPE_CATEGORIES,), "project", work_item_type_categories)
WORK_ITEM_TYPES_FEED: Final = Feed((WORK_ITEM_TYPES, WORK_ITEM_TYPE_STATES), "project", work_item_types)
WORK_ITEM_FIELDS_FEED: Final = Feed((WORK_ITEM_FIELDS,), "project", work_item_fields)
