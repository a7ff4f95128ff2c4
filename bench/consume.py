"""How fast services handle events of a full topic, through Faust and aiokafka, compared with Faust's bare loop."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from uuid_utils.compat import uuid7

import notifier_svc.handlers
import order_svc.handlers
import product_svc.handlers
from bench.load import ADDRESS
from chassis.messaging.consumer import Consumer
from chassis.messaging.subscription import Subscription, record_of
from chassis.persistence.command import Command
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped
from deploy.topics import create_topics
from notifier_svc.unit_of_work import NotifierUnitOfWork
from order_svc.orders.commands import PlaceOrder
from order_svc.replicas.commands import UpsertProducts
from order_svc.replicas.domain import Product
from order_svc.unit_of_work import OrderUnitOfWork
from product_svc.catalogue.commands import CreateProduct
from product_svc.catalogue.domain import Variant
from product_svc.stock.commands import AdjustStock
from product_svc.unit_of_work import ProductUnitOfWork, open_documents
from schemas import (
    Address,
    Event,
    Line,
    Message,
    Money,
    OrderConfirmed,
    OrderPlaced,
    PricedLine,
    StockReserved,
)
from tests.databases import Databases
from tests.servers import Servers, servers

EVENTS = 10_000
SKUS = [f"SKU-{nth}" for nth in range(20)]
PRICE = Money(amount=1250, currency="EUR")


async def consume() -> list[dict[str, Any]]:
    """Events per second of each service and of its yardsticks, measured in turns on the same topic."""
    with servers() as running:
        databases = Databases(running.postgres, running.mongo)
        return [await _measured(running, databases, name) for name in ("product_svc", "order_svc", "notifier_svc")]


async def _measured(running: Servers, databases: Databases, name: str) -> dict[str, Any]:
    prefix = f"bench{uuid4().hex[:8]}."
    await create_topics(running.kafka, prefix=prefix)
    orders = [uuid7() for _ in range(EVENTS)]
    events = [enveloped(event_of(name, order)) for order in orders]
    await fill(running.kafka, prefix, events)
    topic = events[0].topic
    rates = {}
    for client, feed in (("faust", through_faust), ("aiokafka", _through_aiokafka)):
        async with service_of(name, databases, orders) as (database, open_unit, handlers):
            consumer = Consumer(database, f"{name}-{client}", open_unit, handlers)
            rates[client] = await feed(running.kafka, prefix, topic, consumer)
    bare = await _bare_faust(running.kafka, prefix, topic)
    return {
        "handler": name,
        "rate": rates["faust"],
        "bare_faust": bare,
        "aiokafka": rates["aiokafka"],
        "ratio": rates["faust"] / bare,
    }


def event_of(name: str, order: UUID) -> Event:
    """An event that a service handles, about an order."""
    lines = tuple(
        PricedLine(sku=sku, quantity=1, name="Mug", unit_price=PRICE)
        for sku in (SKUS[order.int % 20], SKUS[(order.int + 1) % 20])
    )
    address, total = Address(**ADDRESS), Money(amount=2500, currency="EUR")
    if name == "order_svc":
        return StockReserved(order_id=order, lines=tuple(Line(sku=one.sku, quantity=1) for one in lines))
    kind = OrderPlaced if name == "product_svc" else OrderConfirmed
    return kind(order_id=order, customer_id=uuid7(), lines=lines, total=total, shipping_address=address)


@asynccontextmanager
async def service_of(name: str, databases: Databases, orders: Sequence[UUID]) -> AsyncIterator[tuple[Any, Any, Any]]:
    """A database as the handlers need it, the unit of work, and the handlers."""
    database: Database[Any]
    if name == "product_svc":
        database = mongo = Mongo(await databases.mongo())
        await open_documents(mongo)
        await _commit(database, ProductUnitOfWork, [command for sku in SKUS for command in _stocked(sku)])
        yield database, ProductUnitOfWork, product_svc.handlers.HANDLERS
    elif name == "order_svc":
        database = Postgres(databases.postgres(name))
        await _place_all(database, orders)
        yield database, OrderUnitOfWork, order_svc.handlers.HANDLERS
    else:
        database = Postgres(databases.postgres(name))
        yield database, NotifierUnitOfWork, notifier_svc.handlers.HANDLERS
    await database.close()


def _stocked(sku: str) -> tuple[CreateProduct, AdjustStock]:
    return CreateProduct(uuid7(), "Mug", {}, [Variant(sku, PRICE)]), AdjustStock(sku, 1_000_000, "delivery")


async def _place_all(database: Postgres, orders: Sequence[UUID]) -> None:
    commands = [
        PlaceOrder(o, uuid7(), {SKUS[o.int % 20]: 1, SKUS[(o.int + 1) % 20]: 1}, Address(**ADDRESS)) for o in orders
    ]
    commit = GroupCommit(database, OrderUnitOfWork)
    running = asyncio.create_task(commit.run())
    await commit(UpsertProducts([Product(sku, uuid7(), "Mug", PRICE, 1) for sku in SKUS]))
    await asyncio.gather(*(commit(command) for command in commands))
    running.cancel()


async def _commit(database: Database[Any], unit: Any, commands: Sequence[Command[Any, object]]) -> None:
    commit: GroupCommit[Any] = GroupCommit(database, unit)
    running = asyncio.create_task(commit.run())
    for command in commands:
        await commit(command)
    running.cancel()


async def fill(kafka: str, prefix: str, events: Iterable[Message]) -> None:
    """Publish events."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5)
    await producer.start()
    for m in events:
        headers = [(name, value.encode()) for name, value in m.headers.items()]
        await producer.send(prefix + m.topic, m.value, key=m.key.encode(), headers=headers)
    await producer.stop()


class _Stopwatch:
    """Measures from the first batch to the last, without the time to join the group."""

    def __init__(self, handle: Callable[[Any], Awaitable[None]]) -> None:
        self._handle, self.done, self.started = handle, 0, 0.0
        self.finished = asyncio.Event()

    async def __call__(self, records: Sequence[Any]) -> None:
        self.started = self.started or time.perf_counter()
        await self._handle(records)
        self.done += len(records)
        if self.done >= EVENTS:
            self.finished.set()

    @property
    def rate(self) -> float:
        return self.done / (time.perf_counter() - self.started)


async def through_faust(kafka: str, prefix: str, _topic: str, consumer: Consumer[Any]) -> float:
    """Events per second of a consumer behind its subscription."""
    stopwatch = _Stopwatch(consumer.handle)
    consumer.handle = stopwatch  # type: ignore[method-assign]
    running = asyncio.create_task(Subscription(consumer, kafka, prefix).run())
    await stopwatch.finished.wait()
    rate = stopwatch.rate
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return rate


async def _through_aiokafka(kafka: str, prefix: str, topic: str, consumer: Consumer[Any]) -> float:
    stopwatch = _Stopwatch(consumer.handle)
    source = AIOKafkaConsumer(
        prefix + topic,
        bootstrap_servers=kafka,
        group_id=f"{prefix}aiokafka",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await source.start()
    while not stopwatch.finished.is_set():
        for messages in (await source.getmany(max_records=500)).values():
            await stopwatch([record_of(message, prefix) for message in messages])
        await source.commit()
    rate = stopwatch.rate
    await source.stop()
    return rate


async def _bare_faust(kafka: str, prefix: str, topic: str) -> float:
    """Faust's ``noack_take`` with a handler that only acknowledges."""
    app = faust.App(
        f"{prefix}bare",
        broker=f"kafka://{kafka}",
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        datadir=str(Path(tempfile.gettempdir()) / "faust"),
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
        stream_wait_empty=False,
    )
    source = app.topic(prefix + topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def nothing(_records: Any) -> None:
        return None

    stopwatch = _Stopwatch(nothing)

    @app.agent(source, concurrency=1)
    async def read(stream: Any) -> None:
        async for events in stream.noack_take(500, within=0.02):
            await stopwatch(events)
            for event in events:
                await stream.ack(event)

    app.finalize()
    await app.start()
    await stopwatch.finished.wait()
    rate = stopwatch.rate
    await app.stop()
    return rate


if __name__ == "__main__":
    print(datetime.now(UTC), asyncio.run(consume()))
