"""Reads the orders that wait for a reply about their stock, and those that have lost some."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from order_svc.orders.domain import State
from order_svc.orders.store import AWAITS_REPLY, MISSES_PIECES, REQUESTED_AT
from schemas import Line

_SINCE = f"CASE WHEN {MISSES_PIECES} THEN CAST(missing ->> 'at' AS timestamp with time zone) ELSE {REQUESTED_AT} END"
_SAGAS = sa.text(
    "SELECT id AS order_id, state AS order_state,"  # noqa: S608
    f" CASE WHEN {MISSES_PIECES} THEN 'lost' WHEN amendment IS NULL THEN 'reserve' ELSE 'amend' END AS step,"
    " coalesce(CAST(amendment ->> 'revision' AS integer), revision) AS revision, reservation_attempts,"
    f" missing -> 'lines' AS missing, {_SINCE} AS since,"
    f" CAST(extract(epoch FROM now() - {_SINCE}) AS double precision) AS seconds FROM orders"
    f" WHERE ({AWAITS_REPLY} AND {REQUESTED_AT} <= now() - make_interval(secs => :seconds) OR {MISSES_PIECES})"
    " AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit"
)
# Both halves of a deadline are equally long, so that one index finds all that are due.
_DUE = sa.text(
    f"SELECT id, reservation_attempts FROM orders WHERE {AWAITS_REPLY}"  # noqa: S608
    f" AND {REQUESTED_AT} < now() - make_interval(secs => :seconds) ORDER BY {REQUESTED_AT} LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Saga:
    """An order that waits: for what (``step``, ``revision``), since when, and how often stock was requested.

    With the step ``lost`` it waits for staff: of what was reserved for it, ``missing`` was lost.
    """

    order_id: UUID
    order_state: State
    step: Literal["reserve", "amend", "lost"]
    revision: int
    reservation_attempts: int
    missing: tuple[Line, ...]
    since: datetime
    seconds: float


async def waiting_sagas(database: Postgres, seconds: float, after: UUID | None, limit: int) -> list[Saga]:
    """The sagas that have waited for at least so long, by the database's clock, and all that wait for staff.

    Ordered by order id.
    """
    parameters = {"seconds": seconds, "after": after, "limit": limit}
    async with database.reading() as connection:
        return [_saga(row) for row in await connection.execute(_SAGAS, parameters)]


def _saga(row: Any) -> Saga:
    lines = tuple(Line.model_validate(line) for line in row.missing or ())
    return Saga(**row._asdict() | {"missing": lines if row.step == "lost" else ()})


async def due_requests(database: Postgres, seconds: float, limit: int) -> list[tuple[UUID, int]]:
    """The oldest requests for stock without a reply for so long: the order, and the number of the request."""
    async with database.reading() as connection:
        found = await connection.execute(_DUE, {"seconds": seconds, "limit": limit})
        return [(row.id, row.reservation_attempts) for row in found]
