"""The sample organization misbehaves exactly as told, and only then."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Iterator

import httpx
import orjson
import pytest

from ado_assets.ado import AdoClient, ClientSettings, Hosts, PagingLoop, PersonalAccessToken
from ado_assets.sample import KINDS, Rule, SampleProcess, SampleServer
from ado_assets.streams.core import LIST_USERS

TOKEN = "sample-all-token"
TEAMS = "_apis/projects/{projectId}/teams"
USERS = "_apis/graph/users"


@pytest.fixture(scope="module")
def running() -> Iterator[SampleServer]:
    with SampleServer() as server:
        yield server


@pytest.fixture
def server(running: SampleServer) -> Iterator[SampleServer]:
    running.world.faults.clear()
    yield running
    running.world.faults.clear()


def ask(server: SampleServer, path: str = "_apis/projects", **params: str) -> httpx.Response:
    version = "7.1-preview.1" if "graph" in path else "7.1"
    return httpx.get(
        f"{server.base_url}/{server.organization}/{path}",
        params={"api-version": version, **params},
        auth=("", TOKEN),
        timeout=5,
    )


def teams(server: SampleServer, **params: str) -> httpx.Response:
    return ask(server, f"_apis/projects/{server.world.live_projects()[0].id}/teams", **params)


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("status", 503, "text/html"),
        ("html_200", 200, "text/html"),
        ("sign_in_203", 203, "text/html"),
        ("redirect_302", 302, "text/html"),
        ("garbage", 200, "application/json"),
        ("truncated", 200, "application/json"),
        ("wrong_content_type", 200, "text/plain"),
        ("forbidden_403", 403, "application/json"),
        ("not_found_404", 404, "application/json"),
    ],
)
def test_answers_of_another_kind(server: SampleServer, kind: str, status: int, content_type: str) -> None:
    """The first call gets the fault, the second the true answer."""
    true = ask(server)
    server.world.faults.set(Rule(kind))

    wrong, right = ask(server), ask(server)

    assert (status, content_type) == (wrong.status_code, wrong.headers["content-type"].partition(";")[0])
    if kind in ("garbage", "truncated"):
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(wrong.content)
    elif "json" in content_type:
        assert wrong.json()["typeKey"]
    assert true.content == right.content


@pytest.mark.parametrize("kind", ["reset_before", "reset_inside"])
def test_resets(server: SampleServer, kind: str) -> None:
    """No complete answer comes."""
    server.world.faults.set(Rule(kind))

    with pytest.raises(httpx.TransportError):
        ask(server)
    assert 200 == ask(server).status_code


@pytest.mark.parametrize("kind", ["hang", "slow_drip"])
def test_slow_answers_are_true(server: SampleServer, kind: str) -> None:
    true = ask(server).content
    server.world.faults.set(Rule(kind, seconds=0.3))
    started = time.monotonic()

    assert true == ask(server).content
    assert time.monotonic() - started >= 0.3


def test_compressed_answers_are_true(server: SampleServer) -> None:
    true = ask(server).content
    server.world.faults.set(Rule("gzip"))

    answer = ask(server)

    assert "gzip" == answer.headers["content-encoding"]
    assert true == answer.content
    assert len(gzip.compress(true)) < len(true)


def test_tokens_repeated_missing_and_after_nothing(server: SampleServer) -> None:
    """Each token that a fault hands out leads where it is told to."""
    true = ask(server, USERS).json()
    server.world.faults.set(Rule("repeated_token", template=USERS), Rule("empty_page_with_token", template=USERS))

    first = ask(server, USERS)
    again = ask(server, USERS, continuationToken=first.headers["x-ms-continuationtoken"])
    rest = ask(server, USERS, continuationToken=again.headers["x-ms-continuationtoken"])

    assert true["value"] == first.json()["value"]
    assert [] == again.json()["value"]
    assert true == rest.json()
    assert "x-ms-continuationtoken" not in rest.headers


def test_a_missing_token_and_a_record_twice(server: SampleServer) -> None:
    builds = f"{server.world.live_projects()[0].id}/_apis/build/builds"
    assert ask(server, builds, **{"$top": "1"}).headers["x-ms-continuationtoken"]
    rest = teams(server, **{"$top": "2", "$skip": "2"}).json()["value"]
    server.world.faults.set(Rule("missing_token", path="/builds$"), Rule("duplicates_across_pages", template=TEAMS))

    assert "x-ms-continuationtoken" not in ask(server, builds, **{"$top": "1"}).headers
    pages = [teams(server, **{"$top": "2", "$skip": skip}).json()["value"] for skip in ("0", "2")]
    assert [pages[0][-1], *rest] == pages[1]


def statuses(server: SampleServer, calls: int) -> list[int]:
    return [ask(server).status_code for _ in range(calls)]


def test_which_calls_get_it(server: SampleServer) -> None:
    """From the nth call that matches, so many of them; other operations and tokens are left alone."""
    server.world.faults.set(
        Rule("status", template="_APIS/projects", status=502, nth=2, count=2),
        Rule("status", token="another", count=None),
    )

    assert 200 == teams(server).status_code
    assert [200, 502, 502, 200] == statuses(server, 4)


def test_chance_is_the_same_each_time(server: SampleServer) -> None:
    """A seed and the number of the call decide, so the same calls get the same faults."""
    seen = []
    for seed in (1, 1, 2):
        server.world.faults.clear()
        server.world.faults.set(Rule("status", probability=0.5, count=None, seed=seed))
        seen.append(statuses(server, 20))

    assert seen[0] == seen[1] != seen[2]
    assert {200, 503} == set(seen[0])


@pytest.mark.parametrize("as_date", [False, True])
def test_requests_inside_a_pause_are_counted(server: SampleServer, as_date: bool) -> None:
    """A pause may come with a refusal or with a true answer; who asks before its end is counted."""
    server.world.faults.set(Rule("pause", retry_after=1, as_date=as_date))

    answer = ask(server)
    time.sleep(0.2)
    statuses(server, 2)
    time.sleep(1)
    statuses(server, 1)

    assert 200 == answer.status_code
    assert answer.headers["retry-after"].endswith("GMT") if as_date else answer.headers["retry-after"] == "1"
    assert {TOKEN: 2} == dict(server.world.faults.violations)


def client_of(server: SampleServer) -> AdoClient:
    limits, token = ClientSettings(backoff=0.0), PersonalAccessToken("all", TOKEN)
    return AdoClient(Hosts(*[server.base_url] * 3), server.organization, [token], connector="faults", limits=limits)


def test_the_client_keeps_a_pause(server: SampleServer) -> None:
    """After a refusal with a pause no request of the token comes before its end."""
    server.world.faults.set(Rule("status", status=429, retry_after=1))

    async def read() -> None:
        async with client_of(server) as client:
            await asyncio.gather(*(client.get(LIST_USERS) for _ in range(20)))

    asyncio.run(read())

    assert 1 == server.world.faults.rules[0].applied
    assert not server.world.faults.violations


@pytest.mark.parametrize("kind", ["empty_page_with_token", "repeated_token"])
def test_a_listing_without_end_is_an_error(server: SampleServer, kind: str) -> None:
    """A service that hands out tokens for ever is named; nothing reads for ever."""
    server.world.faults.set(Rule(kind, template=USERS, count=None))

    async def read() -> None:
        async with client_of(server) as client:
            async for _ in client.pages(LIST_USERS):
                pass

    with pytest.raises(PagingLoop, match="graph/users"):
        asyncio.run(read())


def test_over_http() -> None:
    """In a process of its own the rules are set and cleared over HTTP; a wrong one is refused with the reason."""
    with SampleProcess(scale="tiny") as process:
        process.set_faults({"kind": "status", "status": 500, "path": "^_apis/projects$"})
        address = f"{process.base_url}/{process.organization}/_apis/projects?api-version=7.1"
        assert [500, 200] == [httpx.get(address, auth=("", TOKEN)).status_code for _ in range(2)]
        assert 1 == process.faults()["rules"][0]["applied"]
        process.clear_faults()
        assert {"rules": [], "violations": {}} == process.faults()
        for rule, reason in [
            ({"kind": "flood"}, "status"),
            ({"kind": "status", "nht": 1}, "nth"),
            ({}, "kind"),
            ({"kind": "hang", "path": "("}, "regular expression"),
        ]:
            refused = httpx.post(f"{process.base_url}/_sample/faults", json=rule)
            assert 400 == refused.status_code
            assert reason in refused.json()["error"]


def test_every_kind_is_tested() -> None:
    """The tests above name each kind."""
    with open(__file__, encoding="utf-8") as file:
        text = file.read()

    assert not [kind for kind in KINDS if f'"{kind}"' not in text]
