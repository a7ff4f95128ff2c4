"""What is over is removed, and nothing else."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.store import links, refresh_tokens, sessions, throttles
from customer_svc.sweep import sweep
from tests.customer_svc.people import API, account, log_in, registered

PAST, FUTURE = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))


async def test_what_is_over_is_removed_and_the_rest_stays(api: API, shared: Postgres) -> None:
    old, new = [await registered(api) for _ in range(2)]
    for email in (old, new):
        await log_in(api, email)
    theirs = (await account(shared, old)).id
    async with shared.reading() as connection:
        await connection.execute(sa.update(links).where(links.c.account_id == theirs).values(expires_at=PAST))
        await connection.execute(sa.update(sessions).where(sessions.c.account_id == theirs).values(ends_at=PAST))
        await connection.execute(sa.delete(throttles))
        rows = [{"subject": "old", "free_at": PAST}, {"subject": "new", "free_at": FUTURE}]
        await connection.execute(sa.insert(throttles), rows)
    await sweep(shared)
    mine = (await account(shared, new)).id
    async with shared.reading() as connection:
        left = [set(await connection.scalars(sa.select(t.c.account_id))) for t in (links, sessions, refresh_tokens)]
        assert left == [{mine}] * 3
        assert list(await connection.scalars(sa.select(throttles.c.subject))) == ["new"]
