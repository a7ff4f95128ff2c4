"""The platform in memory: the services' own handlers, commands and consumers, with lists of records as Kafka.

Only records of the same topic and key are in order. The caller chooses which service runs, how far, and whether it
survives.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, TypeVar, cast
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers
from chassis.messaging.records import KafkaRecord
from chassis.persistence.command import Command
from chassis.persistence.group_commit import GroupCommit
from chassis.testing import record
from notifier_svc import handlers as notifier_handlers
from notifier_svc.mails.domain import Mail
from order_svc import handlers as order_handlers
from product_svc import handlers as product_handlers
from schemas import Event, Message, decode
from tests.model.memory import Died, InMemory, Mails, Memory, Orders, Outcome, Stock

R = TypeVar("R")


class Service:
    """One service: its database and its processes, with clocks that differ."""

    def __init__(self, world: "World", unit: type[InMemory], handlers: Handlers[Any]) -> None:
        self.memory = Memory(world.published)
        self.read: Counter[tuple[str, str]] = Counter()
        self._acknowledged = self.read
        self._clocks = cycle(timedelta(seconds=seconds) for seconds in (0, 2, -1, -1, 1))
        self._world, self._unit = world, unit
        database = cast(Any, self.memory)
        # Recorded attempts would dead-letter events whose process the caller kills too often.
        self._consumer = Consumer(database, unit.source, self._open, handlers, max_batch=0)
        self._commit = GroupCommit(database, self._open)
        self.topics = self._consumer.topics

    def _open(self, _now: datetime) -> InMemory:
        unit = self._unit(self._world.now() + next(self._clocks))
        unit.memory = self.memory
        return unit

    def execute(self, command: Command[Any, R]) -> R:
        """Commit a command; return its result, or raise its error."""
        return self._world.loop.run_until_complete(self._commit_one(command))

    async def _commit_one(self, command: Command[Any, R]) -> R:
        committing = asyncio.create_task(self._commit.run())
        try:
            return await self._commit(command)
        finally:
            committing.cancel()

    def relay(self, most: int, *, confirmed: bool = True) -> None:
        """Publish so many events; if not ``confirmed``, die before they are deleted from the outbox."""
        published = sorted(self.memory.outbox.pending, key=self._unit.outbox_order)[:most]
        for message in published:
            self._world.topics[message.topic][message.key].append(record(message))
        if confirmed:
            self.memory.outbox.pending = [
                message for message in self.memory.outbox.pending if message not in published
            ]

    def consume(self, topic: str, picks: Sequence[int], outcome: Outcome = "committed") -> None:
        """Handle one batch: each pick chooses a key that has unread records, and takes the next one."""
        batch: list[KafkaRecord] = []
        read = self.read.copy()
        for pick in picks:
            keys = [key for key, log in self._world.topics[topic].items() if read[topic, key] < len(log)]
            if not keys:
                break
            key = keys[pick % len(keys)]
            batch.append(self._world.topics[topic][key][read[topic, key]])
            read[topic, key] += 1
        try:
            self.handle(batch, outcome)
        except Died:
            # The next process starts at the last offset that was committed to Kafka.
            self.read = self._acknowledged
        else:
            self._acknowledged, self.read = self.read, read

    def handle(self, batch: Sequence[KafkaRecord], outcome: Outcome = "committed") -> None:
        self.memory.next_outcome = outcome
        self._world.loop.run_until_complete(self._consumer.handle(batch))


class World:
    """All services, with Kafka between them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.topics: defaultdict[str, defaultdict[str, list[KafkaRecord]]] = defaultdict(lambda: defaultdict(list))
        self.published: list[Message] = []
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self.orders = Service(self, Orders, order_handlers.HANDLERS)
        self.stock = Service(self, Stock, product_handlers.HANDLERS)
        self.mails = Service(self, Mails, notifier_handlers.HANDLERS)
        self.services = (self.orders, self.stock, self.mails)

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def rows(self, name: str) -> list[Any]:
        return [row for service in self.services for row in service.memory.rows[name].values()]

    def mark(self, command: Any) -> Any:
        """Record in the ledger what has happened to a mail."""
        return self.mails.execute(command)

    def claim(self, mail_id: UUID) -> UUID | None:
        """Claim a mail that can be sent, as the sender's UPDATE does."""
        rows, claim = self.mails.memory.rows, uuid7()
        mail: Mail = rows["mails"][mail_id]
        if mail.state != "queued" or mail.customer_id not in rows["customers"]:
            return None
        rows["mails"][mail_id] = replace(mail, state="claimed", claim=claim)
        return claim

    def to_relay(self) -> list[Service]:
        """The services that have events to publish."""
        return [service for service in self.services if service.memory.outbox.pending]

    def new_events(self) -> Iterator[Event]:
        """The events since the last call, in the order of the commits."""
        for message in self.published:
            found = record(message)
            envelope = decode(found.headers, found.value)
            assert envelope
            yield envelope.event
        self.published.clear()

    def unread(self) -> Iterator[tuple[Service, str, list[KafkaRecord]]]:
        """The records that are not consumed yet, by service, topic and key."""
        for service in self.services:
            for topic in service.topics:
                for key, log in self.topics[topic].items():
                    if left := log[service.read[topic, key] :]:
                        yield service, topic, left

    def to_consume(self) -> list[tuple[Service, str]]:
        """The services that have records to consume, with the topic."""
        return list(dict.fromkeys((service, topic) for service, topic, _ in self.unread()))

    def to_overtake(self) -> list[tuple[Service, KafkaRecord]]:
        """The last of several records of one key that a service has not consumed yet."""
        return [(service, left[-1]) for service, _, left in self.unread() if len(left) > 1]

    def settle(self) -> None:
        """Publish and consume until there is nothing left to do."""
        while self.to_relay() or self.to_consume():
            for service in self.to_relay():
                service.relay(len(service.memory.outbox.pending))
            for service, topic in self.to_consume():
                service.consume(topic, [0] * 20)

    def check_versions(self) -> None:
        """On every topic, the versions of each aggregate are contiguous at their first delivery."""
        for log in (log for logs in self.topics.values() for log in logs.values()):
            records = [dict(found.headers) for found in log]
            first = {headers["ce_id"]: int(headers["ce_aggregateversion"]) for headers in records}
            assert list(first.values()) == list(range(1, len(first) + 1))
