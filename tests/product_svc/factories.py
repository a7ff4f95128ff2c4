"""Products, stock and orders for tests: created through the commands and events, read from the collections."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.testing import records
from product_svc import SERVICE
from product_svc.catalogue.commands import CreateProduct
from product_svc.catalogue.domain import Product, Variant
from product_svc.handlers import HANDLERS
from product_svc.stock.commands import AdjustStock
from product_svc.stock.domain import Stock
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import (
    Address,
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    Line,
    Money,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderShipped,
    PricedLine,
)

Commit = GroupCommit[ProductUnitOfWork]
PRICE = Money(amount=1250, currency="EUR")
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")


def new_sku() -> str:
    return f"SKU-{uuid7()}"


async def create(commit: Commit, *skus: str, attributes: Mapping[str, Any] | None = None) -> Product:
    product: Product = await commit(
        CreateProduct(uuid7(), "Mug", attributes or {}, [Variant(sku, PRICE) for sku in skus])
    )
    return product


async def adjust(commit: Commit, sku: str, delta: int) -> Stock:
    stock: Stock = await commit(AdjustStock(sku, delta, "delivery"))
    return stock


async def stocked(commit: Commit, on_hand: int) -> str:
    """The SKU of a new product with this number on hand."""
    sku = new_sku()
    await create(commit, sku)
    if on_hand:
        await adjust(commit, sku, on_hand)
    return sku


def priced(quantities: Mapping[str, int]) -> tuple[PricedLine, ...]:
    return tuple(PricedLine(sku=s, quantity=q, name="Mug", unit_price=PRICE) for s, q in quantities.items())


def lines(quantities: Mapping[str, int]) -> tuple[Line, ...]:
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in quantities.items())


def about(order: OrderPlaced) -> dict[str, Any]:
    return {"order_id": order.order_id, "customer_id": order.customer_id}


def placed(quantities: Mapping[str, int], order_id: UUID | None = None) -> OrderPlaced:
    return OrderPlaced(
        order_id=order_id or uuid7(),
        customer_id=uuid7(),
        lines=priced(quantities),
        total=PRICE,
        shipping_address=ADDRESS,
    )


def cancelled(order: OrderPlaced) -> OrderCancelled:
    return OrderCancelled(order_id=order.order_id, customer_id=order.customer_id, reason="customer")


def amended(order: OrderPlaced, to: Mapping[str, int], revision: int = 2, replaces: int = 1) -> OrderAmended:
    wanted: dict[str, Any] = {"lines": priced(to), "total": PRICE, "shipping_address": ADDRESS}
    return OrderAmended(**about(order), revision=revision, replaces=replaces, **wanted)


def accepted(order: OrderPlaced, became: Mapping[str, int], revision: int = 2) -> AmendmentAccepted:
    now: dict[str, Any] = {"lines": priced(became), "total": PRICE, "shipping_address": ADDRESS}
    return AmendmentAccepted(**about(order), revision=revision, **now)


def refused(order: OrderPlaced, revision: int = 2) -> AmendmentRefused:
    return AmendmentRefused(**about(order), revision=revision, shortages=())


def shipped(order: OrderPlaced, parcel: Mapping[str, int], revision: int = 1) -> OrderShipped:
    sent: dict[str, Any] = {"shipment_id": uuid7(), "carrier": "DHL", "tracking_number": "1", "complete": False}
    return OrderShipped(**about(order), **sent, revision=revision, lines=priced(parcel), shipping_address=ADDRESS)


def consumer(database: Mongo) -> Consumer[ProductUnitOfWork]:
    return Consumer(database, SERVICE, ProductUnitOfWork, HANDLERS)


async def handle(database: Mongo, *events: Event) -> None:
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
