"""Which access tokens are revoked: what accounts, sessions and erasures say. Nothing else is stored about tokens."""

import sqlalchemy as sa

from chassis.http.auth import Principal
from chassis.http.revoked_tokens import EVERY_EPOCH, RevokedTokensOut, digest
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.store import accounts
from customer_svc.erasure.store import erasures
from customer_svc.sessions.store import sessions

_IS_REVOKED = sa.select(
    sa.or_(
        sa.exists().where(accounts.c.id == sa.bindparam("account"), accounts.c.epoch != sa.bindparam("epoch")),
        sa.exists().where(sessions.c.id == sa.bindparam("session", type_=sa.Uuid), sessions.c.ended_at.is_not(None)),
        sa.exists().where(erasures.c.customer_id == sa.bindparam("account")),
    )
)
_SINCE = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, sa.bindparam("seconds", type_=sa.Float))
_ACCOUNTS = sa.select(accounts.c.id, accounts.c.epoch).where(accounts.c.epoch_changed_at > _SINCE)
_SESSIONS = sa.select(sessions.c.id).where(sessions.c.ended_at > _SINCE)
_ERASURES = sa.select(erasures.c.customer_id).where(erasures.c.changed_at > _SINCE)


async def is_revoked(database: Postgres, principal: Principal) -> bool:
    """Whether the token of a principal was revoked, as of now."""
    given = {"account": principal.id, "epoch": principal.epoch, "session": principal.session_id}
    async with database.reading() as connection:
        return bool(await connection.scalar(_IS_REVOKED, given))


async def revoked_tokens(database: Postgres, seconds: float) -> RevokedTokensOut:
    """What has revoked tokens in the last ``seconds``."""
    async with database.reading() as connection:
        changed = (await connection.execute(_ACCOUNTS, {"seconds": seconds})).all()
        erased = (await connection.scalars(_ERASURES, {"seconds": seconds})).all()
        ended = (await connection.scalars(_SESSIONS, {"seconds": seconds})).all()
    epochs = {digest(row.id): row.epoch for row in changed} | dict.fromkeys(map(digest, erased), EVERY_EPOCH)
    return RevokedTokensOut(accounts=epochs, sessions=[digest(one) for one in ended])
