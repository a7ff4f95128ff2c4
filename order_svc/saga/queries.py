"""Reads the orders that wait for a reply about their stock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from order_svc.orders.domain import State
from order_svc.orders.store import AWAITS_REPLY, REQUESTED_AT

_SAGAS = sa.text(
    "SELECT id AS order_id, state AS order_state,"  # noqa: S608
    " CASE WHEN amendment IS NULL THEN 'reserve' ELSE 'amend' END AS step,"
    " coalesce(CAST(amendment ->> 'revision' AS integer), revision) AS revision, reservation_attempts,"
    f" {REQUESTED_AT} AS since, CAST(extract(epoch FROM now() - {REQUESTED_AT}) AS double precision) AS seconds"
    f" FROM orders WHERE {AWAITS_REPLY} AND {REQUESTED_AT} <= now() - make_interval(secs => :seconds)"
    " AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit"
)
# Both halves of a deadline are equally long, so that one index finds all that are due.
_DUE = sa.text(
    f"SELECT id, reservation_attempts FROM orders WHERE {AWAITS_REPLY}"  # noqa: S608
    f" AND {REQUESTED_AT} < now() - make_interval(secs => :seconds) ORDER BY {REQUESTED_AT} LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Saga:
    """An order that waits: for what (``step``, ``revision``), since when, and how often stock was requested."""

    order_id: UUID
    order_state: State
    step: Literal["reserve", "amend"]
    revision: int
    reservation_attempts: int
    since: datetime
    seconds: float


async def waiting_sagas(database: Postgres, seconds: float, after: UUID | None, limit: int) -> list[Saga]:
    """The sagas that have waited for at least so long, by the database's clock; ordered by order id."""
    parameters = {"seconds": seconds, "after": after, "limit": limit}
    async with database.reading() as connection:
        return [Saga(**row._asdict()) for row in await connection.execute(_SAGAS, parameters)]


async def due_requests(database: Postgres, seconds: float, limit: int) -> list[tuple[UUID, int]]:
    """The oldest requests for stock without a reply for so long: the order, and the number of the request."""
    async with database.reading() as connection:
        found = await connection.execute(_DUE, {"seconds": seconds, "limit": limit})
        return [(row.id, row.reservation_attempts) for row in found]
