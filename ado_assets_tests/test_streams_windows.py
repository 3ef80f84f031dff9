"""Where a read by time starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ado_assets.streams.model import Options
from ado_assets.streams.windows import next_window

NOW = datetime(2026, 3, 20, 12, 0, 30, 500_000, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_first_read_starts_at_the_start_date_or_at_the_beginning():
    """Without a watermark only the start date bounds the read."""
    assert next_window(None, NOW, Options()).earliest is None
    assert next_window(None, NOW, Options(start_date=START)).start == START


def test_window_reaches_back_by_the_overlap_to_the_whole_second():
    """A filter that is inexact by fractions of a second misses nothing."""
    window = next_window("2026-03-20T11:00:00.750000+00:00", NOW, Options(overlap=timedelta(minutes=10)))

    assert window.earliest == "2026-03-20T10:50:00Z"


def test_windows_touch():
    """What one read leaves to the next begins no later than it ended."""
    first = next_window(None, NOW, Options())
    second = next_window(first.watermark, NOW + timedelta(hours=1), Options(overlap=timedelta(0)))

    assert second.start <= first.end == NOW


@pytest.mark.parametrize("pause", [timedelta(hours=1), timedelta(days=60)])
def test_lookback_reaches_back_from_the_last_read(pause):
    """What changed within the lookback after its time is found however long nothing was read since."""
    last = NOW - pause

    window = next_window(last.isoformat(), NOW, Options(), look_back=True)

    assert window.start == (last - timedelta(days=14)).replace(microsecond=0)


def test_lookback_never_shortens_a_window():
    """The overlap counts where it is the longer one."""
    options = Options(overlap=timedelta(days=2), lookback=timedelta(days=1))

    assert next_window(NOW.isoformat(), NOW, options, look_back=True).start <= NOW - timedelta(days=2)


def test_start_date_does_not_bound_later_reads():
    """Once something was read, its watermark says where to go on."""
    options = Options(start_date=NOW + timedelta(days=1))

    assert next_window(NOW.isoformat(), NOW, options).start < NOW
