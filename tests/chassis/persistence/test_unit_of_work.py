"""The unit of work in memory: what is prefetched, changed and undone."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, NotPrefetched, UnitOfWork, next_time

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def unit() -> UnitOfWork:
    return UnitOfWork(NOW)


def rows(unit: UnitOfWork, **found: int) -> IdentityMap[str, int]:
    made: IdentityMap[str, int] = IdentityMap(unit)
    made.prefetch("a", "b")
    made.fill(found)
    return made


def test_a_row_that_was_not_prefetched_cannot_be_read(unit: UnitOfWork) -> None:
    with pytest.raises(NotPrefetched, match="'c'"):
        rows(unit).get("c")


def test_a_missing_row_is_none(unit: UnitOfWork) -> None:
    assert (rows(unit, a=1).get("a"), rows(unit, a=1).get("b")) == (1, None)


def test_inserted_and_updated_rows_are_distinguished(unit: UnitOfWork) -> None:
    held = rows(unit, a=1)
    held.set("b", 2)
    held.set("a", 3)
    assert (held.changed, held.inserted, held.updated, held.original("a")) == ([2, 3], [2], [3], 1)


def test_a_failed_command_is_undone_alone(unit: UnitOfWork) -> None:
    held, log = rows(unit, a=1), AppendOnly[str](unit)

    with unit.undone_on_error(None, None):
        held.set("a", 2)
        log.add("first")

    def fail() -> None:
        with unit.undone_on_error(None, None):
            held.set("a", 3)
            held.set("a", 4)
            held.set("b", 5)
            log.add("second")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert (held.get("a"), held.get("b"), held.changed, log.added) == (2, None, [2], ["first"])


def test_time_grows_with_every_change_whatever_the_clock_says() -> None:
    assert next_time(NOW + timedelta(hours=1), NOW) == NOW + timedelta(hours=1)
    assert next_time(NOW - timedelta(hours=1), NOW) == NOW + timedelta(microseconds=1)
    assert next_time(NOW, NOW) > NOW
