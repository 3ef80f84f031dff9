"""Every operation of the API that the product is to read: it is asked, by the feed of the table it is for."""

from __future__ import annotations

#: Operation -> the feeds that ask it, by the name of their main table.
ENDPOINTS = {
    "GET _apis/graph/users": {"users"},
    "GET _apis/graph/serviceprincipals": {"users"},
    "GET _apis/projects": {"projects", "work_items", "work_item_revisions"},
    "GET _apis/projects/{project_id}/teams": {"teams"},
    "GET _apis/projects/{project_id}/teams/{team_id}/members": {"team_members"},
    "GET {project_id}/_apis/wit/classificationnodes/{structure_group}": {"iterations", "areas"},
    "GET {project_id}/_apis/wit/workitemtypecategories": {"work_item_type_categories"},
    "GET {project_id}/_apis/wit/workitemtypes": {"work_item_types"},
    "GET {project_id}/_apis/wit/fields": {"work_item_fields"},
    "POST _apis/wit/wiql": {"work_items"},
    "POST _apis/wit/workitemsbatch": {"work_items", "work_item_revisions"},
    "GET _apis/wit/workitems": {"work_items"},
    "GET _apis/wit/workItems/{id}/updates": {"work_item_updates"},
    "GET _apis/wit/reporting/workitemrevisions": {"work_item_revisions"},
    "POST _apis/wit/reporting/workitemrevisions": {"work_items"},
    "GET _apis/wit/reporting/workitemlinks": {"work_items"},
    "GET _apis/wit/recyclebin": {"work_items"},
    "GET {project_id}/_apis/build/builds": {"builds"},
    "GET {project_id}/_apis/build/builds/{build_id}": {"builds"},
    "GET {project_id}/_apis/build/builds/{build_id}/timeline": {"build_timeline_records"},
    "GET {project_id}/_apis/release/releases": {"releases", "release_deployments"},
    "GET {project_id}/_apis/release/releases/{release_id}": {"releases"},
    "GET {project_id}/_apis/release/deployments": {"release_deployments"},
    "GET {project_id}/_apis/git/repositories": {"repositories", "pull_requests"},
    "GET {project_id}/_apis/git/pullrequests": {"pull_requests"},
    "GET {project_id}/_apis/git/repositories/{repository_id}/pullrequests/{pull_request_id}": {"pull_requests"},
    "GET {project_id}/_apis/git/repositories/{repository_id}/pullRequests/{pull_request_id}/iterations": {
        "pull_request_iterations"
    },
    "GET {project_id}/_apis/git/repositories/{repository_id}/pullRequests/{pull_request_id}"
    "/iterations/{iteration_id}/changes": {"pull_request_iteration_changes"},
    "GET {project_id}/_apis/git/repositories/{repository_id}/pullRequests/{pull_request_id}/commits": {
        "pull_request_commits"
    },
    "GET {project_id}/_apis/git/repositories/{repository_id}/pullRequests/{pull_request_id}/threads": {
        "pull_request_threads"
    },
    "GET {project_id}/_apis/git/repositories/{repository_id}/pullRequests/{pull_request_id}/workitems": {
        "pull_request_work_items"
    },
    "GET {project_id}/_apis/git/repositories/{repository_id}/commits": {"commits"},
}


def test_every_operation_is_asked_by_the_feed_of_its_table(deployment):
    """A first sync, and a second one after an item was recycled and a running build disappeared."""
    deployment.sync()
    deployment.world.run_scenario("work-item-deleted")
    project_id, build_id = deployment.warehouse.rows(
        "SELECT project_id, id FROM ado_live.builds WHERE status <> 'completed' ORDER BY id LIMIT 1"
    )[0]
    with deployment.warehouse.session() as connection:
        connection.execute(
            "INSERT INTO ado.builds BY NAME SELECT * REPLACE (? AS id) FROM ado.builds WHERE project_id = ? AND id = ?",
            [build_id + 1_000_000, project_id, build_id],
        )

    deployment.sync("projects", "work_items", "work_item_revisions", "builds")

    asked = deployment.warehouse.rows(
        "SELECT endpoint, list(DISTINCT feed) FROM ado_meta.requests JOIN ado_meta.loads USING (sync_id) GROUP BY 1"
    )
    found = {endpoint: set(feeds) for endpoint, feeds in asked}
    assert ENDPOINTS == {endpoint: found.get(endpoint) for endpoint in ENDPOINTS}
    gone = deployment.warehouse.rows("SELECT _deleted_reason FROM ado.builds WHERE id = ?", [build_id + 1_000_000])
    assert [("destroyed",)] == gone
