"""
How each official example would come to be answered: what the organization holds besides, and what its records become.

A scenario tells an organization of the example server everything that the stream asks on its way to the example, and
says which rows the example's records have to be afterwards. What stands around an example is as little as is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from ado_assets_tests.example_ledger import Sent, sent
from ado_assets_tests.example_server import Organization, listing

Record = dict[str, Any]

PROJECT: Record = {"id": "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", "name": "Fabrikam-Fiber-Git", "state": "wellFormed"}
REPOSITORY: Record = {
    "id": "3411ebc1-d5aa-464f-9615-0b527bc66719",
    "name": "2016_10_31",
    "defaultBranch": "refs/heads/master",
    "project": PROJECT,
}
TEAM: Record = {"id": "564e8204-a90b-4432-883b-d4363c6125ca", "name": "Quality assurance"}
PULL_REQUEST: Record = {
    "pullRequestId": 22,
    "repository": {"id": REPOSITORY["id"], "project": {"id": PROJECT["id"]}},
    "status": "active",
}
HERE = {"project_id": PROJECT["id"]}
P = PROJECT["id"]
R = f"{P}/_apis/git/repositories/{REPOSITORY['id']}"
NO_BATCH = {"values": [], "isLastBatch": True, "continuationToken": "1;1;1"}


@dataclass(frozen=True)
class Reading:
    """
    Args:
        feed: The feed to sync, after those it stands on.
        rows: What its tables must hold then.
        then: Changes what the organization answers, before the feed is synced a second time.
    """

    feed: str
    rows: Sequence[Sent]
    then: Callable[[], None] | None = None


#: From the organization, and the example's body, to what is to be read.
Scenario = Callable[[Organization, Any], Reading]


def records_of(body: Any) -> list[Any]:
    """The records of an example: those of its list under any name, or the one it is."""
    if isinstance(body, list):
        return body
    lists = [body[key] for key in ("value", "values", "changeEntries") if isinstance(body.get(key), list)]
    return lists[0] if lists else [body]


def projects(organization: Organization, records: Sequence[Record]) -> None:
    """Let these be the projects there are; none is deleted."""
    organization.handles(
        "_apis/projects", lambda query, _: listing([] if query.get("stateFilter") == "deleted" else records)
    )


def rows(feed: str, records: Iterable[Any], scope: Mapping[str, Any] = HERE) -> list[Sent]:
    """The rows that records of a feed's main table become."""
    return [row for record in records for row in sent(feed, scope, record)]


def subjects(organization: Organization, body: Any) -> Reading:
    found = records_of(body)
    for path, kind in (("users", "user"), ("serviceprincipals", "servicePrincipal")):
        organization.lists(f"_apis/graph/{path}", [each for each in found if each["subjectKind"] == kind])
    return Reading("users", rows("users", found, {}))


def listed_projects(organization: Organization, body: Any) -> Reading:
    projects(organization, records_of(body))
    return Reading("projects", rows("projects", records_of(body), {}))


def teams(organization: Organization, body: Any) -> Reading:
    organization.lists(f"_apis/projects/{P}/teams", records_of(body))
    return Reading("teams", rows("teams", records_of(body)))


def team_members(organization: Organization, body: Any) -> Reading:
    organization.lists(f"_apis/projects/{P}/teams", [TEAM])
    organization.lists(f"_apis/projects/{P}/teams/{TEAM['id']}/members", records_of(body))
    return Reading("team_members", rows("team_members", records_of(body), {**HERE, "team_id": TEAM["id"]}))


def nodes(organization: Organization, body: Any) -> Reading:
    """A tree with its root, or nodes by their ids."""
    return _nodes_by_id(organization, body) if "value" in body else _tree(organization, body)


def _nodes_by_id(organization: Organization, body: Any) -> Reading:
    """The nodes hang below a root and are asked for by id where they are cut; null stands for one that went away."""
    vanished = {"id": 404, "identifier": "0" * 8, "hasChildren": True, "structureType": "iteration", "name": "Gone"}
    found = {node["id"]: node for node in records_of(body) if node}
    children = [node or vanished for node in records_of(body)]
    organization.handles(
        f"{P}/_apis/wit/classificationnodes",
        lambda query, _: listing([found.get(int(each)) for each in query["ids"].split(",")]),
    )
    root = {"id": 2, "identifier": "root", "name": "Root", "structureType": "iteration", "hasChildren": True}
    return _tree(organization, {**root, "children": children})


def _tree(organization: Organization, root: Record) -> Reading:
    feed = "iterations" if root["structureType"] == "iteration" else "areas"
    organization.answers(f"{P}/_apis/wit/classificationnodes/{feed}", root)
    return Reading(feed, rows(feed, _flat(root, None)))


def _flat(node: Record, parent: str | None) -> list[Record]:
    """The node and those below it, each with its parent instead of its children."""
    own = {name: value for name, value in node.items() if name != "children"} | {"parentId": parent}
    return [own, *(each for child in node.get("children", ()) for each in _flat(child, node["identifier"]))]


def of_process(resource: str, feed: str) -> Scenario:
    """A listing of a project's process that comes whole in one answer."""

    def scenario(organization: Organization, body: Any) -> Reading:
        organization.lists(f"{P}/_apis/wit/{resource}", records_of(body))
        return Reading(feed, rows(feed, records_of(body)))

    return scenario


def work_items(organization: Organization, body: Any) -> Reading:
    """Answered by the batch that asks for all fields, so that examples of a few fields name the project as well."""
    return _items(organization, _whole(body))


def work_items_again(organization: Organization, body: Any) -> Reading:
    """Answered by the GET, which is asked for what the batch leaves out."""
    reading = _items(organization, _whole(body))
    organization.handles("_apis/wit/workitemsbatch", lambda _, asked: listing([None] * len(asked["ids"])), "POST")
    return reading


def work_items_found(organization: Organization, body: Any) -> Reading:
    """The answer of a query: its items are there afterwards, and no others."""
    reading = _items(organization, [_item(reference["id"]) for reference in body["workItems"]])
    organization.answers("_apis/wit/wiql", body, "POST")
    return reading


def work_items_changed(organization: Organization, body: Any) -> Reading:
    """A batch of the revisions feed, come after a first read that found nothing."""
    found = _whole(body)
    reading = _items(organization, found)
    organization.answers("_apis/wit/wiql", {"workItems": []}, "POST")
    return Reading(
        "work_items",
        reading.rows,
        then=lambda: organization.answers("_apis/wit/reporting/workitemrevisions", body, "POST"),
    )


def work_items_linked(organization: Organization, body: Any) -> Reading:
    """A batch of the links feed: both ends of each link are read again."""
    ends = {each[end] for each in body["values"] for end in ("sourceId", "targetId")}
    reading = _items(organization, [_item(each) for each in sorted(ends)])
    organization.answers("_apis/wit/wiql", {"workItems": []}, "POST")
    return Reading(
        "work_items", reading.rows, then=lambda: organization.answers("_apis/wit/reporting/workitemlinks", body)
    )


def work_items_recycled(organization: Organization, body: Any) -> Reading:
    """What the recycle bin holds is no row: items that were there change, do not answer any more, and are in it."""
    numbers = [int(each["id"]) for each in records_of(body)]
    _items(organization, [_item(number) for number in numbers])
    changed = {**NO_BATCH, "values": [{"id": number, "rev": 2} for number in numbers]}

    def delete() -> None:
        organization.answers("_apis/wit/reporting/workitemrevisions", changed, "POST")
        organization.handles("_apis/wit/workitemsbatch", lambda _, asked: listing([None] * len(asked["ids"])), "POST")
        organization.handles("_apis/wit/workitems", lambda query, _: listing([None] * len(query["ids"].split(","))))
        organization.lists("_apis/wit/recyclebin", records_of(body))

    return Reading("work_items", [], then=delete)


def _items(organization: Organization, items: Sequence[Record]) -> Reading:
    """Let these be the live work items, each in the project it names."""
    names = sorted({item["fields"]["System.TeamProject"] for item in items})
    known = {name: PROJECT["id"] if name == PROJECT["name"] else str(uuid5(NAMESPACE_DNS, name)) for name in names}
    projects(organization, [{"id": known[name], "name": name, "state": "wellFormed"} for name in names])
    held = {item["id"]: item for item in items}
    references = {"queryType": "flat", "workItems": [{"id": each} for each in sorted(held)]}
    for project_id in known.values():
        organization.lists(f"{project_id}/_apis/wit/classificationnodes", [])
        organization.answers(f"{project_id}/_apis/wit/wiql", references, "POST")
    organization.answers("_apis/wit/wiql", references, "POST")
    organization.handles(
        "_apis/wit/workitemsbatch", lambda _, asked: listing([held.get(each) for each in asked["ids"]]), "POST"
    )
    organization.handles(
        "_apis/wit/workitems",
        lambda query, _: listing([held.get(int(each)) for each in query["ids"].split(",")]),
    )
    organization.answers("_apis/wit/reporting/workitemrevisions", NO_BATCH, "POST")
    organization.answers("_apis/wit/reporting/workitemrevisions", NO_BATCH)
    organization.answers("_apis/wit/reporting/workitemlinks", NO_BATCH)
    organization.lists("_apis/wit/recyclebin", [])
    scopes = [{"project_id": known[item["fields"]["System.TeamProject"]]} for item in items]
    found = [row for item, scope in zip(items, scopes, strict=True) for row in sent("work_items", scope, item)]
    return Reading("work_items", found)


def _item(number: int, rev: int = 1) -> Record:
    return {"id": number, "rev": rev, "fields": {"System.TeamProject": PROJECT["name"]}}


def _whole(body: Any) -> list[Record]:
    """The items with the name of their project, which only answers to a few fields leave out."""
    return [{**item, "fields": {"System.TeamProject": PROJECT["name"], **item["fields"]}} for item in records_of(body)]


def work_item_updates(organization: Organization, body: Any) -> Reading:
    updates = records_of(body)
    number = updates[0]["workItemId"]
    _items(organization, [_item(number, max(update["rev"] for update in updates))])
    organization.lists(f"_apis/wit/workitems/{number}/updates", updates)
    return Reading("work_item_updates", rows("work_item_updates", updates))


def work_item_history(organization: Organization, body: Any) -> Reading:
    """The revisions of one item, which is read alone because the feed of its project has nothing of it."""
    revisions = records_of(body)
    _items(organization, [_item(revisions[0]["id"])])
    organization.answers(f"{P}/_apis/wit/reporting/workitemrevisions", NO_BATCH)
    organization.lists(f"_apis/wit/workitems/{revisions[0]['id']}/revisions", revisions)
    return Reading("work_item_revisions", rows("work_item_revisions", revisions))


def work_item_revisions(organization: Organization, body: Any) -> Reading:
    revisions = records_of(body)
    _items(organization, [_item(number) for number in {revision["id"] for revision in revisions}])
    organization.answers(f"{P}/_apis/wit/reporting/workitemrevisions", body)
    for number in {revision["id"] for revision in revisions}:
        organization.lists(
            f"_apis/wit/workitems/{number}/revisions", [each for each in revisions if each["id"] == number]
        )
    return Reading("work_item_revisions", rows("work_item_revisions", revisions))


def releases(organization: Organization, body: Any) -> Reading:
    """Each release is listed, and then read by itself."""
    found = records_of(body)
    _releases(organization, [{"id": release["id"], "status": release["status"]} for release in found])
    for release in found:
        organization.answers(f"{P}/_apis/release/releases/{release['id']}", release)
    return Reading("releases", rows("releases", found))


def release_deployments(organization: Organization, body: Any) -> Reading:
    _releases(organization, [])
    organization.lists(f"{P}/_apis/release/deployments", records_of(body))
    return Reading("release_deployments", rows("release_deployments", records_of(body)))


def _releases(organization: Organization, listed: Sequence[Record]) -> None:
    organization.handles(
        f"{P}/_apis/release/releases", lambda query, _: listing([] if query["isDeleted"] == "true" else listed)
    )


def repositories(organization: Organization, body: Any) -> Reading:
    """Each repository is listed by the project it is in."""
    found = records_of(body)
    owners = {repository["project"]["id"]: repository["project"] for repository in found}
    projects(organization, list(owners.values()))
    for project_id in owners:
        own = [repository for repository in found if repository["project"]["id"] == project_id]
        organization.lists(f"{project_id}/_apis/git/repositories", own)
    return Reading("repositories", rows("repositories", found, {}))


def pull_requests(organization: Organization, body: Any) -> Reading:
    """Listed by the project."""
    path = _pull_requests(organization, records_of(body))
    organization.lists(f"{path}/_apis/git/pullrequests", records_of(body))
    return Reading("pull_requests", rows("pull_requests", records_of(body), {}))


def pull_requests_of_repository(organization: Organization, body: Any) -> Reading:
    """Listed by the repository, which is how one is read that was disabled when the project was read first."""
    found = records_of(body)
    path = _pull_requests(organization, found)
    repository = found[0]["repository"]
    organization.lists(f"{path}/_apis/git/pullrequests", [])
    organization.lists(f"{path}/_apis/git/repositories", [{**repository, "isDisabled": True}])
    organization.lists(f"{path}/_apis/git/repositories/{repository['id']}/pullrequests", found)
    return Reading(
        "pull_requests",
        rows("pull_requests", found, {}),
        then=lambda: organization.lists(f"{path}/_apis/git/repositories", [repository]),
    )


def pull_request(organization: Organization, body: Any) -> Reading:
    """Read by itself, because the listing cut its description."""
    path = _pull_requests(organization, [body])
    organization.lists(f"{path}/_apis/git/pullrequests", [{**body, "description": "x" * 400}])
    repository = body["repository"]["id"]
    organization.answers(f"{path}/_apis/git/repositories/{repository}/pullrequests/{body['pullRequestId']}", body)
    return Reading("pull_requests", rows("pull_requests", [body], {}))


def _pull_requests(organization: Organization, found: Sequence[Record]) -> str:
    """Let the project (as a stub its state is false) and the repository be there; the project's id."""
    repository = found[0]["repository"]
    projects(organization, [{**repository["project"], "state": "wellFormed"}])
    organization.lists(f"{repository['project']['id']}/_apis/git/repositories", [repository])
    return str(repository["project"]["id"])


def pull_request_reviewers(organization: Organization, body: Any) -> Reading:
    """As they stand in the pull request, which is where they are read."""
    return pull_requests(organization, [{**PULL_REQUEST, "repository": REPOSITORY, "reviewers": records_of(body)}])


def of_pull_request(resource: str, feed: str) -> Scenario:
    """A listing below a pull request."""

    def scenario(organization: Organization, body: Any) -> Reading:
        organization.lists(f"{P}/_apis/git/pullrequests", [PULL_REQUEST])
        organization.lists(f"{P}/_apis/git/repositories", [REPOSITORY])
        organization.lists(f"{R}/pullrequests/22/{resource}", records_of(body))
        scope = {**HERE, "repository_id": REPOSITORY["id"], "pull_request_id": 22}
        return Reading(feed, rows(feed, records_of(body), scope))

    return scenario


def pull_request_iteration_changes(organization: Organization, body: Any) -> Reading:
    of_pull_request("iterations", "pull_request_iterations")(organization, [{"id": 2}])
    organization.lists(f"{R}/pullrequests/22/iterations/2/changes", records_of(body), "changeEntries")
    scope = {**HERE, "repository_id": REPOSITORY["id"], "pull_request_id": 22, "iteration_id": 2}
    feed = "pull_request_iteration_changes"
    return Reading(feed, rows(feed, records_of(body), scope))


def commits(organization: Organization, body: Any) -> Reading:
    """Listed from the head of the default branch."""
    found = records_of(body)
    organization.lists(f"{P}/_apis/git/repositories", [REPOSITORY])
    organization.lists(f"{R}/refs", [{"name": REPOSITORY["defaultBranch"], "objectId": found[0]["commitId"]}])
    organization.lists(f"{R}/commits", found)
    return Reading("commits", rows("commits", found, {**HERE, "repository_id": REPOSITORY["id"]}))


def commits_of_head(organization: Organization, body: Any) -> Reading:
    """The refs of a repository: the commits of the first branch among them are asked for."""
    reading = commits(organization, [{"commitId": records_of(body)[0]["objectId"]}])
    head = {**REPOSITORY, "defaultBranch": records_of(body)[0]["name"]}
    organization.lists(f"{P}/_apis/git/repositories", [head])
    organization.lists(f"{R}/refs", records_of(body))
    commit = {"commitId": records_of(body)[0]["objectId"]}
    organization.handles(
        f"{R}/commits",
        lambda query, _: listing([commit] if query["searchCriteria.itemVersion.version"] == commit["commitId"] else []),
    )
    return reading
