"""How fast events are handled: each handler from a full topic, against Faust's own bare loop, and fed by aiokafka."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped
from deploy.topics import create_topics
from notifier_svc.unit_of_work import NotifierUnitOfWork
from order_svc.commands import Basket, learn_product, place_order, want_basket
from order_svc.domain import Product
from order_svc.store import OrderBook
from product_svc.catalogue.commands import create_product
from product_svc.commands import adjust_stock
from product_svc.store import Warehouse, open_documents
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
from schemas.values import Variant
from tests.databases import Databases
from tests.servers import Servers, servers

EVENTS = 10_000
SKUS = [f"SKU-{nth}" for nth in range(20)]
PRICE = Money(amount=1250, currency="EUR")


async def consume() -> list[dict[str, Any]]:
    """Events per second of each handler and of its yardsticks, in turns on the same topic."""
    with servers() as running:
        databases = Databases(running.postgres, running.mongo)
        return [await _measured(running, databases, name) for name in ("product_svc", "order_svc", "notifier_svc")]


async def _measured(running: Servers, databases: Databases, name: str) -> dict[str, Any]:
    prefix = f"bench{uuid4().hex[:8]}."
    await create_topics(running.kafka, prefix=prefix)
    orders = [uuid7() for _ in range(EVENTS)]
    events = [enveloped(_event(name, order)) for order in orders]
    await _fill(running.kafka, prefix, events)
    topic = events[0].topic
    rates = {}
    for way, feed in (("faust", _through_faust), ("aiokafka", _through_aiokafka)):
        async with _service(name, databases, orders) as (database, open_unit, handlers):
            consumer = Consumer(database, f"{name}-{way}", open_unit, handlers)
            rates[way] = await feed(running.kafka, prefix, topic, consumer)
    bare = await _bare_faust(running.kafka, prefix, topic)
    return {
        "handler": name,
        "rate": rates["faust"],
        "bare_faust": bare,
        "aiokafka": rates["aiokafka"],
        "ratio": rates["faust"] / bare,
    }


def _event(name: str, order: UUID) -> Event:
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
async def _service(name: str, databases: Databases, orders: Sequence[UUID]) -> AsyncIterator[tuple[Any, Any, Any]]:
    """A store as the handler needs it, the unit and the handlers."""
    database: Database[Any]
    if name == "product_svc":
        database = mongo = Mongo(await databases.mongo())
        await open_documents(mongo)
        await _commit(database, Warehouse, [_stocked], _want_stock)
        yield database, Warehouse, product_svc.handlers.HANDLERS
    elif name == "order_svc":
        database = Postgres(databases.postgres(name))
        await _commit(database, OrderBook, [_catalogue], lambda book: book.products.prefetch(*SKUS))
        await _place_all(database, orders)
        yield database, OrderBook, order_svc.handlers.HANDLERS
    else:
        database = Postgres(databases.postgres(name))
        yield database, NotifierUnitOfWork, notifier_svc.handlers.HANDLERS
    await database.close()


_PRODUCTS = {sku: uuid7() for sku in SKUS}


def _want_stock(unit: Warehouse) -> None:
    unit.stock.prefetch(*SKUS)
    unit.products.prefetch(*_PRODUCTS.values())


def _stocked(unit: Warehouse) -> None:
    for sku, product in _PRODUCTS.items():
        create_product(unit, product, "Mug", {}, [Variant(sku=sku, price=PRICE)])
        adjust_stock(unit, sku, 1_000_000, "delivery")


def _catalogue(book: OrderBook) -> None:
    for sku in SKUS:
        learn_product(book, Product(sku, uuid7(), "Mug", PRICE, 1))


async def _place_all(database: Postgres, orders: Sequence[UUID]) -> None:
    baskets = [
        Basket(o, uuid7(), {SKUS[o.int % 20]: 1, SKUS[(o.int + 1) % 20]: 1}, Address(**ADDRESS)) for o in orders
    ]
    commit = GroupCommit(database, OrderBook)
    running = asyncio.create_task(commit.run())
    await asyncio.gather(*(_place(commit, basket) for basket in baskets))
    running.cancel()


async def _place(commit: GroupCommit[OrderBook], basket: Basket) -> None:
    await commit(lambda book: place_order(book, basket), lambda book: want_basket(book, basket))


async def _commit(database: Database[Any], unit: Any, steps: Sequence[Callable[[Any], Any]], wants: Any) -> None:
    commit: GroupCommit[Any] = GroupCommit(database, unit)
    running = asyncio.create_task(commit.run())
    for step in steps:
        await commit(step, wants)
    running.cancel()


async def _fill(kafka: str, prefix: str, events: Sequence[Message]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5)
    await producer.start()
    for m in events:
        headers = [(name, value.encode()) for name, value in m.headers.items()]
        await producer.send(prefix + m.topic, m.value, key=m.key.encode(), headers=headers)
    await producer.stop()


class _Clock:
    """Times from the first batch to the last, so that joining the group is not part of it."""

    def __init__(self, handle: Callable[[Any], Awaitable[None]]) -> None:
        self._handle, self.done, self.began = handle, 0, 0.0
        self.all = asyncio.Event()

    async def __call__(self, records: Sequence[Any]) -> None:
        self.began = self.began or time.perf_counter()
        await self._handle(records)
        self.done += len(records)
        if self.done >= EVENTS:
            self.all.set()

    @property
    def rate(self) -> float:
        return self.done / (time.perf_counter() - self.began)


async def _through_faust(kafka: str, prefix: str, _topic: str, consumer: Consumer[Any]) -> float:
    clock = _Clock(consumer.handle)
    consumer.handle = clock  # type: ignore[method-assign]
    running = asyncio.create_task(Subscription(consumer, kafka, prefix).run())
    await clock.all.wait()
    rate = clock.rate
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return rate


async def _through_aiokafka(kafka: str, prefix: str, topic: str, consumer: Consumer[Any]) -> float:
    clock = _Clock(consumer.handle)
    source = AIOKafkaConsumer(
        prefix + topic,
        bootstrap_servers=kafka,
        group_id=f"{prefix}aiokafka",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await source.start()
    while not clock.all.is_set():
        for messages in (await source.getmany(max_records=500)).values():
            await clock([record_of(message, prefix) for message in messages])
        await source.commit()
    rate = clock.rate
    await source.stop()
    return rate


async def _bare_faust(kafka: str, prefix: str, topic: str) -> float:
    """Faust's ``noack_take`` with a handler that does nothing but acknowledge."""
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

    clock = _Clock(nothing)

    @app.agent(source, concurrency=1)
    async def read(stream: Any) -> None:
        async for events in stream.noack_take(500, within=0.02):
            await clock(events)
            for event in events:
                await stream.ack(event)

    app.finalize()
    await app.start()
    await clock.all.wait()
    rate = clock.rate
    await app.stop()
    return rate


if __name__ == "__main__":
    print(datetime.now(UTC), asyncio.run(consume()))
