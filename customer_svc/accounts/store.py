"""The table of accounts. The tables of the other nouns belong to the same ``metadata``."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from customer_svc.accounts.domain import Account, SavedAddress

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
    sa.Column("verification_requested_at", MOMENT),
    sa.Column("reset_requested_at", MOMENT),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("epoch_changed_at", MOMENT),
    sa.Column("phone", sa.Text),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("marketing", sa.Boolean, nullable=False),
    sa.Column("order_updates", sa.Boolean, nullable=False),
    sa.Column("time_zone", sa.Text),
    sa.Column("addresses", JSONB, nullable=False),
    sa.Column("deactivated_by", sa.Text),
    sa.Index(
        "ix_accounts_epoch_changed_at", "epoch_changed_at", postgresql_where=sa.text("epoch_changed_at IS NOT NULL")
    ),
)

_ALL = tuple(accounts.c.keys())
_CHANGING = tuple(name for name in _ALL if name not in ("id", "role"))
_SELECT_IDS = "SELECT email, id FROM accounts WHERE email = ANY(CAST($1 AS text[]))"
_SELECT = select_rows(accounts, "id")
_INSERT = insert_rows(accounts, *_ALL)
_UPDATE = update_rows(accounts, "id", *_CHANGING)
# Links and sessions are deleted with their account.
_DELETE = "DELETE FROM accounts WHERE id = ANY(CAST($1 AS uuid[]))"


def ids_to_load(ids: IdentityMap[str, UUID]) -> Load[str, UUID]:
    """How to load the ids of the accounts with these e-mail addresses."""
    return ids, _SELECT_IDS, lambda row: (row.email, row.id)


def accounts_to_load(loaded: IdentityMap[UUID, Account]) -> Load[UUID, Account]:
    """How to load and lock these accounts."""
    return loaded, _SELECT, lambda row: (row.id, account_of(row))


def delete_accounts(tx: PipelinedTransaction, changed: IdentityMap[UUID, Account]) -> None:
    """Delete the accounts of erased customers."""
    if deleted := changed.deleted:
        tx.execute(_DELETE, array(deleted))


def accounts_to_save(changed: IdentityMap[UUID, Account]) -> list[tuple[str, list[Row]]]:
    """How to save the accounts that are new or changed."""
    return [
        (_INSERT, [columns(account, _ALL) for account in changed.inserted]),
        (_UPDATE, [columns(account, ("id", *_CHANGING)) for account in changed.updated]),
    ]


def account_of(row: Any) -> Account:
    """The account in a row."""
    fields = row._asdict()
    addresses = tuple(SavedAddress(**{**entry, "id": UUID(entry["id"])}) for entry in fields["addresses"])
    return Account(**{**fields, "addresses": addresses})
