"""Membership in a consumer group, on a real broker."""

import asyncio
import socket
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.conn import AIOKafkaProtocol

from chassis.messaging.batched_consumer import BatchedConsumer
from chassis.messaging.consumer import Consumer
from chassis.messaging.subscription import Subscription
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import ended
from chassis.runtime.event_loop import EventLoop
from deploy.topics import create_topics
from tests.chassis.tally import HANDLERS, Tallies
from tests.servers import Servers


@pytest.mark.parametrize("starting", [False, True])
@pytest.mark.parametrize("task", ["_fetcher._fetch_task", "_coordinator._coordination_task"])
async def test_a_process_that_reads_no_more_ends(
    servers: Servers, postgres: Postgres, task: str, starting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.messaging.subscription.LISTEN_SECONDS", 0.05)
    if starting:
        monkeypatch.setattr(BatchedConsumer, "perform_seek", _wait_for_ever)
    prefix = f"t{uuid4().hex[:8]}."
    await create_topics(servers.kafka, prefix=prefix, partitions=1)
    subscription = Subscription(Consumer(postgres, "tally_svc", Tallies, HANDLERS), servers.kafka, prefix)
    running = asyncio.create_task(subscription.run())
    try:
        async with asyncio.timeout(60):
            await subscription.assigned.wait()
            consumer: Any = subscription._app.consumer
            part = consumer._thread._ensure_consumer()
            for name in task.split("."):
                part = getattr(part, name)
            part.get_loop().call_soon_threadsafe(part.cancel)
            with pytest.raises(RuntimeError, match="no longer reads"):
                await running
    finally:
        await ended(running)


async def _wait_for_ever(_: BatchedConsumer) -> None:
    await asyncio.Event().wait()


def test_a_write_to_a_closed_connection_to_kafka_is_no_error() -> None:
    """aiokafka relies on it."""
    ours, theirs = socket.socketpair()

    async def write_too_late() -> None:
        loop = asyncio.get_running_loop()
        protocol = AIOKafkaProtocol(loop.create_future(), asyncio.StreamReader(), loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
        transport.abort()
        await asyncio.sleep(0.01)
        transport.write(b"x")

    with theirs, closing(EventLoop()) as loop:
        loop.run_until_complete(write_too_late())
