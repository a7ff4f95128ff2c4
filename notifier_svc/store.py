"""The tables of notifier_svc, and how mails and customers get in and out of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.sql_rows import columns, hold, insert_rows, select_rows, update_rows, upsert_rows, write
from chassis.sql_tx import Tx, array
from chassis.unit import Log, Rows, Unit
from notifier_svc import SERVICE
from notifier_svc.domain import Customer, Mail

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
    sa.Index("mails_due", "due_at", postgresql_where=sa.text("state = 'queued'")),
    sa.Index("mails_in_hand", "lease_until", postgresql_where=sa.text("state IN ('claimed', 'sending')")),
    sa.Index("mails_of_customer", "customer_id", "position"),
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("locale", sa.Text),
)

_MAIL_COLUMNS = [column.name for column in mails.c if column.name not in ("position", "lease_until")]
_SELECT_MAILS = select_rows(mails, "id")
_SELECT_CUSTOMERS = select_rows(customers, "id", lock=False)
_INSERT_MAILS = insert_rows(mails, *_MAIL_COLUMNS)
_CHANGING = ("state", "claim", "attempts", "doubts", "due_at", "error", "changed_at")
_UPDATE_MAILS = update_rows(mails, "id", *_CHANGING)
# What a mail server answered may name the mailbox.
_FORGET_MAILS = (
    "UPDATE mails SET context = '{}', error = CASE WHEN error IS NOT NULL THEN 'forgotten' END"
    " WHERE customer_id = ANY(CAST($1 AS uuid[]))"
)
_UPSERT_CUSTOMERS = upsert_rows(customers, *customers.c.keys(), newer="version")


class Ledger(Unit):
    """The mails and customers of one transaction."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.mails: Rows[UUID, Mail] = Rows(self)
        self.customers: Rows[UUID, Customer] = Rows(self)
        self.forgotten: Log[UUID] = Log(self)
        """Customers whose mails are to say nothing any more."""

    async def load(self, tx: Tx) -> None:
        """Load every wanted row and lock it against other transactions."""
        await hold(
            tx,
            (self.mails, _SELECT_MAILS, lambda row: (row.id, mail_of(row))),
            (self.customers, _SELECT_CUSTOMERS, lambda row: (row.id, Customer(**row._asdict()))),
        )

    async def save(self, tx: Tx) -> None:
        """Write every changed row."""
        write(
            tx,
            (_INSERT_MAILS, [columns(mail, _MAIL_COLUMNS) for mail in self.mails.made]),
            (_UPDATE_MAILS, [columns(mail, ("id", *_CHANGING)) for mail in self.mails.amended]),
            (_UPSERT_CUSTOMERS, [columns(customer, customers.c.keys()) for customer in self.customers.changed]),
        )
        if self.forgotten.added:
            tx.execute(_FORGET_MAILS, array(self.forgotten.added))


def mail_of(row: Any) -> Mail:
    """A row of ``mails`` as the domain sees it."""
    return Mail(**{name: getattr(row, name) for name in _MAIL_COLUMNS})
