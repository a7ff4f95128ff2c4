"""Deletes stored responses to idempotent requests once they have expired, by the database's clock."""

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically

BATCH = 1_000
INTERVAL_SECONDS = 60.0

# Several processes may: each takes the rows that the others have not locked.
_DELETE = sa.text(
    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys"
    " WHERE stored_at < now() - make_interval(secs => :seconds)"
    " ORDER BY stored_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
)


class ResponseExpiry:
    """Deletes responses that are older than ``seconds``."""

    def __init__(self, database: Postgres, seconds: float) -> None:
        self._database, self._seconds = database, seconds

    async def run(self) -> None:
        """Delete expired responses until cancelled."""
        await run_periodically(self.delete_expired, "expiry of responses", full=BATCH, seconds=INTERVAL_SECONDS)

    async def delete_expired(self) -> int:
        """Delete expired responses, at most ``BATCH``; return how many. Raise ``DatabaseUnavailable``."""
        async with self._database.reading() as connection:
            deleted = await connection.execute(_DELETE, {"seconds": self._seconds, "limit": BATCH})
        return deleted.rowcount
