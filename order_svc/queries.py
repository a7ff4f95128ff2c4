"""What can be asked of order_svc. The owner is part of every question: to others an order does not exist."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.http.examples import ID, MOMENT
from chassis.persistence.postgres.database import Postgres
from order_svc.domain import Order
from order_svc.errors import OrderUnknown
from order_svc.order_rows import order_of
from order_svc.store import ASKED_AT, Entry, orders, timeline

LEDGER = (
    "SELECT 'order' AS kind, id, customer_id, state, version, lines, changed_at, revision,"  # noqa: S608
    " amendment IS NOT NULL AS amended,"
    " jsonb_path_query_array(shipments, '$[*].lines[*]') AS shipped,"
    " jsonb_path_query_array(returns, '$[*].lines[*]') AS returned,"
    f" CAST(extract(epoch FROM now() - {ASKED_AT}) AS double precision) AS age_seconds FROM orders",
    "SELECT 'answer' AS kind, 'order_svc' AS service, customer_id,"
    " EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = f.customer_id AND '-' <> ANY (ARRAY["
    "o.shipping_address ->> 'street', o.billing_address ->> 'street',"
    " o.amendment #>> '{shipping_address,street}', o.amendment #>> '{billing_address,street}']))"
    " OR EXISTS (SELECT 1 FROM customers c WHERE c.id = f.customer_id AND"
    " 'object' = ANY (ARRAY[jsonb_typeof(c.shipping), jsonb_typeof(c.billing)])) AS has_address"
    " FROM forgotten_customers f",
)
"""All orders, and the answers about erased customers, for the audit: ``has_address`` should be false.

The age of orders is by the database's clock, which deadlines are counted by.
"""
LEDGER_LINE = {
    **{"kind": "order", "id": ID, "customer_id": ID, "state": "CONFIRMED", "version": 2},
    **{"lines": [{"sku": "MUG-BLUE", "quantity": 2}], "changed_at": MOMENT, "revision": 1, "amended": False},
    **{"shipped": [], "returned": [], "age_seconds": 12.5},
}
"""One of them, as it is told."""


async def order(database: Postgres, order_id: UUID, owner: UUID | None) -> Order:
    """One order; ``owner`` None asks for anybody's. Raise ``OrderUnknown``."""
    query = sa.select(orders).where(orders.c.id == order_id)
    if owner:
        query = query.where(orders.c.customer_id == owner)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise OrderUnknown
    return order_of(row)


async def order_timeline(database: Postgres, order_id: UUID) -> list[Entry]:
    """What happened to an order, in the order in which it was heard of here."""
    return (await timelines(database, [order_id]))[order_id]


async def timelines(database: Postgres, order_ids: Sequence[UUID]) -> Mapping[UUID, list[Entry]]:
    """The timeline of each of these orders."""
    query = sa.select(timeline).where(timeline.c.order_id.in_(order_ids)).order_by(timeline.c.position)
    found: dict[UUID, list[Entry]] = {order_id: [] for order_id in order_ids}
    async with database.reading() as connection:
        for row in await connection.execute(query):
            found[row.order_id].append(Entry(row.order_id, row.at, row.type, row.detail))
    return found
