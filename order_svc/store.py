"""The tables of order_svc, and how orders, products and timelines get in and out of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.sql_rows import Row, columns, hold, insert_rows, select_rows, update_rows, upsert_rows, write
from chassis.sql_tx import Tx, array
from chassis.unit import Log, Rows, Unit
from order_svc import SERVICE
from order_svc.domain import Forgotten, Order, Product
from schemas import Address, Event, Money, PricedLine, Shortage

metadata = sa.MetaData()

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("lines", JSONB, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("shipping_address", JSONB, nullable=False),
    sa.Column("shortages", JSONB, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    # By the database's clock, which is one for all processes: deadlines count from here.
    sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("orders_of_customer", "customer_id", "id"),
    sa.Index("orders_pending", "stored_at", postgresql_where=sa.text("state = 'PENDING'")),
)

products = sa.Table(
    "products",
    metadata,
    sa.Column("sku", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("for_sale", sa.Boolean, nullable=False, server_default=sa.true()),
)

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("order_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("detail", JSONB, nullable=False),
    sa.Index("timeline_of_order", "order_id", "position"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("order_id", sa.Uuid, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

forgotten_customers = sa.Table(
    "forgotten_customers",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an order's timeline."""

    order_id: UUID
    at: datetime
    type: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer to a request with an Idempotency-Key; ``id`` stands for user, route and key."""

    id: UUID
    fingerprint: str
    order_id: UUID
    answer: str


class OrderBook(Unit):
    """The orders of one transaction, with the products they name."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.orders: Rows[UUID, Order] = Rows(self)
        self.products: Rows[str, Product] = Rows(self)
        self.answered: Rows[UUID, Answered] = Rows(self)
        self.timeline: Log[Entry] = Log(self)
        self.forgotten: Rows[UUID, Forgotten] = Rows(self)

    def keep(self, order: Order, event: Event) -> None:
        """Store an order as a move has left it, tell what happened, and enter it in the timeline."""
        self.orders.put(order.id, order)
        self.emit(event, order.version, order.changed_at)
        detail: dict[str, Any] = {"state": order.state}
        if order.reason:
            detail["reason"] = order.reason
        if order.shortages:
            detail["shortages"] = [shortage.model_dump() for shortage in order.shortages]
        self.timeline.add(Entry(order.id, order.changed_at, event.type, detail))

    async def load(self, tx: Tx) -> None:
        """Load every wanted row and lock it against other transactions."""
        await hold(
            tx,
            (self.answered, _SELECT_ANSWERED, lambda row: (row.id, _answered(row))),
            (self.orders, _SELECT_ORDERS, lambda row: (row.id, order_of(row))),
            (self.products, _SELECT_PRODUCTS, lambda row: (row.sku, _product(row))),
            (self.forgotten, _SELECT_FORGOTTEN, lambda row: (row.customer_id, Forgotten(**row._asdict()))),
        )

    async def save(self, tx: Tx) -> None:
        """Write every changed row."""
        write(
            tx,
            (_INSERT_ORDERS, [_order_row(order) for order in self.orders.made]),
            (_UPDATE_ORDERS, [_moved_row(order) for order in self.orders.amended]),
            (_UPSERT_PRODUCTS, [_product_row(product) for product in self.products.changed]),
            (_INSERT_TIMELINE, [_entry_row(entry) for entry in self.timeline.added]),
            (_INSERT_ANSWERED, [_answered_row(answered) for answered in self.answered.changed]),
            (_INSERT_FORGOTTEN, [columns(one, forgotten_customers.c.keys()) for one in self.forgotten.made]),
        )
        if self.forgotten.made:
            whose = array([one.customer_id for one in self.forgotten.made])
            tx.execute(_FORGET_ANSWERS, whose)
            tx.execute(_FORGET_ORDERS, whose)


_SELECT_ORDERS = select_rows(orders, "id")
_SELECT_PRODUCTS = select_rows(products, "sku", lock=False)
_SELECT_ANSWERED = select_rows(idempotency_keys, "id", lock=False)
_ORDER_COLUMNS = [column.name for column in orders.c if column.name != "stored_at"]
_INSERT_ORDERS = insert_rows(orders, *_ORDER_COLUMNS)
_UPDATE_ORDERS = update_rows(orders, "id", "state", "shortages", "reason", "version", "changed_at")
_UPSERT_PRODUCTS = upsert_rows(products, *products.c.keys(), newer="version")
_INSERT_TIMELINE = insert_rows(timeline, "order_id", "at", "type", "detail")
_SELECT_FORGOTTEN = select_rows(forgotten_customers, "customer_id", lock=False)
_INSERT_FORGOTTEN = insert_rows(forgotten_customers, *forgotten_customers.c.keys())
# The country stays: what was sold to where is not personal, and has to be known for taxes.
_NOWHERE = """'{"name": "-", "street": "-", "city": "-", "postal_code": "-"}'::jsonb"""
_OF_CUSTOMERS = "customer_id = ANY(CAST($1 AS uuid[]))"
_FORGET_ORDERS = f"UPDATE orders SET shipping_address = shipping_address || {_NOWHERE} WHERE {_OF_CUSTOMERS}"  # noqa: S608
_FORGET_ANSWERS = (
    "UPDATE idempotency_keys SET answer = jsonb_set(answer::jsonb, '{shipping_address}',"  # noqa: S608
    f" (answer::jsonb -> 'shipping_address') || {_NOWHERE})::text"
    f" WHERE order_id IN (SELECT id FROM orders WHERE {_OF_CUSTOMERS})"
)
_INSERT_ANSWERED = insert_rows(idempotency_keys, "id", "fingerprint", "order_id", "answer")


def order_of(row: Any) -> Order:
    """A row of ``orders`` as the domain sees it."""
    return Order(
        id=row.id,
        customer_id=row.customer_id,
        state=row.state,
        lines=tuple(PricedLine.model_validate(line) for line in row.lines),
        total=Money(amount=row.total, currency=row.currency),
        shipping_address=Address.model_validate(row.shipping_address),
        shortages=tuple(Shortage.model_validate(shortage) for shortage in row.shortages),
        reason=row.reason,
        version=row.version,
        placed_at=row.placed_at,
        changed_at=row.changed_at,
    )


def _order_row(order: Order) -> Row:
    return {
        **_moved_row(order),
        "customer_id": order.customer_id,
        "lines": [line.model_dump() for line in order.lines],
        "total": order.total.amount,
        "currency": order.total.currency,
        "shipping_address": order.shipping_address.model_dump(),
        "placed_at": order.placed_at,
    }


def _moved_row(order: Order) -> Row:
    """What a move changes."""
    return {
        "id": order.id,
        "state": order.state,
        "shortages": [shortage.model_dump() for shortage in order.shortages],
        "reason": order.reason,
        "version": order.version,
        "changed_at": order.changed_at,
    }


def _product(row: Any) -> Product:
    price = Money(amount=row.amount, currency=row.currency)
    return Product(row.sku, row.product_id, row.name, price, row.version, row.for_sale)


def _product_row(product: Product) -> Row:
    return {
        "sku": product.sku,
        "product_id": product.product_id,
        "name": product.name,
        "amount": product.price.amount,
        "currency": product.price.currency,
        "version": product.version,
        "for_sale": product.for_sale,
    }


def _entry_row(entry: Entry) -> Row:
    return {"order_id": entry.order_id, "at": entry.at, "type": entry.type, "detail": entry.detail}


def _answered(row: Any) -> Answered:
    return Answered(row.id, row.fingerprint, row.order_id, row.answer)


def _answered_row(answered: Answered) -> Row:
    return {
        "id": answered.id,
        "fingerprint": answered.fingerprint,
        "order_id": answered.order_id,
        "answer": answered.answer,
    }
