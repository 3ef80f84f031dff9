"""
Where a read by time starts and what it leaves behind: pure decisions about instants.

Belongs here: windows and watermarks that are instants. Does not belong here: requests, and watermarks that are tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ado_assets.ado import timestamps
from ado_assets.streams.model import Options


@dataclass(frozen=True)
class Window:
    """
    A half-open span of time, ``[start, end)``, UTC-aware.

    Args:
        start: First instant to ask for; None is the beginning of time.
        end: When the read began, by the server's clock: the next watermark. Events at or after it may come too.
    """

    start: datetime | None
    end: datetime

    @property
    def earliest(self) -> str | None:
        """*start* as the API takes it in a query; None leaves the filter out."""
        return None if self.start is None else timestamps.format(self.start)

    @property
    def watermark(self) -> str:
        """*end* as text to be stored."""
        return self.end.isoformat()


def next_window(watermark: str | None, now: datetime, options: Options, *, look_back: bool = False) -> Window:
    """
    The span to read now.

    It reaches back over the watermark by the overlap, and down to the whole second: the API's filters are inexact by
    fractions of one, and rows that come twice do no harm. A first read starts at the start date.

    Args:
        watermark: End of the last window as stored; None on a first or complete read.
        now: Server time when the sync started.
        look_back: Reach back by the lookback as well, for rows that change without moving the time that is filtered:
            whatever they were like at the last read, what changed within the lookback after that time is found.

    Raises:
        ValueError: *watermark* is not an instant.
    """
    last = timestamps.parse(watermark)
    if last is None:
        return Window(options.start_date, now)
    start = last - options.overlap
    if look_back:
        start = min(start, last - options.lookback)
    return Window(timestamps.floor_seconds(start), now)
