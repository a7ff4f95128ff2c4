"""Looks whether the brokers answer, and how far a consumer group is behind: what health and metrics say about Kafka.

On connections of its own: a consumer without work sends nothing that could fail, and a relay neither.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from aiokafka.errors import KafkaError

from chassis.messaging.topic_reader import Place, Span, TopicReader, open_reader
from chassis.persistence.errors import DatabaseUnavailable
from chassis.runtime.oldest import Oldest
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import backoff
from chassis.runtime.telemetry import CONSUMER_LAG, CONSUMER_LAG_SECONDS

log = structlog.get_logger()

LOOK_SECONDS = 5.0
RETRY_SECONDS = 0.2
"""The first pause after a failure; those that follow grow to ``LOOK_SECONDS``."""
ANSWER_SECONDS = 5.0
"""What the brokers do not answer within so long counts as no answer, as does a connection that is not open then."""
SILENT_SECONDS = 20.0
"""Brokers that have answered nothing for so long are unavailable; one that starts again is not.

Longer than a look that fails, a connection that fails, and the pauses around them.
"""
DESCRIBE_SECONDS = 60.0
"""So long the partitions of the topics count as known: partitions are added rarely."""


class BrokerMonitor:
    """Keeps an eye on the brokers for one group; ``topics`` are those that it consumes, without the prefix."""

    def __init__(self, bootstrap_servers: str, prefix: str, group: str, topics: Sequence[str]) -> None:
        self._bootstrap_servers, self._prefix = bootstrap_servers, prefix
        self._group, self._topics = group, topics
        self._answered_at = -SILENT_SECONDS
        self._places: Collection[Place] = ()
        self._described_at = 0.0
        self._ages: dict[Place, Oldest] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        pauses, silent = backoff(RETRY_SECONDS, LOOK_SECONDS), False
        while True:
            try:
                async with AsyncExitStack() as stack:
                    reader = await self._connect(stack)
                    while True:
                        async with asyncio.timeout(ANSWER_SECONDS):
                            await self._look(reader)
                        pauses, silent = backoff(RETRY_SECONDS, LOOK_SECONDS), False
                        await asyncio.sleep(LOOK_SECONDS)
            except (KafkaError, OSError, TimeoutError) as error:
                if not silent:
                    log.warning("the brokers do not answer", why=redacted(error)[:200])
                silent = True
            await asyncio.sleep(next(pauses))

    async def _connect(self, stack: AsyncExitStack) -> TopicReader:
        # Perhaps another cluster is there now.
        self._places = ()
        async with asyncio.timeout(ANSWER_SECONDS):
            return await stack.enter_async_context(open_reader(self._bootstrap_servers, self._prefix))

    async def check(self) -> None:
        """Raise ``DatabaseUnavailable`` if the brokers have not answered lately."""
        if time.monotonic() - self._answered_at > SILENT_SECONDS:
            raise DatabaseUnavailable("the brokers do not answer")

    async def _look(self, reader: TopicReader) -> None:
        # The positions first: read the other way round, the group could seem to be ahead.
        positions = await reader.committed(self._group)
        spans = await reader.spans(await self._partitions(reader))
        self._answered_at = time.monotonic()
        self.note(positions, spans, self._answered_at)

    async def _partitions(self, reader: TopicReader) -> Collection[Place]:
        missing = set(self._topics) - {topic for topic, _ in self._places}
        if missing or time.monotonic() - self._described_at > DESCRIBE_SECONDS:
            self._places, self._described_at = await reader.places(self._topics), time.monotonic()
        return self._places

    def note(self, positions: Mapping[Place, int], spans: Mapping[Place, Span], now: float) -> None:
        """Set the gauges: where the group is in each partition, and what each contains."""
        behind, oldest = dict.fromkeys(self._topics, 0), dict.fromkeys(self._topics, 0.0)
        for place, span in spans.items():
            position, topic = max(positions.get(place, span.first), span.first), place[0]
            age = self._ages.setdefault(place, Oldest()).seconds(position, span.end, now)
            behind[topic] += max(0, span.end - position)
            oldest[topic] = max(oldest[topic], age)
        for topic in self._topics:
            CONSUMER_LAG.labels(self._group, topic).set(behind[topic])
            CONSUMER_LAG_SECONDS.labels(self._group, topic).set(oldest[topic])
