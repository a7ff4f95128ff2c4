"""The table of mails: the ledger."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from notifier_svc.mails.domain import CONFIRMATION, Mail

metadata = sa.MetaData()

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    # Ids are derived from what a mail is about; this is the order in which mails were entered.
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
    # Written only by the statement that claims (delivery/claims.py), by the database's clock.
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("recipient", sa.Text),
    sa.Column("resend_of", sa.Uuid),
    sa.Column("bounced", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("trace", sa.Text),
    sa.Index("mails_due", "due_at", postgresql_where=sa.text("state = 'queued'")),
    sa.Index("mails_claimed", "lease_until", postgresql_where=sa.text("state IN ('claimed', 'sending')")),
    sa.Index("mails_by_customer", "customer_id", "position"),
    # What staff look for; usually there are few.
    sa.Index(
        "mails_undelivered", "position", postgresql_where=sa.text("state IN ('failed', 'suppressed', 'withheld')")
    ),
)

_COLUMNS = [column.name for column in mails.c if column.name not in ("position", "lease_until")]
_CHANGING = ("state", "claim", "attempts", "doubts", "due_at", "error", "changed_at", "bounced")
_ENDING = (*_CHANGING, "context", "recipient")
"""What changes of the confirmation of an erasure, which keeps no address."""
_SELECT = select_rows(mails, "id")
_INSERT = insert_rows(mails, *_COLUMNS)
_UPDATE = update_rows(mails, "id", *_CHANGING)
_EMPTY = update_rows(mails, "id", *_ENDING)


def to_load(rows: IdentityMap[UUID, Mail]) -> Load[UUID, Mail]:
    """How the prefetched mails are loaded and locked."""
    return rows, _SELECT, lambda row: (row.id, mail_of(row))


def to_save(rows: IdentityMap[UUID, Mail]) -> Sequence[tuple[str, Sequence[Row]]]:
    """How new and changed mails are saved. The contents of most mails never change."""
    return (
        (_INSERT, [columns(mail, _COLUMNS) for mail in rows.inserted]),
        (_UPDATE, [columns(mail, ("id", *_CHANGING)) for mail in rows.updated if mail.template != CONFIRMATION]),
        (_EMPTY, [columns(mail, ("id", *_ENDING)) for mail in rows.updated if mail.template == CONFIRMATION]),
    )


def mail_of(row: Any) -> Mail:
    """A row as the domain sees it."""
    return Mail(**{name: getattr(row, name) for name in _COLUMNS})
