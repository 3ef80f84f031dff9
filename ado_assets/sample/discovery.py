"""How clients find their way: the location table of ``OPTIONS _apis``. Ids as the public client libraries know them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ado_assets.sample.http import Operation, envelope

REPOSITORY = "{project}/_apis/{area}/repositories/{repositoryId}"
PULL_REQUEST = REPOSITORY + "/pullRequests/{pullRequestId}"
WIT = "{project}/_apis/{area}"

LOCATIONS: tuple[tuple[str, str, str, str], ...] = (
    ("00d9565f-ed9c-4a06-9a50-00e7896ccab4", "Location", "ConnectionData", "_apis/{resource}"),
    ("e81700f7-3be2-46de-8624-2eb35882fcaa", "Location", "ResourceAreas", "_apis/{resource}/{areaId}"),
    ("603fe2ac-9723-48b9-88ad-09305aa6c6e1", "core", "projects", "_apis/{resource}/{*projectId}"),
    ("7a4d9ee9-3433-4347-b47a-7a80f1cf307e", "core", "teams", "_apis/{resource}"),
    ("d30a3dd1-f8ba-442a-b86a-bd0c0c383e59", "core", "teams", "_apis/projects/{projectId}/{resource}/{*teamId}"),
    (
        "294c494c-2600-4d7e-b76c-3dd50c3c95be",
        "core",
        "members",
        "_apis/projects/{projectId}/teams/{teamId}/{resource}",
    ),
    ("005e26ec-6b77-4e4f-a986-b3827bf241f5", "Graph", "Users", "_apis/{area}/{resource}/{userDescriptor}"),
    ("ebbe6af8-0b91-4c13-8cf1-777c14858188", "Graph", "Groups", "_apis/{area}/{resource}/{groupDescriptor}"),
    (
        "e1dbb0ae-49cb-4532-95a1-86cd89cfcab4",
        "Graph",
        "ServicePrincipals",
        "_apis/{area}/{resource}/{servicePrincipalDescriptor}",
    ),
    ("eb85f8cc-f0f6-4264-a5b1-ffe2e4d4801f", "Graph", "StorageKeys", "_apis/{area}/{resource}/{subjectDescriptor}"),
    ("048aee0a-7072-4cde-ab73-7af77b1e0b4e", "Graph", "Descriptors", "_apis/{area}/{resource}/{storageKey}"),
    ("a70579d1-f53a-48ee-a5be-7be8659023b9", "wit", "classificationNodes", WIT + "/{resource}"),
    (
        "5a172953-1b41-49d3-840a-33f79c3ce89f",
        "wit",
        "classificationNodes",
        WIT + "/{resource}/{structureGroup}/{*path}",
    ),
    ("9b9f5734-36c8-415e-ba67-f83b45c31408", "wit", "workItemTypeCategories", WIT + "/{resource}/{category}"),
    ("7c8d7a76-4a09-43e8-b5df-bd792f4ac6aa", "wit", "workItemTypes", WIT + "/{resource}/{type}"),
    ("7c9d7a76-4a09-43e8-b5df-bd792f4ac6aa", "wit", "states", WIT + "/workItemTypes/{type}/{resource}"),
    ("b51fd764-e5c2-4b9b-aaf7-3395cf4bdd94", "wit", "fields", WIT + "/{resource}/{fieldNameOrRefName}"),
    ("1a9c53f7-f243-4447-b110-35ef023636e4", "wit", "wiql", "{project}/{team}/_apis/{area}/{resource}"),
    ("908509b6-4248-4475-a1cd-829139ba419f", "wit", "workItemsBatch", WIT + "/{resource}"),
    ("72c7ddf8-2cdc-4f60-90cd-ab71c14a399b", "wit", "workItems", WIT + "/{resource}/{id}"),
    ("6570bf97-d02c-4a91-8d93-3abe9895b1a9", "wit", "updates", WIT + "/workItems/{id}/{resource}/{updateNumber}"),
    ("a00c85a5-80fa-4565-99c3-bcd2181434bb", "wit", "revisions", WIT + "/workItems/{id}/{resource}/{revisionNumber}"),
    ("f828fe59-dd87-495d-a17c-7a8d6211ca6c", "wit", "workItemRevisions", WIT + "/reporting/{resource}"),
    ("b5b5b6d0-0308-40a1-b3f4-b9bb3c66878f", "wit", "workItemLinks", WIT + "/reporting/{resource}"),
    ("b70d8d39-926c-465e-b927-b1bf0e5ca0e0", "wit", "recyclebin", WIT + "/{resource}/{id}"),
    ("0cd358e1-9217-4d94-8269-1c1ee6f93dcf", "build", "Builds", "{project}/_apis/{area}/{resource}/{buildId}"),
    (
        "8baac422-4c6e-4de5-8532-db96d92acffa",
        "build",
        "Timeline",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{timelineId}",
    ),
    (
        "dbeaf647-6167-421a-bda9-c9327b25e2e6",
        "build",
        "Definitions",
        "{project}/_apis/{area}/{resource}/{definitionId}",
    ),
    ("a166fde7-27ad-408e-ba75-703c2cc9d500", "Release", "releases", "{project}/_apis/{area}/{resource}/{releaseId}"),
    ("b005ef73-cddc-448e-9ba2-5193bf36b19f", "Release", "deployments", "{project}/_apis/{area}/{resource}"),
    (
        "d8f96f24-8ea7-4cb6-baab-2df8fc515665",
        "Release",
        "definitions",
        "{project}/_apis/{area}/{resource}/{definitionId}",
    ),
    ("225f7195-f9c7-4d14-ab28-a83f7ff77e1f", "git", "repositories", "{project}/_apis/{area}/{resource}/{repositoryId}"),
    ("2b6869c4-cb25-42b5-b7a3-0d3e6be0a11a", "git", "deletedRepositories", "{project}/_apis/{area}/{resource}"),
    (
        "a663da97-81db-4eb3-8b83-287670f63073",
        "git",
        "recycleBinRepositories",
        "{project}/_apis/{area}/recycleBin/repositories/{repositoryId}",
    ),
    ("9946fd70-0d40-406e-b686-b4744cbbcc37", "git", "pullRequests", REPOSITORY + "/{resource}/{pullRequestId}"),
    ("a5d28130-9cd2-40fa-9f08-902e7daa9efb", "git", "pullRequests", "{project}/_apis/{area}/{resource}"),
    (
        "01a46dea-7d46-4d40-bc84-319e7c260d99",
        "git",
        "pullRequests",
        "{project}/_apis/{area}/{resource}/{pullRequestId}",
    ),
    ("ab6e2e5d-a0b7-4153-b64a-a4efe0d49449", "git", "pullRequestThreads", PULL_REQUEST + "/threads/{threadId}"),
    (
        "d43911ee-6958-46b0-a42b-8445b8a0d004",
        "git",
        "pullRequestIterations",
        PULL_REQUEST + "/iterations/{iterationId}",
    ),
    (
        "4216bdcf-b6b1-4d59-8b82-c34cc183fc8b",
        "git",
        "pullRequestIterationChanges",
        PULL_REQUEST + "/iterations/{iterationId}/changes",
    ),
    (
        "e7ea0883-095f-4926-b5fb-f24691c26fb9",
        "git",
        "pullRequestIterationCommits",
        PULL_REQUEST + "/iterations/{iterationId}/commits",
    ),
    ("0a637fcc-5370-4ce8-b0e8-98091f5f9482", "git", "pullRequestWorkItems", PULL_REQUEST + "/workitems"),
    ("52823034-34a8-4576-922c-8d8b77e9e4c4", "git", "pullRequestCommits", PULL_REQUEST + "/commits"),
    ("f22387e3-984e-4c52-9c6d-fbb8f14c812d", "git", "pullRequestLabels", PULL_REQUEST + "/labels/{labelIdOrName}"),
    ("4b6702c7-aa35-4b89-9c96-b9abf6d3e540", "git", "pullRequestReviewers", PULL_REQUEST + "/reviewers/{reviewerId}"),
    ("c2570c3b-5b3f-41b8-98bf-5407bfde8d58", "git", "commits", REPOSITORY + "/{resource}/{commitId}"),
    ("5bf884f5-3e07-42e9-afb8-1b872267bf16", "git", "changes", REPOSITORY + "/commits/{commitId}/{resource}"),
    ("6400dfb2-0bcb-462b-b992-5a57f8f1416c", "git", "commitsBatch", REPOSITORY + "/{resource}"),
    ("ea98d07b-3c87-4971-8ede-a613694ffb55", "git", "pushes", REPOSITORY + "/{resource}/{pushId}"),
    ("2d874a60-a811-4f62-9c9f-963a6ea0a55b", "git", "refs", REPOSITORY + "/{resource}"),
    ("d5b216de-d8d5-4d32-ae76-51df755b16d3", "git", "branchStats", REPOSITORY + "/stats/branches"),
)


def render_location(location: tuple[str, str, str, str]) -> dict[str, Any]:
    """Return one ApiResourceLocation; every resource is released up to 7.1."""
    key, area, resource, template = location
    return {
        "id": key,
        "area": area,
        "resourceName": resource,
        "routeTemplate": template,
        "resourceVersion": 9,
        "minVersion": 1.0,
        "maxVersion": 7.2,
        "releasedVersion": "7.1",
    }


async def list_locations(_request: Request) -> Response:
    """Answer ``OPTIONS _apis``."""
    return envelope([render_location(location) for location in LOCATIONS])


async def list_resource_areas(_request: Request) -> Response:
    """Answer with no areas, as Azure DevOps Server does: every area is under the one base URL."""
    return envelope([])


OPERATIONS = [
    Operation("OPTIONS", "_apis", list_locations, ""),
    Operation("GET", "_apis/resourceAreas", list_resource_areas, "", preview="7.1-preview.1"),
]
