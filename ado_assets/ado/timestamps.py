"""
Instants as the API writes them, and back.

Belongs here: text to UTC-aware datetime and the other way round. Nothing here reads a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_NOT_SET_YEAR = 1
_OPEN_YEAR = 9999


def parse(text: str | None) -> datetime | None:
    """
    Return the instant of an API timestamp, UTC-aware, or None where the API means "not set" or "still open".

    The API writes 0 to 7 fractional digits (the seventh is dropped), and ``0001-01-01T00:00:00`` without a zone for
    "not set", ``9999-01-01T00:00:00Z`` for "open" (observed in nested references and work item updates). A text
    without a zone is UTC.

    Raises:
        ValueError: The text is not an ISO 8601 instant.
    """
    if not text:
        return None
    instant = datetime.fromisoformat(text)
    if instant.year <= _NOT_SET_YEAR or instant.year >= _OPEN_YEAR:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def parse_any(value: object) -> datetime | None:
    """Return the instant of a value that should be an API timestamp, or None also where it is none at all."""
    try:
        return parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def format(instant: datetime) -> str:
    """
    Return *instant* as the API accepts it in a query: UTC, ``Z``, at most six fractional digits, none when zero.

    Raises:
        ValueError: *instant* has no zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"an instant without a time zone cannot be sent: {instant.isoformat()}")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def floor_seconds(instant: datetime) -> datetime:
    """Return *instant* rounded down to the whole second, so that a window that starts there misses nothing."""
    return instant.replace(microsecond=0)


def parse_http_date(text: str | None) -> datetime | None:
    """Return the instant of an HTTP date (``Date``, ``Retry-After``), UTC-aware, or None when it is none."""
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
