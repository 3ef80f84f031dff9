"""The sample organization as a base: who may ask, how lists page, what moves, and that it is the same every time."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ado_assets.sample.auth import TOKENS
from ado_assets.sample.process import SampleProcess
from ado_assets.sample.server import SampleServer
from ado_assets.sample.world import World

PREVIEW = {"api-version": "7.1-preview.1"}


def client_of(server: SampleServer, token: str = "sample-all-token") -> httpx.Client:
    return httpx.Client(base_url=f"{server.base_url}/{server.organization}", auth=("", token), timeout=30)


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with SampleServer("small") as running:
        yield running


@pytest.fixture
def client(server: SampleServer) -> Iterator[httpx.Client]:
    with client_of(server) as opened:
        yield opened


def get(client: httpx.Client, path: str, **query: Any) -> httpx.Response:
    return client.get(path, params={"api-version": "7.1"} | query)


def pages(client: httpx.Client, path: str, **query: Any) -> Iterator[list[Any]]:
    token = None
    while True:
        answer = get(client, path, **query, **({"continuationToken": token} if token else {}))
        assert answer.status_code == 200
        yield answer.json()["value"]
        token = answer.headers.get("x-ms-continuationtoken")
        if token is None:
            return


@pytest.mark.parametrize("token", ["sample-expired-token", "never-issued"])
def test_a_dead_credential_gets_the_sign_in_page_and_no_401(server: SampleServer, token: str) -> None:
    with client_of(server, token) as client:
        answer = get(client, "/_apis/projects")
    assert answer.status_code == 203
    assert answer.headers["content-type"].startswith("text/html")


def test_a_missing_scope_is_a_403_with_the_service_body(server: SampleServer) -> None:
    with client_of(server, "sample-no-scope-token") as client:
        assert get(client, "/_apis/connectionData", **PREVIEW).status_code == 200
        answer = get(client, "/_apis/projects")
    assert (answer.status_code, answer.json()["typeKey"]) == (403, "AccessCheckException")


def test_a_code_token_reads_code_and_nothing_else(server: SampleServer) -> None:
    with client_of(server, "sample-commits-token") as client:
        assert get(client, "/_apis/git/repositories").status_code == 200
        assert get(client, "/_apis/wit/fields").status_code == 403


def test_a_bearer_header_is_as_good_as_a_basic_one(server: SampleServer) -> None:
    headers = {"authorization": "Bearer sample-boards-token"}
    url = f"{server.base_url}/{server.organization}/_apis/projects"
    assert httpx.get(url, params={"api-version": "7.1"}, headers=headers).json()["count"] == 8


@pytest.mark.parametrize(
    ("path", "version", "type_key"),
    [
        ("/_apis/graph/users", "7.1", "VssInvalidPreviewVersionException"),
        ("/_apis/projects", "7.2", "VssInvalidPreviewVersionException"),
        ("/_apis/projects", "8.0", "VssVersionOutOfRangeException"),
        ("/_apis/projects", "", "VssVersionNotSpecifiedException"),
    ],
)
def test_a_version_the_service_does_not_serve_is_a_400(
    client: httpx.Client, path: str, version: str, type_key: str
) -> None:
    answer = get(client, path, **{"api-version": version})
    assert (answer.status_code, answer.json()["typeKey"]) == (400, type_key)


def test_the_version_may_come_in_the_accept_header(client: httpx.Client) -> None:
    answer = client.get("/_apis/projects", headers={"accept": "application/json;api-version=7.1-preview.4"})
    assert answer.status_code == 200


def test_routes_match_in_any_case_and_names_are_decoded(client: httpx.Client, server: SampleServer) -> None:
    by_name = get(client, "/_APIS/Projects/R%26D%20%231%20100%25/Teams", **{"$top": "1000"}).json()
    key = next(project.id for project in server.world.live_projects() if project.name == "R&D #1 100%")
    assert by_name == get(client, f"/_apis/projects/{key}/teams", **{"$top": "1000"}).json()
    assert by_name["count"] > 100


def test_teams_stop_silently_at_a_hundred_and_skip_goes_on(client: httpx.Client) -> None:
    path = "/_apis/projects/R%26D%20%231%20100%25/teams"
    first, second = (get(client, path, **{"$skip": skip}).json()["value"] for skip in ("0", "100"))
    assert len(first) == 100
    assert second
    assert not {team["id"] for team in first} & {team["id"] for team in second}


def test_a_team_has_more_members_than_one_page_and_groups_among_them(client: httpx.Client) -> None:
    project = get(client, "/_apis/projects/Fabrikam%20Fiber").json()
    path = f"/_apis/projects/{project['id']}/teams/{project['defaultTeam']['id']}/members"
    members = [*get(client, path).json()["value"], *get(client, path, **{"$skip": "100"}).json()["value"]]
    assert len(members) > 100
    assert len({member["identity"]["id"] for member in members}) == len(members)
    assert any(member["identity"].get("isContainer") for member in members)
    assert {member.get("isTeamAdmin", "absent") for member in members} == {True, "absent"}


def test_deleted_projects_are_listed_only_when_asked_for_and_answer_nothing(client: httpx.Client) -> None:
    states = {
        state: {project["name"] for project in get(client, "/_apis/projects", stateFilter=state).json()["value"]}
        for state in ("wellFormed", "all", "deleted")
    }
    assert states["deleted"] == {"Retired Portal"}
    assert "Retired Portal" not in states["wellFormed"] | states["all"]
    refused = get(client, "/_apis/projects/Retired%20Portal")
    assert (refused.status_code, refused.json()["typeKey"]) == (404, "ProjectDoesNotExistWithNameException")
    assert "TF200016" in refused.json()["message"]


def test_projects_page_by_a_token_in_the_header(client: httpx.Client) -> None:
    listed = [project["id"] for page in pages(client, "/_apis/projects", **{"$top": "3"}) for project in page]
    assert len(listed) == len(set(listed)) == 8


def test_graph_pages_are_of_uneven_size_and_service_principals_are_apart(client: httpx.Client) -> None:
    users = list(pages(client, "/_apis/graph/users", **PREVIEW))
    robots = [row for page in pages(client, "/_apis/graph/serviceprincipals", **PREVIEW) for row in page]
    descriptors = [user["descriptor"] for page in users for user in page]
    assert len({len(page) for page in users}) > 1
    assert len(set(descriptors)) == len(descriptors) == 132
    assert all(robot["descriptor"].startswith("aadsp.") for robot in robots)
    assert not {robot["descriptor"] for robot in robots} & set(descriptors)


def test_every_answer_carries_the_date_of_the_organization() -> None:
    with SampleServer("tiny") as server, client_of(server) as client:
        before = get(client, "/_apis/projects").headers["date"]
        server.world.tick(1)
        after = get(client, "/_apis/nothing").headers["date"]
    assert (before, after) == ("Mon, 02 Mar 2026 09:00:00 GMT", "Tue, 03 Mar 2026 09:00:00 GMT")


def test_a_reader_of_the_lists_ends_with_the_truth(client: httpx.Client, server: SampleServer) -> None:
    held: dict[str, list[Any]] = {"users": [], "projects": [], "teams": [], "team_members": []}
    for kind in ("users", "serviceprincipals"):
        held["users"] += [row for page in pages(client, f"/_apis/graph/{kind}", **PREVIEW) for row in page]
    for project in get(client, "/_apis/projects").json()["value"]:
        held["projects"].append(project)
        teams = get(client, f"/_apis/projects/{project['id']}/teams", **{"$top": "1000"}).json()["value"]
        held["teams"] += teams
        for team in teams:
            path = f"/_apis/projects/{project['id']}/teams/{team['id']}/members"
            held["team_members"] += get(client, path, **{"$top": "1000"}).json()["value"]
    truth: dict[str, list[Any]] = {name: [] for name in held}
    for resource, _, record in server.world.core.truth():
        truth[resource].append(record)
    for name in held:
        assert sorted(held[name], key=repr) == sorted(truth[name], key=repr)


def test_the_same_seed_gives_the_same_organization_through_ticks_and_scenarios() -> None:
    worlds = [World("tiny", 3), World("tiny", 3)]
    for world in worlds:
        world.tick(2)
        for name in ("project-renamed", "user-removed", "work-item-moved", "team-deleted"):
            world.run_scenario(name)
    first, second = (list(world.truth()) for world in worlds)
    assert first == second
    assert first != list(World("tiny", 4).truth())


@pytest.mark.parametrize("scale", ["tiny", "small"])
def test_every_core_scenario_changes_the_truth_or_what_is_gone(scale: str) -> None:
    world = World(scale, 11)
    world.run_scenario("work-item-created")
    for name in sorted(world.core.scenarios):
        before, gone = list(world.core.truth()), list(world.core.gone)
        assert world.run_scenario(name)
        assert (before, gone) != (list(world.core.truth()), world.core.gone), name


def test_a_reused_project_name_answers_with_the_new_project() -> None:
    with SampleServer("tiny") as server, client_of(server) as client:
        before = {project.name: project.id for project in server.world.live_projects()}
        server.world.run_scenario("project-name-reused")
        now = {project.name: project.id for project in server.world.live_projects()}
        (name,) = (name for name in before if before[name] != now[name])
        by_name = get(client, f"/_apis/projects/{quote(name, safe='')}")
        by_old_id = get(client, f"/_apis/projects/{before[name]}")
    assert by_name.json()["id"] == now[name]
    assert by_old_id.status_code == 404


def test_a_process_is_driven_over_its_control_routes() -> None:
    with SampleProcess("tiny", seed=5) as process:
        url = f"{process.base_url}/{process.organization}/_apis/projects"
        listed = httpx.get(url, params={"api-version": "7.1"}, auth=("", "sample-all-token"))
        calls = process.requests()
        process.reset_requests()
        assert process.requests() == []
        assert process.tick(1)
        assert "deleted" in process.scenario("team-deleted")
        assert "team-deleted" in process.scenarios()
        same = World("tiny", 5, f"{process.base_url}/{process.organization}")
        assert sorted(project["id"] for project in listed.json()["value"]) == sorted(
            project.id for project in same.live_projects()
        )
    assert calls == [{"method": "GET", "template": "_apis/projects", "status": 200, "count": 1}]


def test_the_official_client_library_finds_its_way(server: SampleServer, tmp_path: Any, monkeypatch: Any) -> None:
    pytest.importorskip("azure.devops")
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path))
    from azure.devops.connection import Connection
    from azure.devops.v7_1.git.models import GitPullRequestSearchCriteria, GitQueryCommitsCriteria
    from azure.devops.v7_1.work_item_tracking.models import Wiql
    from msrest.authentication import BasicAuthentication

    credentials = BasicAuthentication("", "sample-all-token")
    connection = Connection(base_url=f"{server.base_url}/{server.organization}", creds=credentials)
    clients = connection.clients_v7_1
    project = next(each for each in server.world.live_projects() if each.name == "Fabrikam Fiber")

    assert len(clients.get_core_client().get_projects()) == 8
    assert clients.get_core_client().get_teams(project.id)[0].project_name == "Fabrikam Fiber"
    tracking = clients.get_work_item_tracking_client()
    found = tracking.query_by_wiql(Wiql(query="SELECT [System.Id] FROM WorkItems WHERE [System.Id] < 9"), top=5)
    ids = [item.id for item in found.work_items]
    assert [item.id for item in tracking.get_work_items(ids, expand="All")] == ids
    assert tracking.get_updates(ids[0])[0].id == 1
    build = clients.get_build_client().get_builds(project.id, top=1)[0]
    clients.get_build_client().get_build_timeline(project.id, build.id)
    release = clients.get_release_client().get_releases(project.id, top=1)[0]
    assert clients.get_release_client().get_release(project.id, release.id).environments
    git = clients.get_git_client()
    repository = next(each for each in git.get_repositories(project.id) if not each.is_disabled)
    pull_request = git.get_pull_requests(repository.id, GitPullRequestSearchCriteria(status="all"), top=1)[0]
    assert git.get_threads(repository.id, pull_request.pull_request_id) is not None
    assert git.get_pull_request_iterations(repository.id, pull_request.pull_request_id) is not None
    assert git.get_commits(repository.id, GitQueryCommitsCriteria(), top=3)[0].committer.date.tzinfo is not None


def test_tokens_are_documented_by_their_scopes() -> None:
    assert TOKENS["sample-pull-commits-token"] == frozenset({"vso.code"})
    assert "vso.work" not in (TOKENS["sample-repos-token"] or frozenset())
