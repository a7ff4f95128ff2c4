"""Deletes expired sessions."""

from functools import partial

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically
from customer_svc.sessions.store import delete_expired_sessions

LIMIT, SECONDS = 1000, 600.0


async def keep_deleting_expired_sessions(database: Postgres) -> None:
    """Delete expired sessions with their refresh tokens, until cancelled."""
    await run_periodically(partial(delete_expired_sessions, database, LIMIT), "sessions", full=LIMIT, seconds=SECONDS)
