"""Reads orders: one, or a page of a list. Every query names the owner: to others an order does not exist.

Pages follow the primary key, or the index of a customer's orders; states and texts are compared while reading. An
index for these would have to be written with every order and every transition (docs/decisions/0018). So that a search
for something rare does not read the whole table, a page reads ``EXAMINED`` orders at most.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http.auth import Principal
from chassis.http.examples import ID, MOMENT
from chassis.persistence.postgres.database import Postgres
from order_svc.errors import OrderNotFound
from order_svc.orders.domain import Order, State
from order_svc.orders.parts import RequestStatus
from order_svc.orders.rows import order_from
from order_svc.orders.store import REQUESTED_AT, orders
from order_svc.replicas.store import customers

EXAMINED = 5000
SLACK = timedelta(minutes=10)
"""An order's id is generated before the order is placed; less than this passes between, however busy the database."""

_TIME_BITS, _ID_BITS = 48, 128

LEDGER = (
    "SELECT 'order' AS kind, id, customer_id, state, version, lines, changed_at, revision,"  # noqa: S608
    " amendment IS NOT NULL AS amended, coalesce(missing -> 'lines', '[]') AS missing,"
    " jsonb_path_query_array(shipments, '$[*].lines[*]') AS shipped,"
    " jsonb_path_query_array(returns, '$[*].lines[*]') AS returned,"
    " jsonb_path_query_array(returns, '$[*].scrapped[*]') AS scrapped,"
    " jsonb_array_length(jsonb_path_query_array(shipments, '$[*] ? (@.status == \"in_transit\")')) AS in_transit,"
    " jsonb_array_length(jsonb_path_query_array(shipments, '$[*] ? (@.status != \"in_transit\")')) AS settled,"
    " jsonb_array_length(shipments) AS parcels,"
    f" CAST(extract(epoch FROM now() - {REQUESTED_AT}) AS double precision) AS age_seconds FROM orders"
)
"""All orders, for the audit. Their age is by the database's clock, by which deadlines count."""
LEDGER_LINE = {
    **{"kind": "order", "id": ID, "customer_id": ID, "state": "CONFIRMED", "version": 2},
    **{"lines": [{"sku": "MUG-BLUE", "quantity": 2}], "changed_at": MOMENT, "revision": 1, "amended": False},
    **{"missing": [], "shipped": [], "returned": [], "scrapped": [], "in_transit": 0},
    **{"settled": 0, "parcels": 0, "age_seconds": 12.5},
}
"""An example of a line of it."""


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What the orders of a list have in common; None and empty match every order."""

    customer_id: UUID | None = None
    states: tuple[State, ...] = ()
    return_requests: tuple[RequestStatus, ...] = ()
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, newest first. ``next`` is the ``cursor`` of the next page; None where there is none."""

    orders: list[Order]
    next: UUID | None


def owner_filter(principal: Principal) -> UUID | None:
    """Whose orders a principal may see: their own; all orders for staff (None)."""
    return None if principal.role == "staff" else principal.id


async def find_order(database: Postgres, order_id: UUID, owner: UUID | None) -> Order:
    """One order; ``owner`` None matches any. Raise ``OrderNotFound``."""
    query = sa.select(orders).where(orders.c.id == order_id)
    if owner:
        query = query.where(orders.c.customer_id == owner)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise OrderNotFound
    return order_from(row)


async def customer_names(database: Postgres, found: Iterable[Order]) -> dict[UUID, str]:
    """The names of the customers of orders, where they are known and were not erased."""
    ids = {order.customer_id for order in found}
    query = sa.select(customers.c.id, customers.c.name).where(customers.c.id.in_(ids), customers.c.name.is_not(None))
    async with database.reading() as connection:
        return {row.id: row.name for row in await connection.execute(query)}


async def list_orders(
    database: Postgres, owner: UUID | None, wanted: OrderFilter, before: UUID | None, limit: int
) -> OrderPage:
    """A page of orders; ``owner`` None matches any."""
    indexed, other = _indexed_conditions(owner, wanted, before), _other_conditions(wanted)
    async with database.reading() as connection:
        # The end of the page first: orders that are placed meanwhile come before the page, and not into two pages.
        last = await _last_to_examine(connection, indexed) if other else None
        query = sa.select(orders).where(*indexed, *other).order_by(orders.c.id.desc()).limit(limit + 1)
        if last:
            query = query.where(orders.c.id >= last)
        found = [order_from(row) for row in await connection.execute(query)]
    if len(found) > limit:
        return OrderPage(found[:limit], found[limit - 1].id)
    return OrderPage(found, last)


async def _last_to_examine(connection: AsyncConnection, indexed: list[sa.ColumnElement[bool]]) -> UUID | None:
    """The oldest order that a page examines; None where it can examine all of them."""
    query = sa.select(orders.c.id).where(*indexed).order_by(orders.c.id.desc()).offset(EXAMINED - 1).limit(2)
    found = list(await connection.scalars(query))
    return found[0] if len(found) > 1 else None


def _indexed_conditions(owner: UUID | None, wanted: OrderFilter, before: UUID | None) -> list[sa.ColumnElement[bool]]:
    """The conditions that an index answers."""
    conditions = [orders.c.customer_id == customer for customer in (owner, wanted.customer_id) if customer]
    if before:
        conditions.append(orders.c.id < before)
    # A UUIDv7 begins with the time of its creation (RFC 9562 §5.7): no index on the time is needed.
    if wanted.placed_from:
        conditions.append(orders.c.id >= _first_id(wanted.placed_from, -SLACK))
    if wanted.placed_to:
        conditions.append(orders.c.id <= _first_id(wanted.placed_to, SLACK))
    return conditions


def _other_conditions(wanted: OrderFilter) -> list[sa.ColumnElement[bool]]:
    """The conditions for which each order has to be read."""
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(orders.c.state.in_(wanted.states))
    if wanted.return_requests:
        with_status = (orders.c.return_requests.contains([{"status": status}]) for status in wanted.return_requests)
        conditions.append(sa.or_(*with_status))
    if wanted.placed_from:
        conditions.append(orders.c.placed_at >= wanted.placed_from)
    if wanted.placed_to:
        conditions.append(orders.c.placed_at < wanted.placed_to)
    if wanted.text:
        conditions.append(_contains(wanted.text))
    return conditions


def _contains(text: str) -> sa.ColumnElement[bool]:
    line = sa.func.jsonb_array_elements(orders.c.lines).table_valued(sa.column("value", JSONB), name="line")
    fields = [line.c.value[name].astext for name in ("sku", "name")]
    in_a_line = sa.exists().where(sa.or_(*(field.icontains(text, autoescape=True) for field in fields)))
    return sa.or_(sa.cast(orders.c.id, sa.Text).icontains(text, autoescape=True), in_a_line.select_from(line))


def _first_id(moment: datetime, offset: timedelta) -> UUID:
    """The smallest UUIDv7 that is created at a moment plus an offset."""
    # Added as numbers: the calendar ends at the years 1 and 9999.
    milliseconds = int((moment.timestamp() + offset.total_seconds()) * 1000)
    return UUID(int=min(max(milliseconds, 0), (1 << _TIME_BITS) - 1) << (_ID_BITS - _TIME_BITS))
