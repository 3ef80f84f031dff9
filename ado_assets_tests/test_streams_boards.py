"""Nodes, types, fields, work items and their history, read over HTTP and compared with the organization's truth."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from ado_assets.sample.boards_history import Change, WorkItem
from ado_assets.sample.server import SampleServer
from ado_assets.streams.boards import WORK_ITEM_FIELDS_FEED, WORK_ITEM_TYPE_CATEGORIES_FEED, WORK_ITEM_TYPES_FEED
from ado_assets.streams.classification_nodes import AREAS_FEED, ITERATIONS_FEED, flatten
from ado_assets.streams.core import PROJECTS_FEED
from ado_assets.streams.model import Complete, Gone, Page, Parent, Project, Request, Unit
from ado_assets.streams.reporting import changed_items
from ado_assets.streams.work_item_ids import deleted_ids, live_ids
from ado_assets.streams.work_item_places import fingerprint, same_paths
from ado_assets.streams.work_item_revisions import WORK_ITEM_REVISIONS_FEED
from ado_assets.streams.work_item_updates import WORK_ITEM_UPDATES_FEED
from ado_assets.streams.work_items import WORK_ITEMS_FEED
from ado_assets_tests.ado_peer import Peer, client_of, reply
from ado_assets_tests.copied import Copy, happen

FEEDS = (
    PROJECTS_FEED,
    ITERATIONS_FEED,
    AREAS_FEED,
    WORK_ITEM_TYPE_CATEGORIES_FEED,
    WORK_ITEM_TYPES_FEED,
    WORK_ITEM_FIELDS_FEED,
    WORK_ITEMS_FEED,
    WORK_ITEM_UPDATES_FEED,
    WORK_ITEM_REVISIONS_FEED,
)
SCENARIOS = [
    "work-item-edited",
    "work-item-type-changed",
    "work-item-linked",
    "work-item-moved",
    "work-item-deleted",
    "work-item-restored",
    "work-item-created",
    "area-renamed",
    "iteration-created",
    "iteration-deleted",
    "type-added",
    "field-added",
    "project-renamed",
    "project-created",
    "project-name-reused",
    "project-restored",
]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BATCH = "POST _apis/wit/workitemsbatch"
UPDATES = "GET _apis/wit/workItems/{id}/updates"


@pytest.fixture(scope="module")
def followed() -> Iterator[Copy]:
    """A complete copy of an organization to which one thing after the other happens."""
    with SampleServer("tiny", seed=5) as server:
        copy = Copy(server, FEEDS)
        copy.sync()
        yield copy


@pytest.fixture
def copy() -> Iterator[Copy]:
    """A complete copy of an organization of its own."""
    with SampleServer("tiny") as server:
        copy = Copy(server, FEEDS)
        copy.sync()
        yield copy


def test_complete_reads_equal_the_truth(followed):
    """All tables have the rows and values of the organization's truth."""
    assert followed.differences() == []
    assert all(followed.live(table.name) for feed in FEEDS for table in feed.tables)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_change_is_seen_by_the_next_read(followed, name):
    """Whatever happens, the next read makes the copy equal the truth, and knows why rows are gone."""
    happen(followed, name)

    followed.sync()

    assert followed.differences() == []
    items = [entry for entry in followed.world.boards.gone if entry[0] == "work_items"]
    assert followed.wrong_reasons(items) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history_is_followed(copy, seed):
    """Changes in any order, some while the copy is being read, end in equality once everything is quiet."""
    rng = random.Random(seed)
    # while it is read, only what leaves a trace in the feeds: the service tells nothing of the rest
    traced = SCENARIOS[:7]
    for _ in range(5):
        happen(copy, *rng.choices(SCENARIOS, k=rng.randrange(1, 5)))
        chances = iter([rng.random() < 0.3 for _ in range(6)])
        copy.meanwhile = lambda _feed, chances=chances: (
            next(chances, False) and copy.world.run_scenario(rng.choice(traced))
        )
        copy.sync()
        copy.meanwhile = lambda _feed: None
        copy.world.clock.advance(timedelta(minutes=5))
        copy.sync()

        assert copy.differences() == []


def test_quiet_read_asks_for_no_item(copy):
    """When nothing changed, no item is read, whatever their number."""
    copy.world.clock.advance(timedelta(hours=1))

    calls = copy.sync()

    assert calls[BATCH] == 0
    assert calls[UPDATES] == 0
    assert calls["POST _apis/wit/wiql"] == 0


def test_one_edit_costs_three_calls_more(copy):
    """The item, its updates, and the revision before; the item's project is asked for along with the revisions."""
    happen(copy)
    quiet = sum(copy.sync().values())
    happen(copy, "work-item-edited")

    assert sum(copy.sync().values()) - quiet <= 4


def test_destroyed_item_is_noticed_by_a_complete_read(copy):
    """No feed tells of it; a complete read knows that it is neither live nor in the recycle bin."""
    happen(copy, "work-item-destroyed", "work-item-deleted")

    copy.sync(full=True)

    assert copy.differences() == []
    assert copy.wrong_reasons([entry for entry in copy.world.boards.gone if entry[0] == "work_items"]) == []
    assert "destroyed" in copy.reasons["work_items"].values()


def test_one_project_alone_is_brought_up_to_date(copy):
    """Its changes are read, the others' stay for the next whole read, and nothing of them is deleted."""
    happen(copy, *["work-item-edited"] * 12, "work-item-moved", "work-item-deleted")
    project = copy.world.live_projects()[0].name
    before = dict(copy.watermarks)

    copy.sync(projects=[project])

    assert {n: m for n, m in copy.watermarks.items() if n[1] == "organization"} == {
        n: m for n, m in before.items() if n[1] == "organization"
    }
    assert [text for text in copy.differences() if "should not be live" in text] == []
    copy.sync()
    assert copy.differences() == []


def test_project_left_out_before_is_read_completely(copy):
    """A selection that grows reads the new project's items, although none of them changed."""
    happen(copy)
    names = [project.name for project in copy.world.live_projects()]
    held = len(copy.live("work_items"))
    mark = orjson.loads(copy.watermarks["work_items", "organization"])
    left_out = next(each for each, (name, _) in mark["projects"].items() if name == names[0])
    del mark["projects"][left_out]
    copy.watermarks["work_items", "organization"] = orjson.dumps(mark).decode()
    copy.rows["work_items"] = {k: r for k, r in copy.rows["work_items"].items() if r["project_id"] != left_out}
    assert len(copy.live("work_items")) < held

    copy.sync("work_items")

    assert len(copy.live("work_items")) == held


def test_refused_place_leads_to_a_complete_read(copy):
    """A token that the service forgot costs a re-read and loses nothing."""
    happen(copy, "work-item-edited", "work-item-deleted")
    for name in ("work_items", "work_item_revisions"):
        mark = orjson.loads(copy.watermarks[name, "organization"])
        copy.watermarks[name, "organization"] = orjson.dumps(mark | {"revisions": "99999999;1;1"}).decode()

    copy.sync()

    assert copy.differences() == []


def test_more_items_than_a_query_answers_are_all_found(copy):
    """The query is cut by id, and asks for less where the service refuses the size."""
    copy.world.wiql_cap = 15

    copy.sync(full=True)

    assert copy.differences() == []


def test_update_tail_closes_the_change_before(copy):
    """Of a long history only the end is read, and the update that is superseded gets its revised date."""
    item = max(copy.world.boards.visible_items(), key=lambda each: each.rev)
    for _ in range(50):
        revise(copy, item)
    copy.sync()
    revise(copy, item)
    landed = []
    land = copy._land
    copy._land = lambda feed, page: (landed.append((feed.name, len(page.records))), land(feed, page))[1]

    copy.sync()

    assert copy.differences() == []
    assert 2 <= sum(count for name, count in landed if name == "work_item_updates") < 30


def revise(copy: Copy, item: WorkItem) -> None:
    """Save the item once more, changing nothing but the revision."""
    copy.world.clock.advance(timedelta(minutes=1))
    boards = copy.world.boards
    author = copy.world.live_projects()[0].people[0]
    boards.record(item, Change(boards.instant(random.Random(1)), author, {}))


def test_fewer_updates_than_held_are_read_anew():
    """A history that became shorter is replaced, not continued."""
    history = [{"id": n, "workItemId": 5, "rev": n, "fields": {"System.Title": {}}} for n in range(1, 31)]

    def answer(seen):
        skip = int(seen.target.partition("$skip=")[2].partition("&")[0])
        return reply(200, {"value": history[skip : skip + 200]})

    item = Parent({"project_id": "p", "id": 5, "rev": 30}, version=1, children=60)
    events = run_feed(WORK_ITEM_UPDATES_FEED, request("project:p", watermark="2026-03-01", parents=(item,)), answer)

    assert [len(event.records) for event in events if isinstance(event, Page)] == [30]
    assert [event.scope for event in events if isinstance(event, Complete)] == [{"work_item_id": 5}]


def test_change_superseded_before_many_links_is_read_again():
    """When nothing but links followed the last change of fields, the overlap does not hold it: all is read again."""
    links = [{"id": n, "workItemId": 5, "rev": 1, "relations": {}} for n in range(2, 41)]
    first = {"id": 1, "workItemId": 5, "rev": 1, "fields": {"System.Title": {}}}
    history = [first, *links, {"id": 41, "workItemId": 5, "rev": 2, "fields": {"System.Title": {}}}]

    def answer(seen):
        skip = int(seen.target.partition("$skip=")[2].partition("&")[0])
        return reply(200, {"value": history[skip : skip + 200]})

    item = Parent({"project_id": "p", "id": 5, "rev": 2}, version=1, children=40)
    events = run_feed(WORK_ITEM_UPDATES_FEED, request("project:p", watermark="2026-03-01", parents=(item,)), answer)

    assert [record["id"] for event in events if isinstance(event, Page) for record in event.records] == list(
        range(1, 42)
    )


def test_ids_that_a_batch_leaves_out_or_nulls_are_asked_for_again():
    """Missing and null are the same; what does not answer twice is looked up in the recycle bin."""
    asked_again = []

    def answer(seen):
        path, _, query = seen.target.partition("?")
        if "workitemrevisions" in path:
            values = [{"id": n, "rev": 1, "fields": {}} for n in (1, 2, 3, 4)]
            return reply(200, {"values": values, "continuationToken": "t2", "isLastBatch": True})
        if "workitemlinks" in path:
            return reply(200, {"values": [], "continuationToken": "l2", "isLastBatch": True})
        if "recyclebin" in path:
            return reply(200, {"value": [{"id": "3", "code": 200}]})
        if "workitemsbatch" in path:
            return reply(200, {"value": [None, item(1)]})
        if path.endswith("/workitems"):
            asked_again.append(query)
            return reply(200, {"value": [item(2)]})
        return project_answer(path)

    events = run_feed(WORK_ITEMS_FEED, request("organization", watermark=mark("t1", "l1")), answer)

    assert {record["id"] for event in events if isinstance(event, Page) for record in event.records} == {1, 2}
    assert "ids=2%2C3%2C4" in asked_again[0]
    assert {event.key["id"]: event.reason for event in events if isinstance(event, Gone)} == {
        3: "recycled",
        4: "destroyed",
    }


def test_item_in_a_project_that_is_not_selected_is_unreachable():
    """It moved out of what is copied; its record is the evidence."""

    def answer(seen):
        path = seen.target.partition("?")[0]
        if "workitemrevisions" in path:
            values = [{"id": 1, "rev": 2, "fields": {}}]
            return reply(200, {"values": values, "continuationToken": "t2", "isLastBatch": True})
        if "workitemlinks" in path:
            return reply(200, {"values": [], "continuationToken": "l2", "isLastBatch": True})
        if "workitemsbatch" in path:
            return reply(200, {"value": [item(1, "Elsewhere")]})
        if path.endswith("/projects/Elsewhere"):
            return reply(200, {"id": "q", "name": "Elsewhere"})
        return project_answer(path)

    events = run_feed(WORK_ITEMS_FEED, request("organization", watermark=mark("t1", "l1")), answer)

    assert [(event.key["id"], event.reason) for event in events if isinstance(event, Gone)] == [(1, "unreachable")]
    assert not [event for event in events if isinstance(event, Page)]


def test_feed_that_gives_only_a_next_link_is_followed():
    """Some servers put the token into ``nextLink`` alone; the durable place is the last one."""
    links = {"": "a", "a": "b", "b": "c"}

    def answer(seen):
        token = seen.target.partition("continuationToken=")[2].partition("&")[0]
        link = f"http://x/_apis/wit/reporting/workitemrevisions?continuationToken={links[token]}&api-version=7.1"
        return reply(200, {"values": [{"id": len(token), "rev": 1}], "nextLink": link, "isLastBatch": token == "b"})

    async def run():
        async with Peer(answer) as peer, client_of(peer) as client:
            feed = changed_items(client, "@2026-03-01T00:00:00Z")
            return len([each async for each in feed.answers()]), feed.place, peer.seen

    count, place, seen = asyncio.run(run())

    assert (count, place) == (3, "c")
    assert ["startDateTime" in each.target for each in seen] == [True, False, False]


def test_tree_deeper_than_the_limit_is_read_to_its_end():
    """Nodes that the depth limit cut are asked for by id, whatever number of times it takes."""

    def node(number, children):
        row = {"id": number, "identifier": f"n{number}", "name": str(number), "hasChildren": number < 7}
        return row if children is None else row | {"children": children}

    def tree(number, depth):
        return node(number, [tree(number + 1, depth - 1)] if depth and number < 7 else None)

    def answer(seen):
        path, _, query = seen.target.partition("?")
        if path.endswith("/classificationnodes"):
            return reply(200, {"value": [None, tree(int(query.partition("ids=")[2].partition("&")[0]), 2)][1:]})
        return reply(200, tree(1, 2))

    events = run_feed(AREAS_FEED, request("project:p"), answer)
    nodes = [record for event in events if isinstance(event, Page) for record in event.records]

    assert [(each["id"], each["parentId"]) for each in nodes] == [(1, None), *((n, f"n{n - 1}") for n in range(2, 8))]
    assert [event.scope for event in events if isinstance(event, Complete)] == [{"project_id": "p"}]


def test_tree_with_a_vanished_node_is_not_called_complete():
    """What was below it is unknown; nothing may look deleted."""

    def answer(seen):
        if "ids=" in seen.target:
            return reply(200, {"value": [None]})
        below = {"id": 2, "identifier": "b", "hasChildren": True}
        return reply(200, {"id": 1, "identifier": "a", "hasChildren": True, "children": [below]})

    assert not [event for event in run_feed(AREAS_FEED, request("project:p"), answer) if isinstance(event, Complete)]


def test_hidden_children_are_not_asked_for_for_ever():
    """A node whose children this token may not see has them all the same."""
    root = {"id": 1, "identifier": "a", "hasChildren": True, "children": []}

    assert flatten(root, None) == ([{"id": 1, "identifier": "a", "hasChildren": True, "parentId": None}], [])


@pytest.mark.parametrize(
    ("after", "same"),
    [
        ([(1, "A"), (2, "A\\B")], True),
        ([(1, "A"), (2, "A\\B"), (3, "A\\C")], True),
        ([(1, "A"), (2, "A\\X")], False),
        ([(1, "A")], False),
    ],
)
def test_fingerprint_of_a_tree_survives_growth_only(after, same):
    """New nodes change no work item; a renamed, moved or deleted one may."""

    def nodes(pairs):
        return [{"id": number, "structureType": "area", "path": path} for number, path in pairs]

    assert same_paths(fingerprint(nodes([(1, "A"), (2, "A\\B")])), nodes(after)) is same


def test_recycle_bin_too_large_for_one_answer_is_read_by_project():
    """Where it is too large even so, or hidden, nothing is known about it."""

    def answer(seen):
        if seen.target.startswith("/acme/_apis"):
            return reply(400, {"message": "VS402337: too many", "typeKey": "X"})
        return reply(200, {"value": [{"id": "7"}]}) if "/p/" in seen.target else reply(403, {})

    assert run_async(answer, lambda client: deleted_ids(client, ["p"])) == {7}
    assert run_async(answer, lambda client: deleted_ids(client, ["p", "q"])) is None


def test_query_shrinks_until_the_service_accepts_it():
    """A cap of any size is found; every id comes once."""

    def answer(seen):
        top = int(seen.target.partition("$top=")[2].partition("&")[0])
        if top > 5000:
            return reply(400, {"message": "VS402337: The number of work items returned exceeds the size limit"})
        last = int(orjson.loads(seen.body)["query"].partition("[System.Id] > ")[2].partition(" ")[0])
        return reply(200, {"workItems": [{"id": n} for n in range(last + 1, min(last + top, 9000) + 1)]})

    async def collect(client):
        return [each async for part in live_ids(client) for each in part]

    assert run_async(answer, collect) == list(range(1, 9001))


def item(number, project="Here"):
    return {"id": number, "rev": 1, "fields": {"System.TeamProject": project}}


def mark(revisions, links):
    """A watermark under which project p, called Here, is covered."""
    return orjson.dumps({"revisions": revisions, "links": links, "projects": {"p": ["Here", fingerprint([])]}}).decode()


def project_answer(path):
    """The listing of projects, and trees without nodes."""
    return reply(200, {"value": [{"id": "p", "name": "Here"}] if path.endswith("/projects") else []})


def request(unit, watermark=None, parents=()):
    project = Project("p", "Here")
    return Request(Unit(unit, None if unit == "organization" else project), watermark, NOW, (project,), parents=parents)


def run_feed(feed, asked, answer):
    """All events of a feed read from a server that answers by *answer*."""

    async def run(client):
        return [event async for event in feed.read(client, asked)]

    return run_async(answer, run)


def run_async(answer, use):
    """What *use* makes of a client of a server that answers by *answer*."""

    async def run():
        async with Peer(answer) as peer, client_of(peer) as client:
            return await use(client)

    return asyncio.run(run())
