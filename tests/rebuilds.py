"""A service whose replicas are rebuilt: its database, the topics that feed it, and its jobs, on real servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from uuid_utils.compat import uuid7

from chassis.jobs.compose import job_loop
from chassis.jobs.domain import Job, State
from chassis.jobs.loop import JobLoop
from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers
from chassis.messaging.records import KafkaRecord
from chassis.persistence.postgres.database import Postgres
from chassis.rebuild.replica import Replicas
from chassis.rebuild.runner import RebuildRunner
from chassis.rebuild.sweep import ShadowSweep
from chassis.replay.target import ReplayTarget
from chassis.testing import enveloped
from schemas import Event, Message
from tests.topics import topics

WHO = UUID(int=1)


@dataclass
class Rebuilding:
    url: str
    database: Postgres
    kafka: str
    prefix: str
    producer: AIOKafkaProducer
    group: str
    handlers: Handlers[Any]
    new_uow: Any
    replicas: Replicas
    consumer: Consumer[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.consumer = self.target.consumer()

    @property
    def target(self) -> ReplayTarget[Any]:
        return ReplayTarget(self.database, self.group, self.handlers, self.new_uow, self.kafka, self.prefix)

    def loop(self) -> JobLoop:
        """The jobs of a new event process."""
        runner = RebuildRunner(
            self.target,
            self.database,
            self.replicas,
            lambda schema: Postgres(self.url, pool_size=1, search_path=schema),
        )
        return job_loop(self.target, {"rebuild": runner})

    async def publish(self, *events: tuple[int, Event] | Message) -> list[KafkaRecord]:
        """Publish events, each with the version of its aggregate; return the records that Kafka made of them."""
        records = []
        for one in events:
            message = one if isinstance(one, Message) else enveloped(one[1], one[0])
            headers = tuple((name, value.encode()) for name, value in message.headers.items())
            key = message.key.encode()
            at = await self.producer.send_and_wait(
                self.prefix + message.topic, message.value, key, headers=list(headers)
            )
            records.append(KafkaRecord(message.topic, at.partition, at.offset, key, headers, message.value))
        return records

    async def handle(self, records: Iterable[KafkaRecord]) -> None:
        """The live consumer handles these."""
        for one in records:
            if one.topic in self.consumer.topics:
                await self.consumer.handle([one])

    async def live(self, *events: tuple[int, Event] | Message) -> None:
        """Publish events, and have the live consumer handle them."""
        await self.handle(await self.publish(*events))

    async def sql(self, statement: str, **parameters: Any) -> Sequence[Any]:
        """Read or change the database, as the service never would."""
        async with self.database.engine.begin() as connection:
            result = await connection.execute(sa.text(statement), parameters)
            return result.all() if result.returns_rows else []

    async def rows(self, table: str) -> list[Any]:
        [key] = next(one for one in self.replicas if one.name == table).table.primary_key.columns
        return list(await self.sql(f"SELECT * FROM {table} ORDER BY {key.name}"))

    async def request(self, replica: str, key: object = None) -> UUID:
        """Ops request a rebuild."""
        request = {"replica": replica, "key": str(key) if key else None}
        job = Job(uuid7(), "rebuild", "planning", request, {}, WHO, "test")
        async with self.database.transaction() as tx:
            await self.database.jobs.add(tx, job)
        return job.id

    async def want(self, job_id: UUID, step: str, state: State = "running") -> None:
        """Ops request a swap or an undo."""
        async with self.database.transaction() as tx:
            job = await self.database.jobs.lock(tx, job_id)
            assert job is not None
            job = replace(job, state=state, error=None, progress={**job.progress, "wanted": step})
            await self.database.jobs.change(tx, job)

    async def job(self, job_id: UUID) -> Job:
        job = await self.database.jobs.get(job_id)
        assert job is not None
        return job

    async def finish(self, job_id: UUID, loop: JobLoop | None = None) -> Job:
        """An event process works until the job is at its end."""
        loop, until = loop or self.loop(), time.monotonic() + 60
        while (await self.job(job_id)).state in ("planning", "running"):
            assert time.monotonic() < until
            if not await loop.step():
                await asyncio.sleep(0.05)
        return await self.job(job_id)

    async def let_lease_expire(self, job_id: UUID) -> None:
        """The lease of a process that was killed runs out."""
        await self.sql("UPDATE jobs SET lease_until = now() - interval '1 s' WHERE id = :id", id=job_id)

    async def rebuilt(self, replica: str, key: object = None) -> Job:
        """A rebuild that is compared."""
        return await self.finish(await self.request(replica, key))

    async def change(self, job: Job, step: str) -> Job:
        """Swap or undo."""
        await self.want(job.id, step)
        return await self.finish(job.id)

    async def commit_before(self, records: Sequence[KafkaRecord]) -> None:
        """The group has committed everything on these partitions up to these records."""
        offsets = {TopicPartition(self.prefix + one.topic, one.partition): one.offset for one in reversed(records)}
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, group_id=self.prefix + self.group, enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
        await consumer.stop()

    async def sweep(self) -> None:
        await ShadowSweep(self.database).step()

    async def shadows(self) -> list[str]:
        found = await self.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild\\_%'")
        return [row.nspname for row in found]

    async def everything(self, text: str) -> list[str]:
        """The tables, in any schema, that hold this text."""
        tables = await self.sql(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND (table_schema = 'public' OR table_schema LIKE 'rebuild\\_%')"
        )
        found = []
        for row in tables:
            name = f"{row.table_schema}.{row.table_name}"
            query = f"SELECT count(*) AS n FROM {name} one WHERE one::text LIKE :text"
            [counted] = await self.sql(query, text=f"%{text}%")
            if counted.n:
                found.append(name)
        return sorted(found)


def keys(job: Job, kind: str) -> list[str]:
    """The keys of one kind of difference."""
    return [key for key, _ in job.progress["difference"][kind]]


@asynccontextmanager
async def rebuilding(
    url: str, kafka: str, group: str, handlers: Handlers[Any], new_uow: Any, replicas: Replicas
) -> AsyncIterator[Rebuilding]:
    async with topics(kafka, partitions=2) as prefix:
        database = Postgres(url)
        producer = AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=0)
        await producer.start()
        try:
            yield Rebuilding(url, database, kafka, prefix, producer, group, handlers, new_uow, replicas)
        finally:
            await producer.stop()
            for schema in await _schemas(database):
                async with database.engine.begin() as connection:
                    await connection.execute(sa.text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
            await database.close()


async def _schemas(database: Postgres) -> list[str]:
    async with database.reading() as connection:
        query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild\\_%'"
        return list(await connection.scalars(sa.text(query)))
