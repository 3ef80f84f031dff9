"""
Every fault at every endpoint, and what came of it: ``make faults`` writes the table of ``docs/fault_matrix.md``.

The organization stands still meanwhile, so whatever a fault does to a table is seen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ado_assets.ado import AdoClient, AdoError, ClientSettings, Hosts, PersonalAccessToken
from ado_assets.sample import Rule
from ado_assets.sync import FEEDS, FeedReport, Selection, sync_feed
from ado_assets_tests.history import History

PAGE = Path(__file__).parents[1] / "docs" / "fault_matrix.md"

_READ_TIMEOUT = 0.5

#: Name -> the rule. Without ``count`` the fault passes: one call gets it. ``count=None`` stays.
FAULTS: Mapping[str, dict[str, Any]] = {
    "429 with Retry-After": {"kind": "status", "status": 429, "retry_after": 0.05},
    "429 without headers": {"kind": "status", "status": 429},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503 with Retry-After": {"kind": "status", "status": 503, "retry_after": 0.05},
    "504": {"kind": "status", "status": 504},
    "200 with Retry-After": {"kind": "pause", "retry_after": 0.05},
    "reset before": {"kind": "reset_before"},
    "reset inside": {"kind": "reset_inside"},
    "truncated": {"kind": "truncated"},
    "garbage": {"kind": "garbage"},
    "hang": {"kind": "hang", "seconds": 2 * _READ_TIMEOUT},
    "slow drip": {"kind": "slow_drip", "seconds": 0.1},
    "wrong content type": {"kind": "wrong_content_type"},
    "gzip": {"kind": "gzip"},
    "repeated token": {"kind": "repeated_token"},
    "missing token": {"kind": "missing_token"},
    "empty page with token": {"kind": "empty_page_with_token"},
    "duplicates across pages": {"kind": "duplicates_across_pages"},
    "503 for good": {"kind": "status", "status": 503, "count": None},
    "resets for good": {"kind": "reset_before", "count": None},
    "repeated token for good": {"kind": "repeated_token", "count": None},
    "401": {"kind": "status", "status": 401},
    "200 with HTML": {"kind": "html_200"},
    "203 sign-in": {"kind": "sign_in_203"},
    "302 sign-in": {"kind": "redirect_302"},
    "403": {"kind": "forbidden_403", "count": None},
    "404": {"kind": "not_found_404", "count": None},
}

#: One of each manner of ending, for the everyday test.
TYPICAL = ("429 with Retry-After", "reset inside", "empty page with token", "503 for good", "401", "403", "404")

EXACT, STOPPED, FAILED, LEFT_OUT, NOT_MET = "exact", "stopped", "failed", "left out", "·"


class Matrix:
    """Faults against one organization that stands still, and a warehouse that equals it."""

    def __init__(self, seed: int = 7) -> None:
        self.history = History(seed)
        self.history.sync()
        self.wrong: list[str] = []
        self.endpoints = self._endpoints()

    def _endpoints(self) -> dict[str, str]:
        """Operation -> the first feed that calls it when it reads everything."""
        found: dict[str, str] = {}
        requests = self.history.world.requests
        for name in FEEDS:
            requests.clear()
            self.sync(name)
            for _, template, _ in list(requests):
                found.setdefault(template, name)
        return found

    def cells(self, fault: str) -> dict[str, str]:
        """Operation -> what came of the fault there. What must not happen is noted in ``wrong``."""
        cells = {template: self._cell(fault, template, feed) for template, feed in self.endpoints.items()}
        self.wrong += [f"{fault}: {text}" for text in self.history.findings()]
        return cells

    def _cell(self, fault: str, template: str, feed: str) -> str:
        faults = self.history.world.faults
        rule = Rule(template=template, **FAULTS[fault])
        held = self.history.warehouse.watermarks(self.history.organization, feed)
        faults.set(rule)
        try:
            report = self.sync(feed)
        except AdoError as error:
            cell, stays = STOPPED, list(held)
            self._expect_words([str(error)], fault, template)
        else:
            cell, stays = self._judge(report, fault, template)
        finally:
            faults.clear()
        now = self.history.warehouse.watermarks(self.history.organization, feed)
        moved = [unit for unit in stays if held.get(unit) != now.get(unit)]
        self._expect(not moved, f"{fault} at {template}: watermarks of {moved} moved")
        return cell if rule.applied else NOT_MET

    def _judge(self, report: FeedReport, fault: str, template: str) -> tuple[str, list[str]]:
        """What came of it, and the units whose watermark must stay."""
        deleted = {name: counts.deleted for name, counts in report.load.tables.items() if counts.deleted}
        self._expect(not deleted, f"{fault} at {template}: rows were deleted: {deleted}")
        disabled = {each.id for each in self.history.world.git.visible() if each.is_disabled}
        skipped = [each for each in report.skipped if each.repository_id not in disabled]
        partly = [each for each in report.outcomes if each.status == "read" and each.reason]
        self._expect_words([each.reason or "" for each in report.failed], fault, template)
        self._expect(all(each.reason for each in skipped), f"{fault} at {template}: left out without a reason")
        # A repository left out of its project's unit does not hold up the others; the stream remembers it.
        whole = [each for each in skipped if each.unit.startswith("repository") or not each.repository_id]
        stays = [each.unit for each in (*report.failed, *whole)]
        if report.failed:
            return FAILED, stays
        return (LEFT_OUT if skipped or partly else EXACT), stays

    def _expect_words(self, reasons: Sequence[str], fault: str, template: str) -> None:
        """Each reason says where it happened, and in a last sentence what to do."""
        for reason in reasons:
            named = self.history.organization in reason and "http" in reason and reason.rstrip().endswith(".")
            self._expect(named, f"{fault} at {template}: {reason!r} does not say where and what to do")

    def _expect(self, holds: bool, text: str) -> None:
        if not holds:
            self.wrong.append(text)

    def sync(self, feed: str, *, full_refresh: bool = True) -> FeedReport:
        """Bring a feed up to date over HTTP, whatever the service does."""
        selection = Selection(self.history.organization, full_refresh=full_refresh)
        return sync_feed(FEEDS[feed], selection, self._client, self.history.warehouse)

    def _client(self) -> AdoClient:
        hosts, token = Hosts(*[self.history.server.base_url] * 3), PersonalAccessToken("all", "sample-all-token")
        limits = ClientSettings(backoff=0.0, attempts=3, read_timeout=_READ_TIMEOUT)
        return AdoClient(hosts, self.history.organization, [token], connector="faults", limits=limits)

    def close(self) -> None:
        """Stop the organization."""
        self.history.close()


def run(faults: Collection[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Fault -> operation -> what came of it; and what must not have happened, a last clean sync included."""
    matrix = Matrix()
    try:
        results = {fault: matrix.cells(fault) for fault in faults}
        matrix.history.sync()
        wrong = [*matrix.wrong, *(f"after a clean sync: {text}" for text in matrix.history.findings())]
        return results, wrong
    finally:
        matrix.close()


def page(results: Mapping[str, Mapping[str, str]]) -> str:
    """The page of the documentation: a row for each operation, a column for each fault."""
    operations = sorted({template for cells in results.values() for template in cells})
    lines = [
        "# What each fault does at each endpoint",
        "",
        "Written by `make faults`: each cell is a complete read of the first table that calls the endpoint, with the",
        "fault there, over HTTP, landing and load. A fault is met once; *for good* it stays, and so do 403 and 404. In",
        "every cell the run also checks that no row is deleted or changed and that the watermark of what was not read",
        "stays; after all of them one clean sync makes every table equal to the organization.",
        "",
        f"- **{EXACT}**: the tables are equal to the organization after this very sync.",
        f"- **{FAILED}**: the project or repository is named as failed, with address, status and what to do; the",
        "  others are committed, and the next sync reads it again.",
        f"- **{LEFT_OUT}**: the coverage ledger says what could not be read and why; the rows stay as they were.",
        f"- **{STOPPED}**: the sync of this table ends with the reason and commits nothing: no token is left, or even",
        "  the time of the service cannot be had.",
        f"- **{NOT_MET}**: the fault has nothing to act on there (one page, or no list).",
        "",
    ]
    for faults in _groups(list(results)):
        lines += [f"| endpoint | {' | '.join(faults)} |", f"|---|{'---|' * len(faults)}"]
        lines += [
            f"| `{each}` | {' | '.join(results[fault].get(each, NOT_MET) for fault in faults)} |" for each in operations
        ]
        lines.append("")
    return "\n".join(lines)


def _groups(faults: list[str]) -> list[list[str]]:
    return [faults[start : start + 7] for start in range(0, len(faults), 7)]


def main() -> int:
    """The command line of ``make faults``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, default=PAGE)
    arguments = parser.parse_args()
    results, wrong = run(FAULTS)
    for text in wrong:
        print(text)
    arguments.write.write_text(page(results), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
