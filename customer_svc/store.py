"""The tables of customer_svc, and how accounts get in and out of them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.sql_rows import columns, hold, insert_rows, select_rows, write
from chassis.sql_tx import Tx
from chassis.unit import Rows, Unit
from customer_svc import SERVICE
from customer_svc.domain import Account

metadata = sa.MetaData()

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
)

_SELECT = select_rows(accounts, "email")
_INSERT = insert_rows(accounts, *accounts.c.keys())


class Accounts(Unit):
    """The accounts of one transaction, by e-mail address."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.by_email: Rows[str, Account] = Rows(self)

    async def load(self, tx: Tx) -> None:
        """Load every wanted row and lock it against other transactions."""
        await hold(tx, (self.by_email, _SELECT, lambda row: (row.email, account_of(row))))

    async def save(self, tx: Tx) -> None:
        """Write every changed row."""
        write(tx, (_INSERT, [columns(account, accounts.c.keys()) for account in self.by_email.changed]))


def account_of(row: Any) -> Account:
    """A row of ``accounts`` as the domain sees it."""
    return Account(**row._asdict())
