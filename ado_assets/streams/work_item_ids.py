"""Which work items there are: the live ones by query, the deleted ones from the recycle bin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from ado_assets.ado import AccessDenied, AdoClient, BadRequest, Endpoint, NotFound, Params
from ado_assets.streams.listings import batches

#: Ids only. Above 20,000 results it answers 400, but with a smaller ``$top`` it cuts without a word.
QUERY: Final = Endpoint("_apis/wit/wiql", method="POST", records="workItems")
#: The project of the address restricts nothing; it is what ``@project`` stands for in the query.
QUERY_PROJECT: Final = Endpoint("{project_id}/_apis/wit/wiql", method="POST", records="workItems")
#: All in one answer, at most 19,999. With ``ids`` only those of them that are in it.
LIST_DELETED: Final = Endpoint("_apis/wit/recyclebin")
LIST_DELETED_OF_PROJECT: Final = Endpoint("{project_id}/_apis/wit/recyclebin")

MOST_RESULTS: Final = 19_999
_FEWEST_RESULTS: Final = 10
_IDS_AT_ONCE: Final = 200
_TOO_MANY: Final = "WorkItemTrackingQueryResultSizeLimitExceededException"


async def live_ids(client: AdoClient, project_id: str | None = None) -> AsyncIterator[list[int]]:
    """
    Yield the ids of the live work items in parts, ascending, each once.

    Pages are cut by id, so that what changes meanwhile shifts nothing.

    Args:
        project_id: The project to stay in; None is the whole organization.
    """
    endpoint, path = (QUERY, {}) if project_id is None else (QUERY_PROJECT, {"project_id": project_id})
    within = "" if project_id is None else " AND [System.TeamProject] = @project"
    last, most = 0, MOST_RESULTS
    while True:
        query = f"SELECT [System.Id] FROM WorkItems WHERE [System.Id] > {last}{within} ORDER BY [System.Id]"
        try:
            answer = await client.post(endpoint, path, {"$top": most, "timePrecision": True}, {"query": query})
        except BadRequest as error:
            if not is_too_many(error) or most <= _FEWEST_RESULTS:
                raise
            most //= 2
            continue
        ids = [int(reference["id"]) for reference in answer.records]
        yield ids
        if len(ids) < most:
            return
        last = ids[-1]


def is_too_many(error: BadRequest) -> bool:
    """Whether the service refuses because there are more results than it gives (VS402337)."""
    return error.type_key == _TOO_MANY or "VS402337" in (error.service_message or "")


async def deleted_ids(client: AdoClient, project_ids: Iterable[str]) -> set[int] | None:
    """
    Ids of the work items in the recycle bin; None where that cannot be known.

    Where the whole bin is too large for one answer, those of the projects given.
    """
    try:
        return _ids((await client.get(LIST_DELETED)).records)
    except (AccessDenied, NotFound):
        return None
    except BadRequest as error:
        if not is_too_many(error):
            raise
    found: set[int] = set()
    for project_id in project_ids:
        try:
            found |= _ids((await client.get(LIST_DELETED_OF_PROJECT, {"project_id": project_id})).records)
        except (AccessDenied, NotFound, BadRequest):
            return None
    return found


async def deleted_among(client: AdoClient, ids: Sequence[int]) -> set[int] | None:
    """Which of *ids* are in the recycle bin; None where that cannot be known."""
    found: set[int] = set()
    for batch in batches(ids, _IDS_AT_ONCE):
        params: Params = {"ids": ",".join(map(str, batch))}
        try:
            found |= _ids((await client.get(LIST_DELETED, {}, params)).records)
        except (AccessDenied, NotFound):
            return None
    return found


def _ids(references: Iterable[Any]) -> set[int]:
    """The ids of recycle bin entries. They may be text, and an id that is not in the bin may come with a code."""
    return {int(each["id"]) for each in references if each is not None and (each.get("code") or 200) == 200}
