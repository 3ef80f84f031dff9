"""
What a sync may cost, counted by the sample organization itself: calls follow what changed, not what there is.

What changed is worked out from the organization's truth before and after, not from anything the product says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import orjson
import pytest
from click.testing import CliRunner

from ado_assets.cli import cli
from ado_assets.cli.summary import Summary, summarize
from ado_assets.config import load_settings
from ado_assets.sample import SampleServer
from ado_assets.warehouse import Warehouse
from ado_assets_tests.conftest import TOKENS, Deployment

Row = dict[str, Any]
Owner = tuple[str, ...]

#: Listings of a project, pages that follow included: iterations, areas and both trees again for work items (3);
#: categories, types, fields (3); teams (1); builds unfinished, finished and deleted (3); releases old, new, waiting and
#: deleted, for releases and for deployments (5) and deployments for both (2); repositories for themselves and for pull
#: requests (2); pull requests active, completed and abandoned (3). One more for a second page somewhere.
PER_PROJECT = 23
#: The server's clock once per table that is read by itself (24), users, projects and the reporting feeds.
PER_ORGANIZATION = 40

PER_ACTIVE_PULL_REQUEST = 2
PER_REPOSITORY = 1
PER_CHANGED = {"pull_requests": 8, "builds": 3, "releases": 2, "work_items": 2, "commits": 2}

#: How long after its end a closed pull request's threads and work items are read again, one call each.
LOOKED_AT_AGAIN = (timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=14))

BUILD = "{project}/_apis/build/builds/{buildId}"
RELEASE = "{project}/_apis/release/releases/{releaseId}"
REPOSITORY = "{project}/_apis/git/repositories/{repositoryId}"
PULL_REQUEST = f"{REPOSITORY}/pullRequests/{{pullRequestId}}"
MEMBERS = "_apis/projects/{projectId}/teams/{teamId}/members"


@dataclass(frozen=True)
class State:
    """
    The organization at one moment.

    Args:
        contents: Kind and ids of a thing (pull request, build, ...) -> all that it consists of.
        rows: Resource -> its records, of those that the tests look into.
    """

    now: datetime
    contents: dict[Owner, int]
    rows: dict[str, list[Row]]

    def changed_since(self, before: State) -> Counter[str]:
        """How many things of each kind are not what they were; gone ones included."""
        things = self.contents.keys() | before.contents.keys()
        return Counter(thing[0] for thing in things if self.contents.get(thing) != before.contents.get(thing))


@dataclass(frozen=True)
class Step:
    """One sync: calls by template as the server counted them, and what the product says of them."""

    calls: Counter[str]
    summary: Summary
    recorded: int


@dataclass(frozen=True)
class Story:
    """A first sync, one with nothing changed, a day of activity, and the sync after it."""

    before: State
    after: State
    first: Step
    quiet: Step
    quiet_output: Row
    day: Step


def state_of(world: Any) -> State:
    contents: dict[Owner, int] = {}
    rows: dict[str, list[Row]] = {}
    for resource, scope, record in world.truth():
        owner = owner_of(resource, scope, record)
        if owner is not None:
            contents[owner] = contents.get(owner, 0) ^ hash((resource, orjson.dumps(scope), orjson.dumps(record)))
        if resource in ("projects", "teams", "repositories", "pull_requests", "builds", "releases"):
            rows.setdefault(resource, []).append(record)
    return State(world.clock.now(), contents, rows)


def owner_of(resource: str, scope: Row, record: Row) -> Owner | None:
    """The thing that a record is part of, by the kinds that have a price."""
    match resource:
        case "pull_requests":
            return resource, scope["repository_id"], str(record["pullRequestId"])
        case "builds" | "releases":
            return resource, scope["project_id"], str(record["id"])
        case "timeline_records":
            return "builds", scope["project_id"], str(scope["build_id"])
        case "deployments":
            return "releases", scope["project_id"], str(record["release"]["id"])
        case "work_items" | "work_item_revisions":
            return "work_items", str(record["id"])
        case "work_item_updates":
            return "work_items", str(record["workItemId"])
        case "commits":
            return resource, scope["repository_id"]
    if resource.startswith("pull_request_"):
        return "pull_requests", scope["repository_id"], str(scope["pull_request_id"])
    return None


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("cost")
    with pytest.MonkeyPatch.context() as environment, SampleServer("small") as server:
        variables = {
            **TOKENS,
            "ADO_ORGANIZATION": server.organization,
            "ADO_BASE_URL": server.base_url,
            "ADO_WAREHOUSE": str(folder / "azure_devops.duckdb"),
            "DAGSTER_HOME": str(folder),
        }
        for name, value in variables.items():
            environment.setenv(name, value)
        with dg.DagsterInstance.ephemeral() as instance:
            yield tell(Deployment(server, folder, instance))


def tell(deployment: Deployment) -> Story:
    world, warehouse = deployment.world, deployment.warehouse
    first = step(world, warehouse, deployment.sync().run_id)
    before = state_of(world)
    output = CliRunner().invoke(cli, ["sync", "--json"], catch_exceptions=False)
    assert output.exit_code == 0, output.stderr
    run_id = warehouse.rows("SELECT run_id FROM ado_meta.syncs ORDER BY finished_at DESC LIMIT 1")[0][0]
    quiet = step(world, warehouse, run_id)
    world.tick()
    after = state_of(world)
    day = step(world, warehouse, deployment.sync().run_id)
    return Story(before, after, first, quiet, json.loads(output.stdout), day)


def step(world: Any, warehouse: Warehouse, run_id: str) -> Step:
    """What the sync that has just ended cost; the server counts from zero again."""
    calls: Counter[str] = Counter()
    for (_, template, _), count in world.requests.items():
        calls[template] += count
    world.requests.clear()
    recorded = warehouse.rows(
        "SELECT sum(calls) FROM ado_meta.requests WHERE sync_id IN (SELECT sync_id FROM ado_meta.syncs "
        "WHERE run_id = ?)",
        [run_id],
    )
    return Step(calls, summarize(load_settings(), run_id, 0), int(recorded[0][0]))


def below(calls: Counter[str], prefix: str) -> int:
    """Calls of an operation and of all below it."""
    return sum(count for template, count in calls.items() if template == prefix or template.startswith(f"{prefix}/"))


def active(state: State) -> list[Row]:
    return [row for row in state.rows["pull_requests"] if row["status"] == "active"]


def with_long_description(pull_requests: Iterable[Row]) -> int:
    """Those whose description the listing may have cut at 400 UTF-16 units."""
    return sum(len(row.get("description", "").encode("utf-16-le")) >= 2 * 399 for row in pull_requests)


def forks(state: State) -> int:
    return sum(bool(row.get("isFork")) for row in state.rows["repositories"])


def runs(release: Row) -> bool:
    states = {environment["status"].lower() for environment in release["environments"]}
    return release["status"] != "abandoned" and bool(states & {"inprogress", "queued", "scheduled"})


def looked_at_again(before: State, after: State) -> int:
    """How often a closed pull request's turn on the schedule came between two moments."""
    closed = [datetime.fromisoformat(row["closedDate"]) for row in after.rows["pull_requests"] if "closedDate" in row]
    return sum(before.now < end + later <= after.now for end in closed for later in LOOKED_AT_AGAIN)


def test_quiet_sync_asks_nothing_about_what_is_final(story):
    """No call per closed pull request, final build, final release, work item or commit: only what may still move."""
    calls = story.quiet.calls
    unfinished = sum(row["status"] != "completed" for row in story.before.rows["builds"])
    running = sum(map(runs, story.before.rows["releases"]))

    assert unfinished
    assert below(calls, BUILD) == unfinished
    assert running
    assert below(calls, RELEASE) == running
    assert below(calls, "{project}/_apis/wit/workitems") == 0
    assert calls["{project}/_apis/wit/workitemsbatch"] == calls["{project}/_apis/wit/wiql"] == 0
    assert below(calls, f"{REPOSITORY}/commits") == 0
    assert below(calls, f"{PULL_REQUEST}/iterations") == below(calls, f"{PULL_REQUEST}/commits") == 0


def test_quiet_sync_costs_two_calls_per_active_pull_request(story):
    """
    Threads and work items leave no trace elsewhere. A description that the listing cuts costs one call more, since
    nothing else would tell that its end was edited.
    """
    pull_requests = active(story.before)
    spent = below(story.quiet.calls, PULL_REQUEST)

    assert pull_requests
    assert spent - with_long_description(pull_requests) == PER_ACTIVE_PULL_REQUEST * len(pull_requests)


def test_quiet_sync_costs_one_call_per_repository(story):
    """Where its branch stands. Only a read of a fork by itself names what it was forked from: one call more."""
    calls, repositories = story.quiet.calls, story.before.rows["repositories"]

    assert calls[f"{REPOSITORY}/refs"] <= PER_REPOSITORY * len(repositories)
    assert calls[REPOSITORY] == forks(story.before)
    assert calls[f"{REPOSITORY}/refs"] + calls[REPOSITORY] <= PER_REPOSITORY * len(repositories)


def test_the_rest_of_a_quiet_sync_is_constant(story):
    """Apart from one call per team (its members), what remains depends on the number of projects alone."""
    calls = story.quiet.calls
    moving = sum(below(calls, prefix) for prefix in (BUILD, RELEASE, REPOSITORY, MEMBERS))
    teams = len(story.before.rows["teams"])

    assert calls[MEMBERS] <= teams + 1
    assert calls.total() - moving <= PER_PROJECT * len(story.before.rows["projects"]) + PER_ORGANIZATION


def test_a_day_costs_calls_for_what_changed(story):
    """Over the quiet sync: so many calls for each thing that changed, and the schedule of closed pull requests."""
    changed = story.after.changed_since(story.before)
    allowed = sum(price * changed[kind] for kind, price in PER_CHANGED.items())
    scheduled = 2 * looked_at_again(story.before, story.after)

    assert all(changed[kind] for kind in PER_CHANGED)
    assert story.day.calls.total() <= story.quiet.calls.total() + allowed + scheduled


@pytest.mark.parametrize(
    ("kind", "prefixes"),
    [
        ("pull_requests", [PULL_REQUEST]),
        ("builds", [BUILD]),
        ("releases", [RELEASE]),
        ("work_items", ["{project}/_apis/wit/workitems", "{project}/_apis/wit/workitemsbatch"]),
        ("commits", [f"{REPOSITORY}/refs", f"{REPOSITORY}/commits"]),
    ],
)
def test_a_day_costs_no_more_for_any_kind(story, kind, prefixes):
    """The price holds for each kind of thing by itself, so that none pays for another."""
    quiet, day = (sum(below(step.calls, each) for each in prefixes) for step in (story.quiet, story.day))
    changed = story.after.changed_since(story.before)[kind]
    scheduled = 2 * looked_at_again(story.before, story.after) if kind == "pull_requests" else 0

    assert day > 0
    assert day <= quiet + PER_CHANGED[kind] * changed + scheduled


@pytest.mark.parametrize("name", ["first", "quiet", "day"])
def test_recorded_calls_add_up_to_what_the_server_counted(story, name):
    """``ado_meta.requests`` and the summary's calls per table leave none out and count none twice."""
    step: Step = getattr(story, name)

    assert step.recorded == step.calls.total()
    assert step.summary.calls == step.calls.total()


def test_command_prints_the_calls_that_the_server_counted(story):
    """``ado-assets sync`` names every table that cost calls, and their sum is the whole."""
    output = story.quiet_output

    assert output["calls"] == sum(line["calls"] for line in output["tables"]) == story.quiet.calls.total()
    assert {"builds", "pull_request_threads", "commits"} <= {
        line["table"] for line in output["tables"] if line["calls"]
    }
