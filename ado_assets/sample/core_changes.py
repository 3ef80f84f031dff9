"""How projects, teams, members and users change. One function a change; each returns the sentence that tells it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from ado_assets.sample.people import Person, full_name, person

if TYPE_CHECKING:
    from ado_assets.sample.core import Core, Project, Team

Change = Callable[["Core", random.Random], str]
NEW_TEAM_WORDS = ("Growth", "Reliability", "Onboarding", "Compliance", "Accessibility", "Insights")


def _project(core: Core, rng: random.Random) -> Project:
    return rng.choice(core.world.live_projects())


def _team(core: Core, rng: random.Random, *, members: int = 0) -> tuple[Project, Team]:
    """Pick a team that is not its project's default one and has at least that many members."""
    found = [
        (project, team)
        for project in core.world.live_projects()
        for team in list(core.teams[project.id].values())[1:]
        if len(team.members) >= members
    ]
    return rng.choice(found)


def create_team(core: Core, rng: random.Random) -> str:
    """Add a team with a few members."""
    project = _project(core, rng)
    name = f"{rng.choice(NEW_TEAM_WORDS)} {next(core.serial)}"
    members = rng.sample(project.people, min(4, len(project.people)))
    core.add_team(project, name, "Founded for the new quarter.", members, rng)
    return f"Team {name!r} was created in {project.name}."


def rename_team(core: Core, rng: random.Random) -> str:
    """Give a team another name; its id stays."""
    project, team = _team(core, rng)
    before, team.name = team.name, f"{team.name.split(' / ')[0]} / {rng.choice(NEW_TEAM_WORDS)}"
    return f"Team {before!r} in {project.name} is now called {team.name!r}."


def delete_team(core: Core, rng: random.Random) -> str:
    """Remove a team; teams have no recycle bin."""
    project, team = _team(core, rng)
    del core.teams[project.id][team.id]
    core.gone.append(("teams", {"project_id": project.id}, {"id": team.id}, "deleted"))
    return f"Team {team.name!r} of {project.name} was deleted."


def add_member(core: Core, rng: random.Random) -> str:
    """Let somebody join a team."""
    choices = [
        (project, team, newcomer)
        for project in core.world.live_projects()
        for team in list(core.teams[project.id].values())[1:]
        for newcomer in project.people
        if newcomer.id not in team.members
    ]
    project, team, newcomer = rng.choice(choices)
    team.members[newcomer.id] = (newcomer, False)
    scope = {"project_id": project.id, "team_id": team.id}
    core.gone = [entry for entry in core.gone if entry[1:3] != (scope, {"id": newcomer.id})]
    return f"{newcomer.display_name} joined {team.name!r} of {project.name}."


def remove_member(core: Core, rng: random.Random) -> str:
    """Let somebody leave a team."""
    project, team = _team(core, rng, members=1)
    leaver = rng.choice(list(team.members))
    name = team.members[leaver][0].display_name
    _leave(core, project, team, leaver)
    return f"{name} left {team.name!r} of {project.name}."


def _leave(core: Core, project: Project, team: Team, member_id: str) -> None:
    del team.members[member_id]
    scope = {"project_id": project.id, "team_id": team.id}
    core.gone.append(("team_members", scope, {"id": member_id}, "deleted"))


def add_user(core: Core, rng: random.Random) -> str:
    """Let a new user enter the organization and one project."""
    world = core.world
    index = next(core.serial)
    first, last = full_name(index)
    unique = f"{first}.{last}{index}@fabrikam.example".lower().replace("'", "")
    newcomer = person(world.guid("user", "new", index), "user", f"{first} {last}", unique, world.base_url)
    world.people.append(newcomer)
    core.workers.append(newcomer)
    project = _project(core, rng)
    project.people.append(newcomer)
    next(iter(core.teams[project.id].values())).members[newcomer.id] = (newcomer, False)
    return f"{newcomer.display_name} joined the organization and {project.name}."


def remove_user(core: Core, rng: random.Random) -> str:
    """Take a user out of the organization: Graph no longer lists the user, teams lose the member, history stays."""
    world = core.world
    leaver: Person = rng.choice(core.users())
    world.people = [one for one in world.people if one.id != leaver.id]
    core.workers = [one for one in core.workers if one.id != leaver.id]
    core.gone.append(("users", {}, {"descriptor": leaver.descriptor}, "deleted"))
    for project in world.projects.values():
        if len(project.people) > 1:
            project.people = [one for one in project.people if one.id != leaver.id]
        for team in core.teams[project.id].values():
            if leaver.id in team.members:
                _leave(core, project, team, leaver.id)
    return f"{leaver.display_name} was removed from the organization."


def create_project(core: Core, rng: random.Random) -> str:
    """Create a project with its teams, nodes and a few work items."""
    index = len(core.world.projects)
    return _create(core, rng, f"Project {index} & Partners", index)


def _create(core: Core, rng: random.Random, name: str, index: int) -> str:
    project = core.add_project(name, "Git", rng.choice(("Agile", "Scrum", "Basic")), index)
    project.last_update_time = core.world.clock.now()
    core.world.boards.add_project(project, rng)
    return f"Project {name!r} was created."


def rename_project(core: Core, rng: random.Random) -> str:
    """Rename a project; its id stays, its default team keeps the old name."""
    project = _project(core, rng)
    before, project.name = project.name, f"{project.name.split(' (was')[0]} {project.revision}"
    project.touch(core.world.clock.now())
    core.world.boards.project_renamed(project)
    return f"Project {before!r} is now called {project.name!r}."


def _expendable(core: Core, rng: random.Random) -> Project:
    """Pick a live project other than the first, which always stays; create one when it is alone."""
    if len(core.world.live_projects()) < 2:
        create_project(core, rng)
    return rng.choice(core.world.live_projects()[1:])


def delete_project(core: Core, rng: random.Random) -> str:
    """Soft-delete a project that is not the first: everything below it disappears, restorably."""
    project = _expendable(core, rng)
    project.state = "deleted"
    project.touch(core.world.clock.now())
    core.gone.append(("projects", {}, {"id": project.id}, "deleted"))
    return f"Project {project.name!r} was deleted."


def restore_project(core: Core, rng: random.Random) -> str:
    """Restore the project that was deleted last, under another name when its own is taken; delete one if need be."""
    if not any(entry[0] == "projects" for entry in core.gone):
        delete_project(core, rng)
    key = next(entry[2]["id"] for entry in reversed(core.gone) if entry[0] == "projects")
    project = core.world.projects[key]
    if core.world.find_project(project.name) is not None:
        project.name += " (restored)"
        core.world.boards.project_renamed(project)
    project.state = "wellFormed"
    project.touch(core.world.clock.now())
    core.gone = [entry for entry in core.gone if entry[2] != {"id": key}]
    return f"Project {project.name!r} was restored."


def reuse_project_name(core: Core, rng: random.Random) -> str:
    """Delete a project and create another one of the same name: a new id under an old name."""
    project = _expendable(core, rng)
    project.state = "deleted"
    project.touch(core.world.clock.now())
    core.gone.append(("projects", {}, {"id": project.id}, "deleted"))
    _create(core, rng, project.name, len(core.world.projects))
    return f"Project {project.name!r} was deleted and another one took its name."


SCENARIOS: dict[str, Change] = {
    "team-created": create_team,
    "team-renamed": rename_team,
    "team-deleted": delete_team,
    "member-added": add_member,
    "member-removed": remove_member,
    "user-added": add_user,
    "user-removed": remove_user,
    "project-created": create_project,
    "project-renamed": rename_project,
    "project-deleted": delete_project,
    "project-restored": restore_project,
    "project-name-reused": reuse_project_name,
}


def scenarios(core: Core) -> dict[str, Callable[[random.Random], str]]:
    """Return the named changes bound to *core*."""

    def bind(change: Change) -> Callable[[random.Random], str]:
        return lambda rng: change(core, rng)

    return {name: bind(change) for name, change in SCENARIOS.items()}


def day(core: Core, rng: random.Random) -> list[str]:
    """Return what happened among people on an ordinary day."""
    chances = (("member-added", 0.5), ("member-removed", 0.3), ("team-renamed", 0.1), ("user-added", 0.15))
    return [SCENARIOS[name](core, rng) for name, chance in chances if rng.random() < chance]
