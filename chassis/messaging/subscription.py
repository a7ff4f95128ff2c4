"""A consumer group's membership, through Faust: manual acknowledgement, in order, after the commit.

The adapter to Faust, and to the private parts of it and of aiokafka that it needs (the consumer thread, the fetcher
and coordinator tasks). Checked with faust-streaming 0.15.3 and aiokafka 0.14.0, by killing processes: an agent
acknowledges in ``finally``, so an exception, an early exit or a skipped event is lost unless acknowledgement is
manual; ``take()``, ``concurrency > 1``, auto-ack streams, ``exactly_once`` and ``stream_ack_exceptions`` lose events
or stall; ``faust worker`` listens on 0.0.0.0:6066 whatever its settings say, so the app is started from our own
loop; decoding inside Faust acknowledges what it cannot decode, so bytes come in raw.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import faust
import structlog
from mode.supervisors import CrashingSupervisor

from chassis.messaging.batched_consumer import BatchedTransport
from chassis.messaging.brokers import MECHANISM, Brokers
from chassis.messaging.consumer import Consumer
from chassis.messaging.records import KafkaRecord
from chassis.runtime import failpoints
from chassis.runtime.batch_pacing import BatchPacer

log = structlog.get_logger()

ROUND_SECONDS = 0.01
"""What arrives within a round is one batch."""
LISTEN_SECONDS = 1.0
"""How often to check that Kafka is still being read."""
MOST_FETCHED = 250
"""Records of one fetch."""
MOST_BUFFERED = 16
"""Fetches of a topic that wait to be handled; from three quarters of it on the topic is not fetched any more."""
STOP_SECONDS = 3.0
"""How long Faust may take to stop. What it has not committed by then is delivered again, and deduplicated."""


class App(faust.App):
    """A Faust app that reads batches."""

    def _new_transport(self) -> BatchedTransport:
        return BatchedTransport(self.conf.broker_consumer, self)


class Subscription:
    """A consumer group's membership: Kafka's messages, batch by batch, into ``Consumer.handle``."""

    def __init__(self, consumer: Consumer[Any], bootstrap_servers: str, prefix: str = "") -> None:
        self._consumer, self._bootstrap_servers, self._prefix = consumer, bootstrap_servers, prefix
        self.assigned = asyncio.Event()
        """Set once the group has given this member its partitions."""
        brokers = Brokers.parse(bootstrap_servers)
        self._app = App(
            prefix + consumer.group,
            broker=[f"kafka://{server}" for server in brokers.servers.split(",")],
            broker_credentials=_credentials(brokers),
            autodiscover=False,
            web_enabled=False,
            store="memory://",
            # Nothing is stored there, but Faust creates the directory, by default in the working directory.
            datadir=str(Path(tempfile.gettempdir()) / "faust"),
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            consumer_auto_offset_reset="earliest",
            # What a killed member had not committed is delivered again, and deduplicated; every commit costs CPU, at
            # idle too.
            broker_commit_interval=1.0,
            # A member that was killed keeps its partitions for this long; brokers allow no less than 6 s.
            broker_session_timeout=6.0,
            broker_heartbeat_interval=1.0,
            broker_max_poll_records=MOST_FETCHED,
            stream_buffer_maxsize=MOST_BUFFERED,
            stream_wait_empty=False,
            agent_supervisor=CrashingSupervisor,
        )
        self._app.on_partitions_assigned.connect(self._note_assignment, weak=False)
        for name in consumer.topics:
            self._subscribe(name)

    async def run(self) -> None:
        """Consume until cancelled; raise what made Faust crash. The batch in hand is finished or undone."""
        await self._consumer.begin(self._bootstrap_servers, self._prefix)
        # Without this Faust names a data directory after the app and reconfigures the root logger.
        self._app.finalize()
        parts = [asyncio.create_task(part()) for part in (self._until_stopped, self._until_fetcher_ends)]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
            raise RuntimeError("Faust stopped by itself, or no longer reads") from self._app.crash_reason
        finally:
            for part in parts:
                part.cancel()
            # With the broker away Faust waits for it to take the last offsets, and cannot be cancelled.
            await asyncio.wait([asyncio.create_task(self._app.stop())], timeout=STOP_SECONDS)

    async def _until_stopped(self) -> None:
        await self._app.start()
        await self._app.wait_until_stopped()

    async def _until_fetcher_ends(self) -> None:
        """Return when aiokafka's own tasks have ended, which nothing else notices: no message is read any more.

        Faust's start, too, then waits for ever.
        """
        await self.assigned.wait()
        consumer: Any = self._app.consumer
        client = consumer._thread._ensure_consumer()
        while not (client._fetcher._fetch_task.done() or client._coordinator._coordination_task.done()):
            await asyncio.sleep(LISTEN_SECONDS)

    def _subscribe(self, name: str) -> None:
        topic = self._app.topic(
            self._prefix + name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )

        async def read(stream: Any) -> None:
            limit = self._consumer.max_batch
            async for events in greedy(stream, limit, BatchPacer(ROUND_SECONDS)):
                records = [record_of(one, self._prefix) for event in events for one in event.message.records]
                for start in range(0, len(records), limit):
                    await self._consumer.handle(records[start : start + limit])
                if failpoints.armed:
                    await failpoints.reach("stream.ack.before")
                for event in events:
                    await stream.ack(event)
                if failpoints.armed:
                    await failpoints.reach("stream.ack.after")

        self._app.agent(topic, name=name, concurrency=1, supervisor_strategy=CrashingSupervisor)(read)

    async def _note_assignment(self, *_args: Any, **_kwargs: Any) -> None:
        self.assigned.set()


def _credentials(brokers: Brokers) -> faust.SASLCredentials | None:
    if not brokers.user:
        return None
    return faust.SASLCredentials(
        username=brokers.user, password=brokers.password, ssl_context=brokers.ssl_context, mechanism=MECHANISM
    )


async def greedy(stream: Any, limit: int, pacer: BatchPacer) -> AsyncIterator[list[Any]]:
    """Wait for records and for the pacer, then take what has arrived, without waiting for more.

    Yields Faust's events, each with the records of a fetch; no more of them once they have ``limit`` records.
    """
    events = stream.noack().events()
    async for event in events:
        async with pacer:
            batch, count = [event], len(event.message.records)
            while count < limit and not stream.channel.empty():
                batch.append(await anext(events))
                count += len(batch[-1].message.records)
            pacer.size, pacer.full = count, count >= limit
            yield batch


def record_of(message: Any, prefix: str = "") -> KafkaRecord:
    """A Faust or aiokafka message as the consumer takes it."""
    return KafkaRecord(
        message.topic.removeprefix(prefix),
        message.partition,
        message.offset,
        message.key,
        tuple(message.headers or ()),
        message.value,
    )
