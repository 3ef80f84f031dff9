"""How hard the client tries, and how long: plain numbers, all times in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClientSettings:
    """
    Limits of one client.

    Args:
        concurrency: Requests at once per credential at the start; never more than *max_concurrency*.
        max_concurrency: What that number may grow to while the service is at ease.
        attempts: How often one call is tried before its transient error is raised.
        patience: Seconds one call may spend waiting between its attempts, or for a pause to end.
        backoff: Seconds of the first wait between attempts; doubled each time. 0 in tests.
        max_backoff: The longest such wait, where the service names none.
        connect_timeout: Seconds to open a connection.
        read_timeout: Seconds without a byte; the service itself may hold an answer back for 30.
        request_timeout: Seconds for one whole attempt, so that a trickle of bytes does not last for ever.
    """

    concurrency: int = 8
    max_concurrency: int = 32
    attempts: int = 6
    patience: float = 600.0
    backoff: float = 1.0
    max_backoff: float = 60.0
    connect_timeout: float = 15.0
    read_timeout: float = 90.0
    request_timeout: float = 300.0

    def __post_init__(self) -> None:
        for name in ("concurrency", "max_concurrency", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
