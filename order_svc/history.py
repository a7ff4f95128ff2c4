"""Orders that are looked for: which, and page by page. The owner is part of every question.

Pages follow the primary key, or the index of a customer's orders; state and text are compared with what comes by.
An index for these would have to be written with every order and every move of one (docs/decisions/0050). So that a
question for something rare does not read the whole table, a page looks through ``EXAMINED`` orders at most.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.persistence.postgres.database import Postgres
from order_svc.domain import Order, State
from order_svc.order_rows import order_of
from order_svc.store import orders

EXAMINED = 5000
SLACK = timedelta(minutes=10)
"""An order has its id before it is placed; between the two lie less than this, whatever the database is busy with."""

_TIME_BITS, _ID_BITS = 48, 128


@dataclass(frozen=True, slots=True)
class Sought:
    """What orders have to be: None and nothing ask for any."""

    customer_id: UUID | None = None
    states: tuple[State, ...] = ()
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Orders, newest first. ``next`` is what the page that follows comes ``before``; None where there is none."""

    orders: list[Order]
    next: UUID | None


async def history(database: Postgres, owner: UUID | None, sought: Sought, before: UUID | None, limit: int) -> Page:
    """A page of orders; ``owner`` None asks for anybody's."""
    span = _span(owner, sought, before)
    wanted = _wanted(sought)
    async with database.reading() as connection:
        # The end first: orders that are placed meanwhile then stand before the page, and not in two.
        last = await _last_to_examine(connection, span) if wanted else None
        query = sa.select(orders).where(*span, *wanted).order_by(orders.c.id.desc()).limit(limit + 1)
        if last:
            query = query.where(orders.c.id >= last)
        found = [order_of(row) for row in await connection.execute(query)]
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].id)
    return Page(found, last)


async def _last_to_examine(connection: AsyncConnection, span: list[sa.ColumnElement[bool]]) -> UUID | None:
    """The oldest order that a page looks at; None where it can look at all of them."""
    query = sa.select(orders.c.id).where(*span).order_by(orders.c.id.desc()).offset(EXAMINED - 1).limit(2)
    found = list(await connection.scalars(query))
    return found[0] if len(found) > 1 else None


def _span(owner: UUID | None, sought: Sought, before: UUID | None) -> list[sa.ColumnElement[bool]]:
    """The conditions that an index answers."""
    conditions = [orders.c.customer_id == who for who in (owner, sought.customer_id) if who]
    if before:
        conditions.append(orders.c.id < before)
    # UUIDv7 begin with the time of their making (RFC 9562 §5.7): no index of the time is needed.
    if sought.placed_from:
        conditions.append(orders.c.id >= _first_id(sought.placed_from, -SLACK))
    if sought.placed_to:
        conditions.append(orders.c.id <= _first_id(sought.placed_to, SLACK))
    return conditions


def _wanted(sought: Sought) -> list[sa.ColumnElement[bool]]:
    """The conditions that orders have to be looked at for."""
    conditions: list[sa.ColumnElement[bool]] = []
    if sought.states:
        conditions.append(orders.c.state.in_(sought.states))
    if sought.placed_from:
        conditions.append(orders.c.placed_at >= sought.placed_from)
    if sought.placed_to:
        conditions.append(orders.c.placed_at < sought.placed_to)
    if sought.text:
        conditions.append(_mentions(sought.text))
    return conditions


def _mentions(text: str) -> sa.ColumnElement[bool]:
    line = sa.func.jsonb_array_elements(orders.c.lines).table_valued(sa.column("value", JSONB), name="line")
    fields = [line.c.value[name].astext for name in ("sku", "name")]
    in_a_line = sa.exists().where(sa.or_(*(field.icontains(text, autoescape=True) for field in fields)))
    return sa.or_(sa.cast(orders.c.id, sa.Text).icontains(text, autoescape=True), in_a_line.select_from(line))


def _first_id(moment: datetime, later: timedelta) -> UUID:
    """The first of all UUIDv7 that are made so much later than a moment."""
    # Added as numbers: the calendar ends at the years 1 and 9999.
    milliseconds = int((moment.timestamp() + later.total_seconds()) * 1000)
    return UUID(int=min(max(milliseconds, 0), (1 << _TIME_BITS) - 1) << (_ID_BITS - _TIME_BITS))
