"""Reads timelines. Who may see them is decided before, by reading the order."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from order_svc.timeline.domain import TimelineEntry
from order_svc.timeline.store import entry_from, timeline


async def timeline_of(database: Postgres, order_id: UUID) -> list[TimelineEntry]:
    """What happened to an order, in the order in which order_svc recorded it."""
    return (await timelines_of(database, [order_id]))[order_id]


async def timelines_of(database: Postgres, order_ids: Sequence[UUID]) -> Mapping[UUID, list[TimelineEntry]]:
    """The timelines of several orders."""
    query = sa.select(timeline).where(timeline.c.order_id.in_(order_ids)).order_by(timeline.c.position)
    found: dict[UUID, list[TimelineEntry]] = {order_id: [] for order_id in order_ids}
    async with database.reading() as connection:
        for row in await connection.execute(query):
            found[row.order_id].append(entry_from(row))
    return found
