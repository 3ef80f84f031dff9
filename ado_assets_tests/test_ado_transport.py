"""How faults of the network and the wire itself reach the caller: real sockets, nothing replaced."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from ado_assets.ado import AdoError, BadAnswer, ConnectionLost, Endpoint, Transient
from ado_assets_tests.ado_peer import Peer, Raw, client_of, reply

BUILDS = Endpoint("{project_id}/_apis/build/builds")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GZIPPED = gzip.compress(b'{"count": 1, "value": [%s]}' % b", ".join([b'{"id": 7}'] * 200))
DEFLATED = zlib.compress(gzip.decompress(GZIPPED))


def gzip_reply(body: bytes) -> Raw:
    return reply(body=body, content_encoding="gzip")


FAULTS = {
    "closed before the answer": (Raw(), ConnectionLost),
    "reset before the answer": (Raw(then="abort"), ConnectionLost),
    "closed inside the head": (Raw(b"HTTP/1.1 200 OK\r\nContent-"), ConnectionLost),
    "closed inside the body": (Raw(HEAD + b'Content-Length: 100\r\n\r\n{"value": [1'), ConnectionLost),
    "reset inside the body": (Raw(HEAD + b'Content-Length: 100\r\n\r\n{"value": [1', "abort"), ConnectionLost),
    "closed inside a chunked body": (
        Raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"val\r\n'),
        ConnectionLost,
    ),
    "a chunk of nonsense": (Raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), ConnectionLost),
    "not HTTP": (Raw(b"SSH-2.0-OpenSSH\r\n\r\n"), ConnectionLost),
    "silence": (Raw(then="hang"), ConnectionLost),
    "silence inside the body": (Raw(HEAD + b"Content-Length: 100\r\n\r\n{", "hang"), ConnectionLost),
    "cut without a length": (Raw(HEAD + b'Connection: close\r\n\r\n{"value": [1'), BadAnswer),
    "damaged gzip": (gzip_reply(b"this is not gzip"), BadAnswer),
    "cut gzip": (gzip_reply(GZIPPED[:-20]), BadAnswer),
    "cut JSON": (reply(body=b'{"count": 2, "value": [{"id": 1}'), BadAnswer),
    "empty JSON": (reply(body=b""), BadAnswer),
    "text instead of JSON": (reply(body=b"service is warming up", content_type="text/plain"), BadAnswer),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_tried_again_and_passes(fault: str) -> None:
    """A fault that passes by itself is not seen by the caller."""
    broken, _ = FAULTS[fault]

    async def read() -> tuple[list[object], int]:
        async with Peer(broken, reply(data={"value": [7]})) as peer, client_of(peer) as client:
            return (await client.get(BUILDS, {"project_id": "p"})).records, len(peer.seen)

    records, requests = asyncio.run(read())

    assert records == [7]
    assert 2 <= requests <= 3  # aiohttp itself repeats a GET whose kept connection was closed


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_that_stays_is_raised(fault: str) -> None:
    """A fault that stays is raised as what it is, with where it happened and how often it was tried."""
    broken, expected = FAULTS[fault]

    async def read() -> None:
        async with Peer(broken) as peer, client_of(peer, attempts=2) as client:
            await client.get(BUILDS, {"project_id": "p"})

    with pytest.raises(Transient) as raised:
        asyncio.run(read())

    assert expected is type(raised.value)
    assert "tried 2 times" in str(raised.value)
    assert "organization acme, project p, connector repos" in str(raised.value)


def test_nobody_listens() -> None:
    """A refused connection is a lost connection, not a stray error of the transport."""

    async def read() -> None:
        async with Peer(reply()) as peer:
            client = client_of(peer)
        async with client:
            await client.get(BUILDS, {"project_id": "p"})

    with pytest.raises(ConnectionLost) as raised:
        asyncio.run(read())

    assert raised.value.kind == "unreachable"


def test_trickle_does_not_last_for_ever() -> None:
    """An answer that never stalls but never ends either is given up after the time of one attempt."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await asyncio.sleep(0.02)

    async def read() -> None:
        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        peer = Peer()
        peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with client_of(peer, attempts=1, request_timeout=0.2) as client:
            await client.get(BUILDS, {"project_id": "p"})

    with pytest.raises(ConnectionLost):
        asyncio.run(asyncio.wait_for(read(), 2))


@pytest.mark.parametrize(("encoding", "body"), [("gzip", GZIPPED), ("deflate", DEFLATED)])
def test_compressed_body_is_read(encoding: str, body: bytes) -> None:
    """Compressed answers arrive decompressed, body and data alike."""

    async def read() -> bytes:
        async with Peer(reply(body=body, content_encoding=encoding)) as peer, client_of(peer) as client:
            return (await client.get(BUILDS, {"project_id": "p"})).body

    assert gzip.decompress(GZIPPED) == asyncio.run(read())


def test_address_goes_out_as_encoded() -> None:
    """Every character of a project name and of a continuation token arrives as it was meant."""

    async def read() -> str:
        async with Peer(reply(data={"value": []})) as peer, client_of(peer) as client:
            params = {"$top": 5, "continuationToken": "a+b;c:d e&f/g="}
            await client.get(BUILDS, {"project_id": "R&D #1 100%/ü"}, params)
            return peer.seen[0].target

    expected = (
        "/acme/R%26D%20%231%20100%25%2F%C3%BC/_apis/build/builds"
        "?$top=5&continuationToken=a%2Bb%3Bc%3Ad%20e%26f%2Fg%3D&api-version=7.1"
    )
    assert expected == asyncio.run(read())


def test_cookies_are_not_sent_back() -> None:
    """A session cookie of one token does not accompany the calls of another."""

    async def read() -> list[bool]:
        async with Peer(reply(data={}, set_cookie="VstsSession=1; path=/")) as peer, client_of(peer) as client:
            await client.get(BUILDS, {"project_id": "p"})
            await client.get(BUILDS, {"project_id": "p"})
            return ["cookie" in seen.headers for seen in peer.seen]

    assert asyncio.run(read()) == [False, False]


@pytest.mark.parametrize(
    ("base", "target"),
    [
        ("http://ado.invalid", "http://ado.invalid/acme/p/_apis/build/builds?api-version=7.1"),
        ("https://ado.invalid", "ado.invalid:443"),
    ],
)
def test_proxy_of_the_environment_is_used(base: str, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that the environment reaches by a proxy is asked through it, with the proxy's own credentials."""

    async def read() -> tuple[str, str]:
        async with Peer(reply(503)) as proxy:
            for scheme in ("http", "https"):
                monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("://", "://user:word@"))
            monkeypatch.setenv("no_proxy", "localhost")
            peer = Peer()
            peer.url = base
            async with client_of(peer, attempts=1) as client:
                with pytest.raises(Transient):
                    await client.get(BUILDS, {"project_id": "p"})
            return proxy.seen[0].target, proxy.seen[0].headers["proxy-authorization"]

    assert (target, "Basic dXNlcjp3b3Jk") == asyncio.run(read())


def test_cancelled_calls_leave_no_slot_behind() -> None:
    """Calls that were cancelled while under way give their places back."""

    async def read() -> int:
        hang, good = Raw(then="hang"), reply(data={"value": []})
        async with Peer(hang, hang, good) as peer, client_of(peer, concurrency=2, read_timeout=20) as client:
            calls = [asyncio.create_task(client.get(BUILDS, {"project_id": "p"})) for _ in range(5)]
            await asyncio.sleep(0.1)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            return (await asyncio.wait_for(client.get(BUILDS, {"project_id": "p"}), 1)).status

    assert asyncio.run(read()) == 200


def test_client_outside_its_block_is_refused() -> None:
    """A client that was not entered says so instead of failing somewhere below."""

    async def read() -> None:
        async with Peer(reply()) as peer:
            await client_of(peer).get(BUILDS, {"project_id": "p"})

    with pytest.raises(RuntimeError, match="async with") as raised:
        asyncio.run(read())

    assert not isinstance(raised.value, AdoError)
