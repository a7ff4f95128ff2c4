"""What is said about Kafka: whether it answers, and how far a group is behind."""

import asyncio
from collections.abc import Collection
from types import SimpleNamespace
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import REGISTRY

from chassis.messaging import broker_monitor
from chassis.messaging.broker_monitor import DESCRIBE_SECONDS, SILENT_SECONDS, BrokerMonitor
from chassis.messaging.topic_reader import Span, TopicReader
from chassis.persistence.errors import DatabaseUnavailable
from chassis.runtime.background import in_background
from deploy.local.ports import free_port
from tests.servers import Servers

GROUP, TOPIC = "monitored_svc", "stock.events"


def lag(topic: str = TOPIC) -> tuple[float | None, float | None]:
    """How far the group is behind: events, seconds."""
    labels = {"group": GROUP, "topic": topic}
    names = ("shop_consumer_lag", "shop_consumer_lag_seconds")
    events, seconds = (REGISTRY.get_sample_value(name, labels) for name in names)
    return events, seconds


async def test_the_lag_of_a_group_is_counted_until_it_has_committed(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_monitor, "LOOK_SECONDS", 0.05)
    monitor = BrokerMonitor(servers.kafka, prefix, GROUP, [TOPIC, "order.events"])
    with pytest.raises(DatabaseUnavailable):
        await monitor.check()
    async with asyncio.timeout(30), in_background(monitor.run(), "monitor"):
        async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
            for partition in (0, 1, 1):
                await producer.send_and_wait(f"{prefix}{TOPIC}", b"{}", partition=partition)
        await _until(3)
        await monitor.check()
        while not lag()[1]:
            await asyncio.sleep(0.02)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=servers.kafka, group_id=f"{prefix}{GROUP}", enable_auto_commit=False
        )
        async with consumer:
            for partition, behind in ((0, 2), (1, 0)):
                place = TopicPartition(f"{prefix}{TOPIC}", partition)
                consumer.assign([place])
                [end] = (await consumer.end_offsets([place])).values()
                await consumer.commit({place: end})
                await _until(behind)
        assert lag() == (0, 0)
        assert lag("order.events") == (0, 0), "a topic that is not there yet has no events"


async def _until(events: int) -> None:
    while lag()[0] != events:
        await asyncio.sleep(0.02)


async def test_brokers_that_cannot_be_reached_are_unavailable() -> None:
    monitor = BrokerMonitor(f"127.0.0.1:{free_port()}", "", GROUP, [TOPIC])
    async with in_background(monitor.run(), "monitor"):
        await asyncio.sleep(0.1)
        with pytest.raises(DatabaseUnavailable, match="brokers"):
            await monitor.check()


async def test_a_connection_that_is_never_answered_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSWER_SECONDS", "RETRY_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(broker_monitor, name, 0.05)
    connections, twice = 0, asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections == 2:
            twice.set()
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1")
    [address] = server.sockets
    monitor = BrokerMonitor(f"127.0.0.1:{address.getsockname()[1]}", "", GROUP, [TOPIC])
    async with server, in_background(monitor.run(), "monitor"):
        async with asyncio.timeout(20):
            await twice.wait()
        with pytest.raises(DatabaseUnavailable):
            await monitor.check()


class Described:
    """A reader that counts how often it had the topics described."""

    def __init__(self, *known: tuple[str, int]) -> None:
        self.known, self.descriptions = known, 0

    async def committed(self, _group: str) -> dict[tuple[str, int], int]:
        return {}

    async def places(self, _topics: object) -> tuple[tuple[str, int], ...]:
        self.descriptions += 1
        return self.known

    async def spans(self, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], Span]:
        return {place: Span(0, 4) for place in places}


async def test_topics_are_described_once_they_exist_and_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(broker_monitor, "time", SimpleNamespace(monotonic=lambda: now))
    monitor, reader = BrokerMonitor("nobody:1", "", GROUP, [TOPIC]), Described()

    async def look() -> tuple[float | None, int]:
        await monitor._look(cast("TopicReader", reader))
        return lag()[0], reader.descriptions

    assert [await look(), await look()] == [(0, 1), (0, 2)], "a topic that is missing may be created at any time"
    reader.known = ((TOPIC, 0),)
    assert [await look(), await look()] == [(4, 3), (4, 3)]
    reader.known = ((TOPIC, 0), (TOPIC, 1))
    now += DESCRIBE_SECONDS + 1
    assert [await look(), await look()] == [(8, 4), (8, 4)]


async def test_brokers_that_were_silent_for_a_while_are_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(broker_monitor, "time", SimpleNamespace(monotonic=lambda: now))
    monitor = BrokerMonitor("nobody:1", "", GROUP, [TOPIC])
    monitor._answered_at = now
    now += SILENT_SECONDS - 1
    await monitor.check()
    now += 2
    with pytest.raises(DatabaseUnavailable):
        await monitor.check()


def test_the_seconds_are_those_of_the_oldest_event_that_is_left() -> None:
    monitor = BrokerMonitor("nobody:1", "", GROUP, [TOPIC])
    for now, position, end, behind, seconds in (
        (0, 0, 0, 0, 0),
        (10, 0, 5, 5, 0),
        (20, 0, 9, 9, 10),
        (30, 5, 9, 4, 10),
        (40, 8, 12, 4, 20),
        (50, 12, 12, 0, 0),
        (60, 12, 13, 1, 0),
    ):
        monitor.note({(TOPIC, 0): position}, {(TOPIC, 0): Span(0, end), (TOPIC, 1): Span(0, 0)}, now)
        assert lag() == (behind, seconds)


def test_what_is_remembered_of_a_partition_is_bounded() -> None:
    monitor = BrokerMonitor("nobody:1", "", GROUP, [TOPIC])
    for now in range(5000):
        monitor.note({(TOPIC, 0): 0}, {(TOPIC, 0): Span(0, now + 1)}, float(now))
    assert lag() == (5000, 4999)
