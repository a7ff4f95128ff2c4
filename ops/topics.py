"""Reads topics up to where they end at the start, without a consumer group and without commits."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from chassis.messaging.brokers import Brokers, client_options
from chassis.messaging.topic_reader import Span, stop_consumer
from ops.errors import CannotDo
from schemas.topics import TOPICS

SILENCE_SECONDS = 60.0
START_SECONDS = 20.0
BATCH_SIZE = 2000


class Topics:
    """Topics of one installation, up to where they ended when this was opened."""

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str, spans: dict[TopicPartition, Span]) -> None:
        self._consumer, self._prefix = consumer, prefix
        self._unread: dict[TopicPartition, int] = {}
        self.spans: Mapping[TopicPartition, Span] = spans
        """What each partition held when this was opened."""

    @property
    def truncated(self) -> set[str]:
        """The topics whose oldest messages were removed by retention."""
        return {self.name(partition) for partition, span in self.spans.items() if span.first > 0}

    def name(self, partition: TopicPartition) -> str:
        """A topic's name without the prefix of the installation."""
        return str(partition.topic).removeprefix(self._prefix)

    def partitions_of_key(self, key: str) -> set[TopicPartition]:
        """The partition of each topic to which the relays publish the events with a key."""
        partitions: dict[str, list[int]] = {}
        for partition in self.spans:
            partitions.setdefault(partition.topic, []).append(partition.partition)
        choose = DefaultPartitioner()
        return {
            TopicPartition(topic, choose(key.encode(), sorted(numbers), sorted(numbers)))
            for topic, numbers in partitions.items()
        }

    async def offsets_at(self, moment: datetime) -> dict[TopicPartition, int]:
        """The offset of each partition's first message that was published then or later; the end if there is none."""
        millis = max(0, int(moment.timestamp() * 1000))
        found = await self._consumer.offsets_for_times(dict.fromkeys(self.spans, millis))
        return {one: found[one].offset if found.get(one) else span.end for one, span in self.spans.items()}

    async def records(
        self, spans: Mapping[TopicPartition, Span] | None = None
    ) -> AsyncGenerator[tuple[TopicPartition, Sequence[Any]], None]:
        """Yield (partition, messages of it in order), batch by batch: of these spans, or of everything."""
        spans = self.spans if spans is None else spans
        spans = {one: span for one, span in spans.items() if len(span)}
        if not spans:
            return
        self._unread = {one: span.end for one, span in spans.items()}
        self._consumer.assign(list(spans))
        for partition, span in spans.items():
            self._consumer.seek(partition, span.first)
        while self._unread:
            for partition, found in (await self._next_batch()).items():
                if partition in self._unread:
                    yield partition, [one for one in found if one.offset < spans[partition].end]
            for partition in list(self._unread):
                # Not by the last message: a partition may end with control records, which no reader gets.
                if await self._consumer.position(partition) >= self._unread[partition]:
                    self.skip(partition)

    def skip(self, partition: TopicPartition) -> None:
        """Read no more of a partition; for use between two batches of ``records``."""
        if self._unread.pop(partition, None) is not None:
            self._consumer.pause(partition)

    async def _next_batch(self) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
            timeout_ms=int(SILENCE_SECONDS * 1000), max_records=BATCH_SIZE
        )
        if not found:
            raise CannotDo(f"kafka: no message for {SILENCE_SECONDS:g} s, although some are left to read")
        return found


@asynccontextmanager
async def open_topics(
    bootstrap_servers: str, prefix: str, names: Iterable[str] = TOPICS
) -> AsyncGenerator[Topics, None]:
    """Record where topics end, and open them for reading; raise ``CannotDo`` if they cannot be read."""
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap_servers),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=4 * 2**20,
        max_partition_fetch_bytes=512 * 1024,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            partitions = await partitions_of(bootstrap_servers, [prefix + name for name in names])
            await consumer.start()
            spans = await _spans(consumer, partitions)
        yield Topics(consumer, prefix, spans)
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreadable(bootstrap_servers, error) from error
    finally:
        await stop_consumer(consumer)


def unreadable(bootstrap_servers: str, error: Exception) -> CannotDo:
    """What to raise when the brokers do not answer."""
    return CannotDo(
        f"kafka: {Brokers.parse(bootstrap_servers).servers} cannot be read: {str(error) or type(error).__name__}"
    )


async def _spans(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Span]:
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    return {partition: Span(first[partition], end[partition]) for partition in partitions}


async def partitions_of(bootstrap_servers: str, topics: Sequence[str]) -> list[TopicPartition]:
    """All partitions of topics; raise ``CannotDo`` if one of them does not exist."""
    admin = AIOKafkaAdminClient(**client_options(bootstrap_servers))
    try:
        await admin.start()
        # All topics: a broker may create a topic that is requested by name.
        existing = {one["topic"]: one["partitions"] for one in await admin.describe_topics()}
    finally:
        await admin.close()
    if missing := [topic for topic in topics if topic not in existing]:
        raise CannotDo(f"kafka: {Brokers.parse(bootstrap_servers).servers} has no topic {', '.join(missing)}")
    return [TopicPartition(topic, partition["partition"]) for topic in topics for partition in existing[topic]]
