"""Removes answers to requests with an Idempotency-Key that nobody sends again any more.

Their age is counted by the database's clock.
"""

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from order_svc.rounds import again_and_again

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
        await again_and_again(self.sweep, "old answers", full=AT_ONCE, seconds=EVERY_SECONDS)

    async def sweep(self) -> int:
        """Remove what is too old now, up to ``AT_ONCE`` answers; return how many there were. Raise ``Away``."""
        async with self._database.reading() as connection:
            done = await connection.execute(_FORGET, {"seconds": self._seconds, "limit": AT_ONCE})
        return done.rowcount
