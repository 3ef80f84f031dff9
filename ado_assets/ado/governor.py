"""
How fast one credential may go: how many requests at once, and until when to wait.

The service's limit belongs to the identity behind a token (200 units in a sliding window of five minutes, rate-limits
in its documentation), so there is one governor per credential. All decisions are pure: time comes in as an argument
(seconds of a monotonic clock) and nothing sleeps here; the waiting is done in ``pool``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import httpx

from ado_assets.ado.settings import ClientSettings
from ado_assets.ado.timestamps import parse_http_date

_WINDOW_SECONDS = 300.0


@dataclass(frozen=True)
class Signs:
    """
    What an answer says about our pace.

    Args:
        throttled: The service slows us down or asks us to.
        pause: Seconds until the next request of this credential may start; 0 where it names none.
        refused: The call itself was turned down (429).
    """

    throttled: bool
    pause: float
    refused: bool


def signs_of(status: int, headers: httpx.Headers, read_at: datetime) -> Signs:
    """
    Read the pace that the service asks for.

    ``Retry-After`` (seconds or an HTTP date) also comes with a 200: the body is good, the next call has to wait. It is
    the service's own word, so it goes before what we conclude from ``X-RateLimit-*``: how long this call was held
    (``Delay``), and that nothing remains until ``Reset`` (epoch seconds; at most the five minutes of the window).
    *read_at* is the server's clock.
    """
    delay = _number(headers.get("x-ratelimit-delay"))
    asked = _retry_after(headers.get("retry-after"), read_at)
    pause = max(delay, _until_reset(headers, read_at)) if asked is None else asked
    return Signs(throttled=status == 429 or pause > 0 or delay > 0, pause=pause, refused=status == 429)


def _retry_after(text: str | None, read_at: datetime) -> float | None:
    if text is None:
        return None
    until = parse_http_date(text)
    return max(0.0, (until - read_at).total_seconds()) if until else _number(text)


def _until_reset(headers: httpx.Headers, read_at: datetime) -> float:
    if "x-ratelimit-remaining" not in headers or _number(headers["x-ratelimit-remaining"]) > 0:
        return 0.0
    reset = _number(headers.get("x-ratelimit-reset"))
    return min(max(0.0, reset - read_at.timestamp()), _WINDOW_SECONDS)


def _number(text: str | None) -> float:
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if 0 < number < float("inf") else 0.0


class Governor:
    """
    The pace of one credential.

    The number of requests at once grows by one with each round of healthy answers while it is used to the full, and
    is halved by a sign of throttling, once for all requests that were already under way.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._limit = float(min(settings.concurrency, settings.max_concurrency))
        self._running = 0
        self._resumes_at = 0.0
        self._halved_at = float("-inf")
        self._refused_in_a_row = 0
        self._pauses = 0.0

    @property
    def concurrency(self) -> int:
        """Requests that may run at once."""
        return int(self._limit)

    def pause_left(self, now: float) -> float:
        """Return the seconds until a request may start; 0 when there is no pause."""
        return max(0.0, self._resumes_at - now)

    def room(self, now: float) -> int:
        """Return how many more requests may start now."""
        return 0 if now < self._resumes_at else int(self._limit) - self._running

    def throttled_seconds(self, now: float) -> float:
        """Return the seconds spent in pauses so far; overlapping pauses count once."""
        return self._pauses - self.pause_left(now)

    def start(self) -> None:
        """Count a request as running."""
        self._running += 1

    def finish(self) -> None:
        """Count a request as ended, however it ended."""
        self._running -= 1

    def observe(self, signs: Signs, started_at: float, now: float) -> float:
        """Adapt to an answer of a request that began at *started_at*. Return the pause it brought, in seconds."""
        if not signs.throttled:
            self._refused_in_a_row = 0
            self._grow()
            return 0.0
        self._refused_in_a_row += signs.refused
        pause = signs.pause or self._own_pause() * signs.refused
        self._pause(now, pause)
        if started_at >= self._halved_at:
            self._limit = max(1.0, self._limit / 2)
            self._halved_at = now
        return pause

    def _grow(self) -> None:
        if self._running >= int(self._limit):
            self._limit = min(self._settings.max_concurrency, self._limit + 1 / self._limit)

    def _own_pause(self) -> float:
        """A 429 without headers happens (observed by others): wait longer each time it repeats."""
        doubled: float = self._settings.backoff * 2 ** min(self._refused_in_a_row, 16)
        return min(doubled, self._settings.max_backoff)

    def _pause(self, now: float, seconds: float) -> None:
        until = max(self._resumes_at, now + seconds)
        self._pauses += until - max(self._resumes_at, now)
        self._resumes_at = until
