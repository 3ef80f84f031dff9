"""
How classic releases are read.

The list filters on when a release was created, and only the single read is whole. A release changes for weeks after:
approvals, redeployments, abandonment. So the deployments say which releases moved, and the stream remembers in its
watermark which ones can still change without a deployment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from ado_assets.ado import AdoClient, Endpoint, Params, timestamps
from ado_assets.streams.listings import batches, one_by_one
from ado_assets.streams.model import Complete, Event, Feed, Gone, Held, Request, Skipped, Watermark, single
from ado_assets.streams.release_lists import listed_releases, modified_deployments, some_releases
from ado_assets.streams.windows import next_window
from ado_assets.tables import RELEASE_ENVIRONMENTS, RELEASES

GET_RELEASE: Final = Endpoint("{project_id}/_apis/release/releases/{release_id}", host="release", records=None)

_WHOLE: Final[Params] = {"$expand": "tasks", "approvalFilters": "all", "$topGateRecords": 5}
_IDS_AT_ONCE: Final = 100
_ENDED: Final = frozenset(("succeeded", "rejected", "partiallysucceeded", "canceled"))
_RUNNING: Final = frozenset(("inprogress", "queued", "scheduled"))


@dataclass(frozen=True)
class Progress:
    """
    What the next read has to know: the watermark of this stream.

    Args:
        project: Name of the project: releases quote it, so all are read again once it is another.
        since: End of the last window, an instant; None when nothing was read yet.
        running: Releases with an environment that is being deployed: they change without the list showing it.
        waiting: Drafts, and releases with an environment that was never deployed: the list shows when they changed.
        deleted: Those the list of deleted releases held; one that left it was restored or purged.
        reviewed: Where in the list the next page of old releases begins that is looked through for changes.
    """

    project: str
    since: str | None = None
    running: frozenset[int] = frozenset()
    waiting: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()
    reviewed: str | None = None

    @classmethod
    def read(cls, watermark: str) -> Progress:
        """The progress that ``text`` wrote."""
        stored = orjson.loads(watermark)
        ids = {name: frozenset(stored[name]) for name in ("running", "waiting", "deleted")}
        return cls(stored["project"], stored["since"], **ids, reviewed=stored["reviewed"])

    def of(self, project: str) -> Progress:
        """This progress if it is of the project as it is called now, else none."""
        return self if project == self.project else Progress(project)

    @property
    def text(self) -> str:
        """As it is stored."""
        ids = {name: sorted(getattr(self, name)) for name in ("running", "waiting", "deleted")}
        stored = {"since": self.since, "project": self.project, **ids, "reviewed": self.reviewed}
        return orjson.dumps(stored).decode()

    def after(self, now: datetime, read: Mapping[int, str], deleted: frozenset[int], reviewed: str | None) -> Progress:
        """
        The progress once releases were read again.

        Args:
            now: When the read began.
            read: Release id -> its outlook.
            deleted: All that the list of deleted releases holds.
            reviewed: Where the review of old releases got to.
        """
        running = {each for each, found in read.items() if found == "running"}
        waiting = {each for each, found in read.items() if found == "waiting"}
        return Progress(
            self.project,
            since=now.isoformat(),
            running=(self.running - read.keys() - deleted) | running,
            waiting=(self.waiting - read.keys() - deleted) | waiting,
            deleted=deleted,
            reviewed=reviewed,
        )


def outlook(release: Any) -> str:
    """Whether a release is ``running``, ``waiting`` for somebody to act, or ``final``; unknown states are waiting."""
    if str(release.get("status", "")).lower() == "abandoned":
        return "final"
    environments = release.get("environments")
    found = [each for each in environments if isinstance(each, dict)] if isinstance(environments, list) else []
    states = {str(environment.get("status", "")).lower() for environment in found}
    if states & _RUNNING:
        return "running"
    draft = str(release.get("status", "")).lower() == "draft"
    return "waiting" if draft or states - _ENDED else "final"


async def releases(client: AdoClient, request: Request) -> AsyncIterator[Event]:
    """
    Yield the releases of the project that may differ from what is held, each whole; all when there is no watermark.

    A delta is: those created since the watermark or in the lookback, those waiting, and one page of all the others in
    turn, where the list shows another status or time of modification than is held; those with a deployment since; those
    running; those restored. With a start date the first read is such a delta too.
    """
    project = request.unit.project
    assert project is not None
    scope = {"project_id": project.id}
    before = Progress.read(request.watermark).of(project.name) if request.watermark else Progress(project.name)
    deleted = {row["id"]: at async for row, at in listed_releases(client, project.id, {"isDeleted": True})}
    for release_id in sorted(deleted.keys() - before.deleted):
        yield Gone({**scope, "id": release_id}, "deleted", deleted[release_id])
    listing_began: datetime | None = None
    reviewed: str | None = None
    if before.since is None and request.options.start_date is None:
        listed = {row["id"]: at async for row, at in listed_releases(client, project.id, {"isDeleted": False})}
        listing_began, ids = min(listed.values(), default=request.now), set(listed)
    else:
        changed, reviewed = await _changed(client, request, project.id, before)
        ids = changed | (before.deleted - deleted.keys())
    read: dict[int, str] = {}
    async for release_id, answer in one_by_one(client, GET_RELEASE, "release_id", sorted(ids), scope, _WHOLE):
        if answer is not None:
            read[release_id] = outlook(answer.data)
            yield single(answer, scope)
    if listing_began is not None:
        if lost := ids - read.keys():
            # Listed a moment ago: not found is no sign of deletion, and the whole is read again next time.
            yield Skipped(f"{len(lost)} of {len(ids)} listed releases were not found, the first of them {min(lost)}")
            return
        yield Complete(scope, listing_began)
    yield Watermark(before.after(request.now, read, frozenset(deleted), reviewed).text)


async def _changed(
    client: AdoClient, request: Request, project_id: str, before: Progress
) -> tuple[set[int], str | None]:
    """Ids of the releases that exist and may differ from what is held, and where the review of old ones got to."""
    rows, reviewed = await some_releases(client, project_id, before.reviewed)
    created = next_window(before.since, request.now, request.options, look_back=True)
    listings: list[Params] = [{"minCreatedTime": created.earliest}]
    listings += [
        {"releaseIdFilter": ",".join(map(str, batch))} for batch in batches(sorted(before.waiting), _IDS_AT_ONCE)
    ]
    for params in listings:
        rows += [row async for row, _ in listed_releases(client, project_id, {"isDeleted": False, **params})]
    held = {row["id"]: (row["status"], row["modified_on"]) for row in request.held}
    found = {row["id"] for row in rows if _is_news(row, held, request.options.start_date)}
    window = next_window(before.since, request.now, request.options)
    async for answer in modified_deployments(client, project_id, window):
        found.update(record["release"]["id"] for record in answer.records)
    return found | before.running, reviewed


def _is_news(row: Any, held: Mapping[int, tuple[str, datetime | None]], start_date: datetime | None) -> bool:
    """Whether a row of the list shows something that is not held; what is older than the start date is not wanted."""
    if row["id"] not in held:
        created = timestamps.parse_any(row.get("createdOn"))
        return start_date is None or created is None or created >= start_date
    return held[row["id"]] != (row.get("status"), timestamps.parse_any(row.get("modifiedOn")))


#: Its watermark holds what may still change; the held rows tell whether the list shows something new.
RELEASES_FEED: Final = Feed(
    (RELEASES, RELEASE_ENVIRONMENTS), "project", releases, held=Held(columns=("id", "status", "modified_on"))
)
