"""
Reads an organization with the vendor's own Python package: a client nobody here wrote, so an independent witness.

Belongs here: the calls and which properties are compared. Does not belong here: any comparison, and anything of
ado_assets. Resources and properties have the names of the warehouse's tables and columns.
"""

from __future__ import annotations

import atexit
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

_CACHE = tempfile.TemporaryDirectory(prefix="azure-devops-cache-")
atexit.register(_CACHE.cleanup)
# The package makes a folder in the home directory when it is imported, and remembers servers there by their URL.
os.environ["AZURE_DEVOPS_CACHE_DIR"] = _CACHE.name

from azure.devops.connection import Connection  # noqa: E402
from azure.devops.exceptions import AzureDevOpsServiceError  # noqa: E402
from azure.devops.v7_1.git.models import GitPullRequestSearchCriteria, GitQueryCommitsCriteria  # noqa: E402
from azure.devops.v7_1.work_item_tracking.models import Wiql, WorkItemBatchGetRequest  # noqa: E402
from msrest.authentication import BasicAuthentication  # noqa: E402

T = TypeVar("T")
Key = tuple[Any, ...]
Scope = Mapping[str, Any]
Rows = dict[str, dict[Key, dict[str, Any]]]
Refusal = AzureDevOpsServiceError
"""What the package raises for an error body that it understands."""
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")


@dataclass(frozen=True)
class Resource:
    """
    What is read of one resource: its key and its main properties, by column name.

    A path names a property of the record, ``@name`` one of the scope it was found in, ``^path`` one of the record
    around it. *inside* is the resource and property that hold these records as an array.
    """

    key: Mapping[str, str]
    properties: Mapping[str, str]
    inside: tuple[str, str] = ("", "")


def _resource(key: str, properties: str, inside: tuple[str, str] = ("", "")) -> Resource:
    """Return a Resource from ``column=path`` words; a word without a path is the column's own name, camel-cased."""

    def columns(text: str) -> dict[str, str]:
        words = (word.partition("=") for word in text.split())
        return {name: path or re.sub("_([a-z])", lambda found: found[1].upper(), name) for name, _, path in words}

    return Resource(columns(key), columns(properties), inside)


PULL_REQUEST = "repository_id=@repository_id pull_request_id=@pull_request_id"
RESOURCES = {
    "projects": _resource("id", "name description state visibility revision last_update_time"),
    "users": _resource(
        "descriptor", "display_name principal_name mail_address subject_kind origin origin_id domain application_id"
    ),
    "teams": _resource("id", "project_id=@project_id name description"),
    "team_members": _resource(
        "team_id=@team_id id=identity/id",
        "display_name=identity/displayName unique_name=identity/uniqueName is_container=identity/isContainer"
        " is_team_admin",
    ),
    "areas": _resource(
        "project_id=@project_id id=identifier", "node_id=id parent_id=@parent_id name path structure_type has_children"
    ),
    "iterations": _resource(
        "project_id=@project_id id=identifier",
        "node_id=id parent_id=@parent_id name path structure_type has_children "
        "start_date=attributes/startDate finish_date=attributes/finishDate",
    ),
    "work_items": _resource(
        "id",
        "rev title=fields/System.Title work_item_type=fields/System.WorkItemType state=fields/System.State "
        "team_project=fields/System.TeamProject tags=fields/System.Tags parent=fields/System.Parent "
        "description=fields/System.Description area_id=fields/System.AreaId iteration_id=fields/System.IterationId "
        "created_date=fields/System.CreatedDate created_by_id=fields/System.CreatedBy/id "
        "changed_date=fields/System.ChangedDate assigned_to_id=fields/System.AssignedTo/id",
    ),
    "work_item_relations": _resource(
        "work_item_id=^id rel url", "name=attributes/name is_locked=attributes/isLocked", ("work_items", "relations")
    ),
    "work_item_updates": _resource(
        "work_item_id id",
        "rev revised_date revised_by_id=revisedBy/id changed_date=fields/System.ChangedDate/newValue "
        "state_from=fields/System.State/oldValue state_to=fields/System.State/newValue",
    ),
    "builds": _resource(
        "project_id=@project_id id",
        "build_number status result queue_time start_time finish_time reason source_branch source_version "
        "definition_id=definition/id definition_name=definition/name repository_id=repository/id "
        "repository_type=repository/type requested_for_id=requestedFor/id last_changed_date retained_by_release",
    ),
    "build_timeline_records": _resource(
        "project_id=@project_id build_id=@build_id timeline_id=@timeline_id id",
        "parent_id type name identifier record_order=order attempt state result start_time finish_time worker_name "
        "error_count warning_count",
    ),
    "releases": _resource(
        "project_id=@project_id id",
        "name status reason description created_on created_by_id=createdBy/id modified_on keep_forever "
        "release_definition_id=releaseDefinition/id release_definition_name=releaseDefinition/name",
    ),
    "release_environments": _resource(
        "project_id=@project_id release_id=^id id",
        "name status rank definition_environment_id created_on modified_on",
        ("releases", "environments"),
    ),
    "repositories": _resource(
        "id",
        "project_id=project/id name default_branch size is_disabled is_fork remote_url "
        "parent_repository_id=parentRepository/id",
    ),
    "pull_requests": _resource(
        "repository_id=repository/id pull_request_id",
        "status is_draft title description creation_date created_by_id=createdBy/id closed_date source_ref_name "
        "target_ref_name merge_status last_merge_commit_id=lastMergeCommit/commitId supports_iterations "
        "fork_source_repository_id=forkSource/repository/id",
    ),
    "pull_request_reviewers": _resource(
        "repository_id=^repository/id pull_request_id=^pullRequestId id",
        "display_name unique_name vote is_required has_declined is_container",
        ("pull_requests", "reviewers"),
    ),
    "pull_request_labels": _resource(
        "repository_id=^repository/id pull_request_id=^pullRequestId id", "name active", ("pull_requests", "labels")
    ),
    "pull_request_iterations": _resource(
        f"{PULL_REQUEST} id",
        "reason author_id=author/id created_date updated_date source_ref_commit_id=sourceRefCommit/commitId "
        "target_ref_commit_id=targetRefCommit/commitId common_ref_commit_id=commonRefCommit/commitId",
    ),
    "pull_request_iteration_changes": _resource(
        f"{PULL_REQUEST} iteration_id=@iteration_id change_tracking_id",
        "change_id change_type item_path=item/path item_object_id=item/objectId original_path",
    ),
    "pull_request_threads": _resource(
        f"{PULL_REQUEST} id",
        "published_date last_updated_date status is_deleted thread_context_file_path=threadContext/filePath "
        "thread_type=properties/CodeReviewThreadType/$value",
    ),
    "pull_request_comments": _resource(
        f"{PULL_REQUEST} thread_id=^id id",
        "parent_comment_id author_id=author/id content comment_type is_deleted published_date "
        "last_content_updated_date",
        ("pull_request_threads", "comments"),
    ),
    "pull_request_work_items": _resource(f"{PULL_REQUEST} work_item_id=id", ""),
    "pull_request_commits": _resource(
        f"{PULL_REQUEST} commit_id",
        "author_name=author/name author_date=author/date committer_date=committer/date comment comment_truncated",
    ),
    "commits": _resource(
        "repository_id=@repository_id commit_id",
        "author_name=author/name author_email=author/email author_date=author/date committer_name=committer/name "
        "committer_date=committer/date comment comment_truncated",
    ),
}


def plain(value: Any) -> Any:
    """Return an instant (also when it is text) as UTC with microseconds, a sentinel as None, anything else as it is."""
    if isinstance(value, str) and INSTANT.fullmatch(value):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return value
    if value.year in (1, 9999):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _property(record: Any, name: str) -> Any:
    """Return a property by its name in the API, of a JSON object or of one of the package's models."""
    if record is None or isinstance(record, Mapping):
        return (record or {}).get(name)
    for attribute, described in record._attribute_map.items():
        if described["key"] == name:
            return getattr(record, attribute)
    return (record.additional_properties or {}).get(name)


def _value(path: str, record: Any, scope: Scope, around: Any) -> Any:
    if path.startswith("@"):
        return scope[path[1:]]
    value = around if path.startswith("^") else record
    for name in path.removeprefix("^").split("/"):
        value = _property(value, name)
    return plain(value)


def collect(found: Rows, name: str, record: Any, scope: Scope, around: Any = None) -> None:
    """
    Add a record, JSON or model, and what its arrays hold.

    Raises ValueError when its key is there already.
    """
    resource = RESOURCES[name]
    key = tuple(_value(path, record, scope, around) for path in resource.key.values())
    rows = found.setdefault(name, {})
    if key in rows:
        raise ValueError(f"{name} {key} was read twice")
    rows[key] = {column: _value(path, record, scope, around) for column, path in resource.properties.items()}
    for inner, each in RESOURCES.items():
        if each.inside[0] == name:
            for element in _property(record, each.inside[1]) or ():
                collect(found, inner, element, scope, record)


def _pages(read: Callable[..., Sequence[T]], size: int) -> Iterator[T]:
    """Yield what a listing with top and skip has, to its first empty page."""
    skip = 0
    while page := read(top=size, skip=skip):
        yield from page
        skip += len(page)


@dataclass
class Reader:
    """One pass over an organization; *found* fills as the methods run."""

    connection: Connection
    found: Rows = field(default_factory=dict)

    def __post_init__(self) -> None:
        clients = self.connection.clients_v7_1
        self.core = clients.get_core_client()
        self.graph = clients.get_graph_client()
        self.work = clients.get_work_item_tracking_client()
        self.build = clients.get_build_client()
        self.release = clients.get_release_client()
        self.git = clients.get_git_client()

    def everything(self) -> Rows:
        """Read all areas."""
        self.subjects()
        self.work_items()
        for project in list(_pages(self.core.get_projects, 100)):
            collect(self.found, "projects", project, {})
            self.teams(project.id)
            self.nodes(project.id)
            self.builds(project.id)
            self.releases(project.id)
        for repository in self.git.get_repositories(include_hidden=True):
            self.repository(repository)
        return self.found

    def subjects(self) -> None:
        """Read users and service principals."""
        for read, attribute in (
            (self.graph.list_users, "graph_users"),
            (self.graph.list_service_principals, "graph_service_principals"),
        ):
            page = read()
            rows = list(getattr(page, attribute))
            while page.continuation_token:
                page = read(continuation_token=page.continuation_token)
                rows += getattr(page, attribute)
            for row in rows:
                collect(self.found, "users", row, {})

    def teams(self, project_id: str) -> None:
        """Read a project's teams with their members."""
        for team in _pages(partial(self.core.get_teams, project_id), 100):
            collect(self.found, "teams", team, {"project_id": project_id})
            members = partial(self.core.get_team_members_with_extended_properties, project_id, team.id)
            for member in _pages(members, 100):
                collect(self.found, "team_members", member, {"project_id": project_id, "team_id": team.id})

    def nodes(self, project_id: str) -> None:
        """Read a project's areas and iterations."""
        waiting = [(None, root) for root in self.work.get_root_nodes(project_id, depth=20)]
        while waiting:
            parent_id, node = waiting.pop()
            kind = {"area": "areas", "iteration": "iterations"}[node.structure_type]
            collect(self.found, kind, node, {"project_id": project_id, "parent_id": parent_id})
            waiting += [(node.identifier, child) for child in node.children or ()]

    def work_item_ids(self) -> Iterator[int]:
        """Yield the ids of all work items, ascending, as many queries as it takes."""
        last = 0
        while True:
            query = f"SELECT [System.Id] FROM WorkItems WHERE [System.Id] > {last} ORDER BY [System.Id]"
            page = self.work.query_by_wiql(Wiql(query=query), time_precision=True, top=1_000).work_items
            if not page:
                return
            yield from (each.id for each in page)
            last = page[-1].id

    def work_items(self) -> None:
        """Read work items, 200 at a time, and the history of each."""
        ids = list(self.work_item_ids())
        for start in range(0, len(ids), 200):
            asked = WorkItemBatchGetRequest(ids=ids[start : start + 200], expand="all", error_policy="omit")
            for item in self.work.get_work_items_batch(asked):
                collect(self.found, "work_items", item, {})
        for item_id in ids:
            for update in _pages(partial(self.work.get_updates, item_id), 200):
                collect(self.found, "work_item_updates", update, {})

    def builds(self, project_id: str) -> None:
        """Read a project's builds and their timelines; no more than one call gives, as the package hides the token."""
        for build in self.build.get_builds(project_id, top=5000, deleted_filter="excludeDeleted"):
            collect(self.found, "builds", build, {"project_id": project_id})
            self.timelines({"project_id": project_id, "build_id": build.id})

    def timelines(self, scope: Scope) -> None:
        """Read a build's timeline, if it has one, and those of its earlier attempts."""
        waiting: list[str | None] = [None]
        read: set[str] = set()
        while waiting:
            wanted = waiting.pop()
            timeline = self.build.get_build_timeline(scope["project_id"], scope["build_id"], wanted)
            if timeline is None or timeline.id in read:
                continue
            read.add(timeline.id)
            for record in timeline.records:
                collect(self.found, "build_timeline_records", record, {**scope, "timeline_id": timeline.id})
                waiting += {attempt.timeline_id for attempt in record.previous_attempts} - read

    def releases(self, project_id: str) -> None:
        """Read a project's releases whole. The token is the id of the next release, so the last one comes again."""
        ids: list[int] = []
        while page := self.release.get_releases(
            project_id, top=100, query_order="ascending", continuation_token=ids[-1] if ids else None
        ):
            new = [release.id for release in page if release.id not in ids]
            if not new:
                break
            ids += new
        for release_id in ids:
            collect(
                self.found, "releases", self.release.get_release(project_id, release_id), {"project_id": project_id}
            )

    def repository(self, listed: Any) -> None:
        """Read a repository; nothing below a disabled one answers."""
        if listed.is_disabled:
            collect(self.found, "repositories", listed, {})
            return
        collect(self.found, "repositories", self.git.get_repository_with_parent(listed.id, include_parent=True), {})
        scope = {"repository_id": listed.id}
        for commit in _pages(partial(self.git.get_commits, listed.id, GitQueryCommitsCriteria()), 1_000):
            collect(self.found, "commits", commit, scope)
        search = GitPullRequestSearchCriteria(status="all")
        for row in _pages(partial(self.git.get_pull_requests, listed.id, search), 1_000):
            self.pull_request({**scope, "pull_request_id": row.pull_request_id})

    def pull_request(self, scope: Scope) -> None:
        """Read one pull request whole, with everything below it."""
        place = (scope["repository_id"], scope["pull_request_id"])
        collect(self.found, "pull_requests", self.git.get_pull_request(*place), scope)
        for thread in self.git.get_threads(*place):
            collect(self.found, "pull_request_threads", thread, scope)
        for reference in self.git.get_pull_request_work_item_refs(*place):
            collect(self.found, "pull_request_work_items", reference, scope)
        for commit in self.git.get_pull_request_commits(*place, top=1000):
            collect(self.found, "pull_request_commits", commit, scope)
        for iteration in self.git.get_pull_request_iterations(*place):
            collect(self.found, "pull_request_iterations", iteration, scope)
            self.changes(place, {**scope, "iteration_id": iteration.id})

    def changes(self, place: Key, scope: Scope) -> None:
        """Read the changes of one iteration."""
        skip, top = 0, 2000
        while top:
            page = self.git.get_pull_request_iteration_changes(*place, scope["iteration_id"], top=top, skip=skip)
            for entry in page.change_entries:
                collect(self.found, "pull_request_iteration_changes", entry, scope)
            skip, top = page.next_skip or 0, page.next_top or 0


def connect(base_url: str, organization: str, token: str) -> Connection:
    """Return the package's connection to an organization; *base_url* leaves the organization out."""
    return Connection(base_url=f"{base_url}/{organization}", creds=BasicAuthentication("", token))


def read_everything(base_url: str, organization: str, token: str) -> Rows:
    """Return all rows by resource and key, as main properties by column name."""
    return Reader(connect(base_url, organization, token)).everything()
