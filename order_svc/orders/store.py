"""The tables of orders and of responses to idempotent requests, and how both are loaded and saved."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from order_svc.orders.domain import FIRST_VERSION, Order
from order_svc.orders.pieces import held_pieces
from order_svc.orders.rows import (
    CONTENT,
    PLACED,
    STATE,
    content_changed,
    full_row,
    order_from,
    placed_row,
    state_row,
)

REQUESTED_AT = "coalesce(reservation_requested_at, stored_at)"
"""When stock was last requested, in SQL."""
AWAITS_REPLY = "(state = 'PENDING' OR amendment IS NOT NULL)"
"""Whether an order waits for a reply about its stock, in SQL."""
MISSES_PIECES = "(state IN ('CONFIRMED', 'SHIPPED') AND amendment IS NULL AND missing -> 'lines' <> '[]')"
"""Whether pieces of an order were lost in the warehouse, and staff have to decide what becomes of it, in SQL."""

metadata = sa.MetaData()
EXPIRY_SECONDS = 60.0
"""How often expired responses are looked for."""

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
    # Deadlines count from here by the database's clock, the one clock that all processes share,
    sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("billing_address", JSONB(none_as_null=True)),
    sa.Column("customer_notes", sa.Text),
    sa.Column("cancellation_note", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("last_revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("reservation_attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("retried", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("amendment", JSONB(none_as_null=True)),
    sa.Column("shipments", JSONB, nullable=False, server_default="[]"),
    sa.Column("returns", JSONB, nullable=False, server_default="[]"),
    sa.Column("cancelled_remainder", JSONB(none_as_null=True)),
    sa.Column("return_requests", JSONB, nullable=False, server_default="[]"),
    sa.Column("missing", JSONB(none_as_null=True)),
    # or from here, where stock was requested again.
    sa.Column("reservation_requested_at", sa.DateTime(timezone=True)),
    sa.Index("orders_of_customer", "customer_id", "id"),
    sa.Index("orders_awaiting_reply", sa.text(REQUESTED_AT), postgresql_where=sa.text(AWAITS_REPLY)),
    sa.Index("orders_missing_pieces", "id", postgresql_where=sa.text(MISSES_PIECES)),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("order_id", sa.Uuid, nullable=False),
    sa.Column("response", sa.Text, nullable=False),
    sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("idempotency_keys_by_age", "stored_at"),
)


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The first response to a use of an Idempotency-Key; ``id`` stands for user, route and key."""

    id: UUID
    fingerprint: str
    order_id: UUID
    response: str


Write = tuple[str, Sequence[Row]]
"""A statement and its rows, for ``write_rows``."""

_SELECT_ORDERS = select_rows(orders, "id")
_INSERT_PLACED = insert_rows(orders, *PLACED)
_INSERT_FULL = insert_rows(orders, *dict.fromkeys((*PLACED, *CONTENT)))
_UPDATE_STATE = update_rows(orders, "id", *STATE)
_UPDATE_FULL = update_rows(orders, "id", *STATE, *CONTENT)
_RESTART_DEADLINES = "UPDATE orders SET reservation_requested_at = now() WHERE id = ANY(CAST($1 AS uuid[]))"
_SELECT_RESPONSES = select_rows(idempotency_keys, "id", lock=False)
_RESPONSE_COLUMNS = ("id", "fingerprint", "order_id", "response")
_INSERT_RESPONSES = insert_rows(idempotency_keys, *_RESPONSE_COLUMNS)


def load_orders(rows: IdentityMap[UUID, Order]) -> Load[UUID, Order]:
    """What loads orders and locks them."""
    return rows, _SELECT_ORDERS, lambda row: (row.id, order_from(row))


def save_orders(rows: IdentityMap[UUID, Order]) -> Sequence[Write]:
    """What saves orders. Most were just placed or changed only their state: these write fewer columns."""
    state: list[Order] = []
    full: list[Order] = []
    for order, before in _updated(rows):
        (full if content_changed(order, before) else state).append(order)
    return (
        (_INSERT_PLACED, [placed_row(order) for order in rows.inserted if order.version == FIRST_VERSION]),
        (_INSERT_FULL, [full_row(order) for order in rows.inserted if order.version > FIRST_VERSION]),
        (_UPDATE_STATE, [state_row(order) for order in state]),
        (_UPDATE_FULL, [full_row(order) for order in full]),
    )


def restart_deadlines(tx: PipelinedTransaction, rows: IdentityMap[UUID, Order]) -> None:
    """Let the deadline of orders that requested stock again count from now."""
    requested = [
        order.id for order, before in _updated(rows) if order.reservation_attempts > before.reservation_attempts
    ]
    if requested:
        tx.execute(_RESTART_DEADLINES, array(requested))


def held_changes(rows: IdentityMap[UUID, Order]) -> Mapping[UUID, int]:
    """Customer → by how much the pieces that their orders hold have changed, where they have."""
    changes: defaultdict[UUID, int] = defaultdict(int)
    for order in rows.changed:
        before = rows.original(order.id)
        if more := held_pieces(order) - (held_pieces(before) if before else 0):
            changes[order.customer_id] += more
    return changes


def _updated(rows: IdentityMap[UUID, Order]) -> Iterable[tuple[Order, Order]]:
    """The updated orders, each with what the database has."""
    for order in rows.updated:
        before = rows.original(order.id)
        assert before
        yield order, before


def load_responses(rows: IdentityMap[UUID, StoredResponse]) -> Load[UUID, StoredResponse]:
    """What loads responses."""
    return rows, _SELECT_RESPONSES, lambda row: (row.id, _response(row))


def save_responses(rows: IdentityMap[UUID, StoredResponse]) -> Write:
    """What saves responses."""
    return _INSERT_RESPONSES, [columns(response, _RESPONSE_COLUMNS) for response in rows.changed]


def _response(row: Any) -> StoredResponse:
    return StoredResponse(row.id, row.fingerprint, row.order_id, row.response)


def response_expiry(database: Postgres, seconds: float) -> Expiry:
    """Deletes stored responses that are older than ``seconds``."""
    expired = "stored_at < now() - make_interval(secs => :age)"
    return Expiry(database, idempotency_keys, expired, seconds=EXPIRY_SECONDS, order_by="stored_at", age=seconds)
