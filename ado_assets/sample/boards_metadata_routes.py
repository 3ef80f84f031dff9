"""The operations on classification nodes, work item types, categories and fields."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.boards_processes import Type, render_state
from ado_assets.sample.http import (
    ApiError,
    Operation,
    bad_request,
    envelope,
    json_response,
    number,
    optional_project_of,
    parameter,
    project_of,
    world_of,
)

STRUCTURES = {"areas": "area", "iterations": "iteration"}


async def list_nodes(request: Request) -> Response:
    """Answer both roots, or the nodes of ``ids``; no children unless ``$depth`` asks for them."""
    project, trees = project_of(request), world_of(request).boards.trees
    depth = number(request, "$depth", 0)
    wanted = parameter(request, "ids")
    if not wanted:
        roots = trees.roots[project.id].values()
        return envelope([trees.render(project.id, root, depth) for root in roots])
    omit = (parameter(request, "errorPolicy") or "fail").lower() == "omit"
    rows = []
    for text in wanted.split(","):
        node = trees.live(project.id, int(text)) if text.strip().isdigit() else None
        if node is None and not omit:
            raise ApiError(404, "ClassificationNodeNotFoundException", f"VS402485: There is no node with id {text}.")
        rows.append(None if node is None else trees.render(project.id, node, depth))
    return envelope(rows)


async def get_node(request: Request) -> Response:
    """Answer one node of a tree by its path below the root."""
    project, trees = project_of(request), world_of(request).boards.trees
    group = request.path_params["structureGroup"]
    structure = STRUCTURES.get(group.lower())
    if structure is None:
        raise bad_request(f"The value '{group}' is not a structure group.", "ArgumentException")
    path = request.path_params.get("path", "")
    node = trees.find(project.id, structure, path)
    if node is None:
        message = f"VS402485: The {structure} '{path}' does not exist."
        raise ApiError(404, "ClassificationNodeNotFoundException", message)
    return json_response(trees.render(project.id, node, number(request, "$depth", 0)))


async def list_categories(request: Request) -> Response:
    """List the categories of a project's process."""
    project, schema = project_of(request), world_of(request).boards.schema
    names = schema.categories(project.process)
    return envelope([schema.render_category(name, project.process, project.id) for name in names])


async def list_types(request: Request) -> Response:
    """List the work item types of a project's process."""
    project, schema = project_of(request), world_of(request).boards.schema
    return envelope([schema.render_type(kind, project.id) for kind in schema.processes[project.process]])


def _type_of(request: Request) -> Type:
    project, name = project_of(request), request.path_params["type"]
    for kind in world_of(request).boards.schema.processes[project.process]:
        if kind.name.lower() == name.lower():
            return kind
    message = f"VS402323: Work item type {name} does not exist in project {project.name}."
    raise ApiError(404, "WorkItemTypeNotFoundException", message)


async def get_type(request: Request) -> Response:
    """Answer one work item type by name."""
    kind = _type_of(request)
    return json_response(world_of(request).boards.schema.render_type(kind, project_of(request).id))


async def list_states(request: Request) -> Response:
    """List the states of a work item type."""
    return envelope([render_state(state) for state in _type_of(request).states])


async def list_fields(request: Request) -> Response:
    """List the fields; deleted ones only with ``$expand=includeDeleted``."""
    project, schema = optional_project_of(request), world_of(request).boards.schema
    deleted = "includedeleted" in (parameter(request, "$expand") or "").lower()
    fields = schema.fields if deleted else schema.visible_fields()
    return envelope([schema.render_field(field, project.id if project else None) for field in fields])


async def get_field(request: Request) -> Response:
    """Answer one field by name or reference name."""
    project, schema = optional_project_of(request), world_of(request).boards.schema
    name = request.path_params["fieldNameOrRefName"]
    for field in schema.fields:
        if name.lower() in (field.name.lower(), field.reference_name.lower()):
            return json_response(schema.render_field(field, project.id if project else None))
    raise ApiError(404, "WorkItemTrackingFieldDefinitionNotFoundException", f"TF51535: Cannot find field {name}.")


WIT = "{project}/_apis/wit"
OPERATIONS = [
    Operation("GET", f"{WIT}/classificationnodes", list_nodes, "vso.work"),
    Operation("GET", f"{WIT}/classificationnodes/{{structureGroup}}", get_node, "vso.work"),
    Operation("GET", f"{WIT}/classificationnodes/{{structureGroup}}/{{*path}}", get_node, "vso.work"),
    Operation("GET", f"{WIT}/workitemtypecategories", list_categories, "vso.work"),
    Operation("GET", f"{WIT}/workitemtypes", list_types, "vso.work"),
    Operation("GET", f"{WIT}/workitemtypes/{{type}}", get_type, "vso.work"),
    Operation("GET", f"{WIT}/workitemtypes/{{type}}/states", list_states, "vso.work"),
    Operation("GET", f"{WIT}/fields", list_fields, "vso.work", optional_project=True),
    Operation("GET", f"{WIT}/fields/{{fieldNameOrRefName}}", get_field, "vso.work", optional_project=True),
]
