"""Reads of the ledger. The owner is part of every query for a client."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from chassis.http.examples import ID, MOMENT
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.paging import read_page
from notifier_svc.errors import NotificationNotFound
from notifier_svc.mails.domain import Mail, State
from notifier_svc.mails.store import mail_of, mails
from notifier_svc.mails.triggers import mail_ids
from notifier_svc.rendering.domain import Template
from schemas import Envelope

LEDGER = (
    "SELECT 'mail' AS kind, id, template, order_id, customer_id, state, doubts, attempts, resend_of, bounced,"
    " changed_at FROM mails"
)
"""All mails, for the audit."""
LEDGER_EXAMPLE = {
    **{"kind": "mail", "id": ID, "template": "receipt", "order_id": ID, "customer_id": ID, "state": "sent"},
    **{"doubts": 0, "attempts": 1, "resend_of": None, "bounced": False, "changed_at": MOMENT},
}
"""A row of it, for the OpenAPI document."""


@dataclass(frozen=True, slots=True)
class MailFilter:
    """Which mails: those with all of these values; None means any. ``owner`` is the client, None for staff."""

    owner: UUID | None
    customer_id: UUID | None = None
    order_id: UUID | None = None
    template: Template | None = None
    state: State | None = None


async def list_mails(
    database: Postgres, wanted: MailFilter, before: int | None, limit: int
) -> tuple[list[Mail], int | None]:
    """A page of mails, newest first, and the position at which the next page begins."""
    conditions = asdict(wanted)
    query = sa.select(mails)
    if owner := conditions.pop("owner"):
        query = query.where(mails.c.customer_id == owner)
    for name, value in conditions.items():
        if value is not None:
            query = query.where(mails.c[name] == value)
    return await read_page(database, query, mails.c.position, before, limit, mail_of)


async def get_mail(database: Postgres, mail_id: UUID, owner: UUID | None) -> Mail:
    """One mail; raise ``NotificationNotFound``."""
    query = sa.select(mails).where(mails.c.id == mail_id)
    if owner:
        query = query.where(mails.c.customer_id == owner)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotificationNotFound
    return mail_of(row)


class MailCounts(NamedTuple):
    """How many mails events cause: ``new`` ones, and those that the ledger has already, in whatever state."""

    new: int
    known: int


async def count_mails(database: Postgres, envelopes: Iterable[Envelope[Any]]) -> MailCounts:
    """Which mails handling these events would queue, each counted once: with one query, so up to 1000 events."""
    ids = {mail for envelope in envelopes for mail in mail_ids(envelope)}
    if not ids:
        return MailCounts(0, 0)
    wanted = sa.bindparam("ids", list(ids), sa.ARRAY(sa.Uuid))
    query = sa.select(sa.func.count()).select_from(mails).where(mails.c.id == sa.func.any(wanted))
    async with database.reading() as connection:
        known = await connection.scalar(query) or 0
    return MailCounts(len(ids) - known, known)
