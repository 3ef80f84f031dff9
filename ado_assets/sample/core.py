"""
Projects, teams, members and users of the organization, and what they look like in the core and Graph answers.

Belongs here: who and where. What changes them is core_changes, the routes are core_routes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ado_assets.sample import core_changes
from ado_assets.sample.clock import START, iso
from ado_assets.sample.people import Person, full_name, person

if TYPE_CHECKING:
    from ado_assets.sample.world import Gone, Truth, World

PROJECT_NAMES = (
    "Fabrikam Fiber",
    "R&D #1 100%",
    "Ünïcode Prøjekt",
    "Contoso Web",
    "Legacy TFVC",
    "Payments",
    "Data Platform",
    "Mobile Apps",
)
PROGRAM_WORDS = ("Atlas", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Iris", "Juniper")
TEAM_WORDS = ("Web", "Platform", "Mobile", "Quality", "Payments", "Search", "Design & Research", "Operations", "Data")
PROCESSES = ("Agile", "Scrum", "Basic")


@dataclass(slots=True)
class Project:
    """One project in any state; *people* are the users and service principals who work in it."""

    id: str
    name: str
    description: str
    state: str
    revision: int
    visibility: str
    last_update_time: datetime
    source_control: str
    process: str
    base_url: str
    people: list[Person] = field(default_factory=list)

    def ref(self) -> dict[str, Any]:
        """Return a fresh TeamProjectReference, as other resources nest it."""
        ref: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "url": f"{self.base_url}/_apis/projects/{self.id}",
            "state": self.state,
            "revision": self.revision,
            "visibility": self.visibility,
            "lastUpdateTime": iso(self.last_update_time),
        }
        if not self.description:
            del ref["description"]
        return ref

    def touch(self, now: datetime) -> None:
        """Record that the project itself was edited at *now*."""
        self.revision += 1
        self.last_update_time = now


@dataclass(slots=True)
class Team:
    """One team; *members* maps an identity id to (identity, is team administrator)."""

    id: str
    name: str
    description: str
    members: dict[str, tuple[Person, bool]] = field(default_factory=dict)


class Core:
    """Builds the people, projects and teams, and answers what they hold now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gone: list[Gone] = []
        self.serial = itertools.count(1_000)
        self.teams: dict[str, dict[str, Team]] = {}
        self.weights: dict[str, float] = {}
        self.scenarios: dict[str, Callable[[random.Random], str]] = core_changes.scenarios(self)
        self._build_people()
        self._build_projects()

    def _build_people(self) -> None:
        world, rng = self.world, self.world.rng("people")
        principals = max(1, world.scale.people // 20)
        onlookers = 0 if world.scale.name == "tiny" else 75
        for index in range(world.scale.people - principals + onlookers):
            first, last = full_name(index)
            alias = f"{first}.{last}".lower().replace("'", "")
            if index >= 48:
                alias += str(index)
            domain = rng.choices(("fabrikam.example", "contoso.example", "outlook.com"), (80, 15, 5))[0]
            user = person(world.guid("user", index), "user", f"{first} {last}", f"{alias}@{domain}", world.base_url)
            if index % 17 == 9:
                user.mail = ""
            world.people.append(user)
        self.workers = world.people[: world.scale.people - principals]
        for index in range(principals):
            name = ("release-bot", "dependency-updater", "metrics-reader")[index % 3] + (
                "" if index < 3 else f"-{index}"
            )
            key = world.guid("service_principal", index)
            bot = person(key, "service_principal", name, world.guid("application", index), world.base_url)
            world.people.append(bot)
            self.workers.append(bot)
        for name in ("Project Collection Administrators", "Release Approvers"):
            unique = f"vstfs:///Framework/IdentityDomain/{world.guid('domain')}\\{name}"
            group_name = f"[{world.organization}]\\{name}"
            world.people.append(person(world.guid("group", name), "group", group_name, unique, world.base_url))

    def _build_projects(self) -> None:
        for index in range(self.world.scale.projects):
            name = PROJECT_NAMES[index] if index < len(PROJECT_NAMES) else self._program(index)
            tfvc = name == "Legacy TFVC"
            project = self.add_project(name, "Tfvc" if tfvc else "Git", PROCESSES[index % 3], index)
            self.weights[project.id] = 0.15 if tfvc else 1 / (index + 1.5) ** 0.7
        retired = self.add_project("Retired Portal", "Git", "Agile", self.world.scale.projects)
        retired.state = "deleted"
        self.gone.append(("projects", {}, {"id": retired.id}, "deleted"))

    def _program(self, index: int) -> str:
        return f"{PROGRAM_WORDS[index % len(PROGRAM_WORDS)]} {index:02d}"

    def add_project(self, name: str, source_control: str, process: str, index: int) -> Project:
        """Create a well-formed project with its group, people and teams; *index* must be new."""
        world = self.world
        rng = world.rng("project", index)
        key = world.guid("project", index)
        size = min(len(self.workers), max(6, len(self.workers) * 3 // max(4, world.scale.projects)))
        project = Project(
            id=key,
            name=name,
            description="" if index % 4 == 3 else f"Everything about {name}.",
            state="wellFormed",
            revision=11 + index,
            visibility="public" if index % 9 == 5 else "private",
            last_update_time=START - timedelta(days=rng.randrange(20, 900), milliseconds=rng.randrange(10**8)),
            source_control=source_control,
            process=process,
            base_url=world.base_url,
            people=rng.sample(self.workers, size),
        )
        world.projects[key] = project
        unique = f"vstfs:///Classification/TeamProject/{key}\\Contributors"
        group = person(world.guid("group", key), "group", f"[{name}]\\Contributors", unique, world.base_url)
        world.people.append(group)
        self._build_teams(project, group, rng)
        return project

    def _build_teams(self, project: Project, group: Person, rng: random.Random) -> None:
        first = next(iter(self.world.projects)) == project.id
        crowded = project.name == "R&D #1 100%" and self.world.scale.name != "tiny"
        self.teams[project.id] = {}
        everyone = [one for one in self.world.people if one.kind != "group"] if first else project.people
        default = self.add_team(project, f"{project.name} Team", "The default project team.", everyone[:160], rng)
        default.members[group.id] = (group, False)
        for index in range(130 if crowded else rng.randrange(2, 7)):
            word = TEAM_WORDS[index % len(TEAM_WORDS)]
            name = word if index < len(TEAM_WORDS) else f"{word} {index // len(TEAM_WORDS) + 1}"
            members = rng.sample(project.people, min(len(project.people), rng.randrange(0, 7)))
            self.add_team(project, name, f"Owns {word.lower()}." if index % 3 else "", members, rng)

    def add_team(
        self, project: Project, name: str, description: str, members: list[Person], rng: random.Random
    ) -> Team:
        """Add a team; about one member in six administers it."""
        team = Team(self.world.guid("team", project.id, name), name, description)
        team.members = {member.id: (member, rng.random() < 0.16) for member in members}
        self.teams[project.id][team.id] = team
        return team

    def users(self) -> list[Person]:
        """Return the users in Graph order."""
        return [one for one in self.world.people if one.kind == "user"]

    def service_principals(self) -> list[Person]:
        """Return the service principals in Graph order."""
        return [one for one in self.world.people if one.kind == "service_principal"]

    def groups(self) -> list[Person]:
        """Return the groups in Graph order."""
        return [one for one in self.world.people if one.kind == "group"]

    def render_subject(self, subject: Person) -> dict[str, Any]:
        """Return the Graph row of a user, service principal or group."""
        base = self.world.base_url
        collection = {"user": "Users", "service_principal": "ServicePrincipals", "group": "Groups"}[subject.kind]
        own = f"{base}/_apis/Graph/{collection}/{subject.descriptor}"
        external = subject.kind != "group"
        row: dict[str, Any] = {
            "subjectKind": {"service_principal": "servicePrincipal"}.get(subject.kind, subject.kind),
            "domain": "Windows Live ID" if subject.descriptor.startswith("msa.") else self.world.guid("tenant"),
            "principalName": subject.unique_name if external else subject.display_name,
            "mailAddress": subject.mail,
            "origin": subject.descriptor.split(".")[0].replace("aadsp", "aad").replace("vssgp", "vsts"),
            "originId": subject.origin_id,
            "displayName": subject.display_name,
            "_links": {
                "self": {"href": own},
                "memberships": {"href": f"{base}/_apis/Graph/Memberships/{subject.descriptor}"},
                "storageKey": {"href": f"{base}/_apis/Graph/StorageKeys/{subject.descriptor}"},
            },
            "url": own,
            "descriptor": subject.descriptor,
        }
        if subject.kind == "user":
            row["metaType"] = "guest" if subject.unique_name.endswith("contoso.example") else "member"
            row["directoryAlias"] = subject.unique_name.split("@")[0]
        elif subject.kind == "service_principal":
            row["metaType"] = "application"
            row["applicationId"] = subject.unique_name
        return row

    def render_project(self, project: Project) -> dict[str, Any]:
        """Return the detailed project: the reference, its default team and its capabilities."""
        url = f"{self.world.base_url}/_apis/projects/{project.id}"
        default = next(iter(self.teams[project.id].values()))
        return project.ref() | {
            "_links": {"self": {"href": url}, "web": {"href": f"{self.world.base_url}/{project.id}"}},
            "capabilities": {
                "processTemplate": {
                    "templateName": project.process,
                    "templateTypeId": self.world.guid("process", project.process),
                },
                "versioncontrol": {
                    "sourceControlType": project.source_control,
                    "gitEnabled": str(project.source_control == "Git"),
                    "tfvcEnabled": str(project.source_control == "Tfvc"),
                },
            },
            "defaultTeam": {"id": default.id, "name": default.name, "url": f"{url}/teams/{default.id}"},
        }

    def render_team(self, project: Project, team: Team) -> dict[str, Any]:
        """Return a WebApiTeam."""
        row: dict[str, Any] = {
            "id": team.id,
            "name": team.name,
            "url": f"{self.world.base_url}/_apis/projects/{project.id}/teams/{team.id}",
            "description": team.description,
            "identityUrl": f"{self.world.base_url}/_apis/Identities/{team.id}",
            "projectName": project.name,
            "projectId": project.id,
        }
        return row

    def render_member(self, member: tuple[Person, bool]) -> dict[str, Any]:
        """Return a TeamMember; ``isTeamAdmin`` is absent when false."""
        one, admin = member
        return {"isTeamAdmin": True, "identity": one.ref()} if admin else {"identity": one.ref()}

    def truth(self) -> Iterator[Truth]:
        """Yield users (service principals included), projects, teams and members; rows as the lists give them."""
        for subject in (*self.users(), *self.service_principals()):
            yield "users", {}, self.render_subject(subject)
        for project in self.world.live_projects():
            yield "projects", {}, project.ref()
            for team in self.teams[project.id].values():
                yield "teams", {"project_id": project.id}, self.render_team(project, team)
                scope = {"project_id": project.id, "team_id": team.id}
                for member in team.members.values():
                    yield "team_members", scope, self.render_member(member)

    def day(self, rng: random.Random) -> list[str]:
        """Let an ordinary day pass: now and then somebody joins or leaves a team, or a team is renamed."""
        return core_changes.day(self, rng)
