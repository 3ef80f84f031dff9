"""Revisions read item by item, for what the reporting feed does not say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ado_assets.ado import AdoClient, Answer, Endpoint, NotFound, by_skip, merge, split, timestamps
from ado_assets.streams.listings import ONE_BY_ONE_AT_ONCE, batches
from ado_assets.streams.model import Complete, Event, Page
from ado_assets.streams.project_names import ProjectNames
from ado_assets.streams.work_item_rows import IDS_AT_ONCE, LIST_BY_IDS, project_name

#: All revisions of one item, oldest first.
LIST_REVISIONS_OF_ITEM: Final = Endpoint("_apis/wit/workItems/{id}/revisions", paging=by_skip, page_size=200)

_TICK: Final = timedelta(milliseconds=1)


class Histories:
    """Reads items' revisions singly, and knows in which project each item is now."""

    def __init__(self, client: AdoClient, projects: ProjectNames) -> None:
        self._client = client
        self._projects = projects
        self._homes: dict[int, str | None] = {}

    async def homes(self, items: Iterable[int]) -> dict[int, str | None]:
        """The id of the project each item is in now; None for those that are deleted or not visible."""
        wanted = set(items)
        for batch in batches(sorted(wanted - self._homes.keys()), IDS_AT_ONCE):
            self._homes.update(dict.fromkeys(batch))
            body = {"ids": list(batch), "fields": ["System.TeamProject"], "errorPolicy": "omit"}
            answer = await self._client.post(LIST_BY_IDS, {}, {}, body)
            for record in answer.records:
                if record is not None:
                    self._homes[record["id"]] = await self._projects.id_of(project_name(record))
        return {item: self._homes[item] for item in wanted}

    async def superseded(self, first: Mapping[int, tuple[int, str]]) -> AsyncIterator[Event]:
        """
        Yield the revision before the first new one of each item: it ended with it.

        They are read 200 at a time as of the instant before the oldest change. Where that does not bring the revision
        that is meant, or the item was in the recycle bin or in another project then, its whole history is read.

        Args:
            first: Item -> number and ``System.ChangedDate`` of its first new revision.
        """
        earlier = {item: rev - 1 for item, (rev, _) in first.items() if rev > 1}
        changes = [timestamps.parse_any(first[item][1]) for item in earlier]
        before = min((change for change in changes if change is not None), default=None)
        unsettled = dict.fromkeys(earlier)
        if before is not None:
            for batch in batches(sorted(earlier), IDS_AT_ONCE):
                answer = await self._as_of(batch, before - _TICK)
                for found in self._settled(answer, earlier):
                    for record in found.records:
                        unsettled.pop(record["id"], None)
                    yield found
        async for event in self.whole({item: self._homes[item] for item in unsettled}):
            yield event

    async def _as_of(self, items: Sequence[int], instant: datetime) -> Answer:
        body = {
            "ids": list(items),
            "asOf": timestamps.format(instant),
            "$expand": "fields",
            "errorPolicy": "omit",
        }
        return await self._client.post(LIST_BY_IDS, {}, {}, body)

    def _settled(self, answer: Answer, expected: Mapping[int, int]) -> list[Page]:
        """The revisions of an answer that are the expected ones, of items that were live and where they are now."""
        groups: dict[str, tuple[list[bytes], list[Any]]] = {}
        for raw, record in zip(split(answer.body, "value"), answer.records, strict=True):
            if record is None or record["rev"] != expected[record["id"]] or record["fields"].get("System.IsDeleted"):
                continue
            home = self._homes[record["id"]]
            if home is not None and self._projects.only_of(project_name(record), home):
                raws, records = groups.setdefault(home, ([], []))
                raws.append(raw)
                records.append(record)
        return [revisions_page(raws, records, home, answer.read_at) for home, (raws, records) in groups.items()]

    async def whole(self, homes: Mapping[int, str | None]) -> AsyncIterator[Event]:
        """Yield every revision of each item, as part of the project given; items that are not found are left out."""

        async def read(item: int, home: str) -> AsyncIterator[Event]:
            at: datetime | None = None
            try:
                async for answer in self._client.pages(LIST_REVISIONS_OF_ITEM, {"id": item}, {"$expand": "fields"}):
                    at = at or answer.read_at
                    yield revisions_page(split(answer.body, "value"), answer.records, home, answer.read_at)
            except NotFound:
                return
            if at is not None:
                yield Complete({"id": item}, at)

        readers = (read(item, home) for item, home in sorted(homes.items()) if home is not None)
        async for event in merge(readers, ONE_BY_ONE_AT_ONCE):
            yield event


def revisions_page(raws: Sequence[bytes], records: Sequence[Any], project_id: str, read_at: datetime) -> Page:
    """A page of revisions in the envelope of the reporting feed, with their bytes as received."""
    return Page({"project_id": project_id}, b'{"values":[' + b",".join(raws) + b"]}", records, read_at)
