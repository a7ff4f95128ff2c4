"""Topics are read in the order in which they were published, and no further than was asked for."""

import asyncio
import random
from collections import Counter
from operator import attrgetter
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.messaging import topic_reader
from chassis.messaging.topic_reader import Place, ReadRecord, Span, open_reader
from deploy.topics import create_topics
from tests.servers import Servers

TOPICS, PARTITIONS = ("order.events", "stock.events"), 3
BEGIN = 1_790_000_000_000
"""Milliseconds since 1970."""


@pytest.fixture
async def prefix(servers: Servers) -> str:
    """Of topics of this test."""
    made = f"t{uuid4().hex[:8]}."
    await create_topics(servers.kafka, prefix=made, partitions=PARTITIONS)
    return made


async def publish(servers: Servers, prefix: str, counts: dict[str, int]) -> dict[int, Place]:
    """Publish so many records of each topic, every one at a millisecond of its own; return moment → partition."""
    rng, moments = random.Random(1), iter(range(BEGIN, BEGIN + sum(counts.values())))
    names = [topic for topic, count in counts.items() for _ in range(count)]
    rng.shuffle(names)
    places = {at: (topic, rng.randrange(PARTITIONS)) for topic, at in zip(names, moments, strict=True)}
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        sent = [
            await producer.send(prefix + topic, b"{}", partition=partition, timestamp_ms=at)
            for at, (topic, partition) in places.items()
        ]
        await asyncio.gather(*sent)
    return places


async def read(servers: Servers, prefix: str, spans: dict[Place, Span]) -> list[ReadRecord]:
    async with (
        asyncio.timeout(60),
        open_reader(servers.kafka, prefix) as reader,
        reader.merged(spans) as chunks,
    ):
        return [one async for records in chunks for one in records]


@pytest.mark.parametrize(("fetched", "chunk"), [(50, 500), (3, 7), (1, 1)])
async def test_spans_are_merged_in_the_order_of_their_records(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch, fetched: int, chunk: int
) -> None:
    monkeypatch.setattr(topic_reader, "FETCHED", fetched)
    monkeypatch.setattr(topic_reader, "CHUNK", chunk)
    places = await publish(servers, prefix, {"order.events": 90, "stock.events": 20})
    # All but the first two and the last two of each partition.
    spans = {place: Span(2, count - 2) for place, count in Counter(places.values()).items()}
    expected, offsets = list[int](), Counter[Place]()
    for at, place in places.items():
        if spans[place].first <= offsets[place] < spans[place].end:
            expected.append(at)
        offsets[place] += 1
    assert list(map(attrgetter("at"), await read(servers, prefix, spans))) == expected


async def test_what_has_been_read_is_not_requested_again(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request for nothing but what is not there yet would keep the others waiting."""
    paused = set[TopicPartition]()

    def pause(self: AIOKafkaConsumer, *partitions: TopicPartition) -> None:
        paused.update(partitions)
        original(self, *partitions)

    original = AIOKafkaConsumer.pause
    monkeypatch.setattr(AIOKafkaConsumer, "pause", pause)
    places = await publish(servers, prefix, {"order.events": 200, "stock.events": 5})
    spans = {place: Span(0, count) for place, count in Counter(places.values()).items()}
    assert len(await read(servers, prefix, spans)) == len(places)
    assert paused == {TopicPartition(prefix + topic, partition) for topic, partition in spans}
