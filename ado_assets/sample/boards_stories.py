"""
What happens to work items: the content of a creation and of each kind of edit.

Belongs here: pure choices, from a generator and the item's values to changed fields. Recording them is boards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ado_assets.sample.boards_fields import TIERS
from ado_assets.sample.boards_history import Change, Fields, WorkItem, fold, stamp
from ado_assets.sample.boards_nodes import tree_fields
from ado_assets.sample.boards_processes import Schema, Type
from ado_assets.sample.clock import FOREVER
from ado_assets.sample.people import Person
from ado_assets.sample.words import COMMENTS, html, paragraph, title

TAGS = ("customer", "tech-debt", "Q3 goal", "blocked", "quick win", "étiquette", "security")
LONG_TEXT_BYTES = 256 * 1024
Place = tuple[int, str]
Edit = tuple[Fields, list[dict[str, Any]]]


@dataclass(frozen=True)
class Setting:
    """Where and among whom an item's story plays: its project's schema, people and nodes (id, path)."""

    schema: Schema
    process: str
    project_name: str
    cast: Sequence[Person]
    areas: Sequence[Place]
    iterations: Sequence[Place]

    def kind(self, values: Fields) -> Type:
        """Return the item's type."""
        return self.schema.type(self.process, values["System.WorkItemType"])


def creation(rng: random.Random, setting: Setting, kind: Type, at: int, by: Person) -> Fields:
    """Return the fields a new item starts with."""
    values: Fields = {
        "System.WorkItemType": kind.name,
        "System.TeamProject": setting.project_name,
        **tree_fields("area", *rng.choice(setting.areas)),
        **tree_fields("iteration", *rng.choice(setting.iterations)),
        "System.State": kind.states[0][0],
        "System.Reason": "New",
        "System.CreatedDate": stamp(at),
        "System.CreatedBy": by,
        "System.CommentCount": 0,
        "System.Title": title(rng),
        "Microsoft.VSTS.Common.Priority": rng.choice((1, 2, 2, 2, 3, 4)),
        "Microsoft.VSTS.Common.StateChangeDate": stamp(at),
    }
    if rng.random() < 0.6:
        values["System.AssignedTo"] = rng.choice(setting.cast)
    if rng.random() < 0.75:
        values["Microsoft.VSTS.TCM.ReproSteps" if kind.name == "Bug" else "System.Description"] = html(rng)
    if rng.random() < 0.25:
        values["System.Tags"] = "; ".join(sorted(rng.sample(TAGS, rng.randrange(1, 4))))
    if kind.name == "Bug":
        values["Microsoft.VSTS.Common.Severity"] = rng.choice(("1 - Critical", "2 - High", "3 - Medium", "4 - Low"))
    if kind.level == 3:
        values["Microsoft.VSTS.Scheduling.RemainingWork"] = float(rng.randrange(1, 17))
        values["Microsoft.VSTS.Common.Activity"] = rng.choice(("Development", "Testing", "Design"))
    elif kind.level < 3:
        values["Microsoft.VSTS.Common.ValueArea"] = rng.choice(("Business", "Architectural"))
        values["Microsoft.VSTS.Common.StackRank"] = 1e9 + rng.randrange(10**6) / 8
        for _ in range(rng.randrange(0, 5)):
            values |= _custom(rng, setting, at)
    return values


def _custom(rng: random.Random, setting: Setting, at: int) -> Fields:
    """Return one custom field with a value of its type."""
    name = rng.choice(CUSTOM)
    values: dict[str, Callable[[], Any]] = {
        "TicketNumber": lambda: f"INC{rng.randrange(10**6):06d}",
        "CustomerCount": lambda: rng.choice((0, 1, 12, 480, 2**31 - 1)),
        "RiskScore": lambda: round(rng.random() * 10, 3),
        "GoLive": lambda: stamp((at // 86_400_000 + rng.randrange(10, 200)) * 86_400_000),
        "NeedsSecurityReview": lambda: rng.random() < 0.5,
        "BusinessCase": lambda: html(rng, 1),
        "ReleaseNotes": lambda: paragraph(rng, 2) + "\nSecond line\twith a tab.",
        "SourceArea": lambda: rng.choice(setting.areas)[1],
        "OriginId": lambda: f"{rng.getrandbits(32):08x}-0000-4000-8000-{rng.getrandbits(48):012x}",
        "ProductOwner": lambda: rng.choice(setting.cast),
        "CustomerTier": lambda: rng.choice(TIERS),
    }
    return {f"Custom.{name}": values[name]()}


CUSTOM = (
    "TicketNumber",
    "CustomerCount",
    "RiskScore",
    "GoLive",
    "NeedsSecurityReview",
    "BusinessCase",
    "ReleaseNotes",
    "SourceArea",
    "OriginId",
    "ProductOwner",
    "CustomerTier",
)


def enter_state(kind: Type, state: str, at: int, by: Person) -> Fields:
    """Return the fields that go with entering a state: reason, dates and people of its category."""
    fields: Fields = {
        "System.State": state,
        "System.Reason": f"Moved to state {state}",
        "Microsoft.VSTS.Common.StateChangeDate": stamp(at),
    }
    word = {"InProgress": "Activated", "Resolved": "Resolved", "Completed": "Closed"}.get(kind.category_of(state))
    if word:
        fields |= {f"Microsoft.VSTS.Common.{word}Date": stamp(at), f"Microsoft.VSTS.Common.{word}By": by}
    if word != "Closed":
        fields |= {"Microsoft.VSTS.Common.ClosedDate": None, "Microsoft.VSTS.Common.ClosedBy": None}
    return fields


def advance(rng: random.Random, values: Fields, setting: Setting, at: int, by: Person) -> Edit:
    """Move along the states; a finished item is now and then reopened, else only its priority changes."""
    kind = setting.kind(values)
    names = [name for name, _ in kind.states]
    here = names.index(values["System.State"]) if values["System.State"] in names else 0
    if here + 1 < len(names) and rng.random() < 0.85:
        return enter_state(kind, names[here + 1], at, by), []
    if here > 0 and rng.random() < 0.4:
        return enter_state(kind, names[max(0, here - 2)], at, by), []
    return {"Microsoft.VSTS.Common.Priority": 1 + values["Microsoft.VSTS.Common.Priority"] % 4}, []


def assign(rng: random.Random, values: Fields, setting: Setting, _at: int, _by: Person) -> Edit:
    """Give the item to somebody, or to nobody."""
    if "System.AssignedTo" in values and rng.random() < 0.15:
        return {"System.AssignedTo": None}, []
    return {"System.AssignedTo": rng.choice(setting.cast)}, []


def comment(rng: random.Random, values: Fields, _setting: Setting, _at: int, _by: Person) -> Edit:
    """Say something."""
    return {"System.History": rng.choice(COMMENTS), "System.CommentCount": values["System.CommentCount"] + 1}, []


def plan(rng: random.Random, _values: Fields, setting: Setting, _at: int, _by: Person) -> Edit:
    """Plan the item for another iteration."""
    return tree_fields("iteration", *rng.choice(setting.iterations)), []


def estimate(rng: random.Random, values: Fields, setting: Setting, _at: int, _by: Person) -> Edit:
    """Change effort; remaining work may become zero, which is a value and not an absence."""
    kind = setting.kind(values)
    if kind.level == 3:
        left = values.get("Microsoft.VSTS.Scheduling.RemainingWork", 8.0)
        done = values.get("Microsoft.VSTS.Scheduling.CompletedWork", 0.0)
        step = min(left, float(rng.randrange(1, 9)))
        return {
            "Microsoft.VSTS.Scheduling.RemainingWork": left - step,
            "Microsoft.VSTS.Scheduling.CompletedWork": done + step,
        }, []
    name = "Effort" if setting.process == "Scrum" else "StoryPoints"
    return {f"Microsoft.VSTS.Scheduling.{name}": rng.choice((0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0))}, []


def describe(rng: random.Random, values: Fields, setting: Setting, _at: int, _by: Person) -> Edit:
    """Rewrite the long text, or add acceptance criteria."""
    if setting.kind(values).level == 2 and rng.random() < 0.4:
        return {"Microsoft.VSTS.Common.AcceptanceCriteria": html(rng, 1)}, []
    return {"System.Description": html(rng, rng.randrange(1, 5))}, []


def tag(rng: random.Random, values: Fields, _setting: Setting, _at: int, _by: Person) -> Edit:
    """Change the tags, or remove them all."""
    if "System.Tags" in values and rng.random() < 0.2:
        return {"System.Tags": None}, []
    return {"System.Tags": "; ".join(sorted(rng.sample(TAGS, rng.randrange(1, 4))))}, []


def customise(rng: random.Random, values: Fields, setting: Setting, at: int, _by: Person) -> Edit:
    """Set a custom field, or clear one that is set."""
    held = [name for name in values if name.startswith("Custom.")]
    if held and rng.random() < 0.3:
        return {rng.choice(held): None}, []
    return _custom(rng, setting, at), []


def attach(rng: random.Random, values: Fields, _setting: Setting, at: int, _by: Person) -> Edit:
    """Add a hyperlink or a link to a commit; unlike links between items these make a revision."""
    number = rng.randrange(10**6)
    attributes: dict[str, Any] = {
        "authorizedDate": stamp(at),
        "id": number,
        "resourceCreatedDate": stamp(at),
        "resourceModifiedDate": stamp(at),
        "revisedDate": FOREVER,
    }
    if rng.random() < 0.5:
        url, rel, counter = f"https://wiki.example/pages/{number}", "Hyperlink", "System.HyperLinkCount"
        attributes["comment"] = "Background"
    else:
        commit = f"{rng.getrandbits(160):040x}"
        url, rel, counter = f"vstfs:///Git/Commit/{commit}", "ArtifactLink", "System.ExternalLinkCount"
        attributes["name"] = "Fixed in Commit"
    return {counter: values.get(counter, 0) + 1}, [{"rel": rel, "url": url, "attributes": attributes}]


def retitle(rng: random.Random, _values: Fields, _setting: Setting, _at: int, _by: Person) -> Edit:
    """Give the item another title."""
    return {"System.Title": title(rng)}, []


def retype(rng: random.Random, values: Fields, setting: Setting, at: int, by: Person) -> Edit:
    """Turn the item into another type of its process, in that type's first state."""
    own = setting.kind(values)
    others = [kind for kind in setting.schema.processes[setting.process] if kind.share and kind.name != own.name]
    kind = rng.choice(others)
    return {"System.WorkItemType": kind.name, **enter_state(kind, kind.states[0][0], at, by)}, []


Move = Callable[[random.Random, Fields, Setting, int, Person], Edit]
MOVES: tuple[tuple[Move, float], ...] = (
    (advance, 34),
    (assign, 11),
    (comment, 18),
    (plan, 9),
    (estimate, 9),
    (describe, 5),
    (tag, 4),
    (customise, 4),
    (attach, 4),
    (retitle, 2),
    (retype, 0.4),
)
_CHOICES = tuple(move for move, _ in MOVES)
_WEIGHTS = tuple(weight for _, weight in MOVES)


def edit(rng: random.Random, values: Fields, setting: Setting, at: int, by: Person) -> Edit:
    """Return one ordinary edit of an item that holds *values*."""
    move = rng.choices(_CHOICES, _WEIGHTS)[0]
    return move(rng, values, setting, at, by)


def tell(rng: random.Random, setting: Setting, item: WorkItem, kind: Type, *, long_text: bool) -> list[Change]:
    """Return the history of an item that nobody touched since the start: one change for each of its times."""
    by = rng.choice(setting.cast)
    first = creation(rng, setting, kind, item.times[0], by)
    if long_text:
        text = html(rng, 4)
        first["System.Description"] = (text * (LONG_TEXT_BYTES // len(text) + 1))[:LONG_TEXT_BYTES]
        first["System.Title"] = "📚 Collect every customer request in one place"
    changes = [Change(item.times[0], by, first)]
    values: Fields = {}
    fold(values, changes[0])
    for at in item.times[1:]:
        by = rng.choice(setting.cast)
        if item.recycled_at_start and at == item.times[-1]:
            change = Change(at, by, {"System.IsDeleted": True})
        else:
            change = Change(at, by, *edit(rng, values, setting, at, by))
        fold(values, change)
        changes.append(change)
    return changes
