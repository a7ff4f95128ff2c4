"""Deleting counts that no longer limit anything."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.throttling.store import (
    is_known,
    known_networks,
    known_networks_of,
    network_expiry,
    throttle_expiry,
    throttles,
)
from tests.customer_svc.factories import API, register_customer, stored_account

PAST, FUTURE = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))


async def test_expired_throttles_are_deleted_and_others_stay(shared: Postgres) -> None:
    async with shared.reading() as connection:
        rows = [{"subject": "old", "free_at": PAST}, {"subject": "new", "free_at": FUTURE}]
        await connection.execute(sa.insert(throttles), rows)
    assert await throttle_expiry(shared).delete_expired(10) == 1
    async with shared.reading() as connection:
        assert list(await connection.scalars(sa.select(throttles.c.subject))) == ["new"]


async def test_networks_that_have_not_been_used_for_long_are_deleted(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account_id = (await stored_account(shared, email)).id
    rows = [("192.0.2.1", PAST), ("192.0.2.2", FUTURE)]
    async with shared.reading() as connection:
        for network, until in rows:
            row = {"account_id": account_id, "network": network, "known_until": until}
            await connection.execute(sa.insert(known_networks).values(row))
    assert not await is_known(shared, email, "192.0.2.1")
    assert await network_expiry(shared).delete_expired(10) == 1
    assert [known.network for known in await known_networks_of(shared, account_id)] == ["192.0.2.2"]
