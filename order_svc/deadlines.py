"""Asks again for stock that was not answered by half of the deadline; after the other half cancels the orders, and
withdraws the amendments.

Deadlines are counted by the database's clock.
"""

import asyncio
from collections import Counter
from uuid import UUID

import sqlalchemy as sa
import structlog
from prometheus_client import Counter as Metric

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from order_svc.journal import Step
from order_svc.rounds import again_and_again
from order_svc.sagas.commands import pass_half_time
from order_svc.store import ASKED_AT, WAITING, OrderBook

log = structlog.get_logger()

UNANSWERED = Metric("shop_unanswered", "Orders whose stock was not answered, by what the deadline did", ["step"])

AT_ONCE = 200
EVERY_SECONDS = 1.0

# Both halves of a deadline are as long, so that one index finds what is due, whatever is due.
_DUE = sa.text(
    f"SELECT id, asked FROM orders WHERE {WAITING}"  # noqa: S608
    f" AND {ASKED_AT} < now() - make_interval(secs => :seconds) ORDER BY {ASKED_AT} LIMIT :limit"
)


class Deadlines:
    """Looks for orders that have waited for too long, again and again; ``seconds`` is the whole deadline."""

    def __init__(self, database: Postgres, commit: GroupCommit[OrderBook], seconds: float) -> None:
        self._database, self._commit, self._half = database, commit, seconds / 2

    async def run(self) -> None:
        """Watch until cancelled. Several processes may: the order's row is locked and its state looked at."""

        async def due() -> int:
            return (await self.sweep()).total()

        await again_and_again(due, "deadlines", full=AT_ONCE, seconds=EVERY_SECONDS)

    async def sweep(self) -> Counter[str]:
        """Ask again, or give up, for what is due now, up to ``AT_ONCE`` orders; return how often which was done."""
        async with self._database.reading() as connection:
            found = await connection.execute(_DUE, {"seconds": self._half, "limit": AT_ONCE})
            due = [(row.id, row.asked) for row in found]
        steps = await asyncio.gather(*(self._pass(*one) for one in due))
        done: Counter[str] = Counter(step.did for step in steps if step)
        for did, orders in done.items():
            UNANSWERED.labels(did).inc(orders)
        if done["asked_again"]:
            log.warning("no answer about the stock of orders yet, asked again", orders=done["asked_again"])
        if done["given_up"]:
            log.warning("no answer about the stock of orders in time", orders=done["given_up"])
        return done

    async def _pass(self, order_id: UUID, asking: int) -> Step | None:
        return await self._commit(
            lambda book: pass_half_time(book, order_id, asking), wants=lambda book: book.orders.prefetch(order_id)
        )
