"""Work beside a block of code, and its end."""

import asyncio

import pytest

from chassis.runtime.background import ended, in_background


async def test_a_part_that_loses_a_cancellation_ends_all_the_same() -> None:
    lost = 0

    async def part() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(part())
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await ended(task, patience=0.05)
    assert (task.cancelled(), lost) == (True, 2)


async def test_work_in_the_background_ends_with_its_block_however_that_ends() -> None:
    tasks = []

    async def work() -> None:
        await asyncio.sleep(3600)

    async def block() -> None:
        async with in_background(work(), "work") as task:
            tasks.append(task)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await block()
    assert tasks[0].cancelled()
