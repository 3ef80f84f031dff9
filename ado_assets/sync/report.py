"""What a sync did, as plain data: for metadata, the summary on the screen and the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ado_assets.warehouse import LoadReport, TableCounts, UnitOutcome

TableReport = TableCounts


@dataclass(frozen=True)
class FeedReport:
    """
    One sync of one feed.

    Args:
        feed: Main table's name.
        sync_id: Name of the sync; also of its landing folder.
        mode: ``incremental`` or ``full_refresh``.
        load: Row counts per table.
        outcomes: One per unit that was asked for.
        seconds: From planning to commit.
        calls: API calls, by endpoint template.
        retries: Requests that were sent again.
        throttled_seconds: Time spent waiting because the service asked for it.
        received_bytes: Size of the answers' bodies.
        projects: Project id -> name, of the projects the sync covered.
    """

    feed: str
    sync_id: str
    mode: str
    load: LoadReport
    outcomes: Sequence[UnitOutcome]
    seconds: float
    calls: Mapping[str, int] = field(default_factory=dict)
    retries: int = 0
    throttled_seconds: float = 0.0
    received_bytes: int = 0
    projects: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[UnitOutcome, ...]:
        """Units that could not be read and that a retry or a person must look at."""
        return tuple(o for o in self.outcomes if o.status == "failed")

    @property
    def skipped(self) -> tuple[UnitOutcome, ...]:
        """Units that could not be read for a lasting reason, as the coverage ledger says."""
        return tuple(o for o in self.outcomes if o.status == "skipped")

    @property
    def requests(self) -> int:
        """All API calls of the sync."""
        return sum(self.calls.values())


class SyncFailed(RuntimeError):
    """Some units of a feed could not be read; everything else was committed. The text names each."""

    def __init__(self, report: FeedReport) -> None:
        self.report = report
        lines = [f"{o.unit}: {o.reason}" for o in report.failed]
        done = len(report.outcomes) - len(lines)
        super().__init__(
            f"{report.feed}: {len(lines)} of {len(report.outcomes)} units could not be read; the other {done} are "
            "committed, and these keep their watermark, so that the next sync reads them again:\n" + "\n".join(lines)
        )
