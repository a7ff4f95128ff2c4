"""Deleting expired links."""

from datetime import timedelta

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.links.store import link_expiry, links
from tests.customer_svc.factories import API, register_customer, stored_account


async def test_expired_links_are_deleted_and_others_stay(api: API, shared: Postgres) -> None:
    old, new = [(await stored_account(shared, await register_customer(api))).id for _ in range(2)]
    past = sa.func.now() - timedelta(days=1)
    async with shared.reading() as connection:
        await connection.execute(sa.update(links).where(links.c.account_id == old).values(expires_at=past))
    assert await link_expiry(shared).delete_expired(10) == 1
    async with shared.reading() as connection:
        assert list(await connection.scalars(sa.select(links.c.account_id))) == [new]


async def test_no_more_than_the_limit_is_deleted_at_once(api: API, shared: Postgres) -> None:
    for _ in range(3):
        await register_customer(api)
    async with shared.reading() as connection:
        await connection.execute(sa.update(links).values(expires_at=sa.func.now() - timedelta(days=1)))
        count = int(await connection.scalar(sa.select(sa.func.count()).select_from(links)) or 0)
    assert await link_expiry(shared).delete_expired(count - 1) == count - 1
    assert [await link_expiry(shared).delete_expired(10) for _ in range(2)] == [1, 0]
