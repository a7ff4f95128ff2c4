"""The relay: publishes the outbox to Kafka, in order; one is active per service.

Rows are read oldest first and sent; once the broker has confirmed them, they are deleted as the next are read.
On any error the producer is discarded with whatever it still held, and a new one starts again from the first
row that is not deleted: an event may then arrive twice, but it is never lost, and first deliveries keep their order.

Pattern: C. Richardson, *Microservices Patterns*, 2018, §3.3.7 (polling publisher).
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

import structlog
from aiokafka import AIOKafkaProducer

from chassis.messaging.brokers import client_options
from chassis.messaging.event_spans import sending_events
from chassis.messaging.outbox import OutboxReader, PendingMessage
from chassis.messaging.wake_ups import receive_wake_ups, send_wake_ups
from chassis.persistence.database import RelayStore
from chassis.persistence.errors import DatabaseUnavailable, LeadershipLost
from chassis.runtime import failpoints
from chassis.runtime.background import in_background
from chassis.runtime.batch_pacing import BatchPacer
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import backoff
from chassis.runtime.telemetry import OUTBOX_PUBLISHED, RELAY_LEADS
from schemas import Message

log = structlog.get_logger()

BATCH = 500
SEND_SECONDS = 30.0
"""A send that is not confirmed by then has failed."""
IDLE_SECONDS = (0.02, 0.5)
"""How soon to look again when the outbox was empty: the first time, and then. A wake-up may come sooner."""
MARK_SECONDS = 0.1
"""What is published now and then is deleted with the next messages, or after this time: a round less for each."""
LEAVE_SECONDS = 2.0
"""How long a relay that is stopped may take to publish what it has begun with, and to mark it."""
ROUND_SECONDS = 0.01
"""What is committed within a round is sent together, and consumed together."""
BACKOFF_SECONDS = (0.2, 5.0)


class Relay:
    """The outbox of one service on its way to one Kafka cluster."""

    def __init__(self, database: RelayStore, bootstrap_servers: str, prefix: str = "") -> None:
        self._database = database
        self._bootstrap_servers, self._prefix = bootstrap_servers, prefix

    async def run(self) -> None:
        """Publish until cancelled; errors of the database and the broker are retried."""
        pauses = backoff(*BACKOFF_SECONDS)
        while True:
            began = time.monotonic()
            try:
                await self._lead()
            except LeadershipLost:
                log.warning("relay lost its leadership: another process publishes the outbox now")
            except Exception as error:  # noqa: BLE001
                # Whatever it was, every row that is not confirmed is still in the outbox.
                log.warning(
                    "relay starts again",
                    why=redacted(error)[:300],
                    unavailable=isinstance(error, DatabaseUnavailable),
                )
                if time.monotonic() - began > 2 * SEND_SECONDS:
                    pauses = backoff(*BACKOFF_SECONDS)
                await asyncio.sleep(next(pauses))
            finally:
                RELAY_LEADS.set(0)

    async def _lead(self) -> None:
        """Wait until this process is the leader, then publish."""
        async with AsyncExitStack() as stack:
            # Until then, another process publishes what this one commits.
            async with in_background(send_wake_ups(self._database), "wake the relay"):
                outbox = await stack.enter_async_context(self._database.leadership.lead())
            await stack.enter_async_context(in_background(receive_wake_ups(self._database), "wake-ups"))
            RELAY_LEADS.set(1)
            log.info("relay leads")
            await self._publish_all(outbox)

    async def _publish_all(self, outbox: OutboxReader) -> None:
        producer = AIOKafkaProducer(
            **client_options(self._bootstrap_servers),
            enable_idempotence=True,
            acks="all",
            request_timeout_ms=int(SEND_SECONDS * 1000),
            retry_backoff_ms=100,
            max_batch_size=256 * 1024,
        )
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await producer.start()
            await self._pump(outbox, producer)
        finally:
            # stop() flushes, and a broker that is away would block the shutdown for ever.
            with suppress(Exception):
                async with asyncio.timeout(2.0):
                    await producer.stop()

    async def _pump(self, outbox: OutboxReader, producer: AIOKafkaProducer) -> None:
        idle, pacer = IDLE_SECONDS[0], BatchPacer(ROUND_SECONDS)
        rows: Sequence[PendingMessage] = ()
        in_round: asyncio.Task[Sequence[PendingMessage]] | None = None
        try:
            while True:
                self._database.outbox.added.clear()
                async with pacer:
                    in_round = asyncio.create_task(self._round(outbox, producer, rows))
                    busy, rows = bool(rows), await asyncio.shield(in_round)
                    pacer.size, pacer.full = len(rows), len(rows) == BATCH
                if rows and (busy or pacer.full):
                    # Of many commits, not each sends a wake-up.
                    continue
                # Commits wake the relay: those of this process at once, those of others by a wake-up.
                # (Not wait_for: before Python 3.12 it can lose a cancellation that comes with the wake-up.)
                with suppress(TimeoutError):
                    async with asyncio.timeout(MARK_SECONDS if rows else idle):
                        await self._database.outbox.added.wait()
                idle = IDLE_SECONDS[0 if rows else 1]
        except asyncio.CancelledError:
            # Stopped: the next relay need not publish again what is on its way, or waits to be deleted.
            with suppress(Exception):
                async with asyncio.timeout(LEAVE_SECONDS):
                    if in_round:
                        await outbox.advance(await in_round, 1)
            raise

    async def _round(
        self, outbox: OutboxReader, producer: AIOKafkaProducer, published: Sequence[PendingMessage]
    ) -> Sequence[PendingMessage]:
        """Delete what was published from the outbox, and publish the next messages."""
        rows = await outbox.advance(published, BATCH)
        if published:
            OUTBOX_PUBLISHED.inc(len(published))
            if failpoints.armed:
                await failpoints.reach("relay.marked")
        if rows:
            if failpoints.armed:
                await failpoints.reach("relay.send.before")
            async with asyncio.timeout(SEND_SECONDS):
                await self._send(producer, rows)
            if failpoints.armed:
                await failpoints.reach("relay.send.after")
        return rows

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[PendingMessage]) -> None:
        messages = [row.message for row in rows]
        with sending_events(messages) as traces:
            sent = [
                await producer.send(
                    self._prefix + m.topic, m.value, key=m.key.encode(), headers=_kafka_headers(m, traceparent)
                )
                for m, traceparent in zip(messages, traces, strict=True)
            ]
            await asyncio.gather(*sent)


def _kafka_headers(message: Message, traceparent: str | None) -> list[tuple[str, bytes]]:
    headers = [(name, value.encode()) for name, value in message.headers.items()]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers
