"""Schedules the deadlines of sagas; what a deadline does is decided by ``HandleHalfDeadline``.

Deadlines are counted by the database's clock.
"""

import asyncio
from collections import Counter

import structlog
from prometheus_client import Counter as Metric

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically
from order_svc.saga.commands import HandleHalfDeadline
from order_svc.saga.queries import due_requests
from order_svc.unit_of_work import OrderUnitOfWork

log = structlog.get_logger()

DEADLINES = Metric("shop_saga_deadlines", "Sagas without a reply about stock, by what the deadline did", ["step"])

BATCH = 200
INTERVAL_SECONDS = 1.0


class Deadlines:
    """Finds the orders that have waited for too long; ``seconds`` is the whole deadline."""

    def __init__(self, database: Postgres, commit: GroupCommit[OrderUnitOfWork], seconds: float) -> None:
        self._database, self._commit, self._half = database, commit, seconds / 2

    async def run(self) -> None:
        """Handle deadlines until cancelled. Several processes may: the command locks the order and checks again."""
        await run_periodically(self._handle_due, "deadlines", full=BATCH, seconds=INTERVAL_SECONDS)

    async def _handle_due(self) -> int:
        return (await self.handle_due()).total()

    async def handle_due(self) -> Counter[str]:
        """Handle the deadlines that have passed, at most ``BATCH``; return how often each step was taken."""
        due = await due_requests(self._database, self._half, BATCH)
        steps = await asyncio.gather(*(self._commit(HandleHalfDeadline(*request)) for request in due))
        taken = Counter(str(step.name) for step in steps if step)
        for name, count in taken.items():
            DEADLINES.labels(name).inc(count)
        if taken["asked_again"]:
            log.warning("no reply about the stock of orders yet, requested it again", orders=taken["asked_again"])
        if taken["given_up"]:
            log.warning("no reply about the stock of orders in time, gave up", orders=taken["given_up"])
        return taken
