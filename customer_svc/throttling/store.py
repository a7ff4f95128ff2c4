"""The table of throttles: one row a subject, by the database's clock; and the networks that accounts are used from.

The algorithm is GCRA (ATM Forum TM 4.0 §4.4.2): ``free_at`` is when the subject will be as if it had never tried.
"""

import math
from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from chassis.email_address import normalised_email
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.errors import TooManyAttempts
from customer_svc.throttling.domain import KnownNetwork, Limit

throttles = sa.Table(
    "throttles",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("free_at", MOMENT, nullable=False),
)

known_networks = sa.Table(
    "known_networks",
    metadata,
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("network", sa.Text, primary_key=True),
    sa.Column("known_until", MOMENT, nullable=False),
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
_IS_KNOWN = sa.text(
    "SELECT true FROM known_networks JOIN accounts ON accounts.id = account_id"
    " WHERE accounts.email = :email AND network = :network AND known_until > now()"
)
# Nothing is stored where the account was erased a moment ago.
_REMEMBER = sa.text(
    "INSERT INTO known_networks (account_id, network, known_until)"
    " SELECT id, :network, now() + make_interval(days => :days) FROM accounts WHERE id = :account_id"
    " ON CONFLICT (account_id, network) DO UPDATE SET known_until = excluded.known_until"
)
KNOWN_DAYS = 90
"""How long a network counts as one of the owner's after a log-in."""
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


async def is_known(database: Postgres, email: str, network: str) -> bool:
    """Whether the owner of the account with this e-mail address came from this network before."""
    async with database.reading() as connection:
        return bool(await connection.scalar(_IS_KNOWN, {"email": normalised_email(email), "network": network}))


async def remember(database: Postgres, account_id: UUID, network: str) -> None:
    """Note that the owner of an account comes from this network."""
    async with database.reading() as connection:
        await connection.execute(_REMEMBER, {"account_id": account_id, "network": network, "days": KNOWN_DAYS})


async def forget(database: Postgres, account_id: UUID) -> None:
    """Forget which networks the owner of an account comes from."""
    async with database.reading() as connection:
        await connection.execute(sa.delete(known_networks).where(known_networks.c.account_id == account_id))


async def known_networks_of(database: Postgres, account_id: UUID) -> list[KnownNetwork]:
    """The networks that the owner of an account is known to use, for an export."""
    query = sa.select(known_networks.c.network, known_networks.c.known_until).where(
        known_networks.c.account_id == account_id
    )
    async with database.reading() as connection:
        return [KnownNetwork(*row) for row in await connection.execute(query.order_by(known_networks.c.network))]


def throttle_expiry(database: Postgres) -> Expiry:
    """Deletes counts that no longer limit anything."""
    return Expiry(database, throttles, "free_at < now()", seconds=EXPIRY_SECONDS)


def network_expiry(database: Postgres) -> Expiry:
    """Deletes networks that have not been used for long."""
    return Expiry(database, known_networks, "known_until < now()", seconds=EXPIRY_SECONDS)
