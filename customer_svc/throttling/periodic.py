"""Deletes counts that no longer limit anything."""

from functools import partial

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically
from customer_svc.throttling.store import delete_expired_throttles

LIMIT, SECONDS = 1000, 600.0


async def keep_deleting_expired_throttles(database: Postgres) -> None:
    """Delete expired counts, until cancelled."""
    await run_periodically(
        partial(delete_expired_throttles, database, LIMIT), "throttles", full=LIMIT, seconds=SECONDS
    )
