"""``shop find``: events by their headers; the search reads only what it needs, and it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from ops import search
from ops.platform import Platform
from ops.search import Wanted, find
from schemas import Envelope, StockAdjusted, StockReserved, encode, golden
from tests.ops.cli.program import assert_failed, location, run
from tests.ops.world import World

FAR = 100_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


async def found(world: World, *options: str) -> list[dict[str, Any]]:
    result = await run("find", "--json", *options, **location(world))
    assert result.status == 0, result
    listed: list[dict[str, Any]] = result.json
    return listed


def platform(world: World) -> Platform:
    return Platform({}, world.servers.kafka, world.prefix)


async def test_the_events_with_a_key_are_found_on_all_topics_in_order(world: World) -> None:
    order_id = await world.confirmed()
    events = await found(world, "--key", str(order_id))
    assert [(one["type"], one["topic"], one["version"]) for one in events] == [
        ("order.placed", "order.events", 1),
        ("stock.reserved", "stock.events", 1),
        ("order.confirmed", "order.events", 2),
    ]
    assert {one["id"] for one in events} <= {str(message.id) for message in world.sent}
    assert events[1]["cause"] == events[0]["id"]
    assert events[0].keys() == {
        *("at", "type", "id", "topic", "partition", "offset", "key", "version", "trace", "cause"),
    }


async def test_with_a_key_only_its_partitions_are_read(world: World) -> None:
    order_id = await world.confirmed()
    for _ in range(20):
        await world.send(enveloped(golden.example(StockReserved).model_copy(update={"order_id": uuid7()})))
    one = await find(platform(world), Wanted(key=str(order_id)), limit=FAR)
    all_of_them = await find(platform(world), Wanted(key=str(order_id)), limit=FAR, all_partitions=True)
    assert list(one.events) == list(all_of_them.events)
    assert len(one.events) == 3
    assert one.read < all_of_them.read


async def test_topic_type_and_trace_narrow_a_search(world: World) -> None:
    key = str(await world.confirmed())
    assert [one["type"] for one in await found(world, "--key", key, "--type", "order.placed")] == ["order.placed"]
    both = await found(world, "--key", key, "--type", "order.placed", "--type", "stock.reserved")
    assert [one["type"] for one in both] == ["order.placed", "stock.reserved"]
    assert [one["type"] for one in await found(world, "--key", key, "--topic", "stock.events")] == ["stock.reserved"]
    event = golden.example(StockAdjusted)
    traced = encode(Envelope(uuid7(), "/shopstream/test", datetime.now(UTC), 1, event, None, PARENT))
    await world.send(traced)
    for given in (TRACE, TRACE.upper(), PARENT):
        assert [one["id"] for one in await found(world, "--trace", given)] == [str(traced.id)]


async def test_times_limit_a_search(world: World) -> None:
    early = await world.confirmed()
    await asyncio.sleep(0.05)
    between = datetime.now(UTC)
    await asyncio.sleep(0.05)
    late = await world.confirmed()
    moment = between.isoformat()
    keys = {one["key"] for one in await found(world, "--since", moment)}
    assert str(late) in keys
    assert str(early) not in keys
    keys = {one["key"] for one in await found(world, "--until", moment, "--limit", str(FAR))}
    assert str(early) in keys
    assert str(late) not in keys
    assert str(late) in {one["key"] for one in await found(world, "--since", "5m", "--limit", str(FAR))}
    assert await found(world, "--since", "2020-01-01", "--until", "2020-01-02T00:00Z") == []


async def test_a_search_by_time_does_not_read_what_is_older(world: World) -> None:
    await world.confirmed()
    future = Wanted(since=datetime.now(UTC) + timedelta(hours=1))
    assert (await find(platform(world), future, limit=FAR)).read == 0
    past = Wanted(until=datetime.now(UTC) - timedelta(hours=1))
    assert (await find(platform(world), past, limit=FAR)).read == 0


async def test_an_event_whose_relay_had_a_slow_clock_is_found(world: World) -> None:
    """Its time is before that of an event which was published earlier."""
    now = datetime.now(UTC)
    slow = enveloped(golden.example(StockAdjusted))
    await publish(world, slow, now + timedelta(minutes=30, seconds=30))
    late = enveloped(golden.example(StockAdjusted))
    await publish(world, late, now + timedelta(minutes=30))
    wanted = Wanted(since=now + timedelta(minutes=20), until=now + timedelta(minutes=30, seconds=10))
    assert [one.id for one in (await find(platform(world), wanted, limit=FAR)).events] == [str(late.id)]


async def publish(world: World, message: Any, at: datetime) -> None:
    headers = [(name, value.encode()) for name, value in message.headers.items()]
    topic, millis = world.prefix + message.topic, int(at.timestamp() * 1000)
    await world.producer.send_and_wait(
        topic, message.value, key=message.key.encode(), headers=headers, timestamp_ms=millis
    )


async def test_a_limit_shows_the_first_events_and_says_that_there_are_more(world: World) -> None:
    await world.confirmed()
    everything = await find(platform(world), Wanted(), limit=FAR)
    result = await run("find", "--json", "--limit", "3", **location(world))
    assert [UUID(one["id"]) for one in result.json] == [UUID(str(one.id)) for one in everything.events[:3]]
    assert result.status == 0
    assert "there are more than 3" in result.err


async def test_values_are_never_shown(world: World) -> None:
    await world.confirmed()
    shown = await run("find", "--limit", str(FAR), **location(world))
    listed = await run("find", "--limit", str(FAR), "--json", **location(world))
    for secret in ("London", "SW1Y", "ada@"):
        assert secret not in shown.out + listed.out
    assert "order.placed" in shown.out


async def test_what_is_no_event_is_listed_and_stops_nothing(world: World) -> None:
    topic = world.prefix + "order.events"
    await world.producer.send_and_wait(topic, None, key=b"\xff")
    await world.producer.send_and_wait(topic, b"x", headers=[("ce_type", b"\xff"), ("ce_aggregateversion", b"-1")])
    events = await found(world, "--topic", "order.events", "--limit", str(FAR))
    assert [one["type"] for one in events if one["id"] is None] == [None, "\ufffd"]


async def test_a_search_ends_while_events_are_published(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requested elsewhere: provectus/kafka-ui and akhq search until somebody stops them (akhq#1834)."""
    monkeypatch.setattr("ops.topics.BATCH_SIZE", 1)
    async with publishing(world):
        before = await find(platform(world), Wanted(), limit=FAR)
        async with asyncio.timeout(60):
            after = await find(platform(world), Wanted(), limit=FAR)
    assert len(after.events) >= len(before.events) > 0


@asynccontextmanager
async def publishing(world: World) -> AsyncIterator[None]:
    async def publish_on_and_on() -> None:
        while True:
            await world.send(enveloped(golden.example(StockAdjusted)))

    task = asyncio.create_task(publish_on_and_on())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--type", "order.plced"), "did you mean order.placed?"),
        (("--topic", "orders"), "there is no topic 'orders'"),
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--since", "99999999999w"), "is no time"),
        (("--trace", "1"), "is no trace id"),
        (("--limit", "0"), "greater than or equal to 1"),
        (("--topik", "x"), "No such option: --topik"),
    ],
)
async def test_a_mistake_is_one_line(options: tuple[str, ...], words: str) -> None:
    assert_failed(await run("find", *options), words, "(see shop find --help)")


async def test_an_unreachable_broker_is_named(world: World) -> None:
    result = await run("find", **location(world, KAFKA_PREFIX="unknown."))
    assert_failed(result, "cannot search the topics: kafka: ", "unknown.order.events")


def test_a_message_without_headers_is_no_event() -> None:
    class Message:
        headers, key, timestamp, partition, offset = None, None, 0, 1, 2

    event = search.event_of("order.events", Message())
    assert (event.type, event.id, event.key, event.version, event.trace) == (None, None, None, None, None)
