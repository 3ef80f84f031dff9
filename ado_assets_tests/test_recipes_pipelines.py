"""Builds and releases change long after they were made: what the next sync makes of it, down to the rows."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from ado_assets.sample import SampleServer
from ado_assets_tests.follower import Follower

BUILDS = ("builds", "build_timeline_records")
RELEASES = ("releases", "release_environments", "release_deployments")
TIMELINE = "{project}/_apis/build/builds/{buildId}/timeline"


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    with SampleServer("tiny") as server:
        follower = Follower(server, tmp_path_factory.mktemp("pipelines"), (*BUILDS, *RELEASES))
        follower.sync("projects", *follower.feeds)
        yield follower


def number_in(sentence: str, thing: str) -> int:
    """The number of what a scenario's sentence is about."""
    found = re.search(rf"{thing} (\d+)", sentence, re.IGNORECASE)
    assert found, sentence
    return int(found[1])


def build_of(sentence: str) -> str:
    """An SQL condition for the build; numbers count through the organization."""
    return f"id = {number_in(sentence, 'build')}"


def test_build_first_seen_running_is_followed_to_its_end(follower):
    """It runs for longer than any window reaches back; it is seen at once, with what ran so far, and finished later."""
    build = build_of(follower.happen("build-queued"))
    follower.sync(*BUILDS)
    [row] = follower.rows("builds", build)
    assert (row["status"], row["result"], row["finish_time"]) == ("inProgress", None, None)

    follower.later(days=20)
    while row["status"] != "completed":
        follower.happen("build-finished")
        follower.sync(*BUILDS)
        [row] = follower.rows("builds", build)

    assert row["result"]
    assert {each["state"] for each in follower.rows("build_timeline_records", f"build_{build}")} == {"completed"}
    assert follower.wrong(*BUILDS) == []


def test_retried_build_gains_an_attempt(follower):
    """It was final, with its timeline read; afterwards both attempts are there and the build has its new end."""
    before = {(r["project_id"], r["id"]): r["finish_time"] for r in follower.rows("builds")}
    timelines = {(r["build_id"], r["timeline_id"]) for r in follower.rows("build_timeline_records")}
    sentence = follower.happen("build-retried")
    follower.sync(*BUILDS)
    [row] = follower.rows("builds", build_of(sentence))
    number = row["id"]

    assert row["finish_time"] > before[row["project_id"], number]
    after = {(r["build_id"], r["timeline_id"]) for r in follower.rows("build_timeline_records")}
    assert {each for each in timelines if each[0] == number} < {each for each in after if each[0] == number}
    assert follower.wrong(*BUILDS) == []


def test_tag_on_a_finished_build_is_seen(follower):
    """A tag moves no time that could be filtered by; builds that finished within the lookback are listed again."""
    sentence = follower.happen("build-tagged")
    assert follower.wrong("builds")

    follower.sync("builds")

    assert number_in(sentence, "build")
    assert follower.wrong("builds") == []


def test_build_deleted_by_retention_says_so(follower):
    """The build is flagged with ``retention``, its timeline with ``parent_deleted``."""
    with_timeline = {row["build_id"] for row in follower.rows("build_timeline_records")}
    number = 0
    while number not in with_timeline:
        number = number_in(follower.happen("build-deleted"), "build")
    follower.sync(*BUILDS)

    [row] = follower.rows("builds", f"id = {number}", live=False)
    records = follower.rows("build_timeline_records", f"build_id = {number}", live=False)
    assert row["_deleted_reason"] == "retention"
    assert {record["_deleted_reason"] for record in records} == {"parent_deleted"}
    assert follower.wrong(*BUILDS) == []


def test_running_build_that_was_purged_is_gone(follower):
    """No list holds it any more, and a read by its number says that it was destroyed."""
    number = number_in(follower.happen("build-queued"), "build")
    follower.sync(*BUILDS)
    pipelines = follower.world.pipelines
    build = next(each for each in pipelines.builds.all() if each.id == number)
    pipelines.builds.purge(build)
    follower.later(hours=1)
    follower.sync(*BUILDS)

    [row] = follower.rows("builds", f"id = {number}", live=False)
    assert row["_deleted_reason"] == "destroyed"


def test_purged_final_build_is_found_by_a_full_refresh(follower):
    """Nothing tells of it; the complete list no longer has it."""
    pipelines = follower.world.pipelines
    build = next(each for each in pipelines.builds.all() if each.finished and each.deleted_on is None)
    pipelines.builds.purge(build)
    follower.later(hours=1)
    follower.sync("builds", full_refresh=True)

    [row] = follower.rows("builds", f"id = {build.id} AND project_id = '{build.project_id}'", live=False)
    assert row["_deleted_reason"] == "destroyed"
    assert follower.wrong("builds") == []


def test_build_without_a_timeline_is_asked_once(follower):
    """It failed before it got a plan: that there is nothing is remembered."""
    number = number_in(follower.happen("build-without-timeline"), "build")
    running = len(follower.rows("builds", "status <> 'completed'"))
    first = follower.sync(*BUILDS)
    second = follower.sync(*BUILDS)

    assert first[TIMELINE] == running + 1
    assert second[TIMELINE] == running
    assert follower.rows("builds", f"id = {number}")[0]["result"] == "failed"
    assert follower.rows("build_timeline_records", f"build_id = {number}") == []


@pytest.mark.parametrize("scenario", ["release-redeployed", "release-approved", "release-abandoned"])
def test_release_that_changes_weeks_later_is_read_again(follower, scenario):
    """Nothing of it is in the window of creation: its deployments, or what the list shows of it, lead to it."""
    follower.later(days=30)
    follower.sync(*RELEASES)
    deployments = len(follower.rows("release_deployments"))
    before = {(row["project_id"], row["id"]): row for row in follower.rows("releases")}
    follower.happen(scenario)
    follower.sync(*RELEASES)
    changed = [row for row in follower.rows("releases") if row != before[row["project_id"], row["id"]]]

    assert len(changed) == 1
    assert (changed[0]["status"] == "abandoned") == (scenario == "release-abandoned")
    assert (len(follower.rows("release_deployments")) > deployments) >= (scenario == "release-redeployed")
    assert follower.wrong(*RELEASES) == []


def test_release_that_was_deleted_comes_back_whole(follower):
    """Flagged with environments and deployments; restored with its old times, all of it is live again."""
    world = follower.world
    releases = [each for p in world.live_projects() for each in world.pipelines.releases.of(p.id) if not each.deleted]
    release = random.Random(1).choice([each for each in releases if any(each.deployments())])
    ours = f"release_id = {release.id} AND project_id = '{release.project_id}'"
    changes = world.pipelines._release_changes
    held = len(follower.rows("release_deployments", ours))

    follower.later(minutes=30)
    changes.delete(release, world.clock.now())
    follower.sync(*RELEASES)
    [row] = follower.rows("releases", ours.removeprefix("release_"), live=False)
    assert row["_deleted_reason"] == "deleted"
    assert {each["_deleted_reason"] for each in follower.rows("release_environments", ours, live=False)} == {
        "parent_deleted"
    }
    assert follower.rows("release_deployments", ours) == []

    follower.later(days=3)
    changes.restore(release, world.clock.now())
    follower.sync(*RELEASES)
    assert len(follower.rows("release_deployments", ours)) == held > 0
    assert follower.wrong(*RELEASES) == []


def test_release_that_was_deleted_all_along_is_restored_with_its_old_deployments(follower):
    """Neither it nor they were ever read, and their times are long before the watermark."""
    world = follower.world
    deleted = [each for p in world.live_projects() for each in world.pipelines.releases.of(p.id) if each.deleted]
    release = next(each for each in deleted if any(each.deployments()))
    ours = f"release_id = {release.id} AND project_id = '{release.project_id}'"
    assert follower.rows("release_deployments", ours) == []
    follower.later(days=3)
    world.pipelines._release_changes.restore(release, world.clock.now())

    follower.sync(*RELEASES)

    assert len(follower.rows("release_deployments", ours)) == sum(1 for _ in release.deployments())
    assert follower.wrong(*RELEASES) == []
