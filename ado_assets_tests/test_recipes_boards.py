"""Work items and what surrounds them change: what the next sync makes of it, down to the rows and tombstones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import orjson
import pytest

from ado_assets.sample import SampleServer
from ado_assets_tests.follower import Follower

ITEMS = ("work_items", "work_item_relations", "work_item_updates", "work_item_revisions")
TREES = ("areas", "iterations")
PROCESS = ("work_item_type_categories", "work_item_types", "work_item_type_states", "work_item_fields")
BATCH = "{project}/_apis/wit/workitemsbatch"
UPDATES = "{project}/_apis/wit/workitems/{id}/updates"


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    with SampleServer("tiny") as server:
        follower = Follower(server, tmp_path_factory.mktemp("boards"), ITEMS)
        follower.sync("projects", *ITEMS, *TREES, *PROCESS)
        yield follower


def ids_in(sentence: str) -> list[int]:
    """The numbers of the work items that a scenario's sentence is about."""
    listed = re.search(r"work items? ((?:\d+)(?: and \d+)*)", sentence, re.IGNORECASE)
    assert listed, sentence
    return [int(each) for each in listed[1].split(" and ")]


@pytest.mark.parametrize("scenario", ["work-item-edited", "work-item-type-changed", "work-item-created"])
def test_new_revision_lands_with_its_history(follower, scenario):
    """The row shows it, one update and one revision more are held, and the revision before got its end."""
    [item] = ids_in(follower.happen(scenario))
    before = follower.rows("work_items", f"id = {item}")
    calls = follower.sync()
    [row] = follower.rows("work_items", f"id = {item}")

    assert row["rev"] > (before[0]["rev"] if before else 0)
    assert [each["rev"] for each in follower.rows("work_item_revisions", f"id = {item}")] == [*range(1, row["rev"] + 1)]
    assert calls[UPDATES] == 1
    assert follower.wrong(*ITEMS) == []


def test_edit_at_the_watermarks_very_instant_is_not_missed(follower):
    """It is made after the sync read, while the server's clock still shows what the watermark shows."""
    follower.happen("work-item-edited")
    follower.sync()
    [item] = ids_in(follower.world.boards.scenarios["work-item-edited"](random.Random(3)))
    assert follower.wrong("work_items")

    follower.sync()

    assert follower.rows("work_items", f"id = {item}")
    assert follower.wrong(*ITEMS) == []


def test_link_alone_is_seen_on_both_ends(follower):
    """A link is no revision of either item; only the feed of links tells."""
    one, other = ids_in(follower.happen("work-item-linked"))
    revs = {row["id"]: row["rev"] for row in follower.rows("work_items", f"id IN ({one}, {other})")}
    before = {row["work_item_id"] for row in follower.rows("work_item_relations", f"url LIKE '%/{other}'")}
    follower.sync()

    assert {row["id"]: row["rev"] for row in follower.rows("work_items", f"id IN ({one}, {other})")} == revs
    after = {row["work_item_id"] for row in follower.rows("work_item_relations", f"url LIKE '%/{other}'")}
    assert after - before == {one} - before
    assert follower.wrong(*ITEMS) == []


def test_moved_item_takes_its_history_to_the_other_project(follower):
    """The same row, with all that hangs below it, is in the new project; nothing stays behind in the old one."""
    [item] = ids_in(follower.happen("work-item-moved"))
    [before] = follower.rows("work_items", f"id = {item}")
    follower.sync()
    [row] = follower.rows("work_items", f"id = {item}")

    assert row["project_id"] != before["project_id"]
    for table, column in (("work_item_updates", "work_item_id"), ("work_item_revisions", "id")):
        assert {each["project_id"] for each in follower.rows(table, f"{column} = {item}")} == {row["project_id"]}
    assert follower.wrong(*ITEMS) == []


def test_deleted_item_is_recycled_and_comes_back_to_life(follower):
    """Flagged ``recycled`` with ``parent_deleted`` below; restored, the item and its history are live again."""
    [item] = ids_in(follower.happen("work-item-deleted"))
    follower.sync()
    [gone] = follower.rows("work_items", f"id = {item}", live=False)
    below = follower.rows("work_item_updates", f"work_item_id = {item}", live=False)

    assert gone["_deleted_reason"] == "recycled"
    assert {each["_deleted_reason"] for each in below} == {"parent_deleted"}
    assert follower.wrong(*ITEMS) == []

    restored = 0
    while restored != item:
        [restored] = ids_in(follower.happen("work-item-restored"))
    follower.sync()
    [row] = follower.rows("work_items", f"id = {item}")

    assert row["_deleted_reason"] is None
    assert len(follower.rows("work_item_updates", f"work_item_id = {item}")) > len(below)
    assert follower.wrong(*ITEMS) == []


def test_destroyed_item_is_found_by_a_full_refresh(follower):
    """No feed tells of it; it is neither live nor in the recycle bin."""
    [item] = ids_in(follower.happen("work-item-destroyed"))
    follower.sync(full_refresh=True)
    [gone] = follower.rows("work_items", f"id = {item}", live=False)

    assert gone["_deleted_reason"] == "destroyed"
    assert follower.wrong(*ITEMS) == []


def test_more_items_than_a_query_answers_are_all_read(follower):
    """The service refuses to answer more ids than its cap; they are asked for in parts, by id."""
    held = len(follower.rows("work_items"))
    follower.world.wiql_cap = held // 4
    try:
        follower.later(minutes=30)
        calls = follower.sync("work_items", full_refresh=True)
    finally:
        follower.world.wiql_cap = 20_000

    assert calls["{project}/_apis/wit/wiql"] > 4
    assert len(follower.rows("work_items")) == held
    assert follower.wrong("work_items") == []


def test_token_that_the_service_refuses_costs_a_complete_read(follower):
    """What changed since is found all the same, and the next sync follows the feed again."""
    [item] = ids_in(follower.happen("work-item-edited"))
    forget_places(follower)
    first = follower.sync()
    follower.later(minutes=30)
    second = follower.sync()

    assert first["{project}/_apis/wit/wiql"] > 0
    assert second["{project}/_apis/wit/wiql"] == second[BATCH] == 0
    assert follower.rows("work_items", f"id = {item}")
    assert follower.wrong(*ITEMS) == []


def forget_places(follower: Follower) -> None:
    """Put tokens that the service does not know into the watermarks, as a service that forgets its own would."""
    with follower.warehouse.session() as connection:
        for feed in ("work_items", "work_item_revisions"):
            [(mark,)] = connection.execute("SELECT value FROM ado_meta.watermarks WHERE feed = ?", [feed]).fetchall()
            unknown = orjson.dumps(orjson.loads(mark) | {"revisions": "99999999;1;1"}).decode()
            connection.execute("UPDATE ado_meta.watermarks SET value = ? WHERE feed = ?", [unknown, feed])


def test_renamed_area_changes_the_paths_of_its_items(follower):
    """The items have no new revision; their rows say the new path as the API does."""
    for _ in range(20):
        follower.happen("area-renamed")
        if any("area_path" in text for text in follower.wrong("work_items")):
            break
    revs = {row["id"]: row["rev"] for row in follower.rows("work_items")}
    follower.sync(*TREES, "work_items")

    assert {row["id"]: row["rev"] for row in follower.rows("work_items")} == revs
    assert follower.wrong(*TREES, "work_items") == []


def test_deleted_iteration_is_a_tombstone_and_its_items_moved_up(follower):
    """What was in it says the node above, in a new revision."""
    before = {row["id"] for row in follower.rows("iterations")}
    follower.happen("iteration-created")
    follower.happen("iteration-deleted")
    follower.sync(*TREES, *ITEMS)
    gone = [row for row in follower.rows("iterations", live=False) if row["id"] in before]

    assert {row["_deleted_reason"] for row in gone} <= {"deleted"}
    assert follower.wrong(*TREES, *ITEMS) == []


@pytest.mark.parametrize(
    ("scenario", "table"), [("type-added", "work_item_types"), ("field-added", "work_item_fields")]
)
def test_addition_to_a_process_reaches_every_project_that_uses_it(follower, scenario, table):
    """A new type brings its states and its place in a category along."""
    held = len(follower.rows(table))
    follower.happen(scenario)
    follower.sync(*PROCESS)

    assert len(follower.rows(table)) > held
    assert follower.wrong(*PROCESS) == []
