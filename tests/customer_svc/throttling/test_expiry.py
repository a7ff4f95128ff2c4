"""Deleting counts that no longer limit anything."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.throttling.store import throttle_expiry, throttles

PAST, FUTURE = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))


async def test_expired_throttles_are_deleted_and_others_stay(shared: Postgres) -> None:
    async with shared.reading() as connection:
        rows = [{"subject": "old", "free_at": PAST}, {"subject": "new", "free_at": FUTURE}]
        await connection.execute(sa.insert(throttles), rows)
    assert await throttle_expiry(shared).delete_expired(10) == 1
    async with shared.reading() as connection:
        assert list(await connection.scalars(sa.select(throttles.c.subject))) == ["new"]
