"""Where a group begins a topic that it has not read before, on both databases."""

from structlog.testing import capture_logs

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers
from schemas import CATALOGUE, Event
from tests.chassis.replay.world import GROUP, World
from tests.chassis.tally import HANDLERS, Count, Tallies, counted, letters, tally

STOCK_LOW: type[Event] = CATALOGUE["stock.low", 1]
ORDER_PLACED: type[Event] = CATALOGUE["order.placed", 1]


def consumer(world: World, handlers: Handlers[Tallies] = HANDLERS) -> Consumer[Tallies]:
    return Consumer(world.database, GROUP, Tallies, handlers)


async def test_a_new_group_begins_at_the_beginning(world: World) -> None:
    records = await world.publish([counted("A", "1"), counted("A", "2")], partition=0)
    reader = consumer(world)
    await reader.begin(world.kafka, world.prefix)
    await reader.handle(records)
    found = await tally(world.database, "A")
    assert found is not None
    assert found.seen == "1 2 "


async def test_a_topic_that_an_existing_group_adds_begins_at_its_end(world: World) -> None:
    """With its first start the group knew another topic; the log names the replay that brings the history."""
    others: Handlers[Tallies] = {ORDER_PLACED: Count}
    await consumer(world, others).begin(world.kafka, world.prefix)
    history = await world.publish([counted("A", "old"), counted("A", "older")], partition=0)
    reader = consumer(world, {**others, **HANDLERS})
    with capture_logs() as logs:
        await reader.begin(world.kafka, world.prefix)
    [line] = [one for one in logs if one["event"] == "topic begun at its end"]
    assert line["history"].startswith("shop replay plan tally_svc --topic stock.events")
    live = await world.publish([counted("A", "new")], partition=0)
    # A restart changes nothing, nor does a partition without history.
    restarted = consumer(world, {**others, **HANDLERS})
    await restarted.begin(world.kafka, world.prefix)
    await restarted.handle([*history, *live])
    await restarted.handle(await world.publish([counted("B", "new")], partition=1))
    for sku in "AB":
        found = await tally(world.database, sku)
        assert found is not None
        assert found.seen == "new "
    assert await letters(world.database) == []
    await world.commit_all()
    plan = await world.plan()
    assert plan.counts is not None
    assert plan.counts.to_bring == 2


async def test_a_topic_that_was_empty_for_long_is_no_new_one(world: World) -> None:
    """No offset was ever committed for it; what arrives while the process is down must not be lost."""
    reader = consumer(world)
    await reader.begin(world.kafka, world.prefix)
    records = await world.publish([counted("A", "1")], partition=0)
    restarted = consumer(world)
    await restarted.begin(world.kafka, world.prefix)
    await restarted.handle(records)
    assert await tally(world.database, "A") is not None
