"""Cancels orders, and withdraws amendments, whose stock was not answered in time.

Deadlines are counted by the database's clock.
"""

import asyncio
import random
from uuid import UUID

import sqlalchemy as sa
import structlog

from chassis.database import Away
from chassis.errors import Unavailable
from chassis.groupcommit import GroupCommit
from chassis.sql import Postgres
from order_svc.commands import expire_order
from order_svc.store import ASKED_AT, WAITING, OrderBook

log = structlog.get_logger()

AT_ONCE = 200
EVERY_SECONDS = 1.0

_OVERDUE = sa.text(
    f"SELECT id, CAST(amendment ->> 'revision' AS integer) AS amendment FROM orders WHERE {WAITING}"  # noqa: S608
    f" AND {ASKED_AT} < now() - make_interval(secs => :seconds) ORDER BY {ASKED_AT} LIMIT :limit"
)


class Deadlines:
    """Looks for overdue orders, again and again."""

    def __init__(self, database: Postgres, commit: GroupCommit[OrderBook], seconds: float) -> None:
        self._database, self._commit, self._seconds = database, commit, seconds

    async def run(self) -> None:
        """Watch until cancelled. Several processes may: the order's row is locked and its state looked at."""
        while True:
            try:
                expired = await self.expire()
            except (Away, Unavailable) as error:
                log.warning("deadlines wait for the database", why=str(error)[:200])
                expired = 0
            if expired < AT_ONCE:
                await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load

    async def expire(self) -> int:
        """End what is overdue now, up to ``AT_ONCE`` orders; return how many there were."""
        async with self._database.reading() as connection:
            found = await connection.execute(_OVERDUE, {"seconds": self._seconds, "limit": AT_ONCE})
            overdue = [(row.id, row.amendment) for row in found]
        await asyncio.gather(*(self._expire(*one) for one in overdue))
        if overdue:
            log.warning("no answer about the stock of orders in time", orders=len(overdue))
        return len(overdue)

    async def _expire(self, order_id: UUID, amendment: int | None) -> None:
        await self._commit(
            lambda book: expire_order(book, order_id, amendment), wants=lambda book: book.orders.want(order_id)
        )
