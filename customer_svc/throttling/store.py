"""The table of throttles: one row a subject, by the database's clock.

The algorithm is GCRA (ATM Forum TM 4.0 §4.4.2): ``free_at`` is when the subject will be as if it had never tried.
"""

import math
from collections.abc import Mapping

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.errors import TooManyAttempts
from customer_svc.throttling.domain import Limit

throttles = sa.Table(
    "throttles",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("free_at", MOMENT, nullable=False),
)

_CHARGE = sa.text(
    "INSERT INTO throttles AS t (subject, free_at) VALUES (:subject, now() + make_interval(secs => :interval))"
    " ON CONFLICT (subject) DO UPDATE SET free_at = greatest(t.free_at, now()) + make_interval(secs => :interval)"
    " WHERE t.free_at <= now() + make_interval(secs => :burst) RETURNING true"
)
_WAIT = sa.text("SELECT extract(epoch FROM free_at - now()) FROM throttles WHERE subject = :subject")
_REFUND = sa.text(
    "UPDATE throttles SET free_at = free_at - make_interval(secs => :interval) WHERE subject = :subject"
)
EXPIRY_SECONDS = 600.0


async def charge(database: Postgres, limits: Mapping[str, Limit]) -> None:
    """Count an attempt of each subject; raise ``TooManyAttempts`` if one has none left."""
    async with database.reading() as connection:
        for subject, limit in limits.items():
            given = {"subject": subject, "interval": limit.interval, "burst": limit.burst_seconds}
            if not await connection.scalar(_CHARGE, given):
                wait = await connection.scalar(_WAIT, {"subject": subject})
                seconds = float(wait or 0) - limit.burst_seconds
                raise TooManyAttempts(retry_after=max(1, math.ceil(seconds)))


async def refund(database: Postgres, limits: Mapping[str, Limit]) -> None:
    """Take back one attempt of each subject."""
    async with database.reading() as connection:
        for subject, limit in limits.items():
            await connection.execute(_REFUND, {"subject": subject, "interval": limit.interval})


def throttle_expiry(database: Postgres) -> Expiry:
    """Deletes counts that no longer limit anything."""
    return Expiry(database, throttles, "free_at < now()", seconds=EXPIRY_SECONDS)
