"""The job that rebuilds a replica: reads its topics into a shadow and compares; swaps and undoes when ops say so.

planning → running → done, which means compared. Ops set ``wanted`` to ``swap`` or ``undo``, and the job runs again.
``stage`` is how far it is: reading, compared, swapped, undone.
"""

from collections.abc import Collection, Mapping
from typing import Any

import structlog
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from chassis.jobs.domain import Job, JobFailed, JobInterrupted
from chassis.jobs.loop import Heartbeat, JobLease
from chassis.messaging.topic_reader import Place, Span, TopicReader, open_reader
from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.postgres.database import Postgres
from chassis.rebuild.behind import LiveBehind
from chassis.rebuild.difference import Statements, find_difference, leave_out, read_difference
from chassis.rebuild.reading import Reading
from chassis.rebuild.replica import Replica, Replicas
from chassis.rebuild.selection import Selection
from chassis.rebuild.shadow import OLD, OpenDatabase, Shadow, make_shadow, open_shadow, shadow_columns, shadow_exists
from chassis.rebuild.swap import GaveUp, Swap
from chassis.replay.judge import erased_customers
from chassis.replay.request import place_name, read_spans, stored_spans
from chassis.replay.target import ReplayTarget
from chassis.runtime import failpoints
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import retry_soon

log = structlog.get_logger()


class RebuildRunner:
    """Rebuilds the replicas of one service; ``open_database`` opens its database with another search path."""

    def __init__(
        self, target: ReplayTarget[Any], database: Postgres, replicas: Replicas, open_database: OpenDatabase
    ) -> None:
        self._target, self._database, self._open_database = target, database, open_database
        self._replicas = {replica.name: replica for replica in replicas}

    async def run(self, job: Job, lease: JobLease) -> None:
        """Do what the job is at; raise ``JobFailed``, ``JobInterrupted``, ``KafkaError``."""
        replica = self._replicas.get(job.request["replica"])
        if replica is None:
            raise JobFailed(f"this service has no replica {job.request['replica']!r} any more")
        async with open_shadow(job, replica, self._open_database) as shadow:
            one = _Rebuild(self._target, self._database, shadow, job, lease)
            if wanted := job.progress.get("wanted"):
                await one.change(wanted)
            else:
                await one.build()


class _Rebuild:
    """One rebuild, in this process."""

    def __init__(
        self, target: ReplayTarget[Any], database: Postgres, shadow: Shadow, job: Job, lease: JobLease
    ) -> None:
        self._target, self._database, self._shadow = target, database, shadow
        self._replica: Replica[Any] = shadow.replica
        self._job, self._lease = job, lease
        self._key: str | None = job.request.get("key")
        self._statements = Statements(self._replica, shadow.schema, self._key)

    async def build(self) -> None:
        """Fill the shadow, from where it stands, and compare it."""
        async with open_reader(self._target.kafka, self._target.prefix) as reader:
            if not self._job.progress.get("ends") or not await shadow_exists(self._database, self._job.id):
                await self._begin(reader)
            try:
                reading = await self._reading(reader)
                await reading.upto(read_spans(self._job.progress["ends"]))
            except OffsetOutOfRangeError as error:
                raise JobFailed("a topic has lost its beginning while it was read") from error
            self._job = reading.job
            if failpoints.armed:
                await failpoints.reach("rebuild.compared.before")
            async with self._lease.renewed(self._job):
                found = await self._compare(reading, reader)
        await self._lease.commit(self._job, lambda job: job.proceed(stage="compared", difference=found).end("done"))

    async def change(self, wanted: str) -> None:
        """Swap or undo. Where that is not possible the job is done as it was, with the reason as its error."""
        try:
            if not await self._fits():
                raise GaveUp("the rebuilt rows were dropped, or the table has other columns by now: rebuild it anew")
            swap = Swap(self._shadow, self._statements, self._lease)
            if wanted == "undo":
                await swap.undo(self._job)
                return
            async with open_reader(self._target.kafka, self._target.prefix) as reader:
                reading = await self._reading(reader)
                await swap.swap(reading, reader, LiveBehind(self._target, reading.selection, reader))
        except GaveUp as error:
            await self._give_up(f"nothing was changed: {error}")
        except (JobInterrupted, DatabaseUnavailable):
            raise
        except KafkaError as error:
            await self._give_up(f"nothing was changed: Kafka: {redacted(error)[:200]}")
        except Exception as error:
            log.exception("swap or undo failed", job=str(self._job.id))
            await self._give_up(f"nothing was changed: {type(error).__name__}: see the log of the event process")

    async def _give_up(self, error: str) -> None:
        log.warning("job gave up", job=str(self._job.id), why=error)

        async def attempt() -> None:
            async with self._database.transaction() as tx:
                if (current := await self._database.jobs.lock(tx, self._job.id)) and current.state == "running":
                    await self._database.jobs.change(tx, current.proceed(wanted=None).end("done", error))

        await retry_soon(attempt, "jobs")

    async def _begin(self, reader: TopicReader) -> None:
        """Note where the topics end, and make the shadow."""
        ends = await reader.existing(self._replica.topics)
        _require_beginnings(ends, self._replica.topics)
        await make_shadow(self._database, self._job.id, self._replica)
        start = {
            "stage": "reading",
            "ends": stored_spans(ends),
            "positions": {place_name(place): span.first for place, span in ends.items()},
            "total": sum(map(len, ends.values())),
            "counts": {},
            "unreadable": [],
        }
        self._job = await self._lease.commit(self._job, lambda job: job.proceed(**start).end("running"))

    async def _reading(self, reader: TopicReader) -> Reading:
        erased: Collection[str] = ()
        if self._replica.erased:
            heart = Heartbeat(self._lease, self._job)
            erased = await erased_customers(reader, heart.beat)
            self._job = heart.job
        selection = Selection(self._target, self._replica, self._key, erased)
        return Reading(selection, self._shadow, self._target.new_uow, self._job, self._lease, reader)

    async def _fits(self) -> bool:
        columns = await shadow_columns(self._database, self._job.id, OLD)
        return columns == set(self._replica.columns)

    async def _compare(self, reading: Reading, reader: TopicReader) -> Mapping[str, Any]:
        """What differs; rows that live is about to change, or was changing meanwhile, are left out."""
        behind = LiveBehind(self._target, reading.selection, reader)
        ends = read_spans(self._job.progress["ends"])
        streams = set((await behind.unhandled(ends)).values())
        await find_difference(self._database, self._statements, reading.unreadable)
        # Whatever live has handled by then was on a topic before.
        async with reader.merged(reading.left(await reader.existing(self._replica.topics))) as chunks:
            async for records in chunks:
                streams |= set(behind.events(records).values())
        left_out = await leave_out(self._database, self._statements, streams)
        found = await read_difference(self._database, self._statements)
        return {**found, "left_out": left_out, "unreadable": len(reading.unreadable)}


def _require_beginnings(ends: Mapping[Place, Span], topics: Collection[str]) -> None:
    for topic in topics:
        if not any(place[0] == topic for place in ends):
            raise JobFailed(f"there is no topic {topic}")
    for (topic, partition), span in ends.items():
        if span.first > 0:
            raise JobFailed(
                f"{topic} has lost its beginning: partition {partition} begins with offset {span.first}, so the"
                " replica cannot be made anew from it"
            )
