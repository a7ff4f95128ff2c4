"""Events that are written to a database, and found on a topic."""

import asyncio
from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer

from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.testing import enveloped, record
from schemas import Envelope, StockAdjusted, decode
from tests.chassis.tally import Count, Tallies, counted
from tests.servers import Servers


async def published(servers: Servers, prefix: str, number: int) -> dict[str, list[int]]:
    """Key → aggregate versions, as they lie on the topic."""
    found: dict[str, list[int]] = defaultdict(list)
    topic = f"{prefix}stock.events"
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers.kafka, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(30):
        for _ in range(number):
            message = await consumer.getone()
            found[message.key.decode()].append(int(dict(message.headers)["ce_aggregateversion"]))
    return found


async def write(database: Database[Any], commit: GroupCommit[Tallies], sku: str, times: int) -> None:
    for _ in range(times):
        message: Envelope[StockAdjusted] = decoded(counted(sku))
        await commit(Count(message))


def decoded(event: StockAdjusted) -> Envelope[Any]:
    one = record(enveloped(event))
    envelope = decode(one.headers, one.value)
    assert envelope is not None
    return envelope
