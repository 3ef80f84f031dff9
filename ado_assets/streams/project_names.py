"""
Which projects there are while a stream reads, by id and by name.

A work item says which project it is in by the project's name only. Names change and are used again, so the ones known
when the sync was planned are not relied on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ado_assets.ado import AdoClient, Endpoint, NotFound
from ado_assets.streams.core import LIST_PROJECTS

GET_PROJECT: Final = Endpoint("_apis/projects/{project}", records=None)


class ProjectNames:
    """
    The well-formed projects of the organization as of now.

    Attributes:
        names: Project id -> name.
        known: Project id -> every name it is known to have had.
    """

    def __init__(self, client: AdoClient, projects: Iterable[tuple[str, str]]) -> None:
        self._client = client
        self.names = dict(projects)
        self.known = {project_id: {name} for project_id, name in self.names.items()}
        self._ids: dict[str, str | None] = {name.casefold(): project_id for project_id, name in self.names.items()}

    @classmethod
    async def listed(cls, client: AdoClient) -> ProjectNames:
        """Ask for them."""
        found = [
            (record["id"], record["name"]) async for answer in client.pages(LIST_PROJECTS) for record in answer.records
        ]
        return cls(client, found)

    async def id_of(self, name: str) -> str | None:
        """
        The id of the project called *name*; None when there is none that this token may see.

        One that was made or renamed since the listing is asked for by its name.
        """
        key = name.casefold()
        if key not in self._ids:
            try:
                answer = await self._client.get(GET_PROJECT, {"project": name})
            except NotFound:
                self._ids[key] = None
            else:
                self._ids[key] = answer.data["id"]
        return self._ids[key]

    def remember(self, known: Mapping[str, Iterable[str]]) -> None:
        """Add names that projects, there or not, had before."""
        for project_id, names in known.items():
            self.known.setdefault(project_id, set()).update(names)

    def only_of(self, name: str, project_id: str) -> bool:
        """Whether the project is called *name* or was, and no other one ever was."""
        called = {each for each, names in self.known.items() if name.casefold() in map(str.casefold, names)}
        return called == {project_id}
