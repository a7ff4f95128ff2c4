"""The tables of customer_svc, and how accounts get in and out of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.sql_rows import columns, hold, insert_rows, select_rows, update_rows, write
from chassis.sql_tx import Tx
from chassis.unit import Rows, Unit
from customer_svc import SERVICE
from customer_svc.domain.account import Account
from customer_svc.domain.link import Link

metadata = sa.MetaData()
MOMENT = sa.DateTime(timezone=True)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", MOMENT, nullable=False),
    sa.Column("verified_at", MOMENT),
    sa.Column("asked_at", MOMENT),
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.Column("used_at", MOMENT),
)

_SELECT_IDS = "SELECT email, id FROM accounts WHERE email = ANY(CAST($1 AS text[]))"
_SELECT_ACCOUNTS = select_rows(accounts, "id")
_SELECT_LINKS = select_rows(links, "token_hash")
_ACCOUNT_COLUMNS = tuple(column.name for column in accounts.c)
_INSERT_ACCOUNTS = insert_rows(accounts, *_ACCOUNT_COLUMNS)
_INSERT_LINKS = insert_rows(links, *links.c.keys())
_CHANGING = tuple(name for name in _ACCOUNT_COLUMNS if name not in ("id", "email", "role"))
_UPDATE_ACCOUNTS = update_rows(accounts, "id", *_CHANGING)
_UPDATE_LINKS = update_rows(links, "token_hash", "used_at")


class Accounts(Unit):
    """The accounts of one transaction, and what hangs on them."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.by_email: Rows[str, UUID] = Rows(self)
        """Whose an address is; the account itself is loaded with it."""
        self.accounts: Rows[UUID, Account] = Rows(self)
        self.links: Rows[str, Link] = Rows(self)
        """By the hash of the token."""

    async def load(self, tx: Tx) -> None:
        """Load every wanted row and lock it against other transactions."""
        # An account has one place in memory, by its id, however it was asked for: two would overwrite each other.
        await hold(tx, (self.by_email, _SELECT_IDS, lambda row: (row.email, row.id)))
        self.accounts.want(*self.by_email.present)
        await hold(
            tx,
            (self.accounts, _SELECT_ACCOUNTS, lambda row: (row.id, account_of(row))),
            (self.links, _SELECT_LINKS, lambda row: (row.token_hash, Link(**row._asdict()))),
        )

    async def save(self, tx: Tx) -> None:
        """Write every changed row."""
        write(
            tx,
            (_INSERT_ACCOUNTS, [columns(one, _ACCOUNT_COLUMNS) for one in self.accounts.made]),
            (_UPDATE_ACCOUNTS, [columns(one, ("id", *_CHANGING)) for one in self.accounts.amended]),
            (_INSERT_LINKS, [columns(one, links.c.keys()) for one in self.links.made]),
            (_UPDATE_LINKS, [columns(one, ("token_hash", "used_at")) for one in self.links.amended]),
        )


def account_of(row: Any) -> Account:
    """A row of ``accounts`` as the domain sees it."""
    return Account(**row._asdict())
