"""How fast the relay of a service publishes a full outbox, on each database, compared with a producer alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from uuid_utils.compat import uuid7

from bench.consume import event_of, fill
from chassis.messaging.relay import Relay
from chassis.persistence.database import Database
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import in_background
from chassis.testing import enveloped
from deploy.topics import create_topics
from tests.databases import Databases
from tests.servers import Servers, servers

EVENTS, CHUNK, ROUNDS = 50_000, 1_000, 3
POLL_SECONDS = 0.1


async def relay() -> list[dict[str, Any]]:
    """Events per second of each relay, and of a producer that only sends the same events: the best of some rounds."""
    with servers() as running:
        databases = Databases(running.postgres, running.mongo)
        rates: dict[str, list[float]] = {"order_svc": [], "product_svc": [], "producer": []}
        for _ in range(ROUNDS):
            rates["order_svc"].append(await _relayed(running, Postgres(databases.postgres("order_svc"))))
            rates["product_svc"].append(await _relayed(running, Mongo(await databases.mongo())))
            rates["producer"].append(await _produced(running))
        producer = max(rates.pop("producer"))
        return [
            {"relay": name, "rate": max(found), "producer": producer, "ratio": max(found) / producer}
            for name, found in rates.items()
        ]


async def _relayed(running: Servers, database: Database[Any]) -> float:
    events = _events()
    for start in range(0, EVENTS, CHUNK):
        async with database.transaction() as tx:
            await database.outbox.add(tx, events[start : start + CHUNK])

    async def published(prefix: str) -> None:
        async with in_background(Relay(database, running.kafka, prefix).run(), "relay"):
            while (await database.outbox_backlog()).waiting:
                await asyncio.sleep(POLL_SECONDS)

    rate = await _with_topics(running, published)
    await database.close()
    return rate


async def _produced(running: Servers) -> float:
    events = _events()
    return await _with_topics(running, lambda prefix: fill(running.kafka, prefix, events))


async def _with_topics(running: Servers, work: Callable[[str], Awaitable[None]]) -> float:
    prefix = f"bench{uuid4().hex[:8]}."
    await create_topics(running.kafka, prefix=prefix)
    started = time.perf_counter()
    await work(prefix)
    return EVENTS / (time.perf_counter() - started)


def _events() -> list[Any]:
    return [enveloped(event_of("order_svc", uuid7())) for _ in range(EVENTS)]
