"""
Which rows the API has now, by their keys alone, so that what is held can be compared with it.

Where a complete read of a feed asks for nothing but its listing, the census is that read with only the keys kept. Where
it also asks for rows one by one, ``census_listings`` has the bare listing. What differs is repaired by
``census_repairs``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ado_assets.ado import AdoClient, PagingLoop, timestamps
from ado_assets.streams.builds import BUILDS_FEED
from ado_assets.streams.census_listings import commits, pull_requests, releases, repositories, work_items
from ado_assets.streams.core import PROJECTS_FEED, TEAMS_FEED, USERS_FEED
from ado_assets.streams.model import Complete, Event, Feed, Page, Request, Scope, Skipped
from ado_assets.streams.release_deployments import RELEASE_DEPLOYMENTS_FEED
from ado_assets.tables import TABLES, Table

Key = tuple[str | int, ...]
"""Values of a table's key columns, in their order, without the organization."""

Counts = Callable[[Any, datetime], bool]
"""Whether a record is to be held when there is a start date."""


@dataclass(frozen=True)
class Listed:
    """
    What a complete listing of a scope holds.

    Args:
        scope: Column -> value of the table, as in ``Complete``; ``{}`` is the whole organization.
        keys: All rows that exist. A row held live that is not among them is gone.
        wanted: Those of them that should be held: without the ones that the start date leaves out.
    """

    scope: Scope
    keys: frozenset[Key]
    wanted: frozenset[Key]


async def census(client: AdoClient, name: str, request: Request) -> AsyncIterator[Listed | Skipped]:
    """
    Yield what the API has of the feed called *name*, in the request's unit, and which parts it refuses to list.

    Args:
        request: Its unit is the organization for users and projects, else a project. Its start date says which rows
            need not be held; the listing itself is always whole.

    Raises:
        AdoError: Also when the listing is not known to be complete (``PagingLoop``).
    """
    start = request.options.start_date
    counts = _COUNTS.get(name)
    found: dict[Key, bool] = {}
    told = False
    table = TABLES[name]
    async for event in _READS[name](client, request):
        if isinstance(event, Page):
            for record in event.records:
                wanted = counts is None or start is None or counts(record, start)
                found[_key(table, event.scope, record)] = wanted
        elif isinstance(event, Complete):
            told = True
            yield _listed(table, event.scope, found)
        elif isinstance(event, Skipped):
            told = True
            yield event
    if found and not told:
        raise PagingLoop(f"the listing of {name} changes faster than it can be read")


def _listed(table: Table, scope: Scope, found: Mapping[Key, bool]) -> Listed:
    """The part of what was found that is in the scope; columns that are not in the key are those of the unit."""
    places = [(table.key.index(name), value) for name, value in scope.items() if name in table.key]
    keys = [key for key in found if all(key[place] == value for place, value in places)]
    return Listed(scope, frozenset(keys), frozenset(key for key in keys if found[key]))


def _key(table: Table, scope: Scope, record: Any) -> Key:
    return tuple(_value(table.column(name).path, scope, record) for name in table.key)


def _value(path: str, scope: Scope, record: Any) -> Any:
    if path.startswith("@"):
        return scope[path[1:]]
    for name in path.split("/"):
        record = record[name]
    return record


def _complete_read(feed: Feed) -> Callable[[AdoClient, Request], AsyncIterator[Event]]:
    """The feed's own read from the beginning, whatever the start date."""

    def read(client: AdoClient, request: Request) -> AsyncIterator[Event]:
        everything = replace(request.options, start_date=None)
        return feed.read(client, replace(request, watermark=None, options=everything))

    return read


def _build_counts(build: Any, start: datetime) -> bool:
    return build.get("status") != "completed" or _is_since(build.get("finishTime"), start)


def _pull_request_counts(pull_request: Any, start: datetime) -> bool:
    return pull_request.get("status") == "active" or _is_since(pull_request.get("closedDate"), start)


def _release_counts(release: Any, start: datetime) -> bool:
    return _is_since(release.get("createdOn"), start)


def _deployment_counts(deployment: Any, start: datetime) -> bool:
    return _is_since(deployment.get("lastModifiedOn"), start)


def _is_since(text: str | None, start: datetime) -> bool:
    instant = timestamps.parse(text)
    return instant is not None and instant >= start


#: Every feed that can be compared, in the order in which each stands on those before it.
_READS: Final[Mapping[str, Callable[[AdoClient, Request], AsyncIterator[Event]]]] = {
    "users": _complete_read(USERS_FEED),
    "projects": _complete_read(PROJECTS_FEED),
    "teams": _complete_read(TEAMS_FEED),
    "work_items": work_items,
    "builds": _complete_read(BUILDS_FEED),
    "releases": releases,
    "release_deployments": _complete_read(RELEASE_DEPLOYMENTS_FEED),
    "repositories": repositories,
    "pull_requests": pull_requests,
    "commits": commits,
}

#: Which rows are read when there is a start date; the feeds that are not here are read whole all the same.
_COUNTS: Final[Mapping[str, Counts]] = {
    "builds": _build_counts,
    "pull_requests": _pull_request_counts,
    "releases": _release_counts,
    "release_deployments": _deployment_counts,
}

COMPARABLE: Final = tuple(_READS)
