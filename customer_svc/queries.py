"""What can be asked of customer_svc."""

from uuid import UUID

import sqlalchemy as sa

from chassis.http.errors import NotFound
from chassis.http.examples import ID, MOMENT
from chassis.persistence.postgres.database import Postgres
from customer_svc.domain.account import Account, normalised
from customer_svc.domain.erasure import Erasure
from customer_svc.domain.link import hashed
from customer_svc.domain.session import Family, Session
from customer_svc.errors import CustomerUnknown, ErasureUnknown
from customer_svc.store import account_of, accounts, erasures, links, refresh_tokens, sessions

LEDGER = (
    "SELECT 'account' AS kind, id, role, version, changed_at FROM accounts",
    "SELECT 'account' AS kind, customer_id AS id, 'customer' AS role, version, changed_at FROM erasures",
    "SELECT 'erasure' AS kind, customer_id, orders_at IS NOT NULL AND mails_at IS NOT NULL AS done FROM erasures",
)
"""All accounts, for the audit, also those that are gone. Nobody is told of those that are not customers'."""
LEDGER_LINE = {"kind": "account", "id": ID, "role": "customer", "version": 2, "changed_at": MOMENT}
"""One of them, as it is told."""


async def account_by_email(database: Postgres, email: str) -> Account | None:
    """The account with this address, if there is one."""
    async with database.reading() as connection:
        found = await connection.execute(sa.select(accounts).where(accounts.c.email == normalised(email)))
        row = found.one_or_none()
    return account_of(row) if row else None


async def account_by_id(database: Postgres, account_id: UUID) -> Account:
    """The account with this id; raise ``NotFound``."""
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(accounts).where(accounts.c.id == account_id))).one_or_none()
    if row is None:
        raise NotFound
    return account_of(row)


async def customer(database: Postgres, customer_id: UUID) -> Account:
    """A customer; raise ``CustomerUnknown``, also for one of us."""
    query = sa.select(accounts).where(accounts.c.id == customer_id, accounts.c.role == "customer")
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise CustomerUnknown
    return account_of(row)


async def customers(
    database: Postgres, text: str | None, state: str | None, before: UUID | None, limit: int
) -> list[Account]:
    """Customers, newest first, from the one before ``before`` on, with a text in their address or name."""
    query = sa.select(accounts).where(accounts.c.role == "customer").order_by(accounts.c.id.desc()).limit(limit)
    if text:
        sought = (accounts.c.email, accounts.c.name)
        query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in sought)))
    if state:
        active = accounts.c.deactivated_by.is_(None)
        query = query.where(active if state == "active" else ~active)
    if before:
        query = query.where(accounts.c.id < before)
    async with database.reading() as connection:
        return [account_of(row) for row in await connection.execute(query)]


async def account_of_link(database: Postgres, token: str) -> UUID | None:
    """Whose account a mailed link is for, if it is one; that never changes."""
    async with database.reading() as connection:
        found = await connection.scalar(sa.select(links.c.account_id).where(links.c.token_hash == hashed(token)))
    return found if isinstance(found, UUID) else None


async def family_of_token(database: Postgres, token: str) -> Family | None:
    """Where a refresh token belongs, if it is one."""
    query = sa.select(refresh_tokens).where(refresh_tokens.c.token_hash == hashed(token))
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return Family(row.session_id, row.account_id, row.token_hash) if row else None


async def sessions_of(database: Postgres, account_id: UUID) -> list[Session]:
    """The sessions of an account that are remembered, oldest first."""
    query = sa.select(sessions).where(sessions.c.account_id == account_id).order_by(sessions.c.id)
    async with database.reading() as connection:
        return [Session(**row._asdict()) for row in await connection.execute(query)]


async def erasure(database: Postgres, erasure_id: UUID) -> Erasure:
    """An erasure; raise ``ErasureUnknown``."""
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(erasures).where(erasures.c.id == erasure_id))).one_or_none()
    if row is None:
        raise ErasureUnknown
    return Erasure(**row._asdict())
