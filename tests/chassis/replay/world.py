"""A topic with events, a group that has missed some of them, and the jobs that bring them: on a real broker."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from uuid_utils.compat import uuid7

from chassis.http.replay_dto import ReplayOut, replay_out
from chassis.jobs.compose import job_loop
from chassis.jobs.domain import Job, State
from chassis.jobs.loop import JobLoop
from chassis.messaging.handlers import Handlers
from chassis.messaging.records import KafkaRecord
from chassis.persistence.database import Database
from chassis.persistence.postgres.database import Postgres
from chassis.replay.target import ReplayTarget
from chassis.runtime.retry import retry_soon
from chassis.testing import enveloped
from schemas import Event, Message
from tests.chassis.tally import HANDLERS, Tallies
from tests.topics import topics

GROUP = "tally_svc"
WHO = UUID(int=1)


@dataclass
class World:
    database: Database[Any]
    kafka: str
    prefix: str
    producer: AIOKafkaProducer
    handlers: Handlers[Any] = field(default_factory=lambda: HANDLERS)
    new_uow: Callable[[datetime], Any] = Tallies
    group: str = GROUP

    @property
    def target(self) -> ReplayTarget[Any]:
        return ReplayTarget(self.database, self.group, self.handlers, self.new_uow, self.kafka, self.prefix)

    async def publish(self, events: Iterable[Event | Message], partition: int | None = None) -> list[KafkaRecord]:
        """Publish events, as a relay would; return the records that Kafka made of them."""
        messages = [one if isinstance(one, Message) else enveloped(one) for one in events]
        records = []
        for message in messages:
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            sent = await self.producer.send(
                self.prefix + message.topic, message.value, message.key.encode(), partition, headers=headers
            )
            records.append((message, headers, sent))
        return [
            KafkaRecord(
                message.topic,
                (at := await sent).partition,
                at.offset,
                message.key.encode(),
                tuple(headers),
                message.value,
            )
            for message, headers, sent in records
        ]

    async def commit_all(self) -> None:
        """Move the offsets of the group past everything that is on its topics: what it has not handled is missed."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, group_id=self.prefix + self.group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = [
                TopicPartition(self.prefix + topic, number)
                for topic in self.target.topics
                for number in consumer.partitions_for_topic(self.prefix + topic) or await _partitions(self, topic)
            ]
            consumer.assign(partitions)
            await consumer.commit(await consumer.end_offsets(partitions))
        finally:
            await consumer.stop()

    async def handle(self, records: Sequence[KafkaRecord]) -> None:
        """The live consumer handles these."""
        for topic in {record.topic for record in records}:
            await self.target.consumer().handle([record for record in records if record.topic == topic])

    async def request(self, state: State = "planning", **request: Any) -> UUID:
        """Ops request a replay."""
        progress: dict[str, Any] = {name: request.pop(name) for name in ("rate", "mails_wanted") if name in request}
        job = Job(uuid7(), "replay", state, {"mode": "missing", **request}, progress, WHO, "test")
        async with self.database.transaction() as tx:
            await self.database.jobs.add(tx, job)
        return job.id

    def loop(self) -> JobLoop:
        """The jobs of a new event process."""
        return job_loop(self.target)

    async def plan(self, **request: Any) -> ReplayOut:
        """A plan."""
        job_id = await self.request(**request)
        await self.loop().step()
        return await self.replay(job_id)

    async def set_state(self, job_id: UUID, state: State) -> None:
        await self.change(job_id, lambda job: replace(job, state=state))

    async def unlimited(self, job_id: UUID) -> None:
        """Ops lift the rate."""
        await self.change(job_id, lambda job: replace(job, progress={**job.progress, "rate": 0}))

    async def change(self, job_id: UUID, changed: Callable[[Job], Job]) -> None:
        """Change a job as ops do, also while an event process works on it."""

        async def attempt() -> None:
            async with self.database.transaction() as tx:
                job = await self.database.jobs.lock(tx, job_id)
                assert job is not None
                await self.database.jobs.change(tx, changed(job))

        await retry_soon(attempt, "the test")

    async def expire_leases(self) -> None:
        """Let the leases of processes that were killed run out."""
        if isinstance(self.database, Postgres):
            async with self.database.engine.begin() as connection:
                await connection.execute(sa.text("UPDATE jobs SET lease_until = now() - interval '1 s'"))
        else:
            leases = self.database.db.leases  # type: ignore[attr-defined]
            await leases.update_one({"_id": "jobs"}, {"$set": {"until": datetime.fromtimestamp(0, UTC)}})

    async def run(self, job_id: UUID, loop: JobLoop | None = None) -> ReplayOut:
        """Run a plan to its end, in a process of its own."""
        await self.set_state(job_id, "running")
        await self.finish(job_id, loop)
        return await self.replay(job_id)

    async def finish(self, job_id: UUID, loop: JobLoop | None = None) -> None:
        loop, until = loop or self.loop(), time.monotonic() + 60
        while (await self.replay(job_id)).state in ("planning", "running"):
            assert time.monotonic() < until
            # The lease of a process that was killed has to run out.
            if not await loop.step():
                await asyncio.sleep(0.05)

    async def replay(self, job_id: UUID) -> ReplayOut:
        job = await self.database.jobs.get(job_id)
        assert job is not None
        return replay_out(job, self.group)


async def _partitions(world: World, topic: str) -> set[int]:
    return set(await world.producer.partitions_for(world.prefix + topic))


@asynccontextmanager
async def world(database: Database[Any], kafka: str) -> AsyncIterator[World]:
    async with (
        topics(kafka, partitions=3) as prefix,
        AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5) as producer,
    ):
        yield World(database, kafka, prefix, producer)
