"""What the client makes of the service's answers: errors, credentials, pauses, statistics."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ado_assets.ado import (
    AccessDenied,
    AdoError,
    Answer,
    BadRequest,
    Endpoint,
    NotFound,
    RepositoryNotFound,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
    UnexpectedAnswer,
)
from ado_assets_tests.ado_peer import SIGN_IN, Peer, Raw, Reply, Seen, client_of, reply

BUILDS = Endpoint("{project_id}/_apis/build/builds")
WIQL = Endpoint("_apis/wit/wiql", method="POST", records="workItems")
PROJECT = {"project_id": "p"}
TOKEN = "pat-0123456789-very-secret"
TOKEN_AS_SENT = "OnBhdC0wMTIzNDU2Nzg5LXZlcnktc2VjcmV0"
GOOD = reply(data={"count": 1, "value": [7]})


def ask(*replies: Reply, **settings: Any) -> tuple[Answer, list[Seen]]:
    async def asked() -> tuple[Answer, list[Seen]]:
        async with Peer(*replies) as peer, client_of(peer, TOKEN, **settings) as client:
            return await client.get(BUILDS, PROJECT), peer.seen

    return asyncio.run(asked())


def failure(*replies: Reply, **settings: Any) -> AdoError:
    with pytest.raises(AdoError) as raised:
        ask(*replies, **settings)
    return raised.value


def wrapped(message: str, type_key: str = "") -> dict[str, Any]:
    return {"$id": "1", "innerException": None, "message": message, "typeKey": type_key, "errorCode": 0}


REFUSALS = {
    "401": (reply(401, wrapped("TF400813: not authorized")), TokenRejected, "invalid_credentials"),
    "203": (reply(203, body=SIGN_IN, content_type="text/html"), TokenRejected, "invalid_credentials"),
    "203 with JSON": (reply(203, {}), TokenRejected, "invalid_credentials"),
    "302": (reply(302, body=SIGN_IN, location="/_signin"), TokenRejected, "invalid_credentials"),
    "200 sign-in": (reply(200, body=SIGN_IN, content_type="text/html"), TokenRejected, "invalid_credentials"),
    "403": (reply(403, wrapped("no permission")), AccessDenied, "invalid_permissions"),
    "404": (reply(404, wrapped("TF200016: no project", "ProjectDoesNotExistException")), NotFound, "no_resources"),
    "404 repository": (
        reply(404, wrapped("TF401019", "GitRepositoryNotFoundException")),
        RepositoryNotFound,
        "no_resources",
    ),
    "404 page": (reply(404, body=b"<html>gone</html>", content_type="text/html"), NotFound, "no_resources"),
    "400": (reply(400, wrapped("VS402337", "SizeLimit")), BadRequest, "unexpected"),
    "409": (reply(409, {"Message": "conflict"}), BadRequest, "unexpected"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_is_raised_at_once(case: str) -> None:
    """A lasting refusal becomes its own error, says where and whose it is, and is not tried again."""
    answer, expected, kind = REFUSALS[case]

    error = failure(answer)

    assert (expected, kind, 1) == (type(error), error.kind, error.attempts)
    assert (error.organization, error.connector, error.project, error.method) == ("acme", "repos", "p", "GET")
    assert str(error.url).endswith("/acme/p/_apis/build/builds?api-version=7.1")
    assert f"(HTTP {error.status})" in str(error)


UNAVAILABLE = {408: ServiceUnavailable, 429: Throttled} | dict.fromkeys((500, 502, 503, 504), ServiceUnavailable)


@pytest.mark.parametrize("status", UNAVAILABLE)
def test_temporary_refusal_is_tried_again(status: int) -> None:
    """A refusal that may pass is tried again, and raised as what it is when it does not."""
    answer = reply(status, body=b"<html>try later</html>", content_type="text/html")

    read, _ = ask(answer, GOOD)
    error = failure(answer)

    assert read.records == [7]
    assert (UNAVAILABLE[status], 3) == (type(error), error.attempts)


def test_service_words_reach_the_error() -> None:
    """The service's message, its typeKey and the activity id for its support are in the error."""
    answer = reply(400, wrapped("The query is too wide", "SizeLimitExceeded"), activityid="1111-22")

    error = failure(answer)

    assert (error.type_key, error.activity_id) == ("SizeLimitExceeded", "1111-22")
    assert "The query is too wide" in str(error)


@pytest.mark.parametrize("body", [{"count": 1, "value": {"Message": "route is wrong"}}, {"Message": "route is wrong"}])
def test_other_error_bodies_are_understood(body: dict[str, Any]) -> None:
    """The two other forms of an error body give the service's message as well."""
    assert failure(reply(400, body)).service_message == "route is wrong"


def test_reason_in_the_header_is_told() -> None:
    """The url-encoded reason of a rejected token is readable."""
    error = failure(reply(401, body=b"", x_tfs_serviceerror="TF400813%3a+The+user+is+not+authorized"))

    assert error.service_message == "TF400813: The user is not authorized"


def test_post_is_tried_again_with_its_body() -> None:
    """A read-only POST is repeated like a GET, with the same body."""

    async def asked() -> tuple[list[Any], list[bytes]]:
        replies = (reply(503), reply(data={"workItems": [{"id": 1}]}))
        async with Peer(*replies) as peer, client_of(peer) as client:
            answer = await client.post(WIQL, {}, {"timePrecision": True}, {"query": "SELECT"})
            return answer.records, [seen.body for seen in peer.seen]

    assert asyncio.run(asked()) == ([{"id": 1}], [b'{"query":"SELECT"}'] * 2)


def test_parameters_are_written_as_the_service_reads_them() -> None:
    """Booleans are lower-case words, None is left out, and the version comes last."""

    async def asked() -> str:
        async with Peer(GOOD) as peer, client_of(peer) as client:
            await client.get(BUILDS, PROJECT, {"deleted": True, "branch": None, "$top": 2})
            return peer.seen[0].target

    assert asyncio.run(asked()) == "/acme/p/_apis/build/builds?deleted=true&$top=2&api-version=7.1"


def test_headers_of_every_request() -> None:
    """The headers that the service expects are sent, and one session id for all calls of a client."""

    async def asked() -> list[dict[str, str]]:
        async with Peer(GOOD) as peer, client_of(peer, TOKEN) as client:
            await asyncio.gather(client.get(BUILDS, PROJECT), client.get(BUILDS, PROJECT))
            return [seen.headers for seen in peer.seen]

    first, second = asyncio.run(asked())

    assert f"Basic {TOKEN_AS_SENT}" == first["authorization"]
    assert (
        first["accept"],
        first["x-tfs-fedauthredirect"],
        first["x-vss-forcemsapassthrough"],
    ) == ("application/json", "Suppress", "true")
    assert first["user-agent"].startswith("ado-assets/")
    assert first["x-tfs-session"] == second["x-tfs-session"]


def test_no_content_is_an_answer() -> None:
    """A 204 (a build without timeline) is an answer without data, not an error."""
    answer, _ = ask(Raw(b"HTTP/1.1 204 No Content\r\n\r\n", "keep"))

    assert (answer.status, answer.data, answer.body, answer.records) == (204, None, b"", [])


def test_missing_list_is_not_an_empty_one() -> None:
    """An answer without the list it should hold is an error, never a list of nothing."""
    answer, _ = ask(reply(data={"count": 0}))

    with pytest.raises(UnexpectedAnswer):
        _ = answer.records


def test_server_clock_is_told() -> None:
    """An answer carries the server's time; without one, ours."""
    told, _ = ask(reply(data={}, date="Mon, 02 Mar 2026 09:00:00 GMT"))
    before = datetime.now(UTC)
    untold, _ = ask(reply(data={}))

    assert datetime(2026, 3, 2, 9, tzinfo=UTC) == told.read_at
    assert before <= untold.read_at <= datetime.now(UTC)


def waited(second: Seen, first: Seen) -> float:
    return second.at - first.at


SOON = format_datetime(datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC), usegmt=True)
PAUSES = {
    "seconds on a 200": (reply(data={"value": []}, retry_after="0.3"), 0.3),
    "date on a 200": (reply(data={"value": []}, retry_after=SOON, date="Mon, 02 Mar 2026 09:00:00 GMT"), 1.0),
    "seconds on a 429": (reply(429, retry_after="0.3"), 0.3),
    "seconds on a 503": (reply(503, retry_after="0.3"), 0.3),
    "this call was held": (reply(data={"value": []}, x_ratelimit_delay="0.300"), 0.3),
    "nothing remains": (
        reply(
            data={"value": []},
            date="Mon, 02 Mar 2026 09:00:00 GMT",
            x_ratelimit_remaining="0",
            x_ratelimit_reset=str(int(datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC).timestamp())),
        ),
        1.0,
    ),
}


@pytest.mark.parametrize("case", PAUSES)
def test_next_call_waits_for_the_pause(case: str) -> None:
    """No request starts before the pause is over that the last answer asked for, and the pause is counted."""
    answer, seconds = PAUSES[case]

    async def asked() -> tuple[list[Seen], float]:
        async with Peer(answer, GOOD) as peer, client_of(peer) as client:
            await client.get(BUILDS, PROJECT)
            await asyncio.gather(*(client.get(BUILDS, PROJECT) for _ in range(3)))
            return peer.seen, client.stats.snapshot().throttled_seconds

    seen, throttled = asyncio.run(asked())

    assert seconds - 0.02 <= waited(seen[1], seen[0]) < seconds + 0.5
    assert seconds == pytest.approx(throttled, abs=0.01)


def test_pause_beyond_patience_is_an_error() -> None:
    """A pause longer than we are willing to wait ends the call at once with the reason, instead of sitting it out."""
    started = time.monotonic()
    error = failure(reply(429, retry_after="3600"), patience=600)

    assert time.monotonic() - started < 2
    assert (Throttled, "throttled", 3600) == (type(error), error.kind, error.retry_after)


def test_paused_token_leaves_the_work_to_the_other() -> None:
    """While one token is paused the other one does the work, at once."""

    def answer(seen: Seen) -> Raw:
        return reply(429, retry_after="30") if seen.headers["authorization"] == f"Basic {TOKEN_AS_SENT}" else GOOD

    async def asked() -> float:
        started = time.monotonic()
        async with Peer(answer) as peer, client_of(peer, TOKEN, "other") as client:
            await asyncio.gather(*(client.get(BUILDS, PROJECT) for _ in range(20)))
        return time.monotonic() - started

    assert asyncio.run(asked()) < 5


def test_rejected_token_is_not_used_again() -> None:
    """A rejected token leaves the pool after its first rejection; the others do all the work without an error."""

    def answer(seen: Seen) -> Raw:
        return reply(401) if seen.headers["authorization"] == f"Basic {TOKEN_AS_SENT}" else GOOD

    async def asked() -> list[str]:
        async with Peer(answer) as peer, client_of(peer, TOKEN, "other") as client:
            for _ in range(4):
                await client.get(BUILDS, PROJECT)
            return [seen.headers["authorization"] for seen in peer.seen]

    used = asyncio.run(asked())

    assert used.count(f"Basic {TOKEN_AS_SENT}") == 1
    assert len(used) == 5


def test_last_rejected_token_ends_everything() -> None:
    """With no token left every call fails with the reason and the tokens' names, without asking the service again."""

    async def asked() -> tuple[list[AdoError], int]:
        async with Peer(reply(401)) as peer, client_of(peer, TOKEN, "other", concurrency=1) as client:
            calls = (client.get(BUILDS, PROJECT) for _ in range(6))
            return await asyncio.gather(*calls, return_exceptions=True), len(peer.seen)  # type: ignore[return-value]

    errors, requests = asyncio.run(asked())

    assert [TokenRejected] * 6 == [type(error) for error in errors]
    assert requests == 2
    assert "rejected: A, B" in str(errors[-1])


def test_token_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong, the token is in no error, traceback, log line or repr, not even when it was echoed."""
    caplog.set_level(logging.DEBUG)
    echo = f"header was Basic {TOKEN_AS_SENT} for {TOKEN}"
    answers = [
        reply(401, wrapped(echo)),
        reply(403, wrapped(echo)),
        reply(500, wrapped(echo)),
        reply(401, x_tfs_serviceerror=TOKEN),
        reply(302, location=f"/?token={TOKEN}"),
        Raw(),
        reply(body=b"{"),
    ]
    shown = []
    for answer in answers:
        error = failure(answer)
        shown += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]

    async def asked() -> list[object]:
        async with Peer(GOOD) as peer, client_of(peer, TOKEN) as client:
            return [await client.get(BUILDS, PROJECT), client, client._pool._live, client.stats]

    text = "\n".join([*shown, *map(repr, asyncio.run(asked())), caplog.text])

    assert TOKEN not in text
    assert TOKEN_AS_SENT not in text
    assert "***" in text


def test_statistics_tell_what_was_asked() -> None:
    """Calls are counted by operation and status, with bytes and retries."""

    async def asked() -> Any:
        async with Peer(reply(503, body=b"busy"), GOOD, reply(404)) as peer, client_of(peer) as client:
            await client.get(BUILDS, PROJECT)
            with pytest.raises(NotFound):
                await client.get(BUILDS, {"project_id": "other"})
            return client.stats.snapshot()

    stats = asyncio.run(asked())

    rows = [(row.endpoint, row.status, row.calls, row.retries) for row in stats.endpoints]
    name = "GET {project_id}/_apis/build/builds"
    assert [(name, 503, 1, 0), (name, 200, 1, 1), (name, 404, 1, 0)] == rows
    assert (3, 1, {name: 3}) == (stats.calls, stats.retries, stats.calls_by_endpoint())
    assert stats.received_bytes == len(b"busy") + len(b'{"count":1,"value":[7]}') + len(b"{}")


def test_concurrency_is_bounded_and_grows() -> None:
    """No more requests than allowed run at once, and the number grows while all is well."""
    running, most = 0, []

    async def asked() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal running
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    running += 1
                    most.append(running)
                    await asyncio.sleep(0.01)
                    running -= 1
                    writer.write(GOOD.data)
            except asyncio.IncompleteReadError:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        peer = Peer()
        peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with client_of(peer, concurrency=2, max_concurrency=6) as client:
            await asyncio.gather(*(client.get(BUILDS, PROJECT) for _ in range(100)))
        server.close()

    asyncio.run(asked())

    assert max(most[:2]) <= 2
    assert max(most) == 6


def test_time_of_the_service() -> None:
    """The service's clock is read from a call that every token may make."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(seconds=7)

    async def asked() -> tuple[datetime, str]:
        async with Peer(reply(date=format_datetime(at, usegmt=True))) as peer, client_of(peer) as client:
            return await client.now(), peer.seen[0].target

    assert (at, "/acme/_apis/connectionData?api-version=7.1-preview.1") == asyncio.run(asked())
