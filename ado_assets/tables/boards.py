"""
Tables of Azure Boards that describe how a project works: iterations, areas, work item types, their states and fields.

Work items and their history are declared in ``boards_work_items``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table

_PROJECT: Final = Parent("projects", {"project_id": "id"})
_PROJECT_ID: Final = Column("project_id", "VARCHAR", "@project_id", "GUID of the project it belongs to.")


def _node_columns(kind: str) -> tuple[Column, ...]:
    """Columns of a classification node. The stream flattens the tree: no ``children``, and ``parentId`` added."""
    return (
        _PROJECT_ID,
        Column("id", "VARCHAR", "identifier", f"GUID of the {kind}."),
        Column(
            "node_id", "BIGINT", "id", f"Integer id of the {kind}, as in work_items.{kind}_id; unique in the project."
        ),
        Column("parent_id", "VARCHAR", "parentId", f"GUID of the {kind} above it; null at the root of the tree."),
        Column("name", "VARCHAR", "name", f"Name of the {kind}, the last part of its path."),
        Column(
            "path",
            "VARCHAR",
            "path",
            f"Full path with a leading backslash and the tree's name, for example \\Project\\{kind.title()}\\Name.",
        ),
        Column("structure_type", "VARCHAR", "structureType", "Which tree it is part of: area or iteration."),
        Column("has_children", "BOOLEAN", "hasChildren", "True when nodes hang below it."),
    )


ITERATIONS: Final = Table(
    name="iterations",
    about="One row is a node of a project's iteration tree: a release, a sprint or the root.",
    connector="boards",
    source="wit/7.1: GET {project}/_apis/wit/classificationnodes/Iterations?$depth",
    key=("project_id", "id"),
    parent=_PROJECT,
    ignored=NAVIGATION,
    columns=(
        *_node_columns("iteration"),
        Column(
            "start_date",
            "TIMESTAMPTZ",
            "attributes/startDate",
            "First day, as midnight UTC; only its date has meaning; null when no dates are set.",
        ),
        Column(
            "finish_date",
            "TIMESTAMPTZ",
            "attributes/finishDate",
            "Last day, included, as midnight UTC; only its date has meaning; null when no dates are set.",
        ),
    ),
)

AREAS: Final = Table(
    name="areas",
    about="One row is a node of a project's area tree: a part of the product or of the organization, or the root.",
    connector="boards",
    source="wit/7.1: GET {project}/_apis/wit/classificationnodes/Areas?$depth",
    key=("project_id", "id"),
    parent=_PROJECT,
    ignored=NAVIGATION,
    columns=_node_columns("area"),
)

WORK_ITEM_TYPE_CATEGORIES: Final = Table(
    name="work_item_type_categories",
    about="One row is a category of work item types in a project, such as Microsoft.RequirementCategory.",
    connector="boards",
    source="wit/7.1: GET {project}/_apis/wit/workitemtypecategories",
    key=("project_id", "reference_name"),
    parent=_PROJECT,
    ignored=NAVIGATION,
    columns=(
        _PROJECT_ID,
        Column("reference_name", "VARCHAR", "referenceName", "Name for programs, the same in every language."),
        Column("name", "VARCHAR", "name", "Name as shown."),
        Column(
            "default_work_item_type_name",
            "VARCHAR",
            "defaultWorkItemType/name",
            "Type that is created by default in this category.",
        ),
        Column("work_item_types", "JSON", "workItemTypes", "The types in the category: array of {name, url}."),
    ),
)

WORK_ITEM_TYPES: Final = Table(
    name="work_item_types",
    about="One row is a work item type of a project, such as Bug, with its fields, form and allowed transitions.",
    connector="boards",
    source="wit/7.1: GET {project}/_apis/wit/workitemtypes",
    key=("project_id", "name"),
    parent=_PROJECT,
    ignored=NAVIGATION,
    columns=(
        _PROJECT_ID,
        Column("name", "VARCHAR", "name", "Name of the type, as in work_items.work_item_type."),
        Column("reference_name", "VARCHAR", "referenceName", "Name for programs, such as Microsoft.VSTS….Bug."),
        Column("description", "VARCHAR", "description", "What the type is for."),
        Column("color", "VARCHAR", "color", "Colour as RRGGBB in hexadecimal."),
        Column("icon_id", "VARCHAR", "icon/id", "Id of the icon."),
        Column("is_disabled", "BOOLEAN", "isDisabled", "True when no items of the type can be created any more."),
        Column("fields", "JSON", "fields", "Fields of the type: array of {referenceName, name, helpText, …}."),
        Column(
            "field_instances",
            "JSON",
            "fieldInstances",
            "Fields of the type with their defaults and rules: array of {referenceName, alwaysRequired, …}.",
        ),
        Column(
            "transitions",
            "JSON",
            "transitions",
            "Allowed state changes: from state -> array of {to, actions}; the empty name is the creation.",
        ),
        Column("xml_form", "VARCHAR", "xmlForm", "Layout of the form as XML."),
    ),
)

WORK_ITEM_TYPE_STATES: Final = Table(
    name="work_item_type_states",
    about="One row is a state that items of a type can have, with the category that gives it meaning.",
    connector="boards",
    source="wit/7.1: GET {project}/_apis/wit/workitemtypes (states)",
    key=("project_id", "work_item_type", "name"),
    feed="work_item_types",
    array="states",
    parent=Parent("work_item_types", {"project_id": "project_id", "work_item_type": "name"}),
    columns=(
        _PROJECT_ID,
        Column("work_item_type", "VARCHAR", "^name", "Name of the type."),
        Column("name", "VARCHAR", "name", "Name of the state, as in work_items.state."),
        Column("category", "VARCHAR", "category", "Proposed, InProgress, Resolved, Completed or Removed."),
        Column("color", "VARCHAR", "color", "Colour as RRGGBB in hexadecimal."),
    ),
)

WORK_ITEM_FIELDS: Final = Table(
    name="work_item_fields",
    about="One row is a work item field as a project sees it, system and custom ones alike.",
    connector="boards",
    source="wit/7.1: GET {project}/_apis/wit/fields",
    key=("project_id", "reference_name"),
    parent=_PROJECT,
    ignored=NAVIGATION,
    columns=(
        _PROJECT_ID,
        Column(
            "reference_name", "VARCHAR", "referenceName", "Name for programs: the field's key in work_items.fields."
        ),
        Column("name", "VARCHAR", "name", "Name as shown."),
        Column("description", "VARCHAR", "description", "What the field means."),
        Column("type", "VARCHAR", "type", "Type of its values: string, integer, double, dateTime, html, identity, …."),
        Column("usage", "VARCHAR", "usage", "What it is used on: workItem, workItemLink, tree or others."),
        Column("read_only", "BOOLEAN", "readOnly", "True when only the system writes it."),
        Column("can_sort_by", "BOOLEAN", "canSortBy", "True when queries can sort by it."),
        Column("is_queryable", "BOOLEAN", "isQueryable", "True when queries can filter by it."),
        Column("is_identity", "BOOLEAN", "isIdentity", "True when its values are identities."),
        Column("is_picklist", "BOOLEAN", "isPicklist", "True when its values come from a list."),
        Column(
            "is_picklist_suggested",
            "BOOLEAN",
            "isPicklistSuggested",
            "True when the list is a suggestion and other values are allowed.",
        ),
        Column("picklist_id", "VARCHAR", "picklistId", "GUID of its list; null when it has none."),
        Column("is_deleted", "BOOLEAN", "isDeleted", "True when the field itself was deleted."),
        Column("is_locked", "BOOLEAN", "isLocked", "True when the field's definition is locked for editing."),
        Column(
            "supported_operations",
            "JSON",
            "supportedOperations",
            "Operators that queries may use: array of {name, referenceName}.",
        ),
    ),
)
