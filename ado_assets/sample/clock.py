"""The organization's time and how instants are written. Time moves only when told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SENTINEL = "0001-01-01T00:00:00"
"""What the service writes for "not set" in stubs; it carries no zone."""
FOREVER = "9999-01-01T00:00:00Z"
"""What the service writes for "still open"."""


class Clock:
    """A UTC clock that stands still until it is advanced."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the current instant, UTC-aware."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward. Raises ValueError for a negative step, because the service's time never goes back."""
        if by < timedelta(0):
            raise ValueError(f"the clock cannot go back by {-by}")
        self._now += by


def iso(instant: datetime) -> str:
    """
    Write an instant as the service does: ISO 8601, ``Z``, 0 to 7 fractional digits.

    Trailing zeros are cut, as .NET does, so whole seconds carry no fraction and milliseconds up to three digits. An
    instant finer than 10 microseconds gets a seventh digit of its own, which microsecond readers must survive.
    """
    text = instant.strftime("%Y-%m-%dT%H:%M:%S") if instant.year >= 1000 else instant.isoformat(timespec="seconds")[:19]
    micro = instant.microsecond
    if micro == 0:
        return text + "Z"
    digits = f"{micro:06d}"
    if micro % 10:
        digits += str((micro * 7 + instant.second) % 10)
    return f"{text}.{digits.rstrip('0')}Z"
