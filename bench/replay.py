"""How fast replays are: a run beside the live handler on the same topic, and a plan over a million events."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psutil
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, TopicPartition
from uuid_utils.compat import uuid7

from bench.consume import EVENTS, event_of, fill, service_of, through_faust
from chassis.jobs.compose import job_loop
from chassis.jobs.domain import Job
from chassis.messaging.consumer import Consumer
from chassis.persistence.database import Database
from chassis.persistence.postgres.database import Postgres
from chassis.replay.target import ReplayTarget
from chassis.testing import enveloped
from deploy.topics import create_topics
from notifier_svc.handlers import HANDLERS
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import Message
from tests.databases import Databases
from tests.servers import Servers, servers

MILLION = 1_000_000
PLANNED_INBOX_CHUNK = 50_000


async def replay() -> dict[str, Any]:
    """Events per second of runs and of the live handler, in turns; seconds and memory of a large plan."""
    with servers() as running:
        databases = Databases(running.postgres, running.mongo)
        return {
            "runs": [await _runs(running, databases, name) for name in ("product_svc", "order_svc", "notifier_svc")],
            "plan": await _plan(running, databases),
        }


async def _runs(running: Servers, databases: Databases, name: str) -> dict[str, Any]:
    prefix = f"bench{uuid4().hex[:8]}."
    await create_topics(running.kafka, prefix=prefix)
    orders = [uuid7() for _ in range(EVENTS)]
    await fill(running.kafka, prefix, [enveloped(event_of(name, order)) for order in orders])
    async with service_of(name, databases, orders) as (database, open_unit, handlers):
        live = await through_faust(running.kafka, prefix, "", Consumer(database, f"{name}-live", open_unit, handlers))
    async with service_of(name, databases, orders) as (database, open_unit, handlers):
        target = ReplayTarget(database, name, handlers, open_unit, running.kafka, prefix)
        await _commit_all(target)
        everything = await _run(target)
        nothing = await _run(target)
    return {
        "handler": name,
        "live": live,
        "everything": everything,
        "nothing": nothing,
        "ratio_everything": everything / live,
        "ratio_nothing": nothing / live,
    }


async def _run(target: ReplayTarget[Any]) -> float:
    """Plan, then run: records per second of the run, with what it takes to begin and to end."""
    job = await _planned(target)
    async with target.database.transaction() as tx:
        await target.database.jobs.change(tx, replace(job, state="running"))
    started = time.perf_counter()
    await job_loop(target).step()
    took = time.perf_counter() - started
    done = await target.database.jobs.get(job.id)
    assert done is not None
    assert done.state == "done", done
    return EVENTS / took


async def _planned(target: ReplayTarget[Any]) -> Job:
    progress = {"mails_wanted": "withhold"}
    job = Job(uuid7(), "replay", "planning", {"mode": "missing"}, progress, UUID(int=0), "a benchmark")
    async with target.database.transaction() as tx:
        await target.database.jobs.add(tx, job)
    await job_loop(target).step()
    found = await target.database.jobs.get(job.id)
    assert found is not None
    assert found.state == "planned", found
    return found


async def _commit_all(target: ReplayTarget[Any]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=target.kafka, group_id=target.prefix + target.group, enable_auto_commit=False
    )
    await consumer.start()
    await consumer.topics()
    names = [target.prefix + topic for topic in target.topics]
    partitions = [
        TopicPartition(name, number) for name in names for number in consumer.partitions_for_topic(name) or range(6)
    ]
    consumer.assign(partitions)
    await consumer.commit(await consumer.end_offsets(partitions))
    await consumer.stop()


async def _plan(running: Servers, databases: Databases) -> dict[str, Any]:
    """A million events that were handled, but for one in a thousand."""
    prefix = f"bench{uuid4().hex[:8]}."
    await create_topics(running.kafka, prefix=prefix)
    database = Postgres(databases.postgres("notifier_svc"))
    one = enveloped(event_of("notifier_svc", uuid7()))
    ids = [uuid7() for _ in range(MILLION)]
    await fill(running.kafka, prefix, _copies(one, ids))
    await _enter(database, [event for nth, event in enumerate(ids) if nth % 1000])
    target = ReplayTarget(database, "notifier_svc", HANDLERS, NotifierUnitOfWork, running.kafka, prefix)
    await _commit_all(target)
    del ids
    process = psutil.Process()
    before, most = process.memory_info().rss, 0
    planning = asyncio.create_task(_planned(target))
    started = time.perf_counter()
    while not planning.done():
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(0.1)
    took = time.perf_counter() - started
    counts = (await planning).progress["counts"]
    assert counts["to_bring"] == MILLION // 1000, counts
    await database.close()
    return {"events": MILLION, "seconds": took, "rate": MILLION / took, "memory_mib": (most - before) / 2**20}


def _copies(one: Message, ids: Sequence[UUID]) -> Any:
    for event in ids:
        key = str(event)
        yield replace(one, id=event, key=key, headers={**one.headers, "ce_id": key, "ce_subject": key})


async def _enter(database: Database[Any], ids: Sequence[UUID]) -> None:
    insert = sa.text("INSERT INTO inbox SELECT 'notifier_svc', unnest(CAST(:ids AS uuid[]))")
    assert isinstance(database, Postgres)
    async with database.reading() as connection:
        for start in range(0, len(ids), PLANNED_INBOX_CHUNK):
            await connection.execute(insert, {"ids": ids[start : start + PLANNED_INBOX_CHUNK]})
        await connection.execute(sa.text("ANALYZE inbox"))


if __name__ == "__main__":
    print(asyncio.run(replay()))
