"""Processes: the work item types, their states and categories, and the metadata answers that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ado_assets.sample.boards_fields import FIELDS, TIERS, Field, render_field

COLORS = {
    "Proposed": "b2b2b2",
    "InProgress": "007acc",
    "Resolved": "ff9d00",
    "Completed": "339933",
    "Removed": "ffffff",
}
State = tuple[str, str]
AGILE: tuple[State, ...] = (
    ("New", "Proposed"),
    ("Active", "InProgress"),
    ("Resolved", "Resolved"),
    ("Closed", "Completed"),
    ("Removed", "Removed"),
)
SCRUM: tuple[State, ...] = (
    ("New", "Proposed"),
    ("Approved", "Proposed"),
    ("Committed", "InProgress"),
    ("Done", "Completed"),
    ("Removed", "Removed"),
)
SIMPLE: tuple[State, ...] = (("To Do", "Proposed"), ("Doing", "InProgress"), ("Done", "Completed"))


@dataclass(frozen=True)
class Type:
    """One work item type; *level* orders the hierarchy (0 portfolio, 3 task), *share* weighs how many items it has."""

    name: str
    states: tuple[State, ...]
    level: int
    share: int
    color: str
    category: str
    reference_name: str
    disabled: bool = False

    def category_of(self, state: str) -> str:
        """Return the state category of a state's name."""
        return dict(self.states)[state]


def _type(name: str, states: tuple[State, ...], level: int, share: int, color: str, category: str) -> Type:
    reference = f"Microsoft.VSTS.WorkItemTypes.{name.replace(' ', '')}"
    return Type(name, states, level, share, color, f"Microsoft.{category}Category", reference)


def _hidden(states: tuple[State, ...]) -> Type:
    return _type("Code Review Request", states[:1] + states[-1:], 9, 0, "FF9D00", "Hidden")


PROCESSES: dict[str, tuple[Type, ...]] = {
    "Agile": (
        _type("Epic", AGILE, 0, 3, "FF7B00", "Epic"),
        _type("Feature", AGILE, 1, 8, "773B93", "Feature"),
        _type("User Story", AGILE, 2, 34, "009CCC", "Requirement"),
        _type("Task", AGILE, 3, 34, "F2CB1D", "Task"),
        _type("Bug", AGILE, 2, 19, "CC293D", "Bug"),
        Type("Approval", AGILE, 9, 2, "339947", "Microsoft.TaskCategory", "Custom.Approval"),
        _hidden(AGILE),
    ),
    "Scrum": (
        _type("Epic", SCRUM, 0, 3, "FF7B00", "Epic"),
        _type("Feature", SCRUM, 1, 8, "773B93", "Feature"),
        _type("Product Backlog Item", SCRUM, 2, 34, "009CCC", "Requirement"),
        _type("Task", SIMPLE, 3, 36, "F2CB1D", "Task"),
        _type("Bug", SCRUM, 2, 19, "CC293D", "Bug"),
        _hidden(SCRUM),
    ),
    "Basic": (
        _type("Epic", SIMPLE, 0, 6, "E06C00", "Epic"),
        _type("Issue", SIMPLE, 2, 50, "B4009E", "Requirement"),
        _type("Task", SIMPLE, 3, 44, "A4880A", "Task"),
        _hidden(SIMPLE),
    ),
}
CATEGORIES = ("Epic", "Feature", "Requirement", "Task", "Bug", "Hidden")


class Schema:
    """The organization's fields and processes; both grow, as people customise them."""

    def __init__(self, base_url: str, picklist_id: str) -> None:
        self.base_url = base_url
        self.picklist_id = picklist_id
        self.fields = list(FIELDS)
        self.processes = {name: list(types) for name, types in PROCESSES.items()}

    def type(self, process: str, name: str) -> Type:
        """Return a type of a process by name, the first one when the process has no such type."""
        types = self.processes[process]
        return next((each for each in types if each.name == name), types[0])

    def visible_fields(self) -> list[Field]:
        """Return the fields that are not deleted."""
        return [field for field in self.fields if not field.deleted]

    def render_field(self, field: Field, project_id: str | None) -> dict[str, Any]:
        """Return a WorkItemField as seen from a project, or from the organization."""
        return render_field(field, self.base_url, self.picklist_id, project_id)

    def render_type(self, kind: Type, project_id: str) -> dict[str, Any]:
        """Return a WorkItemType with its fields, states and transitions."""
        own = f"{self.base_url}/{project_id}/_apis/wit/workItemTypes/{quote(kind.name, safe='')}"
        fields = [self._instance(field) for field in self.visible_fields()]
        icon = f"{self.base_url}/_apis/wit/workItemIcons/icon_{kind.level}?color={kind.color}&v=2"
        return {
            "name": kind.name,
            "referenceName": kind.reference_name,
            "description": f"Tracks work of the kind {kind.name}.",
            "color": kind.color,
            "icon": {"id": f"icon_{kind.level}", "url": icon},
            "isDisabled": kind.disabled,
            "xmlForm": self._form(),
            "fields": fields,
            "fieldInstances": fields,
            "transitions": _transitions(kind),
            "states": [render_state(state) for state in kind.states],
            "_links": {"self": {"href": own}},
            "url": own,
        }

    def _form(self) -> str:
        controls = "".join(
            f'<Control Label="{field.name}" FieldName="{field.reference_name}" Type="FieldControl" />'
            for field in self.fields
            if not field.read_only
        )
        return f'<FORM><Layout HideReadOnlyEmptyFields="true"><Group>{controls}</Group></Layout></FORM>'

    def _instance(self, field: Field) -> dict[str, Any]:
        row: dict[str, Any] = {
            "alwaysRequired": field.name in ("Title", "State", "Area ID", "Iteration ID"),
            "referenceName": field.reference_name,
            "name": field.name,
            "url": f"{self.base_url}/_apis/wit/fields/{field.reference_name}",
        }
        if field.name == "Priority":
            row |= {"defaultValue": "2", "helpText": "Business importance. 1=must fix; 4=unimportant."}
        if field.picklist:
            row["allowedValues"] = list(TIERS)
        return row

    def render_category(self, name: str, process: str, project_id: str) -> dict[str, Any]:
        """Return a WorkItemTypeCategory with the types of the process that belong to it."""
        base = f"{self.base_url}/{project_id}/_apis/wit"
        reference = f"Microsoft.{name}Category"
        types = [
            {"name": kind.name, "url": f"{base}/workItemTypes/{quote(kind.name, safe='')}"}
            for kind in self.processes[process]
            if kind.category == reference
        ]
        return {
            "name": f"{name} Category",
            "referenceName": reference,
            "defaultWorkItemType": types[0],
            "workItemTypes": types,
            "url": f"{base}/workItemTypeCategories/{reference}",
        }

    def categories(self, process: str) -> list[str]:
        """Return the names of the categories that have a type in the process."""
        used = {kind.category for kind in self.processes[process]}
        return [name for name in CATEGORIES if f"Microsoft.{name}Category" in used]


def render_state(state: State) -> dict[str, Any]:
    """Return a WorkItemStateColor."""
    name, category = state
    return {"name": name, "color": COLORS[category], "category": category}


def _transitions(kind: Type) -> dict[str, Any]:
    names = [name for name, _ in kind.states]
    moves: dict[str, Any] = {name: [{"to": to, "actions": None} for to in names] for name in names}
    moves[""] = [{"to": names[0], "actions": None}]
    return moves
