"""Connection checks as a person meets them: each wrong token, name or address, what is said, and the way out."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ado_assets.cli import main
from ado_assets.config import CONNECTORS, Settings
from ado_assets.connections import PERMISSIONS, PROBES, check_connections
from ado_assets.graph import build_defs
from ado_assets.sample import TOKENS, SampleServer
from ado_assets.tables import TABLES
from ado_assets_tests.ado_peer import Peer, Raw, reply

OK = "ok"


@dataclass(frozen=True)
class Checked:
    """What ``ado-assets verify`` left behind."""

    code: int
    said: str
    complained: str

    def report(self):
        return json.loads(self.said)

    def verdicts(self, connector, token=0):
        """Verdicts by probe of one token of the connector, from the JSON form."""
        (found,) = [each for each in self.report()["connectors"] if each["connector"] == connector]
        return {probe["probe"]: probe["verdict"] for probe in found["tokens"][token]["probes"]}

    def probe(self, connector, name):
        (found,) = [each for each in self.report()["connectors"] if each["connector"] == connector]
        (probe,) = [each for each in found["tokens"][0]["probes"] if each["probe"] == name]
        return probe


@pytest.fixture(scope="module")
def server():
    with SampleServer(scale="tiny") as running:
        yield running


@pytest.fixture
def verify(server, monkeypatch, tmp_path, capfd):
    """Run ``ado-assets verify`` over the sample organization, with only the variables that are given."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **environment):
        for name in [name for name in os.environ if name.startswith("ADO_")]:
            monkeypatch.delenv(name)
        for name, value in {"ADO_ORGANIZATION": "sample", "ADO_BASE_URL": server.base_url, **environment}.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["verify", *arguments])
        said = capfd.readouterr()
        for token in TOKENS:
            assert token not in said.out + said.err, "a token was shown"
        assert "Traceback" not in said.out + said.err
        return Checked(int(left.value.code or 0), said.out, said.err)

    return run


OWN = {
    "ADO_BOARDS_PAT": "sample-boards-token",
    "ADO_PIPELINES_PAT": "sample-pipelines-token",
    "ADO_REPOS_PAT": "sample-repos-token",
    "ADO_PULL_COMMITS_PAT": "sample-pull-commits-token",
    "ADO_COMMITS_PAT": "sample-commits-token",
}


def test_every_connector_passes_with_a_token_of_its_own(verify):
    """Each has just its own scopes, so that no probe asks for more than its connector needs."""
    done = verify("--json", **OWN)

    assert 0 == done.code, done.said
    assert done.report()["passed"]
    for name in CONNECTORS:
        assert dict.fromkeys([probe.name for probe in PROBES[name]], OK) == done.verdicts(name)
    assert [] == done.report()["warnings"]


def test_a_check_costs_few_calls(verify, server):
    """It is asked often, and by people who wait."""
    server.world.requests.clear()

    verify("--json", **OWN)

    assert sum(server.world.requests.values()) <= 25


def test_connectors_without_a_token_are_off_and_do_not_fail(verify):
    done = verify(ADO_BOARDS_PAT="sample-boards-token")

    assert 0 == done.code, done.said
    assert "pipelines is off: none of ADO_PIPELINES_PAT, ADO_PAT is set" in done.said
    assert "boards can read all they should. Next: ado-assets sync" in done.said


def test_a_connector_that_was_asked_for_must_have_a_token(verify):
    done = verify("--connector", "repos", ADO_BOARDS_PAT="sample-boards-token")

    assert 1 == done.code
    assert "nothing was checked" in done.said


def test_expired_token_is_told_from_a_missing_scope(verify):
    done = verify("--json", ADO_BOARDS_PAT="sample-expired-token", ADO_REPOS_PAT="sample-no-scope-token")

    assert 1 == done.code
    assert {"invalid_credentials"} == set(done.verdicts("boards").values())
    assert 203 == done.probe("boards", "connection")["status"]
    assert OK == done.verdicts("repos")["connection"]
    assert {"invalid_permissions"} == set(done.verdicts("repos").values()) - {OK}
    assert 403 == done.probe("repos", "projects")["status"]
    assert "vso.project" in done.probe("repos", "projects")["service_message"]


def test_expired_token_is_one_block_with_all_that_has_to_be_ticked(verify):
    """One token for all connectors is one thing to do, not five."""
    done = verify(ADO_PAT="sample-expired-token")

    assert 1 == done.code
    assert 1 == done.said.count("What to do:")
    assert "boards, pipelines, repos, pull_commits, commits (ADO_PAT): invalid_credentials, HTTP 203" in done.said
    action = next(line for line in done.said.splitlines() if "What to do:" in line)
    for name in {name for names in PERMISSIONS.values() for name in names}:
        assert f"{name} > Read" in action
    assert "/sample/_usersSettings/tokens" in action
    assert set(TABLES) == set(_tables_on_screen(done))


def _tables_on_screen(done):
    (line,) = [line for line in done.said.splitlines() if "Tables that stay empty:" in line]
    return line.partition(": ")[2].split(", ")


@pytest.mark.parametrize(
    ("connector", "token", "probe", "permission", "tables"),
    [
        ("boards", "sample-repos-token", "work item types", "Work Items", {"work_items", "work_item_updates", "areas"}),
        ("pipelines", "sample-repos-token", "builds", "Build", {"builds", "build_timeline_records"}),
        ("repos", "sample-boards-token", "repositories", "Code", {"repositories", "pull_requests"}),
        ("pull_commits", "sample-boards-token", "pull request commits", "Code", {"pull_request_commits"}),
        ("commits", "sample-boards-token", "commits", "Code", {"commits"}),
    ],
)
def test_a_missing_scope_names_what_to_tick_and_what_stays_empty(verify, connector, token, probe, permission, tables):
    variable = f"ADO_{connector.upper()}_PAT"
    done = verify("--json", "--connector", connector, **{variable: token})
    found = done.probe(connector, probe)

    assert 1 == done.code
    assert ("invalid_permissions", 403) == (found["verdict"], found["status"])
    assert f"tick {permission} > Read" in found["action"]
    assert variable in found["action"]
    assert tables <= set(found["empty_tables"])
    assert all(TABLES[name].connector == connector for name in found["empty_tables"])
    others = {name: verdict for name, verdict in done.verdicts(connector).items() if name != probe}
    assert {OK} == set(others.values())


def test_tables_that_another_connector_reads_are_not_said_to_be_empty(verify):
    """Projects and users are read by the first connector that is on: here boards, which may."""
    done = verify("--json", ADO_BOARDS_PAT="sample-boards-token", ADO_REPOS_PAT="sample-commits-token")

    assert 1 == done.code
    assert "invalid_permissions" == done.probe("repos", "projects")["verdict"]
    assert [] == done.probe("repos", "projects")["empty_tables"]
    assert "repositories" in done.probe("repos", "repositories")["empty_tables"]


def test_each_of_several_tokens_is_asked_by_itself(verify):
    done = verify("--json", ADO_REPOS_PAT="sample-repos-token, sample-expired-token")

    (repos,) = [each for each in done.report()["connectors"] if each["connector"] == "repos"]
    assert 1 == done.code
    assert ["ADO_REPOS_PAT[1]", "ADO_REPOS_PAT[2]"] == [token["token"] for token in repos["tokens"]]
    assert {OK} == set(done.verdicts("repos", 0).values())
    assert {"invalid_credentials"} == set(done.verdicts("repos", 1).values())
    assert [] == [name for probe in repos["tokens"][1]["probes"] for name in probe["empty_tables"]]


def test_wrong_organization_is_no_resources_with_the_name_to_check(verify):
    done = verify(ADO_ORGANIZATION="smaple", ADO_PAT="sample-all-token")

    assert 1 == done.code
    assert "no_resources, HTTP 404" in done.said
    assert "The organization 'smaple' does not exist" in done.said
    assert "Check ADO_ORGANIZATION" in done.said
    assert 1 == done.said.count("What to do:")


def test_projects_that_the_configuration_leaves_out_are_no_resources(verify):
    done = verify("--json", ADO_PROJECTS="Nothing*", ADO_BOARDS_PAT="sample-boards-token")

    found = done.probe("boards", "projects")
    assert 1 == done.code
    assert "no_resources" == found["verdict"]
    assert "ADO_PROJECTS" in found["action"]


@pytest.mark.parametrize("address", ["refused", "name", "tls"])
def test_what_cannot_be_reached_is_unreachable_with_the_address(verify, server, address):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    base = {
        "refused": f"http://127.0.0.1:{port}",
        "name": "http://organization.invalid",
        "tls": server.base_url.replace("http:", "https:"),
    }[address]

    done = verify(ADO_BASE_URL=base, ADO_PAT="sample-all-token")

    assert 1 == done.code
    assert "unreachable" in done.said
    assert f"ADO_BASE_URL ({base})" in done.said
    assert "HTTPS_PROXY" in done.said
    assert 1 == done.said.count("What to do:")


def test_one_token_for_several_connectors_is_warned_of(verify):
    done = verify("--json", ADO_REPOS_PAT="sample-all-token", ADO_BOARDS_PAT="sample-all-token")

    assert 0 == done.code
    (warning,) = done.report()["warnings"]
    assert "boards, repos, commits use the same token (ADO_BOARDS_PAT, ADO_REPOS_PAT)" in warning
    assert "rate limit" in warning


def test_tokens_for_code_alone_are_warned_that_nobody_lists_the_projects(verify):
    done = verify("--json", ADO_COMMITS_PAT="sample-commits-token")

    assert 0 == done.code
    assert "No connector that may list projects is on" in done.report()["warnings"][0]


def test_the_curl_command_asks_the_same_and_holds_no_token(verify):
    """It is run here as a person would paste it, also with the second of two tokens."""
    done = verify("--json", ADO_PIPELINES_PAT="sample-expired-token,sample-repos-token")
    (pipelines,) = [each for each in done.report()["connectors"] if each["connector"] == "pipelines"]
    builds = next(each for each in pipelines["tokens"][1]["probes"] if each["probe"] == "builds")

    assert builds["curl"].startswith('curl -sS -i -u ":$(echo "$ADO_PIPELINES_PAT" | cut -d, -f2)" ')
    answer = subprocess.run(["bash", "-c", builds["curl"]], capture_output=True, text=True, timeout=20, check=True)
    assert "403" in answer.stdout.splitlines()[0]
    assert "vso.build" in answer.stdout


def peer_check(*replies):
    """The report on the connector boards of an organization that answers so."""

    async def run():
        async with Peer(*replies) as peer:
            settings = Settings("acme", core_url=peer.url, graph_url=peer.url, release_url=peer.url)
            environment = {"ADO_BOARDS_PAT": "s3cret"}
            return await asyncio.to_thread(check_connections, settings, ["boards"], environment)

    report = asyncio.run(run())
    assert "s3cret" not in json.dumps(report.as_dict())
    return report.connectors[0].tokens[0]


def answers(**by_word) -> object:
    """A reply that depends on a word in the address."""

    def choose(seen) -> Raw:
        return next(answer for word, answer in by_word.items() if word in seen.target)

    return choose


GOOD = reply(data={"value": [{"id": "p1", "name": "One", "state": "wellFormed"}]})


def test_rate_limit_headers_are_told():
    token = peer_check(
        reply(data={"value": [{"id": "p", "name": "P"}]}, x_ratelimit_limit="200", x_ratelimit_remaining="42")
    )

    assert token.passed
    assert {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "42"} == token.limits


def test_a_401_of_one_resource_only_is_a_missing_permission():
    """The service answers 401 for a missing scope as well as for a dead token; connectionData tells them apart."""
    denied = reply(401, {"message": "TF400813: not authorized s3cret", "typeKey": "UnauthorizedRequestException"})

    token = peer_check(answers(connectionData=GOOD, graph=denied, projects=GOOD, wit=GOOD))

    verdicts = {probe.probe: (probe.verdict, probe.status) for probe in token.probes}
    assert ("invalid_permissions", 401) == verdicts.pop("users")
    assert {(OK, 200)} == set(verdicts.values())


def test_a_sign_in_page_everywhere_is_a_dead_token():
    token = peer_check(reply(200, body=b"<html>Sign In</html>", content_type="text/html"))

    assert {"invalid_credentials"} == {probe.verdict for probe in token.probes}


def test_one_closed_project_does_not_fail_the_token():
    """A project may be closed to the token's owner, or have the service off, while others are open."""
    two = reply(data={"value": [{"id": "p1", "name": "One"}, {"id": "p2", "name": "Two"}]})

    token = peer_check(answers(connectionData=GOOD, graph=GOOD, projects=two, p1=reply(404), p2=GOOD))

    assert token.passed


def test_an_answer_of_another_shape_is_told_and_does_not_end_the_check():
    token = peer_check(answers(connectionData=GOOD, graph=GOOD, projects=reply(data={"value": [{"name": "One"}]})))

    verdicts = {probe.probe: probe.verdict for probe in token.probes}
    assert {"connection": OK, "projects": "unreachable", "users": OK, "work item types": "unreachable"} == verdicts


def test_a_service_in_trouble_is_unreachable_after_two_attempts():
    token = peer_check(reply(503, {"message": "busy"}))

    assert {"unreachable"} == {probe.verdict for probe in token.probes}
    assert 503 == token.probes[0].status


WALK = (
    {"ADO_ORGANIZATION": ""},
    {"ADO_ORGANIZATION": "smaple", "ADO_PAT": "sample-expired-token"},
    {"ADO_ORGANIZATION": "smaple", "ADO_PAT": "sample-repos-token"},
    {"ADO_PAT": "sample-repos-token"},
    {"ADO_PAT": "sample-all-token"},
)


def test_the_walk_in_the_docs_is_what_the_screen_says(verify, server):
    """Each step of docs/connect.md, from nothing to a token that passes, in the order written there."""
    text = (Path(__file__).parents[1] / "docs" / "connect.md").read_text(encoding="utf-8")
    steps = [part.partition("$ ado-assets sync")[0] for part in text.split("$ ado-assets verify\n")[1:]]
    assert len(WALK) == len(steps)

    for environment, step in zip(WALK, steps, strict=True):
        done = verify(**environment)
        said = (done.said + done.complained).replace(server.base_url, "http://127.0.0.1:8080")
        shown = [line.rstrip() for line in said.splitlines()]
        for line in filter(None, step.partition("```")[0].splitlines()):
            kept = line.removesuffix("...")
            assert any(each.startswith(kept) if kept != line else each == line for each in shown), line
    assert 0 == done.code


def test_unknown_connector_is_refused_with_the_nearest(verify):
    done = verify("--connector", "pipeline", ADO_PAT="sample-all-token")

    assert 1 == done.code
    assert "'pipelines'" in done.complained


def test_missing_organization_and_token_are_told_before_anything_is_asked(verify):
    done = verify(ADO_ORGANIZATION="")

    assert 1 == done.code
    assert "ADO_ORGANIZATION is not set" in done.complained
    assert "No token is set" in done.complained


def test_every_table_depends_on_some_probe():
    """Otherwise a missing permission would leave a table empty without anyone being told."""
    told = {table for probes in PROBES.values() for probe in probes for table in probe.tables}

    assert set(TABLES) == told


def test_what_a_probe_needs_is_on_its_connectors_list():
    for name, probes in PROBES.items():
        assert {p for probe in probes for p in probe.permissions} <= set(PERMISSIONS[name])


def test_the_job_passes_and_fails_as_the_command_does(deployment, monkeypatch):
    """In Dagster: the report is the output; a failing token fails the run with what to do, and shows no token."""
    job = build_defs().resolve_job_def("verify")
    instance = deployment.instance

    good = job.execute_in_process(instance=instance)
    monkeypatch.setenv("ADO_REPOS_PAT", "sample-expired-token")
    bad = job.execute_in_process(instance=instance, raise_on_error=False)
    only = job.execute_in_process(
        instance=instance, run_config={"ops": {"verify_connections": {"config": {"connectors": ["boards"]}}}}
    )

    assert good.output_for_node("verify_connections")["passed"]
    assert ["boards"] == [each["connector"] for each in only.output_for_node("verify_connections")["connectors"]]
    assert not bad.success
    (failure,) = [event.step_failure_data for event in bad.all_events if event.is_step_failure]
    assert "repos (ADO_REPOS_PAT): invalid_credentials, HTTP 203" in failure.user_failure_data.description
    assert "pull_request_threads" in failure.user_failure_data.description
    told = " ".join(map(str, bad.all_events)) + " ".join(map(str, instance.all_logs(bad.run_id)))
    assert not any(token in told for token in TOKENS)
