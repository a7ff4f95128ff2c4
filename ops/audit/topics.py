"""Reads the topics from the first event to the last, as a bystander: no group, no commit."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from ops.audit.report import CannotAudit
from schemas.topics import TOPICS

SILENCE_SECONDS = 60.0
START_SECONDS = 20.0
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a partition that was there when the reading began: ``first`` ≤ offset < ``end``."""

    first: int
    end: int


class Topics:
    """The event topics of one installation, as far as they reached when this was opened."""

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str, spans: dict[TopicPartition, Span]) -> None:
        self._consumer, self._prefix, self._spans = consumer, prefix, spans

    @property
    def messages(self) -> int:
        """How many there are to read, at most."""
        return sum(span.end - span.first for span in self._spans.values())

    @property
    def cut(self) -> set[str]:
        """The topics whose beginning is gone already."""
        return {self.name(partition) for partition, span in self._spans.items() if span.first > 0}

    def name(self, partition: TopicPartition) -> str:
        """A topic's name without the prefix of the installation."""
        return str(partition.topic).removeprefix(self._prefix)

    async def records(self) -> AsyncGenerator[tuple[str, Sequence[Any]], None]:
        """(topic, messages of one of its partitions in order), some at a time."""
        todo = {partition: span.end for partition, span in self._spans.items() if span.end > span.first}
        self._consumer.assign(list(todo))
        await self._consumer.seek_to_beginning(*todo)
        while todo:
            for partition, found in (await self._some()).items():
                yield self.name(partition), [one for one in found if one.offset < self._spans[partition].end]
            for partition in list(todo):
                # Not from the last message: at the end may lie some that no reader is given.
                if await self._consumer.position(partition) >= todo[partition]:
                    del todo[partition]
                    self._consumer.pause(partition)

    async def _some(self) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
            timeout_ms=int(SILENCE_SECONDS * 1000), max_records=CHUNK
        )
        if not found:
            raise CannotAudit(f"kafka: no message for {SILENCE_SECONDS:g} s, though there must be more")
        return found


@asynccontextmanager
async def open_topics(bootstrap_servers: str, prefix: str) -> AsyncGenerator[Topics, None]:
    """Note how far the topics reach, and read them; raise ``CannotAudit``."""
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
        raise CannotAudit(
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
        # All of them: brokers may make a topic that is asked for by its name.
        there = {one["topic"]: one["partitions"] for one in await admin.describe_topics()}
    finally:
        await admin.close()
    names = [prefix + topic for topic in TOPICS]
    if missing := [name for name in names if name not in there]:
        raise CannotAudit(f"kafka: {bootstrap_servers} has no topic {', '.join(missing)}")
    return [TopicPartition(name, partition["partition"]) for name in names for partition in there[name]]
