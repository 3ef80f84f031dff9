"""
The credentials of one connector, used together.

Belongs here: which credential signs the next request, and the only place that waits for a pause to end or for room.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ado_assets.ado.credentials import Credential
from ado_assets.ado.errors import AdoError, Throttled, TokenRejected
from ado_assets.ado.governor import Governor, Signs
from ado_assets.ado.settings import ClientSettings


@dataclass(frozen=True)
class Lease:
    """Permission for one request to run now, signed by *credential*."""

    credential: Credential
    governor: Governor = field(repr=False)
    started_at: float


class CredentialPool:
    """
    Hands out leases: first come, first served; to the live credential that has the most room and is not paused.

    A credential that the service rejected is not used again. Bound to one event loop.
    """

    def __init__(
        self, credentials: Sequence[Credential], settings: ClientSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not credentials:
            raise ValueError("at least one credential is needed")
        self._settings = settings
        self._clock = clock
        self._live = [(credential, Governor(settings)) for credential in credentials]
        self._dead: list[tuple[Credential, Governor]] = []
        self._rejected_status: int | None = None
        self._waiting: deque[asyncio.Future[Lease]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def throttled_seconds(self) -> float:
        """Seconds of pauses that the service asked for, summed over the credentials."""
        now = self._clock()
        return sum(governor.throttled_seconds(now) for _, governor in (*self._live, *self._dead))

    def is_open(self) -> bool:
        """Whether some live credential is not in a pause."""
        now = self._clock()
        return any(governor.pause_left(now) == 0 for _, governor in self._live)

    async def take(self) -> Lease:
        """
        Wait for a lease. Whoever takes one gives it back.

        Raises:
            TokenRejected: No live credential is left.
            Throttled: All are paused for longer than the settings' patience.
        """
        waiter: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._serve()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back(waiter.result())
            raise

    def give_back(self, lease: Lease) -> None:
        """End a lease and serve who waits."""
        lease.governor.finish()
        self._serve()

    def observe(self, lease: Lease, signs: Signs) -> float:
        """Tell the lease's governor what an answer said. Return the pause it brought, in seconds."""
        return lease.governor.observe(signs, lease.started_at, self._clock())

    def reject(self, lease: Lease, error: TokenRejected) -> bool:
        """Take the lease's credential out of use. Return whether another one is left."""
        self._rejected_status = error.status
        dead = [member for member in self._live if member[0] is lease.credential]
        self._live = [member for member in self._live if member[0] is not lease.credential]
        self._dead += dead
        return bool(self._live)

    def _serve(self) -> None:
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif error := self._hopeless():
                self._waiting.popleft().set_exception(error)
            elif lease := self._next_lease():
                self._waiting.popleft().set_result(lease)
            else:
                self._serve_after_pause()
                return

    def _next_lease(self) -> Lease | None:
        now = self._clock()
        credential, governor = max(self._live, key=lambda member: member[1].room(now))
        if governor.room(now) <= 0:
            return None
        governor.start()
        return Lease(credential, governor, now)

    def _hopeless(self) -> AdoError | None:
        if not self._live:
            names = ", ".join(credential.name for credential, _ in self._dead)
            return TokenRejected(f"no usable token is left; rejected: {names}", status=self._rejected_status)
        shortest = self._shortest_pause()
        if shortest > self._settings.patience:
            message = (
                f"the service asks to wait {shortest:.0f} seconds, longer than the {self._settings.patience:.0f} set"
            )
            return Throttled(message, retry_after=shortest)
        return None

    def _shortest_pause(self) -> float:
        now = self._clock()
        return min(governor.pause_left(now) for _, governor in self._live)

    def _serve_after_pause(self) -> None:
        """Arrange to serve again when the first pause ends; without a pause, the next lease given back does it."""
        now = self._clock()
        pauses = [left for _, governor in self._live if (left := governor.pause_left(now)) > 0]
        if not pauses:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(min(pauses), self._serve)
