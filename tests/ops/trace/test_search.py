"""The search for events without an index: few messages are read, nothing is missed, and it ends."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from ops.trace.search import EventSearch, Stream, open_search
from schemas import Message, StockReserved
from schemas.topics import STOCK_EVENTS
from tests.servers import Servers
from tests.topics import topics

NOW = datetime.now(UTC)
AGO = NOW - timedelta(days=30)


@dataclass
class Topic:
    """``stock.events`` of an installation, with two partitions."""

    servers: Servers
    prefix: str
    producer: AIOKafkaProducer

    async def publish(self, message: Message, at: datetime, partition: int | None = None) -> None:
        await self._send(message.key, message.value, at, partition, dict(message.headers))

    async def noise(self, count: int, begin: datetime, end: datetime) -> None:
        """Events about other orders, evenly over time."""
        step = (end - begin) / count
        for number in range(count):
            at = begin + number * step
            message = enveloped(StockReserved(order_id=uuid7(), lines=()), at=at)
            await self._send(message.key, message.value, at, number % 2, dict(message.headers))
        await self.producer.flush()

    async def _send(
        self, key: str, value: bytes, at: datetime, partition: int | None, headers: dict[str, str]
    ) -> None:
        await self.producer.send(
            self.prefix + STOCK_EVENTS,
            value,
            key=key.encode(),
            partition=partition,
            timestamp_ms=int(at.timestamp() * 1000),
            headers=[(name, text.encode()) for name, text in headers.items()],
        )

    @asynccontextmanager
    async def search(self, seconds: float = 30) -> AsyncIterator[EventSearch]:
        await self.producer.flush()
        async with open_search(self.servers.kafka, self.prefix, seconds) as search:
            yield search


@pytest.fixture
async def topic(servers: Servers) -> AsyncIterator[Topic]:
    async with (
        topics(servers.kafka, partitions=2) as prefix,
        AIOKafkaProducer(bootstrap_servers=servers.kafka, linger_ms=5) as producer,
    ):
        yield Topic(servers, prefix, producer)


def about(order_id: UUID, times: Sequence[datetime]) -> list[Message]:
    """The events about an order, as many as there are times."""
    event = StockReserved(order_id=order_id, lines=())
    return [enveloped(event, version, at) for version, at in enumerate(times, 1)]


async def test_few_messages_are_read_between_events_that_are_far_apart(topic: Topic) -> None:
    order_id = uuid7()
    times = [AGO + timedelta(days=day) for day in (5, 15, 25)]
    messages = about(order_id, times)
    before = AGO
    for message, at in zip(messages, times, strict=True):
        await topic.noise(4000, before, at)
        await topic.publish(message, at)
        before = at
    await topic.noise(4000, before, NOW)
    async with topic.search() as search:
        found = await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 3, times[0], times))
        assert [event.id for event in found] == [str(message.id) for message in messages]
        assert [event.version for event in found] == [1, 2, 3]
        assert search.read <= 3 * 500
        # Without the times of the events in between, all that lies between the first and the last is read.
        found = await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 3, times[0]))
        assert len(found) == 3
        assert search.read >= 4000


async def test_an_event_is_found_by_its_id_alone(topic: Topic) -> None:
    await topic.noise(2000, AGO, NOW - timedelta(hours=1))
    wanted = enveloped(StockReserved(order_id=uuid7(), lines=()))
    await topic.publish(wanted, NOW)
    async with topic.search() as search:
        event = await search.of_id(str(wanted.id), NOW)
        assert event is not None
        assert (event.type, event.order_id, event.topic) == ("stock.reserved", wanted.key, STOCK_EVENTS)
        assert search.read == 1
        assert await search.of_id(str(uuid7()), NOW) is None


async def test_a_key_that_moved_to_another_partition_is_found_in_both(topic: Topic) -> None:
    order_id = uuid7()
    times = [NOW - timedelta(hours=1), NOW - timedelta(minutes=30)]
    for partition, message in enumerate(about(order_id, times)):
        await topic.publish(message, times[partition], partition)
    async with topic.search() as search:
        found = await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 2, times[0], times))
    assert {(event.partition, event.version) for event in found} == {(0, 1), (1, 2)}


async def test_clocks_that_differ_by_more_than_the_margin_hide_nothing(topic: Topic) -> None:
    order_id = uuid7()
    times = [NOW - timedelta(hours=2), NOW - timedelta(hours=1)]
    first, second = about(order_id, times)
    await topic.publish(first, times[0])
    # Published, by the clock of the relay, an hour before it happened.
    await topic.publish(second, times[0])
    await topic.noise(10, times[0], NOW)
    async with topic.search() as search:
        found = await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 2, times[0], times))
    assert [event.version for event in found] == [1, 2]


async def test_an_event_that_was_published_twice_is_found_once(topic: Topic) -> None:
    order_id = uuid7()
    [message] = about(order_id, [NOW])
    for _ in range(2):
        await topic.publish(message, NOW)
    async with topic.search() as search:
        [event] = await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 2, NOW))
    assert event.offset == 0


async def test_a_message_that_is_no_event_is_shown_without_its_content(topic: Topic) -> None:
    order_id = uuid7()
    await topic.publish(Message(uuid7(), STOCK_EVENTS, str(order_id), {}, b"\xff Ada Lovelace"), NOW)
    async with topic.search() as search:
        [event] = await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 1, NOW))
    assert (event.type, event.id, event.version, event.order_id) == ("unreadable", None, None, None)
    assert "Ada" not in str(event)


async def test_a_search_ends_where_the_topics_ended_when_it_began(topic: Topic) -> None:
    order_id = uuid7()
    [message] = about(order_id, [NOW])
    async with topic.search() as search:
        await topic.publish(message, NOW)
        await topic.producer.flush()
        assert await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 1, NOW)) == []
        await search.note_ends()
        assert len(await search.of_stream(Stream(STOCK_EVENTS, str(order_id), 1, NOW))) == 1
    assert not search.cut_short


async def test_a_search_ends_when_its_time_is_over(topic: Topic) -> None:
    await topic.noise(10, AGO, NOW)
    async with topic.search(seconds=0) as search:
        assert await search.of_stream(Stream(STOCK_EVENTS, str(uuid7()), 1, AGO)) == []
        assert await search.of_trace(uuid4().hex, AGO, 10) == []
    assert (search.cut_short, search.read) == (True, 0)


async def test_the_events_of_a_trace_are_found_in_a_window_of_time(topic: Topic) -> None:
    trace_id = uuid4().hex
    for at in (NOW - timedelta(hours=2), NOW - timedelta(minutes=10)):
        [message] = about(uuid7(), [at])
        message = Message(
            message.id,
            message.topic,
            message.key,
            {**message.headers, "ce_traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"},
            message.value,
        )
        await topic.publish(message, at)
    async with topic.search() as search:
        assert len(await search.of_trace(trace_id, NOW - timedelta(hours=1), 10)) == 1
        assert len(await search.of_trace(trace_id, NOW - timedelta(hours=3), 10)) == 2
        assert await search.of_trace(uuid4().hex, NOW - timedelta(hours=3), 10) == []
