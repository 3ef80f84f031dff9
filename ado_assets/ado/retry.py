"""
Which failure is tried again, after how long, and when to give up: the one policy of the client.

The wait is a pure function, so it is tested without sleeping.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from ado_assets.ado.errors import Transient
from ado_assets.ado.settings import ClientSettings


def wait_seconds(attempt: int, retry_after: float | None, jitter: float, settings: ClientSettings) -> float:
    """
    Return the seconds between *attempt* (the first is 1) and the next one.

    What the service asked for goes first; otherwise the backoff doubles with each attempt, stretched by *jitter* (0
    to 1, random) so that many callers do not come back at the same instant, up to the longest one set.
    """
    if retry_after:
        return retry_after
    doubled: float = settings.backoff * 2 ** (attempt - 1)
    return min(doubled * (1 + jitter), settings.max_backoff)


def retry_policy(
    settings: ClientSettings,
    wait: Callable[[Transient, int], float],
    before_sleep: Callable[[Transient, float], None],
) -> AsyncRetrying:
    """
    Return the policy: transient errors only, bounded in attempts and in the seconds waited between them.

    Args:
        wait: The error and the number of the attempt that ended with it -> seconds.
        before_sleep: Told the error and the seconds before each wait.
    """

    def spent(state: RetryCallState) -> bool:
        return state.idle_for + state.upcoming_sleep > settings.patience

    def announce(state: RetryCallState) -> None:
        before_sleep(_error(state), state.upcoming_sleep)

    return AsyncRetrying(
        retry=retry_if_exception_type(Transient),
        stop=lambda state: stop_after_attempt(settings.attempts)(state) or spent(state),
        wait=lambda state: wait(_error(state), state.attempt_number),
        before_sleep=announce,
        sleep=asyncio.sleep,
        reraise=True,
    )


def _error(state: RetryCallState) -> Transient:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Transient), "only transient errors are retried"
    return error
