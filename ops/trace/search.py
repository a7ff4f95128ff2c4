"""Finds events on the topics without an index: by their times, and by the partition of their key.

Every search ends: where the topics ended when it began, or after a number of seconds.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from chassis.messaging.brokers import client_options
from chassis.messaging.topic_reader import stop_consumer
from ops.topics import START_SECONDS, partitions_of, unreadable
from ops.trace.model import TracedEvent, read_event
from schemas.topics import TOPICS

MARGIN = timedelta(seconds=10)
"""By so much the clock of the host that publishes an event may be behind that of the host on which it happened."""
POLL_SECONDS = 1.0
BATCH_SIZE = 500
PATIENCE = 0.25
"""The part of the remaining time that may be spent on looking for events where they should not be."""

Found = dict[str, TracedEvent]
"""Event id, or place of an unreadable message → event."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The events about one aggregate.

    ``count`` is how many there are by its ledger; ``times`` are those at which they happened, where a ledger knows
    all of them.
    """

    topic: str
    key: str
    count: int
    since: datetime
    times: Sequence[datetime] = ()

    def missing(self, found: Found) -> bool:
        """Whether events are left to be found."""
        return _numbered(found) < self.count

    def next_time(self, found: Found) -> datetime | None:
        """When the next event that is missing happened, if that is known."""
        number = _numbered(found)
        return sorted(self.times)[number] if number < len(self.times) == self.count else None


def _numbered(found: Found) -> int:
    """How many of the events count for the ledger: all but unreadable messages."""
    return sum(event.version is not None for event in found.values())


class EventSearch:
    """The topics of one installation; ``seconds`` is how long all searches together may take."""

    def __init__(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], prefix: str, seconds: float
    ) -> None:
        self._consumer, self._prefix = consumer, prefix
        self._partitions, self._ends = list(partitions), dict[TopicPartition, int]()
        self._deadline = time.monotonic() + seconds
        self.cut_short = False
        """Whether the time was over before everything was read."""
        self.read = 0
        """How many messages were read."""

    async def note_ends(self) -> None:
        """Read up to where the topics end now: afterwards they have what the ledgers, read before, tell of."""
        self._ends = await self._consumer.end_offsets(self._partitions)

    async def of_stream(self, stream: Stream) -> list[TracedEvent]:
        """The events about an aggregate, as far as they are published."""
        found: Found = {}
        partitions = self._of_topic(stream.topic)
        home = DefaultPartitioner()(stream.key.encode(), partitions, partitions)
        async with aclosing(self._read([home], stream.since, self._deadline)) as batches:
            async for messages in batches:
                _take(found, messages, lambda event: event.key == stream.key)
                if not stream.missing(found):
                    return list(found.values())
                await self._skip_to(home, stream.next_time(found))
        # Keys move when partitions are added, and clocks can be further apart. Or the outbox still has the event.
        now = time.monotonic()
        await self._look_everywhere(stream, found, partitions, now + PATIENCE * (self._deadline - now))
        return list(found.values())

    async def _look_everywhere(
        self, stream: Stream, found: Found, partitions: Sequence[TopicPartition], until: float
    ) -> None:
        async with aclosing(self._read(partitions, stream.since, until)) as batches:
            async for messages in batches:
                _take(found, messages, lambda event: event.key == stream.key)
                if not stream.missing(found):
                    return

    async def of_id(self, event_id: str, since: datetime) -> TracedEvent | None:
        """The event with this id, which was made at ``since``."""
        found: Found = {}
        async with aclosing(self._read(self._partitions, since, self._deadline)) as batches:
            async for messages in batches:
                _take(found, messages, lambda event: event.id == event_id)
                if found:
                    break
        return next(iter(found.values()), None)

    async def of_trace(self, trace_id: str, since: datetime, most: int) -> list[TracedEvent]:
        """The events that carry a trace id, published since a time; not many more than ``most``."""
        found: Found = {}
        async with aclosing(self._read(self._partitions, since, self._deadline)) as batches:
            async for messages in batches:
                _take(found, messages, lambda event: event.trace_id == trace_id)
                if len(found) >= most:
                    break
        return list(found.values())

    def _of_topic(self, topic: str) -> list[TopicPartition]:
        return sorted(one for one in self._partitions if one.topic == self._prefix + topic)

    async def _read(
        self, partitions: Sequence[TopicPartition], since: datetime, until: float
    ) -> AsyncGenerator[list[TracedEvent], None]:
        """The messages of partitions that were published since a time, in the order of each, batch by batch."""
        starts = await self._offsets(partitions, since)
        if starts:
            self._consumer.assign(list(starts))
        for partition, offset in starts.items():
            self._consumer.seek(partition, offset)
        unread = set(starts)
        while unread:
            left = until - time.monotonic()
            if left <= 0:
                self.cut_short = True
                return
            batches = await self._consumer.getmany(
                timeout_ms=int(min(left, POLL_SECONDS) * 1000), max_records=BATCH_SIZE
            )
            for partition, messages in batches.items():
                self.read += len(messages)
                within = [one for one in messages if one.offset < self._ends[partition]]
                yield [read_event(one, self._prefix) for one in within]
            for partition in list(unread):
                # Not by the last message: a partition may end with control records, which no reader gets.
                if await self._consumer.position(partition) >= self._ends[partition]:
                    unread.discard(partition)
                    self._consumer.pause(partition)

    async def _offsets(self, partitions: Iterable[TopicPartition], since: datetime) -> dict[TopicPartition, int]:
        """The first message of each partition that was published since a time; without those that have none."""
        moment = max(int((since - MARGIN).timestamp() * 1000), 0)
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, moment))
        return {one: at.offset for one, at in found.items() if at and at.offset < self._ends.get(one, 0)}

    async def _skip_to(self, partition: TopicPartition, moment: datetime | None) -> None:
        """Leave out what was published before a time; nothing where it is not known."""
        if moment is None:
            return
        start = (await self._offsets([partition], moment)).get(partition, self._ends[partition])
        if start > await self._consumer.position(partition):
            self._consumer.seek(partition, start)


def _take(found: Found, events: Iterable[TracedEvent], wanted: Callable[[TracedEvent], bool]) -> None:
    """Add the wanted events; of one that was published twice, the first."""
    for event in events:
        if wanted(event):
            found.setdefault(event.id or f"{event.topic}/{event.partition}/{event.offset}", event)


@asynccontextmanager
async def open_search(bootstrap_servers: str, prefix: str, seconds: float) -> AsyncIterator[EventSearch]:
    """The topics of an installation, for searches; raise ``CannotDo`` if they cannot be read."""
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap_servers),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=512 * 1024,
        # A fetch at the end of a partition must not delay the search of the next one.
        fetch_max_wait_ms=20,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            partitions = await partitions_of(bootstrap_servers, [prefix + topic for topic in TOPICS])
            await consumer.start()
            search = EventSearch(consumer, partitions, prefix, seconds)
            await search.note_ends()
        yield search
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreadable(bootstrap_servers, error) from error
    finally:
        await stop_consumer(consumer)
