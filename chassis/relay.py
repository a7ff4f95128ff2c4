"""The relay: carries the outbox to Kafka, in order, one active per service.

Rows are read oldest first and sent; once the broker has confirmed them, they are deleted as the next are read.
On any error the producer is thrown away with whatever it still held, and a new one starts again from the first
row that is not deleted: an event can then arrive twice, never out of order at its first delivery, never not at all.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from chassis import faults
from chassis.backoff import backoff
from chassis.database import Away, Database, Deposed, OutboxReader, Pending
from chassis.pace import Pace
from chassis.telemetry import OUTBOX_PUBLISHED, OUTBOX_WAITING, RELAY_LEADS
from chassis.telling import told

log = structlog.get_logger()

BATCH = 500
SEND_SECONDS = 30.0
"""A send that is not confirmed by then has failed."""
IDLE_SECONDS = (0.005, 0.2)
"""How soon to look again when the outbox was empty: at first, and at most."""
LEAVE_SECONDS = 2.0
"""How long a relay that is told to stop may take to tidy up."""
ROUND_SECONDS = 0.01
"""What is committed within a round goes together, and arrives together wherever it is read."""
BACKOFF_SECONDS = (0.2, 5.0)


class Relay:
    """The outbox of one service on its way to one Kafka cluster."""

    def __init__(self, database: Database[Any], bootstrap_servers: str, prefix: str = "") -> None:
        self._database = database
        self._bootstrap_servers, self._prefix = bootstrap_servers, prefix

    async def run(self) -> None:
        """Carry until cancelled, whatever goes away in between."""
        pauses = backoff(*BACKOFF_SECONDS)
        while True:
            began = time.monotonic()
            try:
                async with self._database.leading() as outbox:
                    RELAY_LEADS.set(1)
                    log.info("relay leads")
                    await self._carry(outbox)
            except Deposed:
                log.warning("relay deposed: another process carries the outbox now")
            except Exception as error:  # noqa: BLE001
                # Whatever it was, every row that is not confirmed is still in the outbox.
                log.warning("relay starts again", why=told(error)[:300], away=isinstance(error, Away))
                if time.monotonic() - began > 2 * SEND_SECONDS:
                    pauses = backoff(*BACKOFF_SECONDS)
                await asyncio.sleep(next(pauses))
            finally:
                RELAY_LEADS.set(0)

    async def _carry(self, outbox: OutboxReader) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap_servers,
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
            # stop() flushes, and a broker that is away would hold us here for ever.
            with suppress(Exception):
                async with asyncio.timeout(2.0):
                    await producer.stop()

    async def _pump(self, outbox: OutboxReader, producer: AIOKafkaProducer) -> None:
        idle, pace = IDLE_SECONDS[0], Pace(ROUND_SECONDS)
        rows: Sequence[Pending] = ()
        try:
            while True:
                self._database.published.clear()
                async with pace:
                    rows = await self._round(outbox, producer, rows)
                if rows:
                    idle = IDLE_SECONDS[0]
                    continue
                # Commits of this process wake us at once; those of the REST process are found by looking.
                # (Not wait_for: before Python 3.12 it can lose a cancellation that comes with the wake-up.)
                with suppress(TimeoutError):
                    async with asyncio.timeout(idle):
                        await self._database.published.wait()
                idle = min(idle * 1.5, IDLE_SECONDS[1])
        except asyncio.CancelledError:
            # Told to stop during a rest: what is published need not be published again by the next.
            with suppress(Exception):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await outbox.advance(rows, 1)
            raise

    async def _round(
        self, outbox: OutboxReader, producer: AIOKafkaProducer, done: Sequence[Pending]
    ) -> Sequence[Pending]:
        """Take what was published out of the outbox, and publish what comes after it."""
        rows = await outbox.advance(done, BATCH)
        if done:
            OUTBOX_PUBLISHED.inc(len(done))
            if faults.armed:
                await faults.reach("relay.marked")
        OUTBOX_WAITING.set(len(rows))
        if rows:
            if faults.armed:
                await faults.reach("relay.send.before")
            async with asyncio.timeout(SEND_SECONDS):
                await self._send(producer, rows)
            if faults.armed:
                await faults.reach("relay.send.after")
        return rows

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[Pending]) -> None:
        sent = [
            await producer.send(
                self._prefix + m.topic,
                m.value,
                key=m.key.encode(),
                headers=[(name, value.encode()) for name, value in m.headers.items()],
            )
            for m in (row.message for row in rows)
        ]
        await asyncio.gather(*sent)
