"""Reads topics as a bystander: no group, no commits; partitions merged by time, so that moved keys keep their order.

The adapter to aiokafka's consumer and admin client.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaTimeoutError
from aiokafka.protocol.metadata import MetadataRequest

from chassis.messaging.brokers import client_options
from chassis.messaging.records import KafkaRecord

CHUNK = 500
"""At most so many messages are given at a time."""
FETCHED = 50
"""At most so many messages are taken at a time: aiokafka decodes them in one go, and the garbage collector looks at
all that wait again and again."""
WAIT_MILLISECONDS = 1000
STOP_SECONDS = 1.0
SILENCE_SECONDS = 60.0
"""A broker that delivers nothing for so long, although there is more to read, is away."""

Place = tuple[str, int]
"""A topic without the prefix of the installation, and a partition."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a partition: ``first`` ≤ offset < ``end``."""

    first: int
    end: int

    def __len__(self) -> int:
        return max(0, self.end - self.first)


class ReadRecord(NamedTuple):
    """A record, and when it was published, in milliseconds since 1970."""

    record: KafkaRecord
    at: int


class TopicReader:
    """The topics of one installation."""

    def __init__(
        self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, bootstrap_servers: str, prefix: str
    ) -> None:
        self._consumer, self._admin = consumer, admin
        self._bootstrap_servers, self._prefix = bootstrap_servers, prefix

    async def committed(self, group: str) -> Mapping[Place, int]:
        """The offsets that a group has committed."""
        found = await self._admin.list_consumer_group_offsets(self._prefix + group)
        return {self._place(one): offset.offset for one, offset in found.items() if offset.offset >= 0}

    async def existing(self, topics: Collection[str]) -> Mapping[Place, Span]:
        """What is on the topics now."""
        return await self.spans(await self.places(topics))

    async def places(self, topics: Collection[str]) -> Collection[Place]:
        """The partitions that the topics have."""
        # Not describe_topics: with it a broker may create a topic that is requested by name, and to describe all that
        # there are can take seconds. (Checked with aiokafka 0.14.0.)
        request = MetadataRequest([self._prefix + topic for topic in topics], allow_auto_topic_creation=False)
        described = (await self._admin._send_request(request)).to_object()["topics"]
        known = {one["topic"]: one["partitions"] for one in described if not one["error_code"]}
        return [
            (topic, int(partition["partition"]))
            for topic in sorted(topics)
            for partition in known.get(self._prefix + topic, ())
        ]

    async def spans(self, places: Collection[Place]) -> Mapping[Place, Span]:
        """What is in partitions now."""
        partitions = [self._partition(place) for place in places]
        if not partitions:
            return {}
        first = await self._consumer.beginning_offsets(partitions)
        end = await self._consumer.end_offsets(partitions)
        return {self._place(one): Span(first[one], end[one]) for one in partitions}

    async def offsets_at(self, places: Collection[Place], milliseconds: int) -> Mapping[Place, int | None]:
        """The first offsets whose messages were published at this time or later; None where there is none."""
        found = await self._consumer.offsets_for_times({self._partition(place): milliseconds for place in places})
        return {self._place(one): at and at.offset for one, at in found.items()}

    @asynccontextmanager
    async def merged(self, spans: Mapping[Place, Span]) -> AsyncIterator[AsyncIterator[list[ReadRecord]]]:
        """The records of spans in the order in which they were published, in lists."""
        wanted = {self._partition(place): span for place, span in spans.items() if len(span)}
        if not wanted:
            yield _nothing()
            return
        # A consumer of its own: aiokafka's fetcher ends with an error where one that is assigned is unsubscribed.
        async with _started(self._bootstrap_servers) as consumer:
            consumer.assign(list(wanted))
            for partition, span in wanted.items():
                consumer.seek(partition, span.first)
            yield _merge(consumer, wanted, self._read)

    async def read_one(self, place: Place, offset: int) -> ReadRecord | None:
        """One record; None if it is gone."""
        span = (await self.existing([place[0]])).get(place)
        if span is None or not span.first <= offset < span.end:
            return None
        async with self.merged({place: Span(offset, offset + 1)}) as chunks:
            async for records in chunks:
                return records[0]
        return None

    def _read(self, message: Any) -> ReadRecord:
        topic = message.topic.removeprefix(self._prefix)
        record = KafkaRecord(
            topic, message.partition, message.offset, message.key, tuple(message.headers or ()), message.value
        )
        return ReadRecord(record, message.timestamp)

    def _partition(self, place: Place) -> TopicPartition:
        return TopicPartition(self._prefix + place[0], place[1])

    def _place(self, partition: TopicPartition) -> Place:
        return str(partition.topic).removeprefix(self._prefix), int(partition.partition)


@asynccontextmanager
async def open_reader(bootstrap_servers: str, prefix: str) -> AsyncIterator[TopicReader]:
    """Connect; raise ``KafkaError``."""
    admin = AIOKafkaAdminClient(**client_options(bootstrap_servers))
    async with _started(bootstrap_servers) as consumer:
        try:
            await admin.start()
            yield TopicReader(consumer, admin, bootstrap_servers, prefix)
        finally:
            await admin.close()


@asynccontextmanager
async def _started(bootstrap_servers: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap_servers),
        enable_auto_commit=False,
        # A span that is gone is an error, not a reason to read something else.
        auto_offset_reset="none",
        # It waits so long for the leaders of each topic that it meets for the first time: by default, 0.1 s.
        retry_backoff_ms=20,
    )
    try:
        await consumer.start()
        # A partition that is read faster than others would wait so long for its next records: by default, 0.1 s.
        # (Private; checked with aiokafka 0.14.0.)
        consumer._fetcher._prefetch_backoff = 0.0
        yield consumer
    finally:
        await stop_consumer(consumer)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whatever it is doing.

    While aiokafka changes to other partitions it does not notice that it is to stop, and waits for itself for ever
    (checked with 0.14.0). A second request ends that.
    """
    stopping = asyncio.create_task(consumer.stop())
    while not stopping.done():
        _, late = await asyncio.wait([stopping], timeout=STOP_SECONDS)
        for one in late:
            one.cancel()
    if not stopping.cancelled():
        stopping.result()


async def _nothing() -> AsyncIterator[list[ReadRecord]]:
    none: Collection[list[ReadRecord]] = ()
    for records in none:
        yield records


async def _merge(
    consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, Span], read: Any
) -> AsyncIterator[list[ReadRecord]]:
    waiting: dict[TopicPartition, deque[ReadRecord]] = {partition: deque() for partition in spans}
    heads: list[tuple[int, int, TopicPartition]] = []
    order = {partition: nth for nth, partition in enumerate(spans)}
    to_fill = set(spans)
    merged: list[ReadRecord] = []
    while to_fill or heads:
        await _fill(consumer, spans, waiting, to_fill, read)
        for partition in [one for one in order if one in to_fill]:
            if waiting[partition]:
                heapq.heappush(heads, (waiting[partition][0].at, order[partition], partition))
        to_fill.clear()
        while heads and len(merged) < CHUNK:
            _, nth, partition = heapq.heappop(heads)
            queue = waiting[partition]
            merged.append(queue.popleft())
            if queue:
                heapq.heappush(heads, (queue[0].at, nth, partition))
            elif spans[partition].end > merged[-1].record.offset + 1:
                # Whatever comes next on this partition may be older than what the others have.
                to_fill.add(partition)
                break
        if len(merged) >= CHUNK:
            yield merged
            merged = []
    if merged:
        yield merged


async def _fill(
    consumer: AIOKafkaConsumer,
    spans: Mapping[TopicPartition, Span],
    waiting: Mapping[TopicPartition, deque[ReadRecord]],
    partitions: Collection[TopicPartition],
    read: Any,
) -> None:
    """Wait until each partition has a message, or its span has ended."""
    empty, since = set(partitions), time.monotonic()
    while empty:
        found = await consumer.getmany(*empty, timeout_ms=WAIT_MILLISECONDS, max_records=FETCHED)
        # It does not wait for what has arrived already, and live events would not have a turn.
        await asyncio.sleep(0)
        if found:
            since = time.monotonic()
        elif time.monotonic() - since > SILENCE_SECONDS:
            raise KafkaTimeoutError(f"no message for {SILENCE_SECONDS:g} s, although some are left to read")
        for partition, messages in found.items():
            waiting[partition].extend(read(one) for one in messages if one.offset < spans[partition].end)
        for partition in list(empty):
            # Not by the last message: a partition may end with control records, which no reader gets.
            at_end = await consumer.position(partition) >= spans[partition].end
            if at_end:
                # A request for nothing but what is not there yet would hold up the next one, for half a second.
                consumer.pause(partition)
            if waiting[partition] or at_end:
                empty.discard(partition)
