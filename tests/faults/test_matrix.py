"""A cut of the matrix that every run of the tests plays; ``make faults`` plays all of it."""

import random
from collections import Counter

import orjson
import pytest

from chassis.faults import POINTS
from tests.faults.deeds import comes_to
from tests.faults.matrix import Cell, cut, matrix
from tests.faults.play import Outcome, play, read_outcome
from tests.faults.world import World


@pytest.mark.parametrize("cell", list(cut()), ids=lambda cell: cell.name)
async def test_nothing_is_lost_doubled_or_oversold(world: World, cell: Cell) -> None:
    outcome = await play(world, cell, random.Random(20261122))
    assert not outcome.findings
    assert outcome.orders


def test_every_fault_point_has_processes_that_come_to_it() -> None:
    assert all(comes_to(point) for point in POINTS)


def test_no_two_cells_have_the_same_name() -> None:
    names = [cell.name for cell in matrix()]
    assert len(names) == len(set(names))


def test_an_outcome_is_read_as_it_was_kept() -> None:
    outcome = Outcome("a cell", Counter({"SIGKILL": 2}), 7, 1, 0.5, ("something",))
    assert read_outcome(orjson.dumps(outcome)) == outcome
