"""The end of an event process."""

import asyncio

import pytest

from chassis.runtime.worker import ended


async def test_a_part_that_loses_a_cancellation_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.runtime.worker.CANCEL_AGAIN_SECONDS", 0.05)
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
        await ended(task)
    assert (task.cancelled(), lost) == (True, 2)
