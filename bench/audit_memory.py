"""How much memory and time an audit takes: ``python -m bench.audit_memory [ORDERS]``.

Writes a shop with this many confirmed orders directly into fresh databases and topics (on the servers named in the
environment, else on local ones that it starts), serves its REST APIs, runs ``python -m ops audit`` as a process, and
prints the time and memory that it took.
"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.staff.commands import AppointStaff
from notifier_svc.mails.domain import mail_id
from product_svc.catalogue.commands import CreateProduct
from product_svc.catalogue.domain import Variant
from product_svc.stock.commands import AdjustStock
from schemas import (
    Address,
    Envelope,
    Event,
    Line,
    MailSent,
    Message,
    Money,
    OrderConfirmed,
    OrderPlaced,
    PricedLine,
    StockReserved,
    encode,
)
from tests.databases import Databases
from tests.ops.world import World, world
from tests.servers import servers

EMAIL, PASSWORD = "bench@example.com", "a password to measure with"
BATCH, SKUS = 5_000, 500
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")
THEN = datetime.now(UTC) - timedelta(hours=1)
PRICE = Money(amount=1250, currency="EUR")
MICROS = int(THEN.timestamp() * 1_000_000)


def main(orders: Annotated[int, typer.Argument(min=BATCH)] = 100_000) -> None:
    """Measure an audit of a shop with this many confirmed orders."""
    with servers() as running, tempfile.TemporaryDirectory() as home:
        asyncio.run(_measure(running, Path(home), orders))


async def _measure(running: Any, home: Path, orders: int) -> None:
    databases = Databases(running.postgres, running.mongo)
    async with world(running, databases, home) as shop:
        started = time.monotonic()
        skus, models = await _stock_up(shop), dict[tuple[str, str], _Order]()
        await _appoint(shop)
        for number in range(0, orders, BATCH):
            await _write(shop, skus, models, BATCH)
            print(f"\rwrote {number + BATCH:,} orders, {time.monotonic() - started:.0f} s", end="", flush=True)
        print()
        await _audit(shop, orders)


async def _stock_up(shop: World) -> list[str]:
    skus = [f"MUG-{number}" for number in range(SKUS)]
    commit = shop.commits["product_svc"]
    await commit(CreateProduct(uuid7(), "Mug", {}, [Variant(sku, PRICE) for sku in skus]))
    for sku in skus:
        await commit(AdjustStock(sku, 10**6, "delivery"))
    await shop.flow()
    return skus


async def _appoint(shop: World) -> None:
    password_hash = await PasswordHasher().hash(PASSWORD)
    await shop.commits["customer_svc"](AppointStaff(uuid7(), EMAIL, "Ops", password_hash, "ops"))


async def _write(shop: World, skus: Sequence[str], models: dict[tuple[str, str], "_Order"], count: int) -> None:
    made = []
    for n in range(count):
        pair = skus[n % SKUS], skus[(n * 7 + 1) % SKUS]
        made.append(_Order(shop.buyer, pair, models.get(pair)))
        models.setdefault(pair, made[-1])
    await asyncio.gather(
        asyncio.to_thread(_write_orders, shop.orders, made),
        asyncio.to_thread(_write_mails, shop.mails, made),
        _write_reservations(shop, made),
        _publish(shop, [message for one in made for message in one.messages]),
    )


class _Order:
    """A confirmed order of two lines, with the events about it.

    Encoding four million events takes too long. So the events of a ``model`` order are encoded, and those of orders
    with the same lines are copies with other ids.
    """

    def __init__(self, buyer: UUID, skus: tuple[str, str], model: "_Order | None" = None) -> None:
        self.id, self.buyer = uuid7(), buyer
        self.mail = mail_id("receipt", buyer, str(self.id))
        self.lines: list[dict[str, Any]]
        if model:
            self.lines = model.lines
            self.messages = self._events_like(model)
        else:
            priced = tuple(
                PricedLine(sku=sku, quantity=1, name="Mug", unit_price=PRICE) for sku in dict.fromkeys(skus)
            )
            self.lines = [line.model_dump() for line in priced]
            self.messages = self._events(priced)
        self.placed, self.reserved, self.confirmed, self.sent = self.messages

    def _events(self, priced: tuple[PricedLine, ...]) -> tuple[Message, Message, Message, Message]:
        fields: dict[str, Any] = {"order_id": self.id, "customer_id": self.buyer, "lines": priced}
        fields |= {"total": PRICE.times(len(priced)), "shipping_address": ADDRESS}
        lines = tuple(Line(sku=line.sku, quantity=1) for line in priced)
        sent = MailSent(mail_id=self.mail, template="receipt", customer_id=self.buyer, order_id=self.id)
        placed = _event("order_svc", 1, OrderPlaced(**fields), None)
        reserved = _event("product_svc", 1, StockReserved(order_id=self.id, lines=lines), placed)
        confirmed = _event("order_svc", 2, OrderConfirmed(**fields), reserved)
        return placed, reserved, confirmed, _event("notifier_svc", 1, sent, None)

    def _events_like(self, model: "_Order") -> tuple[Message, Message, Message, Message]:
        ids = {str(old.id): uuid7() for old in model.messages}
        new = {str(model.id): str(self.id), str(model.mail): str(self.mail)} | {old: str(i) for old, i in ids.items()}
        replacements = [(old.encode(), given.encode()) for old, given in new.items()]

        def copy(like: Message) -> Message:
            value = like.value
            for old, given in replacements:
                value = value.replace(old, given)
            headers = {name: new.get(text, text) for name, text in like.headers.items()}
            return Message(ids[str(like.id)], like.topic, new.get(like.key, like.key), headers, value)

        placed, reserved, confirmed, sent = map(copy, model.messages)
        return placed, reserved, confirmed, sent


def _event(source: str, version: int, event: Event, cause: Message | None) -> Message:
    return encode(Envelope(uuid7(), f"/shopstream/{source}", THEN, version, event, str(cause.id) if cause else None))


def _write_orders(database: Postgres, made: Sequence[_Order]) -> None:
    columns = (
        "id, customer_id, state, lines, total, currency, shipping_address, shortages, version, placed_at, changed_at"
    )
    address = Jsonb(ADDRESS.model_dump())
    rows = [
        (o.id, o.buyer, "CONFIRMED", Jsonb(o.lines), 2500, "EUR", address, Jsonb([]), 2, THEN, THEN) for o in made
    ]
    handled = [("order_svc", message.id) for one in made for message in (one.reserved, one.sent)]
    _copy(database, {f"orders ({columns})": rows, "inbox": handled})


def _write_mails(database: Postgres, made: Sequence[_Order]) -> None:
    columns = "id, template, customer_id, order_id, context, state, attempts, doubts, due_at, changed_at"
    rows = [(o.mail, "receipt", o.buyer, o.id, Jsonb({}), "sent", 1, 0, THEN, THEN) for o in made]
    _copy(database, {f"mails ({columns})": rows, "inbox": [("notifier_svc", one.confirmed.id) for one in made]})


def _copy(database: Postgres, tables: dict[str, list[tuple[Any, ...]]]) -> None:
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, rows in tables.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


async def _write_reservations(shop: World, made: Sequence[_Order]) -> None:
    db, reserved = shop.products.db, dict[str, int]()
    for line in (line for one in made for line in one.lines):
        reserved[line["sku"]] = reserved.get(line["sku"], 0) + 1
    held = {"state": "held", "version": 1, "changed_at": MICROS}
    lines: Callable[[_Order], Any] = lambda one: [{"sku": line["sku"], "quantity": 1} for line in one.lines]  # noqa: E731
    await db.reservations.insert_many([{"_id": one.id, "lines": lines(one), **held} for one in made])
    await db.inbox.insert_many([{"_id": f"product_svc/{one.placed.id}"} for one in made])
    for sku, pieces in reserved.items():
        await db.stock.update_one({"_id": sku}, {"$inc": {"reserved": pieces}})


async def _publish(shop: World, messages: Sequence[Message]) -> None:
    """Publish them in batches, which is much faster than one by one."""
    partitions = {m.topic: sorted(await shop.producer.partitions_for(shop.prefix + m.topic)) for m in messages}
    partition_of, batches = DefaultPartitioner(), dict[tuple[str, int], BatchBuilder]()
    sent: list[Awaitable[Any]] = []

    async def send(topic: str, partition: int) -> None:
        batch = batches.pop((topic, partition))
        sent.append(await shop.producer.send_batch(batch, shop.prefix + topic, partition=partition))

    for m in messages:
        key, headers = m.key.encode(), [(name, text.encode()) for name, text in m.headers.items()]
        place = m.topic, partition_of(key, partitions[m.topic], partitions[m.topic])
        append = partial(BatchBuilder.append, timestamp=None, key=key, value=m.value, headers=headers)
        if place not in batches or not append(batches[place]):
            if place in batches:
                await send(*place)
            batches[place] = shop.producer.create_batch()
            assert append(batches[place]), "a batch holds at least one"
    for place in list(batches):
        await send(*place)
    await asyncio.gather(*sent)


async def _audit(shop: World, orders: int) -> None:
    urls = {f"{name.upper()}_URL": url for name, url in shop.urls.items()}
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": shop.servers.kafka, "KAFKA_PREFIX": shop.prefix}
    env = os.environ | urls | kafka | {"OPS_EMAIL": EMAIL, "OPS_PASSWORD": PASSWORD}
    started, before = time.monotonic(), _cpu_of_children()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "ops", "audit", env=env)
    ended, peak = asyncio.create_task(process.wait()), 0
    while not ended.done():
        peak = max(peak, _peak_memory(process.pid))
        await asyncio.wait([ended], timeout=0.2)
    seconds, cpu = time.monotonic() - started, _cpu_of_children() - before
    print(f"exit status {await ended}; {orders:,} orders in {seconds:.1f} s, {cpu:.1f} s of CPU time")
    print(f"peak memory of the audit: {peak // 1024} MiB")


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_memory(pid: int) -> int:
    """In KiB. (Not ru_maxrss, which for a child includes the memory of its parent at the start.)"""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get("VmHWM", "0 kB").split()[0])


if __name__ == "__main__":
    typer.run(main)
