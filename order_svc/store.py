"""The tables of order_svc, and how orders, products and timelines get in and out of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.locks import ERASE_ALONE, HOLD_OFF_ERASURES
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import (
    Row,
    columns,
    insert_rows,
    load_rows,
    select_rows,
    update_rows,
    upsert_rows,
    write_rows,
)
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from order_svc import SERVICE
from order_svc.customer import Customer
from order_svc.customer_rows import (
    SELECT_CUSTOMERS,
    SELECT_OWNERS,
    customer_of,
    save_customers,
)
from order_svc.domain import MOVES, Forgotten, Order, Product
from order_svc.forgetting import FORGET_ANSWERS, FORGET_ORDERS, FORGET_PARCELS, LOCK_ORDERS
from order_svc.journal import Step, told
from order_svc.order_rows import MOVED, PLACED, RESHAPED, moved_row, order_of, placed_row, reshaped, whole_row
from schemas import Event, Money

ASKED_AT = "coalesce(asked_at, stored_at)"
"""When stock was asked for last, in SQL."""
WAITING = "(state = 'PENDING' OR amendment IS NOT NULL)"
"""Whether an order waits for an answer about stock, in SQL."""

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
    # By the database's clock, which is one for all processes: deadlines count from here,
    sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("billing_address", JSONB(none_as_null=True)),
    sa.Column("notes", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("last_revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("asked", sa.Integer, nullable=False, server_default="1"),
    sa.Column("reminded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("amendment", JSONB(none_as_null=True)),
    sa.Column("shipments", JSONB, nullable=False, server_default="[]"),
    sa.Column("returns", JSONB, nullable=False, server_default="[]"),
    # or from here, when stock was asked for again.
    sa.Column("asked_at", sa.DateTime(timezone=True)),
    sa.Index("orders_of_customer", "customer_id", "id"),
    sa.Index("orders_waiting", sa.text(ASKED_AT), postgresql_where=sa.text(WAITING)),
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
    sa.Index("idempotency_keys_by_age", "stored_at"),
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


class OrderBook(UnitOfWork):
    """The orders of one transaction, with the products they name."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.orders: IdentityMap[UUID, Order] = IdentityMap(self)
        self.products: IdentityMap[str, Product] = IdentityMap(self)
        self.answered: IdentityMap[UUID, Answered] = IdentityMap(self)
        self.timeline: AppendOnly[Entry] = AppendOnly(self)
        self.customers: IdentityMap[UUID, Customer] = IdentityMap(self)
        self.owners: IdentityMap[UUID, Customer] = IdentityMap(self)
        """By order: whose it is, where we have heard of them."""
        self.forgotten: IdentityMap[UUID, Forgotten] = IdentityMap(self)
        """Who is asked for is about to be erased: the orders that can be cancelled are wanted as well."""

    def keep(self, order: Order, event: Event | None, step: Step | None = None) -> None:
        """Store an order as a move has left it, tell what happened, and enter that and the saga's step."""
        self.orders.set(order.id, order)
        if step:
            self.timeline.add(Entry(order.id, self.now, step.type, step.detail))
        if event:
            self.emit(event, order.version, order.changed_at)
            self.timeline.add(Entry(order.id, order.changed_at, event.type, told(order, event)))

    async def load(self, tx: PipelinedTransaction) -> None:
        """Load every wanted row and lock it against other transactions."""
        # Before any row is locked, so that nobody waits for each other.
        if leaving := self.forgotten.missing:
            tx.execute(ERASE_ALONE)
            locked = await tx.execute(LOCK_ORDERS, array(leaving)).rows()
            self.orders.prefetch(*(row.id for row in locked if "cancel" in MOVES[row.state]))
        elif self.customers.missing:
            tx.execute(HOLD_OFF_ERASURES)
        await load_rows(
            tx,
            (self.answered, _SELECT_ANSWERED, lambda row: (row.id, _answered(row))),
            (self.orders, _SELECT_ORDERS, lambda row: (row.id, order_of(row))),
            (self.products, _SELECT_PRODUCTS, lambda row: (row.sku, _product(row))),
            (self.customers, SELECT_CUSTOMERS, customer_of),
            # After the orders are locked: whoever waited there for an erasure has to see it here.
            (self.owners, SELECT_OWNERS, lambda row: (row.order_id, customer_of(row)[1])),
            (self.forgotten, _SELECT_FORGOTTEN, lambda row: (row.customer_id, Forgotten(**row._asdict()))),
        )

    async def save(self, tx: PipelinedTransaction) -> None:
        """Write every changed row."""
        moved, others = self._amended()
        write_rows(
            tx,
            (_INSERT_ORDERS, [placed_row(order) for order in self.orders.inserted if order.version == 1]),
            (_INSERT_WHOLE, [whole_row(order) for order in self.orders.inserted if order.version > 1]),
            (_UPDATE_ORDERS, [moved_row(order) for order in moved]),
            (_RESHAPE_ORDERS, [whole_row(order) for order in others]),
            (_UPSERT_PRODUCTS, [_product_row(product) for product in self.products.changed]),
            (_INSERT_TIMELINE, [_entry_row(entry) for entry in self.timeline.added]),
            (_INSERT_ANSWERED, [_answered_row(answered) for answered in self.answered.changed]),
            (_INSERT_FORGOTTEN, [columns(one, forgotten_customers.c.keys()) for one in self.forgotten.inserted]),
        )
        if asking := [order.id for order in others if self._asks(order)]:
            tx.execute(_START_DEADLINES, array(asking))
        save_customers(tx, self.customers.changed)
        if self.forgotten.inserted:
            whose = array([one.customer_id for one in self.forgotten.inserted])
            tx.execute(FORGET_ANSWERS, whose)
            tx.execute(FORGET_PARCELS, whose)
            tx.execute(FORGET_ORDERS, whose)

    def _amended(self) -> tuple[list[Order], list[Order]]:
        """Of the orders that the database had: those that only moved, and those of which more has changed."""
        moved: list[Order] = []
        others: list[Order] = []
        for order in self.orders.updated:
            before = self.orders.original(order.id)
            (others if before is None or reshaped(order, before) else moved).append(order)
        return moved, others

    def _asks(self, order: Order) -> bool:
        before = self.orders.original(order.id)
        return before is not None and before.asked < order.asked


_SELECT_ORDERS = select_rows(orders, "id")
_SELECT_PRODUCTS = select_rows(products, "sku", lock=False)
_SELECT_ANSWERED = select_rows(idempotency_keys, "id", lock=False)
_INSERT_ORDERS = insert_rows(orders, *PLACED)
_INSERT_WHOLE = insert_rows(orders, *dict.fromkeys((*PLACED, *RESHAPED)))
_UPDATE_ORDERS = update_rows(orders, "id", *MOVED)
_RESHAPE_ORDERS = update_rows(orders, "id", *MOVED, *RESHAPED)
_START_DEADLINES = "UPDATE orders SET asked_at = now() WHERE id = ANY(CAST($1 AS uuid[]))"
_UPSERT_PRODUCTS = upsert_rows(products, *products.c.keys(), newer="version")
_INSERT_TIMELINE = insert_rows(timeline, "order_id", "at", "type", "detail")
_SELECT_FORGOTTEN = select_rows(forgotten_customers, "customer_id", lock=False)
_INSERT_FORGOTTEN = insert_rows(forgotten_customers, *forgotten_customers.c.keys())
_INSERT_ANSWERED = insert_rows(idempotency_keys, "id", "fingerprint", "order_id", "answer")


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
