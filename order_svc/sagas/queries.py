"""Which orders wait for an answer about their stock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from order_svc.domain import State
from order_svc.store import ASKED_AT, WAITING

_SAGAS = sa.text(
    "SELECT id AS order_id, state AS order_state,"  # noqa: S608
    " CASE WHEN amendment IS NULL THEN 'reserve' ELSE 'amend' END AS step,"
    " coalesce(CAST(amendment ->> 'revision' AS integer), revision) AS revision, asked,"
    f" {ASKED_AT} AS since, CAST(extract(epoch FROM now() - {ASKED_AT}) AS double precision) AS seconds"
    f" FROM orders WHERE {WAITING} AND {ASKED_AT} <= now() - make_interval(secs => :seconds)"
    " AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Saga:
    """An order that waits: for what (``step``, ``revision``), since when, and how often it has asked."""

    order_id: UUID
    order_state: State
    step: Literal["reserve", "amend"]
    revision: int
    asked: int
    since: datetime
    seconds: float


async def waiting(database: Postgres, seconds: float, after: UUID | None, limit: int) -> list[Saga]:
    """The sagas that wait for so long at least, by the database's clock; by order, after one of them."""
    asked = {"seconds": seconds, "after": after, "limit": limit}
    async with database.reading() as connection:
        return [Saga(**row._asdict()) for row in await connection.execute(_SAGAS, asked)]
