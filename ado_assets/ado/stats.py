"""What a client did, as plain numbers: for each operation how many calls, how they ended, what they cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class EndpointStats:
    """
    Calls of one operation that ended with the same status.

    Args:
        endpoint: The operation's template, for example ``GET {project_id}/_apis/build/builds``.
        status: HTTP status; 0 where no complete answer came.
        calls: Requests sent, retries included.
        seconds: From sending to the last byte, added up; calls overlap, so this exceeds the time that passed.
        received_bytes: Size of the bodies after decompression.
        retries: Those of the calls that repeated a failed one.
    """

    endpoint: str
    status: int
    calls: int = 0
    seconds: float = 0.0
    received_bytes: int = 0
    retries: int = 0


@dataclass(frozen=True)
class StatsSnapshot:
    """
    The numbers of a client at one moment; ``dataclasses.asdict`` makes them JSON.

    Args:
        calls: Requests sent, retries included.
        received_bytes: Size of the bodies after decompression.
        retries: Requests that repeated a failed one.
        throttled_seconds: Seconds of pauses that the service asked for, summed over the credentials.
        endpoints: The same by operation and status.
    """

    calls: int
    received_bytes: int
    retries: int
    throttled_seconds: float
    endpoints: tuple[EndpointStats, ...]

    def calls_by_endpoint(self) -> dict[str, int]:
        """Return the requests sent by operation, whatever they ended with."""
        calls: Counter[str] = Counter()
        for row in self.endpoints:
            calls[row.endpoint] += row.calls
        return dict(calls)


@dataclass
class ClientStats:
    """All calls of one client so far."""

    throttled_seconds: float = 0.0
    _endpoints: dict[tuple[str, int], EndpointStats] = field(default_factory=dict)

    def record(self, endpoint: str, status: int, *, seconds: float, size: int, retry: bool) -> None:
        """Count one call."""
        row = self._endpoints.get((endpoint, status))
        if row is None:
            row = self._endpoints[endpoint, status] = EndpointStats(endpoint, status)
        row.calls += 1
        row.seconds += seconds
        row.received_bytes += size
        row.retries += retry

    def snapshot(self) -> StatsSnapshot:
        """Return the numbers as they are now; later calls do not change them."""
        rows = tuple(EndpointStats(**vars(row)) for row in self._endpoints.values())
        return StatsSnapshot(
            calls=sum(row.calls for row in rows),
            received_bytes=sum(row.received_bytes for row in rows),
            retries=sum(row.retries for row in rows),
            throttled_seconds=self.throttled_seconds,
            endpoints=rows,
        )
