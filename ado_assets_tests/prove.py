"""Tell a long history whose every step is drawn from one seed, and print what it exercised: ``make prove``."""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections.abc import Collection, Sequence

from ado_assets.sync import FEEDS
from ado_assets_tests.history import CONNECTORS, History


def random_step(history: History, rng: random.Random) -> None:
    """Take one step of any kind."""
    scenarios = history.world.scenarios()
    kind = rng.choices(("scenario", "days", "time", "sync", "interrupted", "run"), (60, 6, 6, 18, 9, 1))[0]
    match kind:
        case "scenario":
            history.happen(rng.choice(scenarios))
        case "days":
            history.days(rng.randrange(1, 4))
        case "time":
            history.time(rng.choice((1, 59, 3_700, 90_000, 15 * 86_400)))
        case "sync":
            random_sync(history, rng, ())
        case "interrupted":
            random_sync(history, rng, [(rng.randrange(1, 120), rng.choice(scenarios)) for _ in range(3)])
        case "run":
            history.run()


def random_sync(history: History, rng: random.Random, meanwhile: Sequence[tuple[int, str]]) -> None:
    """Sync a random part in a random way."""
    feeds: Collection[str] = tuple(FEEDS)
    match rng.randrange(3):
        case 0:
            feeds = rng.sample(feeds, rng.randrange(1, 9))
        case 1:
            connector = rng.choice(CONNECTORS)
            feeds = [name for name, feed in FEEDS.items() if feed.tables[0].connector == connector]
    known = history.projects()
    projects = rng.sample(known, rng.randrange(1, len(known) + 1)) if rng.random() < 0.3 and known else []
    names = [project.name for project in history.world.live_projects()]
    without = rng.sample(names, 1) if rng.random() < 0.2 and not projects else []
    history.sync(feeds, projects=projects, without=without, full_refresh=rng.random() < 0.12, meanwhile=list(meanwhile))


def tell(seed: int, steps: int, each: int) -> int:
    """
    Tell a long history and print what it exercised; the number of comparisons that found something.

    Args:
        each: Steps between two comparisons.
    """
    rng, began, wrong = random.Random(seed), time.monotonic(), 0
    history = History(seed)
    try:
        for step in range(1, steps + 1):
            history.counts["steps"] += 1
            random_step(history, rng)
            if step % each and step < steps:
                continue
            found = history.settle()
            print(f"step {step}: {len(found)} findings, {time.monotonic() - began:.0f} s", flush=True)
            if found:
                wrong += 1
                print(history.explain(found), flush=True)
                history.told.append("(compared, with findings)")
            else:
                history.told.append("(compared, equal)")
    finally:
        for name, count in sorted(history.counts.items()):
            print(f"{count:7} {name}")
        print(f"{history.answers:7} answers of the API")
        print(f"{time.monotonic() - began:7.0f} seconds, {wrong} comparisons with findings")
        history.close()
    return wrong


def main() -> int:
    """The command line of ``make prove``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--each", type=int, default=10, help="steps between two comparisons")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    return 1 if tell(arguments.seed, arguments.steps, arguments.each) else 0


if __name__ == "__main__":
    sys.exit(main())
