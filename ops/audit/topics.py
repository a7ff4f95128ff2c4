"""Reads the topics from the first event to the last, without a consumer group and without commits."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from ops.audit.report import AuditError
from schemas.topics import TOPICS

SILENCE_SECONDS = 60.0
START_SECONDS = 20.0
BATCH_SIZE = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a partition that existed when reading started: ``first`` ≤ offset < ``end``."""

    first: int
    end: int


class Topics:
    """The event topics of one installation, up to where they ended when this was opened."""

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str, spans: dict[TopicPartition, Span]) -> None:
        self._consumer, self._prefix, self._spans = consumer, prefix, spans

    @property
    def messages(self) -> int:
        """The number of messages to read, at most."""
        return sum(span.end - span.first for span in self._spans.values())

    @property
    def truncated(self) -> set[str]:
        """The topics whose oldest messages were removed by retention."""
        return {self.name(partition) for partition, span in self._spans.items() if span.first > 0}

    def name(self, partition: TopicPartition) -> str:
        """A topic's name without the prefix of the installation."""
        return str(partition.topic).removeprefix(self._prefix)

    async def records(self) -> AsyncGenerator[tuple[str, Sequence[Any]], None]:
        """Yield (topic, messages of one of its partitions in order), batch by batch."""
        unread = {partition: span.end for partition, span in self._spans.items() if span.end > span.first}
        self._consumer.assign(list(unread))
        await self._consumer.seek_to_beginning(*unread)
        while unread:
            for partition, found in (await self._next_batch()).items():
                yield self.name(partition), [one for one in found if one.offset < self._spans[partition].end]
            for partition in list(unread):
                # Not by the last message: a partition may end with control records, which no reader gets.
                if await self._consumer.position(partition) >= unread[partition]:
                    del unread[partition]
                    self._consumer.pause(partition)

    async def _next_batch(self) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
            timeout_ms=int(SILENCE_SECONDS * 1000), max_records=BATCH_SIZE
        )
        if not found:
            raise AuditError(f"kafka: no message for {SILENCE_SECONDS:g} s, although some are left to read")
        return found


@asynccontextmanager
async def open_topics(bootstrap_servers: str, prefix: str) -> AsyncGenerator[Topics, None]:
    """Record where the topics end, and open them for reading; raise ``AuditError`` if they cannot be read."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=4 * 2**20,
        max_partition_fetch_bytes=512 * 1024,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            partitions = await _partitions(bootstrap_servers, prefix)
            await consumer.start()
            spans = await _spans(consumer, partitions)
        yield Topics(consumer, prefix, spans)
    except (KafkaError, OSError, TimeoutError) as error:
        raise AuditError(
            f"kafka: {bootstrap_servers} cannot be read: {str(error) or type(error).__name__}"
        ) from error
    finally:
        await consumer.stop()


async def _spans(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Span]:
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    return {partition: Span(first[partition], end[partition]) for partition in partitions}


async def _partitions(bootstrap_servers: str, prefix: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        # All topics: a broker may create a topic that is requested by name.
        existing = {one["topic"]: one["partitions"] for one in await admin.describe_topics()}
    finally:
        await admin.close()
    names = [prefix + topic for topic in TOPICS]
    if missing := [name for name in names if name not in existing]:
        raise AuditError(f"kafka: {bootstrap_servers} has no topic {', '.join(missing)}")
    return [TopicPartition(name, partition["partition"]) for name in names for partition in existing[name]]
