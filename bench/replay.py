"""How fast replays are: a run beside the live handler on the same topic, and a plan over a million events."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psutil
import psycopg
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, TopicPartition
from uuid_utils.compat import uuid7

from bench.consume import EVENTS, event_of, fill, service_of, through_faust
from bench.endtoend import drained, latencies
from bench.shop import Shop, shop
from chassis.jobs.compose import job_loop
from chassis.jobs.domain import Job
from chassis.messaging.consumer import Consumer
from chassis.persistence.database import Database
from chassis.persistence.postgres.database import Postgres
from chassis.replay.target import ReplayTarget
from chassis.runtime.gc_tuning import freeze_startup_objects
from chassis.testing import enveloped
from deploy.topics import create_topics
from notifier_svc.handlers import HANDLERS
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import Message
from tests.databases import Databases
from tests.ops_jobs import patch, planned
from tests.servers import Servers, servers
from tests.stack import OPS

MILLION = 1_000_000
LIVE_ORDERS = 34_000
"""Of each, notifier_svc handles three events."""
LIVE_RATE, LIVE_SECONDS = 20.0, 90.0
TURNS = 2
PACED = 1000.0
"""Events per second that a paced run is asked for."""
PLANNED_INBOX_CHUNK = 50_000


async def replay() -> dict[str, Any]:
    """Events per second of runs and of the live handler, in turns; seconds and memory of a large plan."""
    # As every process of the platform does.
    freeze_startup_objects()
    with servers() as running:
        databases = Databases(running.postgres, running.mongo)
        found = {
            "runs": [await _runs(running, databases, name) for name in ("product_svc", "order_svc", "notifier_svc")],
            "plan": await _plan(running, databases),
        }
    return found | {"beside_live": await _beside_live()}


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
    async with service_of(name, databases, orders) as (database, open_unit, handlers):
        target = ReplayTarget(database, name, handlers, open_unit, running.kafka, prefix)
        paced = await _run(target, PACED)
    return {
        "handler": name,
        "live": live,
        "everything": everything,
        "nothing": nothing,
        "paced": paced,
        "ratio_everything": everything / live,
        "ratio_nothing": nothing / live,
    }


async def _run(target: ReplayTarget[Any], rate: float = 0) -> float:
    """Plan, then run: records per second of the run, with what it takes to begin and to end."""
    job = await _planned(target)
    async with target.database.transaction() as tx:
        await target.database.jobs.change(tx, replace(job, state="running", progress={**job.progress, "rate": rate}))
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


async def _beside_live() -> list[dict[str, Any]]:
    """Latencies of live orders alone, and while notifier_svc is brought everything it has ever handled, in turns."""
    async with shop() as running:
        load = running.load()
        await load.closed_loop(64, count=LIVE_ORDERS)
        await drained(running, load)
        turns = []
        for _ in range(TURNS):
            alone = await latencies(running, LIVE_RATE, LIVE_SECONDS, LIVE_ORDERS)
            await _forget(running)
            beside = asyncio.create_task(latencies(running, LIVE_RATE, LIVE_SECONDS, LIVE_ORDERS))
            replayed = await _replay_all(running)
            turns.append({"alone": alone, "beside": await beside, **replayed})
        return turns


async def _forget(running: Shop) -> None:
    """Let notifier_svc forget what it has handled."""
    url = running.stack.commands["notifier"].env["POSTGRES_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("DELETE FROM inbox")
        await connection.execute("VACUUM ANALYZE inbox")


async def _replay_all(running: Shop) -> dict[str, Any]:
    """Plan a replay into notifier_svc, and run it as it goes by default."""
    stack, ops = running.stack, await running.stack.log_in(*OPS)
    plan = await planned(stack, ops, "notifier")
    started = time.perf_counter()
    await patch(stack, ops, "notifier", plan["id"], {"state": "running", "mails": "withhold"})
    while (job := await stack.read("notifier", f"/v1/ops/replays/{plan['id']}", ops))["state"] == "running":
        await asyncio.sleep(1.0)
    assert job["equal"], job
    return {"events": job["done"]["brought"], "rate": job["done"]["brought"] / (time.perf_counter() - started)}


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
