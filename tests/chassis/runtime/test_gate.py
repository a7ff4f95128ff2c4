"""Few at once, some wait, the others are turned away; and calls that want the same share one."""

import asyncio
from collections import Counter
from functools import partial

import pytest

from chassis.runtime.gate import Gate
from chassis.runtime.single_flight import SingleFlight


class Busy(Exception):
    pass


async def hold(gate: Gate, until: asyncio.Event, outcomes: Counter[str]) -> None:
    try:
        async with gate.enter():
            outcomes["inside"] += 1
            await until.wait()
    except Busy:
        outcomes["refused"] += 1


async def test_some_are_inside_some_wait_and_the_others_are_refused() -> None:
    gate, done, outcomes = Gate(2, 3, 30.0, Busy), asyncio.Event(), Counter[str]()
    callers = [asyncio.create_task(hold(gate, done, outcomes)) for _ in range(10)]
    await asyncio.sleep(0.01)
    assert outcomes == {"inside": 2, "refused": 5}
    done.set()
    await asyncio.gather(*callers)
    assert outcomes == {"inside": 5, "refused": 5}


async def test_nobody_waits_longer_than_said() -> None:
    gate, done, outcomes = Gate(1, 5, 0.02, Busy), asyncio.Event(), Counter[str]()
    first = asyncio.create_task(hold(gate, done, outcomes))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        async with gate.enter():
            pass
    done.set()
    await first
    async with gate.enter():
        pass


async def test_an_error_inside_and_a_caller_who_gives_up_leave_their_places() -> None:
    gate, done = Gate(1, 1, 30.0, Busy), asyncio.Event()
    with pytest.raises(ZeroDivisionError):
        async with gate.enter():
            raise ZeroDivisionError
    first = asyncio.create_task(hold(gate, done, Counter()))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(hold(gate, done, Counter()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    done.set()
    await first
    async with gate.enter():
        pass


async def test_calls_for_the_same_key_share_one() -> None:
    share, calls, done = SingleFlight[int](), Counter[str](), asyncio.Event()

    async def call(key: str) -> int:
        calls[key] += 1
        await done.wait()
        return calls[key]

    results = [asyncio.create_task(share(key, partial(call, key))) for key in "aab"]
    await asyncio.sleep(0)
    results[0].cancel()
    await asyncio.sleep(0)
    done.set()
    assert await asyncio.gather(*results[1:]) == [1, 1]
    assert await share("a", lambda: call("a")) == 2


async def test_all_callers_get_the_error_of_their_call() -> None:
    share = SingleFlight[int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    results = await asyncio.gather(*(share(1, fail) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError] * 3
