"""Deletes expired links."""

from functools import partial

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically
from customer_svc.links.store import delete_expired_links

LIMIT, SECONDS = 1000, 600.0


async def keep_deleting_expired_links(database: Postgres) -> None:
    """Delete expired links, until cancelled."""
    await run_periodically(partial(delete_expired_links, database, LIMIT), "links", full=LIMIT, seconds=SECONDS)
