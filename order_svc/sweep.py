"""Removes answers to requests with an Idempotency-Key that nobody sends again any more.

Their age is counted by the database's clock.
"""

import asyncio
import random

import sqlalchemy as sa
import structlog

from chassis.database import Away
from chassis.sql import Postgres

log = structlog.get_logger()

AT_ONCE = 1_000
EVERY_SECONDS = 60.0

# Several processes may: each takes what the others have not.
_FORGET = sa.text(
    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys"
    " WHERE stored_at < now() - make_interval(secs => :seconds)"
    " ORDER BY stored_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
)


class Sweep:
    """Forgets answers that are older than so many seconds, again and again."""

    def __init__(self, database: Postgres, seconds: float) -> None:
        self._database, self._seconds = database, seconds

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                removed = await self.sweep()
            except Away as error:
                log.warning("old answers wait for the database", why=str(error)[:200])
                removed = 0
            if removed < AT_ONCE:
                await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load

    async def sweep(self) -> int:
        """Remove what is too old now, up to ``AT_ONCE`` answers; return how many there were. Raise ``Away``."""
        async with self._database.reading() as connection:
            done = await connection.execute(_FORGET, {"seconds": self._seconds, "limit": AT_ONCE})
        return done.rowcount
