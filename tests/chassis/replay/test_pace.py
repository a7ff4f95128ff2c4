"""A job makes room for live events from its first batch on."""

import time
from types import SimpleNamespace

import pytest

from chassis.jobs.store import LEASE_SECONDS
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


async def test_a_job_that_was_held_up_does_not_rest_until_its_lease_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, rests = 1000.0, list[float]()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    async def keep_lease() -> None:
        raise AssertionError

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
    assert pace.MOST_REST_SECONDS < LEASE_SECONDS / 2
