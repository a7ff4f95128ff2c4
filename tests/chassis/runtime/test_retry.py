"""Waiting until the database is back: every error that means "not now" is waited out, and no other."""

import asyncio
from typing import Any

import pytest

from chassis.http.errors import NotFound, OutcomeUnknown, Unavailable
from chassis.persistence.errors import CommitOutcomeUnknown, ConcurrentUpdate, DatabaseUnavailable
from chassis.runtime.periodic import run_periodically
from chassis.runtime.retry import retry_until_available

TEMPORARY = [DatabaseUnavailable("away"), CommitOutcomeUnknown("away"), Unavailable(), OutcomeUnknown()]


class Work:
    """Raises its errors in turn, then returns ``result``."""

    def __init__(self, *errors: Exception, result: int = 7) -> None:
        self.errors, self.result, self.calls = list(errors), result, 0

    async def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.result


async def retried(work: Work, **options: Any) -> int:
    return await retry_until_available(work, "test", first=0.001, most=0.002, **options)


@pytest.mark.parametrize("error", TEMPORARY, ids=lambda error: type(error).__name__)
async def test_work_is_repeated_while_the_database_is_unavailable(error: Exception) -> None:
    seen: list[BaseException] = []
    work = Work(error, error)
    assert await retried(work, on_retry=seen.append) == 7
    assert (work.calls, seen) == (3, [error, error])


@pytest.mark.parametrize("error", [NotFound(), ConcurrentUpdate("race"), RuntimeError("bug")])
async def test_other_errors_are_raised_at_once(error: Exception) -> None:
    work = Work(error)
    with pytest.raises(type(error)):
        await retried(work)
    assert work.calls == 1


async def test_further_errors_are_waited_out_where_the_caller_says_so() -> None:
    assert await retried(Work(ConcurrentUpdate("race")), also=(ConcurrentUpdate,)) == 7


async def test_a_full_round_is_followed_by_the_next_at_once_and_another_by_a_rest() -> None:
    rounds, resting = iter([5, 5, 2]), asyncio.Event()

    async def work() -> int:
        found = next(rounds)
        if found < 5:
            resting.set()
        return found

    running = asyncio.create_task(run_periodically(work, "test", full=5, seconds=3600.0))
    async with asyncio.timeout(5):
        await resting.wait()
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
