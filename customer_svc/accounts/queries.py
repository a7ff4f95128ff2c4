"""Reading accounts."""

from unicodedata import normalize
from uuid import UUID

import sqlalchemy as sa

from chassis.email_address import normalised_email
from chassis.http.errors import NotFound
from chassis.http.examples import ID, MOMENT
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.domain import Account
from customer_svc.accounts.store import account_of, accounts

LEDGER = ("SELECT 'account' AS kind, id, role, version, changed_at FROM accounts",)
"""The accounts, for the audit. No events are published about those of staff."""
LEDGER_LINE = {"kind": "account", "id": ID, "role": "customer", "version": 2, "changed_at": MOMENT}
"""An example of a line."""


async def account_by_email(database: Postgres, email: str) -> Account | None:
    """The account with this e-mail address, in any spelling."""
    # Before addresses had one spelling, two accounts could have the same: each is found by its own.
    as_typed = accounts.c.email == normalize("NFC", email.strip().lower())
    query = sa.select(accounts).where(sa.or_(as_typed, accounts.c.email == normalised_email(email)))
    async with database.reading() as connection:
        row = (await connection.execute(query.order_by(as_typed.desc()).limit(1))).one_or_none()
    return account_of(row) if row else None


async def account_by_id(database: Postgres, account_id: UUID) -> Account:
    """The account with this id; raise ``NotFound``."""
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(accounts).where(accounts.c.id == account_id))).one_or_none()
    if row is None:
        raise NotFound
    return account_of(row)
