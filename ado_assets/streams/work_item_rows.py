"""Work items by id: whole rows, 200 in a request, sorted by the project each is in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from ado_assets.ado import AdoClient, Answer, Endpoint, Params, UnexpectedAnswer, merge, split
from ado_assets.streams.listings import batches, objects_or_gaps
from ado_assets.streams.model import Page, regrouped
from ado_assets.streams.project_names import ProjectNames

#: With ``errorPolicy=omit`` an id that does not answer is null or missing, else it fails the whole call (404).
LIST_BY_IDS: Final = Endpoint("_apis/wit/workitemsbatch", method="POST")
#: The same as a GET; asked a second time for ids that the first did not answer.
LIST_AGAIN: Final = Endpoint("_apis/wit/workitems")

IDS_AT_ONCE: Final = 200
_REQUESTS_AT_ONCE: Final = 8


class WorkItemRows:
    """
    Reads work items by id.

    Attributes:
        missing: Ids that did not answer in two attempts: deleted, or not visible to this token.
        outside: Ids of items in projects that are not selected.
    """

    def __init__(self, client: AdoClient, projects: ProjectNames, selected: Iterable[str]) -> None:
        self._client = client
        self._projects = projects
        self._selected = frozenset(selected)
        self.missing: set[int] = set()
        self.outside: set[int] = set()

    async def pages(self, ids: Sequence[int]) -> AsyncIterator[Page]:
        """Yield the items of selected projects, one project a page, and note the others."""
        unanswered: list[int] = []

        async def read(batch: Sequence[int]) -> AsyncIterator[Page]:
            body = {"ids": list(batch), "$expand": "all", "errorPolicy": "omit"}
            answer = await self._client.post(LIST_BY_IDS, {}, {}, body)
            unanswered.extend(_unanswered(batch, answer))
            async for found in self._by_project(answer):
                yield found

        async for found in merge((read(batch) for batch in batches(ids, IDS_AT_ONCE)), _REQUESTS_AT_ONCE):
            yield found
        for batch in batches(sorted(unanswered), IDS_AT_ONCE):
            params: Params = {"ids": ",".join(map(str, batch)), "$expand": "all", "errorPolicy": "omit"}
            answer = await self._client.get(LIST_AGAIN, {}, params)
            self.missing.update(_unanswered(batch, answer))
            async for found in self._by_project(answer):
                yield found

    async def _by_project(self, answer: Answer) -> AsyncIterator[Page]:
        groups: dict[str, tuple[list[bytes], list[Any]]] = {}
        for raw, record in zip(split(answer.body, "value"), answer.records, strict=True):
            if record is None:
                continue
            project_id = await self._projects.id_of(project_name(record))
            if project_id not in self._selected:
                self.outside.add(record["id"])
                continue
            raws, records = groups.setdefault(project_id, ([], []))
            raws.append(raw)
            records.append(record)
        for project_id, (raws, records) in groups.items():
            yield regrouped(raws, records, {"project_id": project_id}, answer.read_at)


def project_name(item: Any) -> str:
    """
    The name of the project a work item or a revision is in.

    Raises:
        UnexpectedAnswer: It does not say.
    """
    fields = item.get("fields")
    name = fields.get("System.TeamProject") if isinstance(fields, dict) else None
    if not isinstance(name, str):
        raise UnexpectedAnswer(f"work item {item.get('id')} does not say which project it is in")
    return name


def _unanswered(asked: Sequence[int], answer: Answer) -> list[int]:
    answered = {record["id"] for record in objects_or_gaps(answer) if record is not None}
    return [each for each in asked if each not in answered]
