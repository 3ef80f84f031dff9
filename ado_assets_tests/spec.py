"""
The official Swagger description as JSON Schemas: which operation a request is, and what its answer may look like.

Swagger lists hardly any ``required`` property, so none is demanded here. Everything else is taken strictly: types,
formats, enum values (in any case), and no property the description does not know. Where the service itself is known to
differ from its description, that is listed below with the reason. Knows no server and sends nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SPEC = Path(__file__).parents[2] / "shared" / "ado" / "spec"
AREAS = ("core", "graph", "wit", "build", "release", "git")
Json = dict[str, Any]

needs_spec = pytest.mark.skipif(not SPEC.is_dir(), reason="the official API description is not beside the repository")

DATE_TIME = (
    r"^(0001-01-01T00:00:00|\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d{1,7})?Z)$"
)
"""An instant with 0 to 7 fractional digits in UTC, or the zone-less sentinel for "not set"."""
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
INTEGER_BITS = {"int16": 16, "int32": 32, "int64": 64}

TEXT: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
BOOLEAN: Json = {"type": "boolean"}
SHA: Json = {"type": "string", "pattern": "^[0-9a-f]{40}$"}
GIT_ITEM: Json = {
    "type": "object",
    "properties": {
        "objectId": SHA,
        "originalObjectId": SHA,
        "commitId": SHA,
        "path": TEXT,
        "url": TEXT,
        "isFolder": BOOLEAN,
        "isSymLink": BOOLEAN,
        "gitObjectType": {"enum": ["bad", "commit", "tree", "blob", "tag", "ext2", "ofsDelta", "refDelta"]},
    },
    "additionalProperties": False,
}
NUMBER_OR_TEXT: Json = {"type": ["integer", "string"], "pattern": r"^\d+$"}
WORK_ITEM: Json = {"$ref": "#/definitions/WorkItem", "type": "object"}
WORK_ITEM_LINK: Json = {
    "type": "object",
    "properties": {
        "rel": TEXT,
        "sourceId": INTEGER,
        "targetId": INTEGER,
        "changedDate": {"type": "string", "pattern": DATE_TIME},
        "isActive": BOOLEAN,
        "sourceProjectId": {"type": "string", "pattern": UUID},
        "targetProjectId": {"type": "string", "pattern": UUID},
        "changedBy": {"$ref": "#/definitions/IdentityRef", "type": "object"},
    },
    "required": ["rel", "sourceId", "targetId", "changedDate", "isActive"],
    "additionalProperties": False,
}
SENT: dict[tuple[str, str], Json] = {
    # Described as a string: the generator lost the type argument of Change<T>. A GitItem in every example.
    ("Change", "item"): GIT_ITEM,
    # References nested in other resources may say "unchanged" (7.1 of the field reference).
    ("TeamProjectReference", "visibility"): {"enum": ["private", "public", "unchanged"]},
    # Null where a transition needs nothing, in the examples of work item types.
    ("WorkItemStateTransition", "actions"): {"type": ["array", "null"], "items": TEXT},
    # Described as arrays of strings, by the same loss as Change<T>; section 2 and 10.4, and the examples.
    ("ReportingWorkItemRevisionsBatch", "values"): {"type": "array", "items": WORK_ITEM},
    ("ReportingWorkItemLinksBatch", "values"): {"type": "array", "items": WORK_ITEM_LINK},
    # A string in the examples of the recycle bin (10.5).
    ("WorkItemDeleteShallowReference", "id"): NUMBER_OR_TEXT,
    ("WorkItemDeleteReference", "id"): NUMBER_OR_TEXT,
    # A build's definition is sent as the BuildDefinitionReference it is, which has drafts.
    ("DefinitionReference", "drafts"): {"type": "array", "items": {"$ref": "#/definitions/DefinitionReference"}},
    # Part of the identity of what was built (12.1).
    ("Artifact", "sourceId"): TEXT,
    # In the example of one release.
    ("Release", "url"): TEXT,
    # The release inside a deployment, in the examples of deployments; url in those of approvals.
    ("ReleaseReference", "url"): TEXT,
    ("ReleaseReference", "webAccessUri"): TEXT,
    ("Deployment", "_links"): {"$ref": "#/definitions/ReferenceLinks"},
    # In the examples of deployments and approvals.
    ("ReleaseApproval", "isNotificationOn"): BOOLEAN,
    ("ReleaseApproval", "trialNumber"): INTEGER,
    # Known to the vendor's own Python client.
    ("ReleaseDeployPhase", "id"): INTEGER,
}
"""What the service sends although the description lacks it or has it otherwise, by definition and property."""
MAPS: dict[str, Json] = {
    # {"self": {"href": ...}}, not {"links": {...}}: every official example has it so.
    "ReferenceLinks": {"type": "object", "properties": {"href": {"type": "string"}}, "required": ["href"]},
    # {"name": {"$type": ..., "$value": ...}}, in the examples of pull request threads.
    "PropertiesCollection": {"type": "object", "required": ["$type", "$value"], "maxProperties": 2},
}
"""Definitions that are sent as a plain map, with the schema of the values."""
FLAGS = {
    # "edit, rename": several at once (13.3 of the field reference).
    "VersionControlChangeType",
}
"""Enumerations whose values may be combined."""


@dataclass(frozen=True, eq=False)
class Described:
    """
    One operation of the description.

    *template* is its path below the organization, *parameter* the one query parameter that makes it this operation.
    """

    area: str
    method: str
    template: str
    parameter: str
    route: re.Pattern[str]
    answer: Json

    def matches(self, path: str) -> bool:
        """Return whether *path* is one of this operation's."""
        return self.route.fullmatch(f"/{path.strip('/')}") is not None


class Area:
    """One Swagger document: its operations and its definitions as JSON Schemas."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.document: Json = json.loads((SPEC / f"{name}.json").read_text(encoding="utf-8"))

    @cached_property
    def definitions(self) -> Json:
        """Every definition as a schema of its own, inherited properties included."""
        return {name: self._definition(name) for name in self.document["definitions"]}

    @cached_property
    def operations(self) -> list[Described]:
        """The operations, the most specific first; one under ``x-ms-paths`` replaces the plain one of its path."""
        found: dict[tuple[str, str, str], Described] = {}
        for section in ("paths", "x-ms-paths"):
            for path, methods in self.document.get(section, {}).items():
                for method, operation in methods.items():
                    described = self._operation(method.upper(), path, operation)
                    found[described.method, described.template.lower(), described.parameter] = described
        return sorted(found.values(), key=lambda each: (each.template.count("{"), not each.parameter))

    def _operation(self, method: str, path: str, operation: Json) -> Described:
        template, _, query = path.removeprefix("/{organization}/").partition("?")
        declared = {each["name"]: each for each in operation["parameters"] if "name" in each}
        optional = {name for name, each in declared.items() if each.get("x-ms-required") is False}
        answer = self._answer(operation["responses"]["200"]["schema"])
        return Described(self.name, method, template, query.partition("=")[0], _route(template, optional), answer)

    def _answer(self, schema: Json) -> Json:
        """Return the schema of a whole answer: where the description says array, the service sends the envelope."""
        if schema.get("type") != "array":
            return self._element(schema)
        values = {"type": "array", "items": self._element(schema["items"])}
        return {
            "type": "object",
            "properties": {"count": {"type": "integer"}, "value": values},
            "required": ["count", "value"],
            "additionalProperties": False,
        }

    def _definition(self, name: str) -> Json:
        if name in MAPS:
            return {"type": ["object", "null"], "additionalProperties": MAPS[name]}
        schema: Json = {"type": ["object", "null"], "properties": {}, "additionalProperties": False}
        for owner, part in self._parts(name, self.document["definitions"][name]):
            schema["properties"] |= {key: self._property(each) for key, each in part.get("properties", {}).items()}
            schema["properties"] |= {key: each for (definition, key), each in SENT.items() if definition == owner}
            if "additionalProperties" in part:
                schema["additionalProperties"] = self._element(part["additionalProperties"])
        return schema

    def _parts(self, name: str, definition: Json) -> Iterator[tuple[str, Json]]:
        """Yield the definition and, before it, what it inherits from, each with its name."""
        for base in definition.get("allOf", ()):
            if "$ref" in base:
                inherited = base["$ref"].rpartition("/")[2]
                yield from self._parts(inherited, self.document["definitions"][inherited])
            else:
                yield name, base
        yield name, definition

    def _property(self, schema: Json) -> Json:
        """A property may be null when it is an object or a plain string, as in the vendor's own examples."""
        converted = self._element(schema)
        if converted.get("type") in ("object", "string") and "pattern" not in converted:
            converted = {**converted, "type": [converted["type"], "null"]}
        return converted

    def _element(self, schema: Json) -> Json:
        if "$ref" in schema:
            return {"$ref": schema["$ref"], "type": "object"}
        kind = "string" if "enum" in schema else schema["type"]
        if kind == "array":
            return {"type": "array", "items": self._element(schema["items"])}
        if kind == "object":
            return self._map(schema)
        if kind == "integer":
            half = 1 << INTEGER_BITS[schema["format"]] - 1
            return {"type": "integer", "minimum": -half, "maximum": half - 1}
        return self._text(schema) if kind == "string" else {"type": kind}

    def _map(self, schema: Json) -> Json:
        """Return the schema of a map; a bare object is .NET's ``object``, so any value."""
        if "properties" in schema:
            raise ValueError(f"{self.name}: an anonymous object with properties is not expected: {schema}")
        if "additionalProperties" not in schema:
            return {}
        return {"type": "object", "additionalProperties": self._element(schema["additionalProperties"])}

    def _text(self, schema: Json) -> Json:
        if "enum" in schema:
            values = "|".join(map(re.escape, schema["enum"]))
            several = f"(, ({values}))*" if schema.get("x-ms-enum", {}).get("name") in FLAGS else ""
            return {"type": "string", "pattern": f"(?i)^({values}){several}$"}
        patterns = {"date-time": DATE_TIME, "uuid": UUID}
        found = patterns.get(schema.get("format", ""))
        return {"type": "string", "pattern": found} if found else {"type": "string"}


def _route(template: str, optional: set[str]) -> re.Pattern[str]:
    """
    Return what matches a path of *template*, in any case; only what may be left out may be missing.

    That is more often the project than the description says: organization-wide git/pullrequests works, for one.
    """
    pattern = ""
    for segment in template.split("/"):
        if not segment.startswith("{"):
            pattern += f"/{re.escape(segment)}"
        elif segment == "{path}":
            pattern += "(/.+)?"
        else:
            pattern += "(/[^/]+)?" if segment[1:-1] in optional | {"project"} else "/[^/]+"
    return re.compile(pattern, re.IGNORECASE)


class Specification:
    """All areas: finds the operation of a request and says what is wrong with an answer."""

    def __init__(self) -> None:
        self.areas = {name: Area(name) for name in AREAS}
        self._validators: dict[Described, jsonschema.Draft202012Validator] = {}

    def find(self, method: str, path: str, query: Iterable[str] = ()) -> Described | None:
        """Return the operation of a path below the organization (with values or as a template), or None."""
        for area in self.areas.values():
            for operation in area.operations:
                if operation.method == method and operation.parameter in ("", *query) and operation.matches(path):
                    return operation
        return None

    def faults(self, operation: Described, answer: Any) -> list[str]:
        """Return a sentence for everything in *answer* that the description does not allow."""
        if operation not in self._validators:
            schema = {**operation.answer, "definitions": self.areas[operation.area].definitions}
            self._validators[operation] = jsonschema.Draft202012Validator(schema)
        return [_sentence(error) for error in self._validators[operation].iter_errors(answer)]


def _sentence(error: jsonschema.ValidationError) -> str:
    """Name the place without its positions, so that the same fault of many rows reads the same."""
    place = "/".join("#" if isinstance(part, int) else str(part) for part in error.path)
    message = error.message if len(error.message) < 300 else f"… {error.message[-150:]}"
    return f"{place}: {message}"
