"""Products, stock and orders of a test: put in through the commands and events, looked at in the collections."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.testing import records
from product_svc import SERVICE
from product_svc.catalogue.commands import create_product
from product_svc.catalogue.domain import Product
from product_svc.commands import adjust_stock
from product_svc.domain import Stock
from product_svc.handlers import HANDLERS
from product_svc.store import Warehouse
from schemas import Address, Event, Money, OrderCancelled, OrderPlaced, PricedLine
from schemas.values import Variant

Commit = GroupCommit[Warehouse]
PRICE = Money(amount=1250, currency="EUR")
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")


def new_sku() -> str:
    return f"SKU-{uuid7()}"


async def create(commit: Commit, *skus: str, attributes: Mapping[str, Any] | None = None) -> Product:
    product_id, variants = uuid7(), [Variant(sku=sku, price=PRICE) for sku in skus]

    def wants(unit: Warehouse) -> None:
        unit.products.prefetch(product_id)
        unit.stock.prefetch(*skus)

    return await commit(lambda unit: create_product(unit, product_id, "Mug", attributes or {}, variants), wants)


async def adjust(commit: Commit, sku: str, delta: int) -> Stock:
    return await commit(
        lambda unit: adjust_stock(unit, sku, delta, "delivery"), lambda unit: unit.stock.prefetch(sku)
    )


async def stocked(commit: Commit, on_hand: int) -> str:
    """The SKU of a product of which so many are there."""
    sku = new_sku()
    await create(commit, sku)
    if on_hand:
        await adjust(commit, sku, on_hand)
    return sku


def placed(quantities: Mapping[str, int], order_id: UUID | None = None) -> OrderPlaced:
    lines = tuple(PricedLine(sku=s, quantity=q, name="Mug", unit_price=PRICE) for s, q in quantities.items())
    return OrderPlaced(
        order_id=order_id or uuid7(), customer_id=uuid7(), lines=lines, total=PRICE, shipping_address=ADDRESS
    )


def cancelled(order: OrderPlaced) -> OrderCancelled:
    return OrderCancelled(order_id=order.order_id, customer_id=order.customer_id, reason="customer")


def consumer(database: Mongo) -> Consumer[Warehouse]:
    return Consumer(database, SERVICE, Warehouse, HANDLERS)


async def hear(database: Mongo, *events: Event) -> None:
    """Handle events as one batch."""
    await consumer(database).handle(records(events))


async def numbers(database: Mongo, sku: str) -> tuple[int, int]:
    """(on hand, reserved) of a SKU."""
    found = await database.db.stock.find_one({"_id": sku})
    assert found is not None
    return found["on_hand"], found["reserved"]


async def reservation(database: Mongo, order_id: UUID) -> tuple[str, dict[str, int], int] | None:
    """(state, quantities, version) of an order's reservation."""
    found = await database.db.reservations.find_one({"_id": order_id})
    if found is None:
        return None
    return found["state"], {line["sku"]: line["quantity"] for line in found["lines"]}, found["version"]
