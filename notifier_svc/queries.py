"""What can be asked of notifier_svc. The owner is part of every question."""

from uuid import UUID

import sqlalchemy as sa

from chassis.sql import Postgres
from notifier_svc.domain import Mail
from notifier_svc.errors import NotificationUnknown
from notifier_svc.store import mail_of, mails


async def notifications(database: Postgres, owner: UUID | None, order_id: UUID | None, limit: int) -> list[Mail]:
    """The latest mails, newest first; ``owner`` None asks for everybody's."""
    query = sa.select(mails).order_by(mails.c.changed_at.desc(), mails.c.id).limit(limit)
    if owner:
        query = query.where(mails.c.customer_id == owner)
    if order_id:
        query = query.where(mails.c.order_id == order_id)
    async with database.reading() as connection:
        return [mail_of(row) for row in await connection.execute(query)]


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
