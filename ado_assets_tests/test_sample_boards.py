"""The sample organization's boards: what a reader of feeds, queries and gets sees, at rest and while things happen."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ado_assets.sample.boards_fields import IDENTITY_FIELDS
from ado_assets.sample.server import SampleServer
from ado_assets.sample.world import World

FULL = {"includeDeleted": "true", "includeIdentityRef": "true", "$expand": "fields"}


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with SampleServer("small") as running:
        yield running


@pytest.fixture
def tiny() -> Iterator[SampleServer]:
    with SampleServer("tiny", seed=2) as running:
        yield running


class Reader:
    """Reads one served organization as a careful client would."""

    def __init__(self, server: SampleServer) -> None:
        self.server = server
        self.world = server.world
        self.http = httpx.Client(
            base_url=f"{server.base_url}/{server.organization}", auth=("", "sample-boards-token"), timeout=30
        )

    def call(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        method = "GET" if body is None else "POST"
        return self.http.request(method, path, params={"api-version": "7.1"} | query, json=body)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wiql(self, condition: str, **query: Any) -> list[int]:
        text = f"SELECT [System.Id] FROM WorkItems {condition}"
        answer = self.call("/_apis/wit/wiql", {"query": text}, **query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["workItems"]]

    def feed(self, name: str, token: str | None, **query: Any) -> tuple[list[Any], str]:
        rows: list[Any] = []
        while True:
            batch = self.get(f"/_apis/wit/reporting/{name}", **query, **({"continuationToken": token} if token else {}))
            rows += batch["values"]
            token = batch["continuationToken"]
            if batch["isLastBatch"]:
                assert token is not None
                return rows, token

    def batch(self, ids: list[int]) -> list[Any]:
        body = {"ids": ids, "$expand": "all", "errorPolicy": "omit"}
        rows = self.call("/_apis/wit/workitemsbatch", body).json()["value"]
        return [row for row in rows if row is not None]

    def truth(self, resource: str) -> list[Any]:
        return [record for name, _, record in self.world.boards.truth() if name == resource]


@pytest.fixture
def reader(server: SampleServer) -> Iterator[Reader]:
    made = Reader(server)
    with made.http:
        yield made


@pytest.fixture
def tiny_reader(tiny: SampleServer) -> Iterator[Reader]:
    made = Reader(tiny)
    with made.http:
        yield made


def by_id(rows: list[Any]) -> dict[int, Any]:
    return {row["id"]: row for row in rows}


def test_feed_batch_and_updates_together_give_the_truth(reader: Reader) -> None:
    revisions, _ = reader.feed("workitemrevisions", None, **FULL)
    ids = sorted({row["id"] for row in revisions})
    items = [row for start in range(0, len(ids), 200) for row in reader.batch(ids[start : start + 200])]
    live = {item["id"] for item in items}
    assert items == reader.truth("work_items")
    assert len(ids) - len(items) == len(reader.get("/_apis/wit/recyclebin")["value"]) > 10
    of_live = sorted((row for row in revisions if row["id"] in live), key=lambda row: (row["id"], row["rev"]))
    assert of_live == sorted(reader.truth("work_item_revisions"), key=lambda row: (row["id"], row["rev"]))
    updates = reader.truth("work_item_updates")
    for key in sorted(live)[::30]:
        read = reader.get(f"/_apis/wit/workitems/{key}/updates")["value"]
        assert read == [row for row in updates if row["workItemId"] == key]


def test_small_holds_what_breaks_toys(reader: Reader) -> None:
    items = reader.truth("work_items")
    fields = [item["fields"] for item in items]
    used = {name for each in fields for name in each}
    declared = {field["referenceName"]: field for field in reader.get("/_apis/wit/fields")["value"]}
    assert used <= set(declared)
    custom = {declared[name]["type"] for name in used if name.startswith("Custom.")}
    expected = "string integer double dateTime boolean html plainText identity picklistString treePath guid"
    assert custom == set(expected.split())
    assert max(len(each.get("System.Description", "")) for each in fields) == 256 * 1024
    assert any(ord(character) > 0xFFFF for each in fields for character in each["System.Title"])
    assert all(isinstance(each[name], dict) for each in fields for name in IDENTITY_FIELDS if name in each)
    assert any(each.get("Microsoft.VSTS.Scheduling.RemainingWork") == 0 for each in fields)
    relations = {relation["rel"] for item in items for relation in item.get("relations", ())}
    assert {"Hyperlink", "ArtifactLink", "System.LinkTypes.Hierarchy-Reverse", "System.LinkTypes.Related"} <= relations
    updates = reader.truth("work_item_updates")
    assert any("fields" not in update and "relations" in update for update in updates)
    assert any("newValue" not in change for update in updates for change in update.get("fields", {}).values())


def test_a_link_makes_an_update_of_the_same_revision_and_a_row_of_the_links_feed(tiny_reader: Reader) -> None:
    _, revisions_token = tiny_reader.feed("workitemrevisions", None, **FULL)
    _, links_token = tiny_reader.feed("workitemlinks", None)
    tiny_reader.world.run_scenario("work-item-linked")
    assert tiny_reader.feed("workitemrevisions", revisions_token, **FULL)[0] == []
    (link,), _ = tiny_reader.feed("workitemlinks", links_token)
    for key in (link["sourceId"], link["targetId"]):
        update = tiny_reader.get(f"/_apis/wit/workitems/{key}/updates")["value"][-1]
        item = tiny_reader.batch([key])[0]
        assert update["rev"] == item["rev"]
        assert "fields" not in update
        assert update["relations"]["added"][0] in item["relations"]


def test_a_kept_token_gives_exactly_what_came_since(tiny_reader: Reader) -> None:
    held: dict[tuple[int, int], Any] = {}
    rows, token = tiny_reader.feed("workitemrevisions", None, **FULL)
    for _ in range(4):
        held |= {(row["id"], row["rev"]): row for row in rows}
        tiny_reader.world.tick(2)
        rows, token = tiny_reader.feed("workitemrevisions", token, **FULL)
        assert not {(row["id"], row["rev"]) for row in rows} & set(held)
        dates = [row["fields"]["System.ChangedDate"] for row in rows]
        assert dates == sorted(dates)
    held |= {(row["id"], row["rev"]): row for row in rows}
    truth = {(row["id"], row["rev"]) for row in tiny_reader.truth("work_item_revisions")}
    assert truth <= set(held)


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_dates_and_feeds_agree_after_everything_happened(seed: int) -> None:
    """Each mutation leaves updates, revisions, rev, ChangedDate, watermark and the order of the feed consistent."""
    with SampleServer("tiny", seed) as server:
        reader = Reader(server)
        for name in sorted(reader.world.boards.scenarios):
            assert reader.world.run_scenario(name)
        reader.world.tick(3)
        boards = reader.world.boards
        assert boards.feed == sorted(set(boards.feed))
        now = reader.world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        for item in reader.truth("work_items"):
            updates = reader.get(f"/_apis/wit/workitems/{item['id']}/updates")["value"]
            revisions = reader.get(f"/_apis/wit/workitems/{item['id']}/revisions")["value"]
            own = [update for update in updates if "fields" in update]
            assert [update["id"] for update in updates] == list(range(1, len(updates) + 1))
            assert [row["rev"] for row in revisions] == [update["rev"] for update in own]
            assert item["rev"] == len(revisions) == item["fields"]["System.Rev"]
            changed = [update["fields"]["System.ChangedDate"]["newValue"] for update in own]
            assert changed[-1] == item["fields"]["System.ChangedDate"] <= now
            assert [update["revisedDate"] for update in own] == [*changed[1:], "9999-01-01T00:00:00Z"]
            marks = [row["fields"]["System.Watermark"] for row in revisions]
            assert marks == sorted(set(marks))
            assert replayed(own) == revisions[-1]["fields"]


def replayed(updates: list[Any]) -> dict[str, Any]:
    """Return the fields that follow from applying the updates in order."""
    values: dict[str, Any] = {}
    for update in updates:
        values.pop("System.History", None)
        for name, change in update["fields"].items():
            assert "oldValue" not in change or change["oldValue"] == values.get(name) or name == "System.RevisedDate"
            if "newValue" in change:
                values[name] = change["newValue"]
            else:
                del values[name]
    return values


def test_queries_walk_all_ids_and_stop_at_the_cap(reader: Reader) -> None:
    everything = reader.wiql("ORDER BY [System.Id]")
    walked: list[int] = []
    while page := reader.wiql(
        f"WHERE [System.Id] > {walked[-1] if walked else 0} ORDER BY [System.Id]", **{"$top": 700}
    ):
        walked += page
    assert walked == everything == [item["id"] for item in reader.truth("work_items")]
    reader.world.wiql_cap = 500
    refused = reader.call("/_apis/wit/wiql", {"query": "SELECT [System.Id] FROM WorkItems"})
    assert len(reader.wiql("ORDER BY [System.Id]", **{"$top": 499})) == 499
    reader.world.wiql_cap = 20_000
    assert refused.status_code == 400
    assert "VS402337" in refused.json()["message"]
    assert refused.json()["typeKey"] == "WorkItemTrackingQueryResultSizeLimitExceededException"


def test_queries_filter_by_project_and_by_instant(reader: Reader) -> None:
    items = reader.truth("work_items")
    name = "R&D #1 100%"
    own = [item["id"] for item in items if item["fields"]["System.TeamProject"] == name]
    assert reader.wiql(f"WHERE [System.TeamProject] = '{name}' ORDER BY [System.Id]") == own
    others = reader.wiql(f"WHERE [System.TeamProject] <> '{name}'")
    assert sorted(own + others) == [item["id"] for item in items]
    assert reader.wiql(f"WHERE [System.TeamProject] IN ('{name}', 'Payments') AND [System.Id] <= {own[3]}") == [
        item["id"]
        for item in items
        if item["fields"]["System.TeamProject"] in (name, "Payments") and item["id"] <= own[3]
    ]
    since = sorted(item["fields"]["System.ChangedDate"] for item in items)[-40]
    found = reader.wiql(f"WHERE [System.ChangedDate] >= '{since}' ORDER BY [System.ChangedDate]", timePrecision="true")
    assert len(found) == 40
    refused = reader.call(
        "/_apis/wit/wiql", {"query": f"SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] >= '{since}'"}
    )
    assert refused.status_code == 400
    by_day = reader.wiql(f"WHERE [System.ChangedDate] >= '{since[:10]}'")
    assert set(found) <= set(by_day)


@pytest.mark.parametrize(
    "query",
    ["SELECT [System.Id] FROM WorkItems WHERE [System.Id] > 1 OR [System.Id] < 9", "DELETE", "SELECT [System.Id]"],
)
def test_a_query_beyond_the_grammar_is_refused_and_not_half_answered(reader: Reader, query: str) -> None:
    assert reader.call("/_apis/wit/wiql", {"query": query}).status_code == 400


def test_one_missing_id_fails_a_batch_unless_it_is_to_be_left_out(reader: Reader) -> None:
    live = reader.wiql("ORDER BY [System.Id]")[:2]
    gone = reader.get("/_apis/wit/recyclebin")["value"][0]["id"]
    ids = [live[0], gone, 10**6, live[1]]
    refused = reader.call("/_apis/wit/workitemsbatch", {"ids": ids})
    assert (refused.status_code, "TF401232" in refused.json()["message"]) == (404, True)
    rows = reader.call("/_apis/wit/workitemsbatch", {"ids": ids, "errorPolicy": "Omit"}).json()["value"]
    assert [row and row["id"] for row in rows] == [live[0], None, None, live[1]]
    listed = reader.get("/_apis/wit/workitems", ids=",".join(map(str, ids)), errorPolicy="omit")["value"]
    assert [row["id"] for row in listed] == live
    both = {"ids": live, "fields": ["System.Title"], "$expand": "all"}
    assert reader.call("/_apis/wit/workitemsbatch", both).status_code == 400
    assert reader.call("/_apis/wit/workitemsbatch", {"ids": list(range(1, 202))}).status_code == 400
    chosen = reader.call("/_apis/wit/workitemsbatch", {"ids": live, "fields": ["System.Title"]}).json()["value"]
    assert [set(row["fields"]) for row in chosen] == [{"System.Title"}] * 2


def test_as_of_shows_an_item_as_it_was(tiny_reader: Reader) -> None:
    before = tiny_reader.world.clock.now().isoformat()
    old = by_id(tiny_reader.truth("work_items"))
    tiny_reader.world.run_scenario("work-item-type-changed")
    new = by_id(tiny_reader.truth("work_items"))
    (changed,) = (key for key in old if old[key]["rev"] != new[key]["rev"])
    was = tiny_reader.get(f"/_apis/wit/workitems/{changed}", asOf=before)
    assert (was["rev"], was["fields"]["System.WorkItemType"]) == (
        old[changed]["rev"],
        old[changed]["fields"]["System.WorkItemType"],
    )


def test_updates_page_by_skip(reader: Reader) -> None:
    longest = max(reader.truth("work_items"), key=lambda item: item["rev"])["id"]
    path = f"/_apis/wit/workitems/{longest}/updates"
    everything = reader.get(path)["value"]
    paged = [
        row for skip in range(0, len(everything), 3) for row in reader.get(path, **{"$top": 3, "$skip": skip})["value"]
    ]
    assert paged == everything
    assert reader.get(path, **{"$skip": len(everything)})["value"] == []


def test_deleting_restoring_and_destroying_leave_the_right_evidence(tiny_reader: Reader) -> None:
    world, token = tiny_reader.world, tiny_reader.feed("workitemrevisions", None, **FULL)[1]
    recycled = {row["id"] for row in tiny_reader.get("/_apis/wit/recyclebin")["value"]}
    live = set(tiny_reader.wiql(""))

    world.run_scenario("work-item-deleted")
    (deleted,) = live - set(tiny_reader.wiql(""))
    rows, token = tiny_reader.feed("workitemrevisions", token, **FULL)
    assert [(row["id"], row["fields"]["System.IsDeleted"]) for row in rows] == [(deleted, True)]
    assert {row["id"] for row in tiny_reader.get("/_apis/wit/recyclebin")["value"]} == recycled | {deleted}
    assert tiny_reader.get(f"/_apis/wit/recyclebin/{deleted}")["resource"]["id"] == deleted
    assert ("work_items", {"id": deleted}, "recycled") in [(entry[0], *entry[2:]) for entry in world.boards.gone]

    world.run_scenario("work-item-restored")
    rows, token = tiny_reader.feed("workitemrevisions", token, **FULL)
    (restored,) = rows
    assert restored["fields"]["System.IsDeleted"] is False
    assert restored["id"] in tiny_reader.wiql("")

    live = set(tiny_reader.wiql(""))
    world.run_scenario("work-item-destroyed")
    (destroyed,) = live - set(tiny_reader.wiql(""))
    assert tiny_reader.feed("workitemrevisions", token, **FULL)[0] == []
    assert destroyed not in {row["id"] for row in tiny_reader.feed("workitemrevisions", None, **FULL)[0]}
    assert destroyed not in {row["id"] for row in tiny_reader.get("/_apis/wit/recyclebin")["value"]}


def test_the_feed_without_deleted_ones_and_with_latest_ones_only(tiny_reader: Reader) -> None:
    rows, _ = tiny_reader.feed("workitemrevisions", None)
    latest, _ = tiny_reader.feed("workitemrevisions", None, includeLatestOnly="true")
    live = by_id(tiny_reader.truth("work_items"))
    assert {row["id"] for row in rows} == set(live)
    assert {(row["id"], row["rev"]) for row in latest} == {(key, item["rev"]) for key, item in live.items()}
    assert isinstance(rows[0]["fields"]["System.CreatedBy"], str)
    assert all("System.Description" not in row["fields"] for row in rows)
    body = {"includeLatestOnly": True, "fields": ["System.Title"]}
    posted = tiny_reader.call("/_apis/wit/reporting/workitemrevisions", body).json()
    assert [row["id"] for row in posted["values"]] == [row["id"] for row in latest]
    assert set(posted["values"][0]["fields"]) == {"System.Title"}


def test_the_feed_starts_at_an_instant_and_refuses_it_with_a_token(tiny_reader: Reader) -> None:
    rows, token = tiny_reader.feed("workitemrevisions", None, **FULL)
    since = rows[100]["fields"]["System.ChangedDate"]
    later, _ = tiny_reader.feed("workitemrevisions", None, startDateTime=since, **FULL)
    assert later == rows[100:]
    path = "/_apis/wit/reporting/workitemrevisions"
    assert tiny_reader.call(path, continuationToken=token, startDateTime=since).status_code == 400
    assert tiny_reader.call(path, continuationToken="nonsense").status_code == 400


def test_a_moved_item_keeps_its_id_and_shows_its_new_project(tiny_reader: Reader) -> None:
    before = by_id(tiny_reader.truth("work_items"))
    tiny_reader.world.run_scenario("work-item-moved")
    after = by_id(tiny_reader.truth("work_items"))
    (moved,) = (key for key in before if before[key]["rev"] != after[key]["rev"])
    project = after[moved]["fields"]["System.TeamProject"]
    assert project != before[moved]["fields"]["System.TeamProject"]
    assert after[moved]["fields"]["System.AreaPath"].split("\\")[0] == project
    assert moved in tiny_reader.wiql(f"WHERE [System.TeamProject] = '{project}'")


def test_a_renamed_area_shows_in_items_without_a_revision() -> None:
    world = World("small", 3)
    before = {record["id"]: record for name, _, record in world.boards.truth() if name == "work_items"}
    world.run_scenario("area-renamed")
    after = {record["id"]: record for name, _, record in world.boards.truth() if name == "work_items"}
    changed = [key for key in before if before[key] != after[key]]
    assert changed
    assert all(before[key]["rev"] == after[key]["rev"] for key in changed)
    assert all(before[key]["fields"]["System.AreaId"] == after[key]["fields"]["System.AreaId"] for key in changed)


def test_nodes_come_without_children_unless_a_depth_is_given(reader: Reader) -> None:
    project = reader.world.live_projects()[0].id
    path = f"/{project}/_apis/wit/classificationnodes"
    roots = reader.get(path)["value"]
    assert [(root["structureType"], root["hasChildren"], "children" in root) for root in roots] == [
        ("area", True, False),
        ("iteration", True, False),
    ]
    shallow = reader.get(path, **{"$depth": 1})["value"][1]["children"]
    limit = [node for node in shallow if node["hasChildren"]]
    assert limit
    assert all("children" not in node for node in limit)
    fetched = reader.get(path, ids=str(limit[0]["id"]), **{"$depth": 2})["value"][0]
    assert fetched["identifier"] == limit[0]["identifier"]
    assert len(fetched["children"]) == 4
    dated = fetched["children"][0]
    assert dated["attributes"]["startDate"].endswith("T00:00:00Z")
    assert "attributes" not in limit[0]
    assert reader.get(f"{path}/Iterations/Release%201/{dated['name']}") == dated
    assert reader.get(path, ids="1,99999", errorPolicy="omit")["value"][1] is None
    assert reader.call(path, ids="99999").status_code == 404


def test_the_whole_tree_and_the_metadata_equal_the_truth(reader: Reader) -> None:
    held: dict[str, list[Any]] = {}

    def flatten(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {name: value for name, value in node.items() if name != "children"}
        for child in node.get("children", ()):
            yield from flatten(child)

    for project in reader.world.live_projects():
        base = f"/{project.id}/_apis/wit"
        for root in reader.get(f"{base}/classificationnodes", **{"$depth": 20})["value"]:
            held.setdefault("classification_nodes", []).extend(flatten(root))
        for resource, path in (
            ("work_item_type_categories", "workitemtypecategories"),
            ("work_item_types", "workitemtypes"),
            ("work_item_fields", "fields"),
        ):
            held.setdefault(resource, []).extend(reader.get(f"{base}/{path}")["value"])
    for resource, rows in held.items():
        assert rows == reader.truth(resource)


@pytest.mark.parametrize("name", sorted(World("tiny").boards.scenarios))
def test_every_scenario_changes_the_truth(name: str) -> None:
    world = World("tiny", 6)
    before = list(world.boards.truth())
    assert world.run_scenario(name)
    assert list(world.boards.truth()) != before
