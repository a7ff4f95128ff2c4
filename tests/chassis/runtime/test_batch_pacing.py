"""The pacing of loops: rounds in quick succession are spread out, a late one begins at once."""

import asyncio

import pytest

from chassis.runtime.batch_pacing import MOST_SECONDS, REST_TIMES, BatchPacer


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of every rest; they pass at once, by a clock of the test's own."""
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(round(seconds, 6))
        Clock.now += seconds

    monkeypatch.setattr("chassis.runtime.batch_pacing.sleep", rest)
    monkeypatch.setattr("chassis.runtime.batch_pacing.clock", lambda: Clock.now)
    return rests


class Clock:
    now = 100.0


async def round_of(pace: BatchPacer, seconds: float) -> None:
    async with pace:
        Clock.now += seconds


async def test_the_first_round_and_one_after_a_pause_begin_at_once(slept: list[float]) -> None:
    pace = BatchPacer(0.01)
    await round_of(pace, 0.002)
    Clock.now += 1.0
    await round_of(pace, 0.002)
    assert slept == []


async def test_short_rounds_begin_in_the_given_distance(slept: list[float]) -> None:
    pace = BatchPacer(0.01)
    for _ in range(3):
        await round_of(pace, 0.002)
    assert slept == [0.008, 0.008]


async def test_after_a_long_round_it_rests_longer_but_not_for_ever(slept: list[float]) -> None:
    pace = BatchPacer(0.01)
    for seconds in (0.02, 1.0, 0.0):
        await round_of(pace, seconds)
    assert slept == [0.02 * REST_TIMES, MOST_SECONDS]


async def test_after_a_round_of_many_it_rests_longer(slept: list[float]) -> None:
    pace = BatchPacer(0.001)
    for size in (20, 40, 1000, 0, 0):
        async with pace:
            Clock.now += 0.01
            pace.size = size
    assert slept == [0.01 * REST_TIMES, 0.04, 0.06, 0.01 * REST_TIMES]


async def test_a_round_that_failed_counts_too(slept: list[float]) -> None:
    pace = BatchPacer(0.01)
    with pytest.raises(ZeroDivisionError):
        async with pace:
            raise ZeroDivisionError
    await round_of(pace, 0.0)
    assert slept == [0.01]


async def test_a_cancelled_rest_leaves_the_pace_as_it_was() -> None:
    pace = BatchPacer(30.0)
    async with pace:
        pass
    resting = asyncio.create_task(round_of(pace, 0.0))
    await asyncio.sleep(0)
    resting.cancel()
    assert isinstance((await asyncio.gather(resting, return_exceptions=True))[0], asyncio.CancelledError)


async def test_after_a_full_round_the_next_begins_at_once(slept: list[float]) -> None:
    pace = BatchPacer(0.01)
    async with pace:
        Clock.now += 0.02
        pace.full = True
    await round_of(pace, 0.02)
    assert slept == []
    await round_of(pace, 0.0)
    assert slept == [0.02 * REST_TIMES], "fullness is of one round"
