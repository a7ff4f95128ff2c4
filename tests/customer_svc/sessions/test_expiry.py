"""Deleting expired sessions."""

from datetime import timedelta

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.sessions.store import refresh_tokens, session_expiry, sessions
from tests.customer_svc.factories import API, log_in, register_customer, stored_account


async def test_expired_sessions_are_deleted_with_their_tokens_and_others_stay(api: API, shared: Postgres) -> None:
    old, new = [await register_customer(api) for _ in range(2)]
    for email in (old, new):
        await log_in(api, email)
    expired, valid = [(await stored_account(shared, email)).id for email in (old, new)]
    past = sa.func.now() - timedelta(days=1)
    async with shared.reading() as connection:
        await connection.execute(sa.update(sessions).where(sessions.c.account_id == expired).values(ends_at=past))
    assert await session_expiry(shared).delete_expired(10) == 1
    async with shared.reading() as connection:
        for table in (sessions, refresh_tokens):
            assert list(await connection.scalars(sa.select(table.c.account_id))) == [valid]
