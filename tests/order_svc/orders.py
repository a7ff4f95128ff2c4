"""Orders and products of a test: put in through the commands, as requests do, and looked at through queries."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from order_svc import queries
from order_svc.commands import Basket, cancel_order, learn_product, place_order, want_basket, want_order
from order_svc.domain import Order, Product
from order_svc.store import OrderBook
from schemas import Address, Money

ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")


async def product(
    commit: GroupCommit[OrderBook], amount: int = 1250, currency: str = "EUR", name: str = "Mug"
) -> str:
    """The SKU of a product that order_svc knows."""
    sku, price = f"SKU-{uuid7()}", Money(amount=amount, currency=currency)
    await learn(commit, Product(sku, uuid7(), name, price, 1))
    return sku


async def learn(commit: GroupCommit[OrderBook], product: Product) -> None:
    await commit(lambda book: learn_product(book, product), lambda book: book.products.prefetch(product.sku))


def basket(quantities: Mapping[str, int], customer_id: UUID | None = None) -> Basket:
    return Basket(uuid7(), customer_id or uuid7(), quantities, ADDRESS)


async def place(commit: GroupCommit[OrderBook], asked: Basket) -> Order:
    return await commit(lambda book: place_order(book, asked), lambda book: want_basket(book, asked))


async def pending(commit: GroupCommit[OrderBook], quantity: int = 2, amount: int = 1250) -> Order:
    """An order that has just been placed."""
    return await place(commit, basket({await product(commit, amount): quantity}))


async def cancel(commit: GroupCommit[OrderBook], order: Order) -> Order:
    return await commit(
        lambda book: cancel_order(book, order.id, order.customer_id, "customer"),
        lambda book: want_order(book, order.id),
    )


async def read(database: Postgres, order: Order) -> Order:
    return await queries.order(database, order.id, None)


async def timeline(database: Postgres, order_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.type, entry.detail) for entry in await queries.order_timeline(database, order_id)]
