"""Whatever the service does at whatever endpoint: the tables stay true, and what could not be read is named."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest

from ado_assets.ado import AdoError
from ado_assets.sample import KINDS, Rule
from ado_assets.sync import FEEDS
from ado_assets_tests.fault_matrix import (
    EXACT,
    FAILED,
    FAULTS,
    LEFT_OUT,
    NOT_MET,
    PAGE,
    STOPPED,
    TYPICAL,
    Matrix,
    page,
)

#: What may come of a fault, where it has something to act on.
ENDS = {
    "empty page with token": {EXACT, FAILED},
    "503 for good": {FAILED, STOPPED},
    "401": {STOPPED},
    "403": {EXACT, LEFT_OUT, STOPPED},
    "404": {EXACT, LEFT_OUT, STOPPED},
}


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    logging.disable(logging.WARNING)
    built = Matrix()
    yield built
    built.close()
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("fault", TYPICAL)
def test_a_fault_at_every_endpoint(matrix: Matrix, fault: str) -> None:
    """No row is deleted or wrong, no watermark runs ahead, each failure says where and what to do."""
    matrix.wrong.clear()

    cells = matrix.cells(fault)

    assert not matrix.wrong, matrix.wrong[:10]
    assert set(cells.values()) - {NOT_MET} <= ENDS.get(fault, {EXACT}), cells
    assert cells == {each: row[fault] for each, row in documented().items()}


def test_changes_are_not_lost_in_bad_weather(matrix: Matrix) -> None:
    """Faults of all kinds at random while the organization changes: a later clean sync makes every table true."""
    history, rng = matrix.history, random.Random(5)
    for number in range(3):
        history.days(1)
        for fault in rng.sample(list(FAULTS), 8):
            rule = {**FAULTS[fault], "count": None, "probability": 0.04, "seed": number}
            history.world.faults.set(Rule(**rule))
        for name in FEEDS:
            try:
                matrix.sync(name, full_refresh=False)
            except AdoError:
                history.told.append(f"{name} was stopped")
        assert sum(rule.applied for rule in history.world.faults.rules) > 5
        history.world.faults.clear()

    found = history.settle()

    assert not found, history.explain(found)


def documented() -> dict[str, dict[str, str]]:
    """The committed table: endpoint -> fault -> what came of it."""
    found: dict[str, dict[str, str]] = {}
    names: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        values = [value.strip() for value in line.strip("|").split("|")]
        if line.startswith("| endpoint"):
            names = values[1:]
        elif line.startswith("| `"):
            found.setdefault(values[0].strip("`"), {}).update(zip(names, values[1:], strict=True))
    return found


def test_the_documented_table_is_of_these_faults_and_endpoints(matrix: Matrix) -> None:
    """``make faults`` was run since a fault or an endpoint was added."""
    table = documented()

    assert set(matrix.endpoints) == set(table)
    assert all(list(row) == list(FAULTS) for row in table.values())
    by_fault = {fault: {each: row[fault] for each, row in table.items()} for fault in FAULTS}
    assert PAGE.read_text(encoding="utf-8") == page(by_fault)
    assert set(KINDS) == {rule["kind"] for rule in FAULTS.values()}
