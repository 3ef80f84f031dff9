"""
The proof: whatever happens, in whatever order, the next complete sync makes every table equal to the organization.

Hypothesis chooses what happens: named changes, days of activity, syncs of parts in every way, changes while a listing
is being paged. ``make prove`` tells one long history instead.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ado_assets.sample import World
from ado_assets.sync import FEEDS
from ado_assets_tests.history import CONNECTORS, History

HISTORIES = int(os.environ.get("PROOF_HISTORIES", "3"))
STEPS = int(os.environ.get("PROOF_STEPS", "24"))
#: Changes between two comparisons, so that one of them explains a finding.
MOST_CHANGES = 6

scenarios = st.sampled_from(World("tiny").scenarios())
feeds = st.one_of(
    st.sets(st.sampled_from(list(FEEDS)), min_size=1, max_size=8),
    st.sampled_from(CONNECTORS).map(lambda c: {name for name, f in FEEDS.items() if f.tables[0].connector == c}),
    st.just(set(FEEDS)),
)


class Organization(RuleBasedStateMachine):
    """An organization and the warehouse that follows it."""

    def __init__(self) -> None:
        super().__init__()
        self.history: History | None = None
        self.changes = 0

    @initialize(seed=st.integers(1, 1000))
    def begin(self, seed: int) -> None:
        self.history = History(seed)

    @rule(name=scenarios)
    def change(self, name: str) -> None:
        self.history.happen(name)
        self.changes += 1

    @rule(days=st.integers(1, 3))
    def days(self, days: int) -> None:
        self.history.days(days)
        self.changes += 1

    @rule(seconds=st.sampled_from((1, 3_700, 90_000, 15 * 86_400)))
    def time(self, seconds: int) -> None:
        self.history.time(seconds)

    @rule(some=feeds, which=st.integers(0, 7), full_refresh=st.integers(0, 7))
    def sync(self, some: set[str], which: int, full_refresh: int) -> None:
        """Some feeds; of every project, of one of them, or of all but one that the configuration leaves out."""
        known = self.history.projects()
        projects = [known[which % len(known)]] if which in (1, 2, 3) and known else []
        names = [project.name for project in self.history.world.live_projects()]
        without = [names[which % len(names)]] if which in (4, 5) else []
        self.history.sync(some, projects=projects, without=without, full_refresh=not full_refresh)

    @rule(some=feeds, meanwhile=st.lists(st.tuples(st.integers(1, 80), scenarios), min_size=1, max_size=3))
    def change_while_reading(self, some: set[str], meanwhile: list[tuple[int, str]]) -> None:
        self.history.sync(some, meanwhile=meanwhile)
        self.changes += 1

    @precondition(lambda self: self.changes >= MOST_CHANGES)
    @rule()
    def compare(self) -> None:
        self._compare()

    def _compare(self) -> None:
        self.changes = 0
        found = self.history.settle()
        assert not found, self.history.explain(found)

    def teardown(self) -> None:
        if self.history is None:
            return
        try:
            self._compare()
        finally:
            self.history.close()


TestOrganization = Organization.TestCase
TestOrganization.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=STEPS,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def test_an_installation_follows_the_organization() -> None:
    """What Dagster runs over HTTP, and the syncs in between, make of a history equals the organization, too."""
    history = History(5)
    try:
        history.run()
        for name in ("project-renamed", "work-item-moved", "pr-completed", "build-retried", "repository-deleted"):
            history.happen(name)
        history.sync(("projects", "work_items", "pull_requests"))
        history.days(2)
        history.run()
        found = history.findings()
        assert not found, history.explain(found)
    finally:
        history.close()
