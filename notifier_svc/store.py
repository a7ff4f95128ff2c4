"""The tables of notifier_svc, and how mails and customers get in and out of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.locks import ERASE_ALONE, HOLD_OFF_ERASURES
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import (
    columns,
    insert_rows,
    load_rows,
    select_rows,
    update_rows,
    upsert_rows,
    write_rows,
)
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from notifier_svc import SERVICE
from notifier_svc.domain import ENDED, FORGOTTEN, Customer, Mail, Suppression

metadata = sa.MetaData()

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    # Ids are made from what the mail is about: this keeps the order of their making.
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("order_id", sa.Uuid),
    sa.Column("context", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("claim", sa.Uuid),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("doubts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    # Written by the claim alone, by the database's clock.
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("recipient", sa.Text),
    sa.Column("resend_of", sa.Uuid),
    sa.Index("mails_due", "due_at", postgresql_where=sa.text("state = 'queued'")),
    sa.Index("mails_in_hand", "lease_until", postgresql_where=sa.text("state IN ('claimed', 'sending')")),
    sa.Index("mails_of_customer", "customer_id", "position"),
    # What staff look for; in a shop that is well there are few.
    sa.Index("mails_that_did_not_arrive", "position", postgresql_where=sa.text("state IN ('failed', 'suppressed')")),
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("locale", sa.Text),
    sa.Column("order_updates", sa.Boolean, nullable=False, server_default=sa.true()),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("email", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("mail_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
)

_MAIL_COLUMNS = [column.name for column in mails.c if column.name not in ("position", "lease_until")]
_SELECT_MAILS = select_rows(mails, "id")
_SUPPRESSION_COLUMNS = ["email", "mail_id", "reason", "since"]
_SELECT_CUSTOMERS = select_rows(customers, "id", lock=False)
_SELECT_SUPPRESSIONS = select_rows(suppressions, "email")
_INSERT_MAILS = insert_rows(mails, *_MAIL_COLUMNS)
_CHANGING = ("state", "claim", "attempts", "doubts", "due_at", "error", "changed_at")
_UPDATE_MAILS = update_rows(mails, "id", *_CHANGING)
_INSERT_SUPPRESSIONS = insert_rows(suppressions, *_SUPPRESSION_COLUMNS)
_DELETE_SUPPRESSIONS = "DELETE FROM suppressions WHERE email = ANY(CAST($1 AS text[]))"
_FORGET_SUPPRESSIONS = (
    "DELETE FROM suppressions WHERE email = ANY(CAST($1 AS text[]))"
    " OR email IN (SELECT recipient FROM mails WHERE customer_id = ANY(CAST($2 AS uuid[])))"
)
_OF_CUSTOMERS = "WHERE customer_id = ANY(CAST($1 AS uuid[]))"
# What a mail server answered may name the mailbox.
_FORGET_MAILS = f"""
    UPDATE mails SET context = '{{}}', recipient = NULL, error = CASE WHEN error IS NOT NULL THEN '{FORGOTTEN}' END
    {_OF_CUSTOMERS}
"""  # noqa: S608
# All are locked, in the order in which others lock some of them.
_LOCK_MAILS = f"SELECT id, state FROM mails {_OF_CUSTOMERS} ORDER BY id FOR UPDATE"  # noqa: S608
_UPSERT_CUSTOMERS = upsert_rows(customers, *customers.c.keys(), newer="version")


class Ledger(UnitOfWork):
    """The mails and customers of one transaction."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.mails: IdentityMap[UUID, Mail] = IdentityMap(self)
        self.customers: IdentityMap[UUID, Customer] = IdentityMap(self)
        self.suppressions: IdentityMap[str, Suppression] = IdentityMap(self)
        """By address."""
        self.leaving: set[UUID] = set()
        """Customers who are about to be erased: their mails are wanted, and no others are entered meanwhile."""
        self.forgotten: AppendOnly[Customer] = AppendOnly(self)
        """Customers, as they were, whose mails are to say nothing any more."""

    async def load(self, tx: PipelinedTransaction) -> None:
        """Load every wanted row and lock it against other transactions."""
        # Before any row is locked, so that nobody waits for each other.
        if self.leaving:
            tx.execute(ERASE_ALONE)
            locked = await tx.execute(_LOCK_MAILS, array(self.leaving)).rows()
            self.mails.prefetch(*(row.id for row in locked if row.state not in ENDED))
        elif self.customers.missing:
            tx.execute(HOLD_OFF_ERASURES)
        await load_rows(
            tx,
            (self.mails, _SELECT_MAILS, lambda row: (row.id, mail_of(row))),
            (self.customers, _SELECT_CUSTOMERS, lambda row: (row.id, Customer(**row._asdict()))),
            (self.suppressions, _SELECT_SUPPRESSIONS, lambda row: (row.email, suppression_of(row))),
        )

    async def save(self, tx: PipelinedTransaction) -> None:
        """Write every changed row."""
        write_rows(
            tx,
            (_INSERT_MAILS, [columns(mail, _MAIL_COLUMNS) for mail in self.mails.inserted]),
            (_UPDATE_MAILS, [columns(mail, ("id", *_CHANGING)) for mail in self.mails.updated]),
            (_UPSERT_CUSTOMERS, [columns(customer, customers.c.keys()) for customer in self.customers.changed]),
            (_INSERT_SUPPRESSIONS, [columns(one, _SUPPRESSION_COLUMNS) for one in self.suppressions.inserted]),
        )
        if lifted := self.suppressions.deleted:
            tx.execute(_DELETE_SUPPRESSIONS, array(lifted))
        if forgotten := self.forgotten.added:
            ids = array(customer.id for customer in forgotten)
            tx.execute(_FORGET_SUPPRESSIONS, array(customer.email for customer in forgotten), ids)
            tx.execute(_FORGET_MAILS, ids)


def mail_of(row: Any) -> Mail:
    """A row of ``mails`` as the domain sees it."""
    return Mail(**{name: getattr(row, name) for name in _MAIL_COLUMNS})


def suppression_of(row: Any) -> Suppression:
    """A row of ``suppressions`` as the domain sees it."""
    return Suppression(**{name: getattr(row, name) for name in _SUPPRESSION_COLUMNS})
