"""Pace and retries as pure decisions: no clock, no sleep."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from ado_assets.ado import ClientSettings
from ado_assets.ado.governor import Governor, Signs, signs_of
from ado_assets.ado.retry import wait_seconds

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
RESET = str(int(NOW.timestamp()) + 40)
HEALTHY = Signs(throttled=False, pause=0, refused=False)
REFUSED = Signs(throttled=True, pause=0, refused=True)


def paused(seconds: float) -> Signs:
    return Signs(throttled=True, pause=seconds, refused=False)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, HEALTHY),
        (200, {"Retry-After": "12"}, paused(12)),
        (200, {"Retry-After": "Mon, 02 Mar 2026 09:00:30 GMT"}, paused(30)),
        (200, {"Retry-After": "Mon, 02 Mar 2026 08:00:00 GMT"}, HEALTHY),
        (200, {"Retry-After": "soon"}, HEALTHY),
        (200, {"X-RateLimit-Delay": "1.250"}, paused(1.25)),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}, paused(40)),
        (200, {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": RESET}, HEALTHY),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, paused(300)),
        (200, {"Retry-After": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}, paused(5)),
        (429, {}, REFUSED),
        (429, {"Retry-After": "7"}, Signs(throttled=True, pause=7, refused=True)),
        (503, {"Retry-After": "7"}, paused(7)),
        (503, {}, HEALTHY),
    ],
)
def test_signs(status: int, headers: dict[str, str], expected: Signs) -> None:
    """What the headers ask for, by the server's clock, the service's own word first."""
    assert expected == signs_of(status, httpx.Headers(headers), NOW)


def governor(**settings: float) -> Governor:
    return Governor(ClientSettings(**settings))  # type: ignore[arg-type]


def test_grows_by_one_a_round_while_used_to_the_full() -> None:
    """Healthy answers at full use let one more request run per round, up to the most allowed."""
    pace = governor(concurrency=2, max_concurrency=4)
    for _ in range(2):
        pace.start()
    grown = []
    for _ in range(12):
        pace.observe(HEALTHY, 0, 1)
        grown.append(pace.concurrency)
        while pace.room(1) > 0:
            pace.start()

    assert grown[:3] == [2, 2, 3]
    assert 4 == grown[-1] == max(grown)


def test_does_not_grow_while_idle() -> None:
    """Healthy answers prove nothing about a pace that was not gone."""
    pace = governor(concurrency=8)
    pace.start()
    for _ in range(100):
        pace.observe(HEALTHY, 0, 1)

    assert pace.concurrency == 8


def test_halves_once_for_all_that_were_under_way() -> None:
    """Several refusals of one burst halve the pace once; a request begun later halves it again; never below one."""
    pace = governor(concurrency=8)

    for now in (10, 11, 12):
        pace.observe(REFUSED, 9, now)
    burst = pace.concurrency
    for started in (20, 30, 40, 50):
        pace.observe(REFUSED, started, started + 1)

    assert (burst, pace.concurrency) == (4, 1)


def test_no_room_during_a_pause() -> None:
    """Nothing starts before the pause is over, a shorter pause does not end a longer one, overlaps count once."""
    pace = governor()
    pace.observe(paused(30), 0, 100)
    pace.observe(paused(5), 0, 110)

    assert (pace.room(100), pace.room(129.9)) == (0, 0)
    assert pace.room(130) > 0
    assert (pace.throttled_seconds(110), pace.throttled_seconds(200)) == (10, 30)


def test_refusals_without_a_time_wait_longer_each_time() -> None:
    """429 without headers pauses twice as long each time, up to the longest wait set, until an answer is healthy."""
    pace = governor(backoff=1, max_backoff=10)

    waits = [pace.observe(REFUSED, 0, 0) for _ in range(5)]
    pace.observe(HEALTHY, 0, 0)

    assert waits == [2, 4, 8, 10, 10]
    assert pace.observe(REFUSED, 0, 0) == 2


@pytest.mark.parametrize(
    ("attempt", "retry_after", "jitter", "expected"),
    [
        (1, None, 0.0, 1),
        (1, None, 1.0, 2),
        (3, None, 0.5, 6),
        (9, None, 1.0, 60),
        (1, 17.5, 0.9, 17.5),
        (1, 300.0, 0.0, 300),
    ],
)
def test_wait_between_attempts(attempt: int, retry_after: float | None, jitter: float, expected: float) -> None:
    """The service's word goes first; otherwise the wait doubles, with jitter, up to a minute."""
    assert expected == wait_seconds(attempt, retry_after, jitter, ClientSettings())


@pytest.mark.parametrize("name", ["concurrency", "max_concurrency", "attempts"])
def test_impossible_settings_are_refused(name: str) -> None:
    """A limit of nothing is refused by name."""
    with pytest.raises(ValueError, match=name):
        ClientSettings(**{name: 0})  # type: ignore[arg-type]
