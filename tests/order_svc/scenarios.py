"""Orders and products in a database, put there by commands and events, and read by queries."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import records
from order_svc import SERVICE
from order_svc.handlers import HANDLERS
from order_svc.orders.commands import CancelOrder, PlaceOrder
from order_svc.orders.domain import Order
from order_svc.orders.queries import find_order
from order_svc.replicas.commands import UpsertProducts
from order_svc.replicas.domain import Product
from order_svc.timeline.queries import timeline_of
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Event, Money, StockReserved
from tests.order_svc.factories import ADDRESS

Commit = GroupCommit[OrderUnitOfWork]


async def product(commit: Commit, amount: int = 1250, currency: str = "EUR", name: str = "Mug") -> str:
    """The SKU of a new product in the replica."""
    sku, price = f"SKU-{uuid7()}", Money(amount=amount, currency=currency)
    await upsert(commit, Product(sku, uuid7(), name, price, 1))
    return sku


async def upsert(commit: Commit, product: Product) -> None:
    await commit(UpsertProducts([product]))


def place_order(quantities: Mapping[str, int], customer_id: UUID | None = None) -> PlaceOrder:
    return PlaceOrder(uuid7(), customer_id or uuid7(), quantities, ADDRESS)


async def pending(commit: Commit, quantity: int = 2, amount: int = 1250) -> Order:
    """An order that was just placed."""
    placed: Order = await commit(place_order({await product(commit, amount): quantity}))
    return placed


async def confirmed(database: Postgres, commit: Commit) -> Order:
    """An order whose stock is reserved."""
    order = await pending(commit)
    await consume(database, reserved(order))
    return await read(database, order)


async def cancel(commit: Commit, order: Order) -> Order:
    cancelled: Order = await commit(CancelOrder(order.id, order.customer_id))
    return cancelled


async def read(database: Postgres, order: Order) -> Order:
    return await find_order(database, order.id, None)


async def timeline(database: Postgres, order_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.type, entry.detail) for entry in await timeline_of(database, order_id)]


def consumer(database: Postgres) -> Consumer[OrderUnitOfWork]:
    return Consumer(database, SERVICE, OrderUnitOfWork, HANDLERS)


async def consume(database: Postgres, *events: Event) -> None:
    """Handle events, as they arrive from Kafka."""
    await consumer(database).handle(records(events))


def reserved(order: Order, revision: int = 1) -> StockReserved:
    return StockReserved(order_id=order.id, lines=(), revision=revision)


async def waits_for_a_row(database: Postgres) -> bool:
    """Whether a transaction waits for another one to release a row."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple')"
    )
    async with database.reading() as connection:
        return bool(await connection.scalar(sa.text(query)))
