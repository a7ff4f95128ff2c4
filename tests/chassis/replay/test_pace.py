"""A job makes room for live events from its first batch on."""

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
