"""Batches through Faust, on a real broker: nothing is skipped, acknowledged too early, or piled up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer

from chassis.messaging.batched_consumer import BatchedConsumer
from chassis.messaging.consumer import Consumer
from chassis.messaging.records import KafkaRecord
from chassis.messaging.subscription import Subscription
from chassis.messaging.topic_reader import open_reader
from chassis.runtime.background import ended
from tests.servers import Servers

TOPIC, PARTITIONS = "stock.events", 3


@dataclass
class Collecting:
    """Stands for a consumer: notes what it is given."""

    group: str = "tally_svc"
    topics: Sequence[str] = (TOPIC,)
    max_batch: int = 50
    batches: list[list[tuple[int, int]]] = field(default_factory=list)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, _bootstrap_servers: str, _prefix: str) -> None:
        return

    async def handle(self, records: Sequence[KafkaRecord]) -> None:
        await self.may_go_on.wait()
        self.batches.append([(one.partition, one.offset) for one in records])

    @property
    def seen(self) -> list[tuple[int, int]]:
        return [place for batch in self.batches for place in batch]


async def publish(servers: Servers, prefix: str, count: int) -> set[tuple[int, int]]:
    """Publish so many records; return their places."""
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        sent = [await producer.send(prefix + TOPIC, b"{}", partition=nth % PARTITIONS) for nth in range(count)]
        return {(done.partition, done.offset) for done in await asyncio.gather(*sent)}


@asynccontextmanager
async def reading(servers: Servers, prefix: str, consumer: Collecting) -> AsyncIterator[Subscription]:
    subscription = Subscription(cast(Consumer[Any], consumer), servers.kafka, prefix)
    running = asyncio.create_task(subscription.run())
    try:
        async with asyncio.timeout(60):
            yield subscription
            assert not running.done(), running.exception()
    finally:
        await ended(running)


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.02)


def in_order(seen: Sequence[tuple[int, int]]) -> bool:
    return all(
        offsets == sorted(offsets)
        for offsets in ([offset for one, offset in seen if one == partition] for partition in range(PARTITIONS))
    )


async def test_each_partition_is_read_in_order_and_acknowledged_to_its_end(servers: Servers, prefix: str) -> None:
    consumer = Collecting()
    consumer.may_go_on.set()
    published = await publish(servers, prefix, 400)
    async with reading(servers, prefix, consumer):
        await until(lambda: len(consumer.seen) >= len(published))
    assert len(consumer.seen) == len(published)
    assert set(consumer.seen) == published
    assert in_order(consumer.seen)
    assert max(map(len, consumer.batches)) <= consumer.max_batch
    async with open_reader(servers.kafka, prefix) as reader:
        ends = {place: span.end for place, span in (await reader.existing([TOPIC])).items()}
        assert await reader.committed(consumer.group) == ends


async def test_what_was_fetched_while_the_group_was_rebalanced_is_read_again(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer, fetch, rebalances = Collecting(), BatchedConsumer._wait_next_records, 0
    consumer.may_go_on.set()

    async def across_a_rebalance(self: BatchedConsumer, timeout: float) -> Any:
        nonlocal rebalances
        fetched = await fetch(self, timeout)
        if fetched[0] and rebalances < 2:
            rebalances += 1
            cast(Any, self.app).consumer_generation_id += 1
        return fetched

    monkeypatch.setattr(BatchedConsumer, "_wait_next_records", across_a_rebalance)
    published = await publish(servers, prefix, 60)
    async with reading(servers, prefix, consumer):
        await until(lambda: len(consumer.seen) >= len(published))
    assert rebalances == 2
    assert set(consumer.seen) == published
    assert in_order(consumer.seen)


async def test_a_topic_is_not_fetched_while_too_much_of_it_waits(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.messaging.subscription.MOST_FETCHED", 10)
    monkeypatch.setattr("chassis.messaging.subscription.MOST_BUFFERED", 5)
    consumer = Collecting()
    published = await publish(servers, prefix, 600)
    async with reading(servers, prefix, consumer) as subscription:
        await subscription.assigned.wait()
        faust: Any = subscription._app.consumer
        await until(lambda: bool(faust._buffered_partitions))
        assert not faust._get_active_partitions()
        assert not consumer.seen
        consumer.may_go_on.set()
        await until(lambda: len(consumer.seen) >= len(published))
    assert set(consumer.seen) == published
    assert in_order(consumer.seen)


async def test_a_partition_whose_position_is_not_known_yet_ends_nothing(servers: Servers, prefix: str) -> None:
    consumer = Collecting()
    consumer.may_go_on.set()
    published = await publish(servers, prefix, 30)
    async with reading(servers, prefix, consumer) as subscription:
        await until(lambda: len(consumer.seen) == len(published))
        faust = cast(Any, subscription)._app.consumer
        assigned = faust._thread._ensure_consumer()._subscription.subscription.assignment
        # As between a rebalance and the response of the broker.
        for tp in assigned.tps:
            assigned.state_value(tp)._position = None
        await faust.verify_all_partitions_active()


async def test_a_rebalance_goes_back_to_the_beginning_of_what_was_never_committed(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its end Faust seeks to what is committed, and what was fetched before that is dropped."""
    monkeypatch.setattr("chassis.messaging.subscription.MOST_FETCHED", 10)
    monkeypatch.setattr("chassis.messaging.subscription.MOST_BUFFERED", 5)
    consumer = Collecting()
    await publish(servers, prefix, 300)
    async with reading(servers, prefix, consumer) as subscription:
        await subscription.assigned.wait()
        faust: Any = subscription._app.consumer
        await until(lambda: bool(faust._buffered_partitions))
        places = list(faust.assignment())
        assert any([await faust.position(tp) for tp in places])
        await faust.perform_seek()
        assert [await faust.position(tp) for tp in places] == [0] * PARTITIONS
        consumer.may_go_on.set()
