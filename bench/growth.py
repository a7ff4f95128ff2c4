"""Whether an order costs the same with a million stored orders and products as with a thousand."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
from pymongo import AsyncMongoClient
from uuid_utils.compat import uuid7

from bench.endtoend import drained
from bench.shop import Shop, shop

FEW, MANY = 1_000, 1_000_000
TURNS = 2
CLIENTS = 4
SECONDS = 20.0
BATCH = 10_000

# Stored orders look like placed, confirmed and mailed ones: state, timeline, key, inbox, mail.
_ORDERS = (
    "INSERT INTO orders (id, customer_id, state, lines, total, currency, shipping_address, shortages, version,"
    " placed_at, changed_at) SELECT uuidv7(), uuidv7(), 'CONFIRMED',"
    ' \'[{"sku": "SKU-1", "name": "Mug", "quantity": 2, "unit_price": {"amount": 1250, "currency": "EUR"}}]\','
    ' 2500, \'EUR\', \'{"name": "Ada Lovelace", "street": "St James\'\'s Square 12", "city": "London",'
    ' "postal_code": "SW1Y 4JH", "country": "GB"}\', \'[]\', 2, now(), now() FROM generate_series(1, %(n)s)',
    "INSERT INTO timeline (order_id, at, type, detail) SELECT o.id, now(), t.type, '{}' FROM orders o,"
    " (VALUES ('order.placed'), ('stock.reserved'), ('order.confirmed'), ('notification.mail_sent')) AS t(type)",
    "INSERT INTO idempotency_keys (id, fingerprint, order_id, response)"
    " SELECT uuidv7(), repeat('f', 64), id, repeat('a', 600) FROM orders",
    "INSERT INTO inbox SELECT 'order_svc', uuidv7() FROM generate_series(1, 2 * %(n)s)",
    "INSERT INTO products (sku, product_id, name, amount, currency, version)"
    " SELECT 'OLD-' || uuidv7(), uuidv7(), 'Mug', 1250, 'EUR', 1 FROM generate_series(1, %(n)s)",
)
_MAILS = (
    "INSERT INTO mails (id, template, customer_id, order_id, context, state, attempts, doubts, due_at, changed_at)"
    " SELECT uuidv7(), 'receipt', uuidv7(), uuidv7(), '{}', 'sent', 1, 0, now(), now()"
    " FROM generate_series(1, %(n)s)",
    "INSERT INTO inbox SELECT 'notifier_svc', uuidv7() FROM generate_series(1, %(n)s)",
)


async def growth() -> dict[str, Any]:
    """CPU time per order of all processes, with few and with many stored orders, in turns; and the ratio."""
    turns = [await _fresh(count) for _ in range(TURNS) for count in (FEW, MANY)]
    few, many = (_mean(turns[first::2]) for first in (0, 1))
    return {"few": FEW, "many": MANY, "few_ms": few, "many_ms": many, "ratio": many["total"] / few["total"]}


async def _fresh(count: int) -> dict[str, float]:
    async with shop() as running:
        await insert_history(running, count)
        await running.load().closed_loop(CLIENTS, seconds=SECONDS)
        return await _cost(running)


def _mean(turns: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(turn.get(name, 0.0) for turn in turns) / len(turns) for name in turns[0]}


async def _cost(running: Shop) -> dict[str, float]:
    load, before = running.load(), running.cpu()
    await load.closed_loop(CLIENTS, seconds=SECONDS)
    await drained(running, load)
    cpu, done = running.cpu() - before, len(load.placed)
    each = {name: micros / done / 1000 for name, micros in cpu.most_common()}
    return each | {"total": sum(each.values())}


async def insert_history(running: Shop, count: int) -> None:
    """Store orders, mails and products behind the services' back, as if they had been there for long."""
    for service, statements in (("order", _ORDERS), ("notifier", _MAILS)):
        url = running.stack.commands[service].env["POSTGRES_URL"]
        await asyncio.to_thread(_insert_rows, url, statements, count)
    await _insert_documents(running.stack.commands["product"].env["MONGO_URL"], count)


def _insert_rows(url: str, statements: tuple[str, ...], count: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        for statement in statements:
            connection.execute(statement, {"n": count})
        connection.execute("VACUUM ANALYZE")


async def _insert_documents(url: str, count: int) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, uuidRepresentation="standard")
    database = client.get_default_database()
    for start in range(0, count, BATCH):
        for name, documents in _documents(min(BATCH, count - start)):
            await database[name].insert_many(documents, ordered=False)
    await client.close()


def _documents(count: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    skus = [f"OLD-{uuid7().hex}" for _ in range(count)]
    moment = {"version": 1, "changed_at": 1_700_000_000_000_000}
    price = {"amount": 1250, "currency": "EUR"}
    yield "stock", [{"_id": sku, "on_hand": 10, "reserved": 0, **moment} for sku in skus]
    variants = ([{"sku": sku, "price": price}] for sku in skus)
    yield "products", [{"_id": uuid7(), "name": "Mug", "attributes": {}, "variants": v, **moment} for v in variants]
    yield "reservations", [{"_id": uuid7(), "state": "held", "lines": [], **moment} for _ in skus]
    yield "inbox", [{"_id": f"product_svc/{uuid7()}"} for _ in skus]
