"""The unit of work in memory: what is wanted, changed, and taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.unit import Log, NotWanted, Rows, Step, Unit, later

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def unit() -> Unit:
    return Unit(NOW)


def rows(unit: Unit, **found: int) -> Rows[str, int]:
    made: Rows[str, int] = Rows(unit)
    made.want("a", "b")
    made.hold(found)
    return made


def step(decide: Any) -> Step[Any, Any]:
    return Step(wants=lambda _: None, decide=decide)


def test_what_was_not_wanted_cannot_be_looked_at(unit: Unit) -> None:
    with pytest.raises(NotWanted, match="'c'"):
        rows(unit).find("c")


def test_what_is_not_there_is_none(unit: Unit) -> None:
    assert (rows(unit, a=1).find("a"), rows(unit, a=1).find("b")) == (1, None)


def test_made_and_amended_rows_are_told_apart(unit: Unit) -> None:
    held = rows(unit, a=1)
    held.put("b", 2)
    held.put("a", 3)
    assert (held.changed, held.made, held.amended, held.loaded("a")) == ([2, 3], [2], [3], 1)


def test_a_refused_step_is_taken_back_alone(unit: Unit) -> None:
    held, log = rows(unit, a=1), Log[str](unit)

    def accepted(_: Unit) -> None:
        held.put("a", 2)
        log.add("first")

    def refused(_: Unit) -> None:
        held.put("a", 3)
        held.put("a", 4)
        held.put("b", 5)
        log.add("second")
        raise ValueError

    unit.decide(step(accepted))
    with pytest.raises(ValueError):
        unit.decide(step(refused))
    assert (held.find("a"), held.find("b"), held.changed, log.added) == (2, None, [2], ["first"])


def test_time_grows_with_every_change_whatever_the_clock_says() -> None:
    assert later(NOW + timedelta(hours=1), NOW) == NOW + timedelta(hours=1)
    assert later(NOW - timedelta(hours=1), NOW) == NOW + timedelta(microseconds=1)
    assert later(NOW, NOW) > NOW
