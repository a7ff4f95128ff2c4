"""The tables of customer_svc, and how accounts get in and out of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import columns, insert_rows, load_rows, select_rows, update_rows, write_rows
from chassis.persistence.unit_of_work import IdentityMap, UnitOfWork
from customer_svc import SERVICE
from customer_svc.domain.account import Account
from customer_svc.domain.address import Entry
from customer_svc.domain.erasure import Erasure
from customer_svc.domain.link import Link
from customer_svc.domain.session import RefreshToken, Session

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
    sa.Column("warned_at", MOMENT),
    sa.Column("verify_asked_at", MOMENT),
    sa.Column("reset_asked_at", MOMENT),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("marketing", sa.Boolean, nullable=False),
    sa.Column("order_updates", sa.Boolean, nullable=False),
    sa.Column("addresses", JSONB, nullable=False),
    sa.Column("deactivated_by", sa.Text),
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("used_at", MOMENT),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("began_at", MOMENT, nullable=False),
    sa.Column("ends_at", MOMENT, nullable=False),
    sa.Column("ended_at", MOMENT),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("made_at", MOMENT, nullable=False),
    sa.Column("used_at", MOMENT),
)

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", MOMENT, nullable=False),
    sa.Column("orders_at", MOMENT),
    sa.Column("mails_at", MOMENT),
)

throttles = sa.Table(
    "throttles",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("free_at", MOMENT, nullable=False),
)

_SELECT_IDS = "SELECT email, id FROM accounts WHERE email = ANY(CAST($1 AS text[]))"
_SELECT_ACCOUNTS = select_rows(accounts, "id")
_SELECT_LINKS = select_rows(links, "token_hash")
_ACCOUNT_COLUMNS = tuple(column.name for column in accounts.c)
_INSERT_ACCOUNTS = insert_rows(accounts, *_ACCOUNT_COLUMNS)
_SELECT_SESSIONS = select_rows(sessions, "id")
_SELECT_TOKENS = select_rows(refresh_tokens, "token_hash")
_SELECT_ERASURES = select_rows(erasures, "customer_id")
_INSERT_ERASURES = insert_rows(erasures, *erasures.c.keys())
_UPDATE_ERASURES = update_rows(erasures, "customer_id", "orders_at", "mails_at")
# What hangs on an account goes with it.
_DELETE_ACCOUNTS = "DELETE FROM accounts WHERE id = ANY(CAST($1 AS uuid[]))"
_INSERT_SESSIONS = insert_rows(sessions, *sessions.c.keys())
_INSERT_TOKENS = insert_rows(refresh_tokens, *refresh_tokens.c.keys())
_UPDATE_SESSIONS = update_rows(sessions, "id", "ended_at")
_UPDATE_TOKENS = update_rows(refresh_tokens, "token_hash", "used_at")
_INSERT_LINKS = insert_rows(links, *links.c.keys())
_CHANGING = tuple(name for name in _ACCOUNT_COLUMNS if name not in ("id", "email", "role"))
_UPDATE_ACCOUNTS = update_rows(accounts, "id", *_CHANGING)
_UPDATE_LINKS = update_rows(links, "token_hash", "used_at")


class Accounts(UnitOfWork):
    """The accounts of one transaction, and what hangs on them."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.by_email: IdentityMap[str, UUID] = IdentityMap(self)
        """Whose an address is; the account itself is loaded with it."""
        self.accounts: IdentityMap[UUID, Account] = IdentityMap(self)
        self.links: IdentityMap[str, Link] = IdentityMap(self)
        """By the hash of the token."""
        self.sessions: IdentityMap[UUID, Session] = IdentityMap(self)
        self.tokens: IdentityMap[str, RefreshToken] = IdentityMap(self)
        """By their hashes."""
        self.erasures: IdentityMap[UUID, Erasure] = IdentityMap(self)
        """By the customer."""

    async def load(self, tx: PipelinedTransaction) -> None:
        """Load every wanted row and lock it against other transactions."""
        # An account has one place in memory, by its id, however it was asked for: two would overwrite each other.
        await load_rows(tx, (self.by_email, _SELECT_IDS, lambda row: (row.email, row.id)))
        self.accounts.prefetch(*self.by_email.present)
        await load_rows(
            tx,
            (self.accounts, _SELECT_ACCOUNTS, lambda row: (row.id, account_of(row))),
            (self.links, _SELECT_LINKS, lambda row: (row.token_hash, Link(**row._asdict()))),
            (self.sessions, _SELECT_SESSIONS, lambda row: (row.id, Session(**row._asdict()))),
            (self.tokens, _SELECT_TOKENS, lambda row: (row.token_hash, RefreshToken(**row._asdict()))),
            (self.erasures, _SELECT_ERASURES, lambda row: (row.customer_id, Erasure(**row._asdict()))),
        )

    async def save(self, tx: PipelinedTransaction) -> None:
        """Write every changed row."""
        if gone := self.accounts.deleted:
            # First: an address may have a new account in the same transaction.
            tx.execute(_DELETE_ACCOUNTS, array(gone))
        write_rows(
            tx,
            (_INSERT_ACCOUNTS, [columns(one, _ACCOUNT_COLUMNS) for one in self.accounts.inserted]),
            (_UPDATE_ACCOUNTS, [columns(one, ("id", *_CHANGING)) for one in self.accounts.updated]),
            (_INSERT_LINKS, [columns(one, links.c.keys()) for one in self.links.inserted]),
            (_UPDATE_LINKS, [columns(one, ("token_hash", "used_at")) for one in self.links.updated]),
            (_INSERT_SESSIONS, [columns(one, sessions.c.keys()) for one in self.sessions.inserted]),
            (_UPDATE_SESSIONS, [columns(one, ("id", "ended_at")) for one in self.sessions.updated]),
            (_INSERT_TOKENS, [columns(one, refresh_tokens.c.keys()) for one in self.tokens.inserted]),
            (_UPDATE_TOKENS, [columns(one, ("token_hash", "used_at")) for one in self.tokens.updated]),
            (_INSERT_ERASURES, [columns(one, erasures.c.keys()) for one in self.erasures.inserted]),
            (
                _UPDATE_ERASURES,
                [columns(one, ("customer_id", "orders_at", "mails_at")) for one in self.erasures.updated],
            ),
        )


def account_of(row: Any) -> Account:
    """A row of ``accounts`` as the domain sees it."""
    known = row._asdict()
    entries = tuple(Entry(**{**entry, "id": UUID(entry["id"])}) for entry in known["addresses"])
    return Account(**{**known, "addresses": entries})
