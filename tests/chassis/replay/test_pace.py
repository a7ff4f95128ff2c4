"""A job makes room for live events from its first batch on."""

import time
from types import SimpleNamespace

import pytest

from chassis.messaging.topic_reader import open_reader
from chassis.replay import pace
from chassis.replay.pace import GENTLE_BATCH, LiveConsumer, Pace
from tests.chassis.replay.world import World
from tests.chassis.tally import counted

MOST = 200


async def first_batch(world: World) -> int:
    async with open_reader(world.kafka, world.prefix) as reader:
        live = await LiveConsumer.watch(reader, world.group, world.target.topics)
        return Pace(live).batch(0, MOST)


async def test_a_job_that_begins_while_events_arrive_is_gentle_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await first_batch(world) == MOST
    monkeypatch.setattr(pace, "RECENT_SECONDS", 60.0)
    await world.publish([counted("A", "1")])
    assert await first_batch(world) == GENTLE_BATCH
    monkeypatch.setattr(pace, "RECENT_SECONDS", 0.0)
    assert await first_batch(world) == MOST, "long ago"


async def test_a_job_rests_no_longer_than_it_may_and_keeps_its_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, rests = 1000.0, list[float]()

    async def sleep(seconds: float) -> None:
        nonlocal now
        rests.append(seconds)
        now += seconds

    async def keep_lease() -> None:
        rests.append(0.0)

    monkeypatch.setattr(pace, "RECENT_SECONDS", 60.0)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: now, time=time.time))
    monkeypatch.setattr(pace, "asyncio", SimpleNamespace(sleep=sleep))
    await world.publish([counted("A", "1")])
    async with open_reader(world.kafka, world.prefix) as reader:
        job = Pace(await LiveConsumer.watch(reader, world.group, world.target.topics))
        now += 0.01
        await job.rest(keep_lease, 1)
        now += 60
        await job.rest(keep_lease, 1)
        assert rests == [pytest.approx(0.01 * pace.REST_TIMES_AFTER_EVENTS), pace.MOST_REST_SECONDS]
        rests.clear()
        await job.rest(keep_lease, 1, rate=0.4)
        assert rests == [1.0, 0.0, 1.0], "2.5 s after the event before, which was half a second ago"
