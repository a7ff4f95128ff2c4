"""What can be asked of notifier_svc. The owner is part of every question."""

from uuid import UUID

import sqlalchemy as sa

from chassis.sql import Postgres
from notifier_svc.domain import NOWHERE, Mail
from notifier_svc.errors import NotificationUnknown
from notifier_svc.store import mail_of, mails

LEDGER = (
    "SELECT 'mail' AS kind, id, template, order_id, customer_id, state, doubts, attempts, changed_at FROM mails",
    "SELECT 'answer' AS kind, 'notifier_svc' AS service, id AS customer_id FROM customers"  # noqa: S608
    f" WHERE email = '{NOWHERE}'",
)
"""All mails, and the answers about erased customers, for the audit."""


async def notifications(
    database: Postgres, owner: UUID | None, order_id: UUID | None, before: int | None, limit: int
) -> tuple[list[Mail], int | None]:
    """Mails, newest first, from before a position on, and the position to go on from, if there are more.

    ``owner`` None asks for everybody's.
    """
    query = sa.select(mails).order_by(mails.c.position.desc()).limit(limit + 1)
    if owner:
        query = query.where(mails.c.customer_id == owner)
    if order_id:
        query = query.where(mails.c.order_id == order_id)
    if before is not None:
        query = query.where(mails.c.position < before)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [mail_of(row) for row in rows[:limit]], rows[limit - 1].position if len(rows) > limit else None


async def notification(database: Postgres, mail_id: UUID, owner: UUID | None) -> Mail:
    """One mail; raise ``NotificationUnknown``."""
    query = sa.select(mails).where(mails.c.id == mail_id)
    if owner:
        query = query.where(mails.c.customer_id == owner)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotificationUnknown
    return mail_of(row)
