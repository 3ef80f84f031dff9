"""
The Git area of the organization: which repositories there are, what a complete reader would hold, and what is gone.

Here: the registry and its plans. Not here: what a repository holds (repositories.py), how it moves (git_days.py,
git_scenarios.py), HTTP (git_routes.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from ado_assets.sample import git_days, git_scenarios, repositories_scenarios
from ado_assets.sample.commits import render_reference, render_rows
from ado_assets.sample.git_past import Past
from ado_assets.sample.git_words import REPOSITORY_NAMES
from ado_assets.sample.people import Person
from ado_assets.sample.pull_request_changes import changed_files, render_change
from ado_assets.sample.pull_request_threads import render_thread
from ado_assets.sample.pull_requests import Iteration, PullRequest
from ado_assets.sample.repositories import HEADS, Repository

if TYPE_CHECKING:
    from ado_assets.sample.core import Project
    from ado_assets.sample.world import Gone, Truth, World

Scope = tuple[tuple[str, str | int], ...]
IN_RECYCLE_BIN = timedelta(days=30)
DEFAULT_BRANCHES = (f"{HEADS}main", f"{HEADS}main", f"{HEADS}master")


class Git:
    """All repositories of the organization by id, including disabled and deleted ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.start = world.clock.now()
        self.repositories: dict[str, Repository] = {}
        self.gone: list[Gone] = []
        self.scenarios: dict[str, Callable[[random.Random], str]] = {
            name: partial(change, self)
            for name, change in {**git_scenarios.CHANGES, **repositories_scenarios.CHANGES}.items()
        }
        self.pull_request_places: dict[int, Repository] = {}
        self.large_change = 0
        self._people: dict[str, tuple[Person, ...]] = {}
        self._groups: dict[str, tuple[Person, ...]] = {}
        self._work_items: dict[str, tuple[int, ...]] = {}
        self._adopted: set[str] = set()
        self._weights: dict[str, float] = {}
        for index, project in enumerate(self._new_projects()):
            self._plan_repositories(project, index)
        self._plan_commits()
        self._plan_pull_requests()
        self._bury(next(iter(self.repositories.values())).project)

    def _new_projects(self) -> list[Project]:
        """Return the Git projects not seen before and remember who works in them now."""
        new = [each for each in self.world.projects.values() if each.id not in self._adopted]
        for project in new:
            self._adopted.add(project.id)
            users = tuple(project.people) or tuple(each for each in self.world.people if each.kind == "user")
            self._people[project.id] = users
            self._groups[project.id] = tuple(
                each for each in self.world.people if each.kind == "group" and project.id in each.unique_name
            )
            self._work_items[project.id] = tuple(self.world.boards.work_item_ids(project.id))
        return [project for project in new if project.source_control == "Git"]

    def _plan_repositories(self, project: Project, index: int) -> None:
        """Plan a project's repositories: the default one has the project's name; some are special."""
        rng = self.world.rng("repositories", project.id)
        weight = self.world.core.weights.get(project.id, 0.0)
        main = self.add_repository(project, project.name, rng, weight)
        for name in rng.sample(REPOSITORY_NAMES, 1 + rng.randrange(4)):
            self.add_repository(project, name, rng, weight / (1.6 + rng.random() * 3))
        if index % 3 == 0:
            self.add_repository(project, "archived-monolith", rng, weight / 9).is_disabled = True
        if index % 4 == 0:
            self.add_repository(project, "new-service", rng, 0.0).default_branch = None
        if index % 5 == 0:
            fork = self.add_repository(project, f"{main.name}.fork", rng, 0.0, planned=6)
            fork.parent, fork.default_branch = main, main.default_branch
            fork.created = main.created + timedelta(days=60 + rng.randrange(60))
            self.add_repository(project, f"{project.name}.wiki", rng, 0.0, planned=3).is_hidden = True
            self._recycle(self.add_repository(project, "old-prototype", rng, 0.0, planned=8), rng)

    def _recycle(self, repository: Repository, rng: random.Random) -> None:
        repository.deleted = self.start - timedelta(days=rng.randrange(2, 20), milliseconds=rng.randrange(10**8))
        repository.deleted_by = rng.choice(self.people_of(repository.project.id))
        self.gone.append(("repositories", {}, {"id": repository.id}, "recycled"))

    def _bury(self, project: Project) -> None:
        """Plan a repository that was deleted too long ago to be restored."""
        rng = self.world.rng("buried repository", project.id)
        buried = self.add_repository(project, "abandoned-poc", rng, 0.0)
        self._recycle(buried, rng)
        buried.deleted = buried.created + timedelta(days=200)
        self._purge()

    def _purge(self) -> None:
        """Destroy what has been in the recycle bin for long enough; only the list of deleted ones still shows it."""
        for repository in self.repositories.values():
            if repository.deleted is None or self.world.clock.now() - repository.deleted < IN_RECYCLE_BIN:
                continue
            repository.is_purged = True
            entry: Gone = ("repositories", {}, {"id": repository.id}, "recycled")
            if entry in self.gone:
                self.gone[self.gone.index(entry)] = (*entry[:3], "destroyed")

    def add_repository(
        self, project: Project, name: str, rng: random.Random, weight: float, *, planned: int = 0
    ) -> Repository:
        """Register a repository; *weight* is its part of the organization's commits and pull requests."""
        ordinal = len(self.repositories)
        repository = Repository(
            id=self.world.guid("repository", project.id, ordinal),
            name=name,
            project=project,
            ordinal=ordinal,
            created=self.start - timedelta(days=rng.randrange(300, 720), milliseconds=rng.randrange(10**8)),
            base_url=self.world.base_url,
            past=lambda repository: Past(self, repository).play(),
            default_branch=rng.choice(DEFAULT_BRANCHES),
            planned_commits=planned,
        )
        self.repositories[repository.id] = repository
        self._weights[repository.id] = weight
        return repository

    def _plan_commits(self) -> None:
        whole = sum(self._weights.values())
        for repository in self.repositories.values():
            repository.planned_commits += int(self.world.scale.commits * self._weights[repository.id] / whole)
            if repository.default_branch is not None and repository.planned_commits == 0:
                repository.planned_commits = 4

    def _plan_pull_requests(self) -> None:
        """Number the pull requests over the whole organization in the order they were opened."""
        rng, plans = self.world.rng("pull requests"), list[tuple[datetime, Repository]]()
        repositories = [each for each in self.repositories.values() if self._weights[each.id]]
        weights = [self._weights[each.id] for each in repositories]
        for repository in rng.choices(repositories, weights, k=self.world.scale.pull_requests):
            first = repository.created + timedelta(days=5)
            plans.append((first + (self.start - first) * rng.random(), repository))
        plans.sort(key=lambda plan: plan[0])
        for number, (created, repository) in enumerate(plans, 1):
            repository.planned_pull_requests.append((number, created))
            self.pull_request_places[number] = repository
        self.large_change = next(
            (
                number
                for number in range(len(plans) // 2, len(plans))
                if number % 97 != 3 and not self.pull_request_places[number].is_disabled
            ),
            0,
        )

    def people_of(self, project_id: str) -> tuple[Person, ...]:
        """Return who worked in the project when it was first seen."""
        return self._people[project_id]

    def groups_of(self, project_id: str) -> tuple[Person, ...]:
        """Return the groups of the project, which may be asked for review."""
        return self._groups[project_id]

    def work_items_at_start(self, project_id: str) -> tuple[int, ...]:
        """Return the work item numbers the project had when it was first seen."""
        return self._work_items[project_id]

    def forks_of(self, repository: Repository) -> list[Repository]:
        """Return the forks of a repository, deleted ones included."""
        return [each for each in self.repositories.values() if each.parent is repository]

    def visible(self) -> list[Repository]:
        """Return what lists may show: the repositories of live projects that are not deleted."""
        for project in self._new_projects():
            # a new Git project comes with one empty repository of its name
            rng = self.world.rng("repositories", project.id)
            empty = self.add_repository(project, project.name, rng, 0.0)
            empty.default_branch, empty.created = None, self.world.clock.now()
        return [
            each for each in self.repositories.values() if each.deleted is None and each.project.state == "wellFormed"
        ]

    def usable(self) -> list[Repository]:
        """Return the repositories below which the API answers: visible and not disabled."""
        return [each for each in self.visible() if not each.is_disabled]

    def repositories_of(self, project_id: str) -> list[Repository]:
        """Return the visible repositories of a project, disabled ones included."""
        return [each for each in self.visible() if each.project.id == project_id]

    def find(self, name_or_id: str, project: Project | None) -> Repository | None:
        """Return the visible repository of that GUID or, within a project, name; None otherwise."""
        folded = name_or_id.casefold()
        found = self.repositories.get(folded)
        if found is None and project is not None:
            candidates = self.repositories_of(project.id)
            found = next((each for each in candidates if each.name.casefold() == folded), None)
        if found is None or found.deleted is not None or found.project.state != "wellFormed":
            return None
        return found if project is None or found.project.id == project.id else None

    def find_pull_request(self, number: int) -> PullRequest | None:
        """Return the pull request of that number, None if its repository does not answer."""
        repository = self.pull_request_places.get(number)
        if repository is None or repository.is_disabled or repository.deleted is not None:
            return None
        return repository.pull_requests.get(number) if repository.project.state == "wellFormed" else None

    def changes(
        self, pull_request: PullRequest, iteration: Iteration, compare_to: int = 0, part: slice = slice(None)
    ) -> tuple[list[dict[str, Any]], int]:
        """
        Return a part of an iteration's change entries and how many there are in all.

        They are against the common base (*compare_to* 0) or an earlier iteration.
        """
        before = pull_request.iterations[compare_to - 1].files if compare_to else 0
        files = changed_files(iteration.files, before)
        chosen = list(enumerate(files, 1))[part]
        return [render_change(self.world.rng, pull_request.id, file, place) for place, file in chosen], len(files)

    def next_pull_request(self, repository: Repository) -> int:
        """Reserve the organization's next pull request number for a repository."""
        number = len(self.pull_request_places) + 1
        self.pull_request_places[number] = repository
        return number

    @contextmanager
    def watching(self, repository: Repository, pull_request: PullRequest | None = None) -> Iterator[None]:
        """Keep *gone* right while branches move: commits may stop being reachable, and may come back."""
        before = self._held(repository, pull_request)
        yield
        after = self._held(repository, pull_request)
        for resource, scope, key in before:
            if (resource, scope, key) not in after:
                self.gone.append((resource, dict(scope), {"commitId": key}, "deleted"))
        came = {(resource, scope, key) for resource, scope, key in after - before}
        self.gone[:] = [
            entry for entry in self.gone if (entry[0], tuple(entry[1].items()), entry[2].get("commitId")) not in came
        ]

    @staticmethod
    def _held(repository: Repository, pull_request: PullRequest | None) -> set[tuple[str, Scope, str]]:
        history, head = repository.history, repository.default_head
        scope: Scope = (("project_id", repository.project.id), ("repository_id", repository.id))
        held = {("commits", scope, history[number].sha) for number in ([] if head is None else history.reachable(head))}
        if pull_request is not None:
            below = (*scope, ("pull_request_id", pull_request.id))
            held |= {("pull_request_commits", below, history[number].sha) for number in pull_request.commits()}
        return held

    def truth(self) -> Iterator[Truth]:
        """Yield what a complete reader holds: every visible repository and all below the usable ones."""
        for repository in self.visible():
            yield "repositories", {}, repository.record(whole=True)
        for repository in self.usable():
            scope = {"project_id": repository.project.id, "repository_id": repository.id}
            head = repository.default_head
            for record in render_rows(repository, [] if head is None else repository.history.reachable(head)):
                yield "commits", scope, record
            for pull_request in repository.pull_requests.values():
                yield "pull_requests", scope, pull_request.record()
                yield from self._below(pull_request, {**scope, "pull_request_id": pull_request.id})

    def _below(self, pull_request: PullRequest, scope: dict[str, Any]) -> Iterator[Truth]:
        repository = pull_request.repository
        for iteration in pull_request.iterations:
            yield "pull_request_iterations", scope, pull_request.iteration_record(iteration)
            for entry in self.changes(pull_request, iteration)[0]:
                yield "pull_request_iteration_changes", {**scope, "iteration_id": iteration.id}, entry
        for thread in pull_request.threads:
            yield "pull_request_threads", scope, render_thread(thread, pull_request.url, self.world.base_url)
        for reference in pull_request.work_item_records():
            yield "pull_request_work_items", scope, reference
        for number in pull_request.commits():
            yield "pull_request_commits", scope, render_reference(repository, repository.history[number])

    def day(self, rng: random.Random) -> list[str]:
        """Let about one percent of the area change over the day that ends now; return a sentence for each thing."""
        self._purge()
        return git_days.day(self, rng)
