"""What can be asked of notifier_svc. The owner is part of every question about mails."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from chassis.http.examples import ID, MOMENT
from chassis.persistence.postgres.database import Postgres
from notifier_svc.domain import NOWHERE, Customer, Mail, State, Suppression, Template
from notifier_svc.errors import NotificationUnknown, SuppressionUnknown
from notifier_svc.store import customers, mail_of, mails, suppression_of, suppressions

LEDGER = (
    "SELECT 'mail' AS kind, id, template, order_id, customer_id, state, doubts, attempts, resend_of, changed_at"
    " FROM mails",
    "SELECT 'answer' AS kind, 'notifier_svc' AS service, id AS customer_id FROM customers"  # noqa: S608
    f" WHERE email = '{NOWHERE}'",
)
"""All mails, and the answers about erased customers, for the audit."""
LEDGER_LINE = {
    **{"kind": "mail", "id": ID, "template": "receipt", "order_id": ID, "customer_id": ID, "state": "sent"},
    **{"doubts": 0, "attempts": 1, "resend_of": None, "changed_at": MOMENT},
}
"""One of them, as it is told."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Sought:
    """Which mails: those that have all of these; what is None does not matter. ``owner`` is whoever asks."""

    owner: UUID | None
    customer_id: UUID | None = None
    order_id: UUID | None = None
    template: Template | None = None
    state: State | None = None


async def notifications(
    database: Postgres, sought: Sought, before: int | None, limit: int
) -> tuple[list[Mail], int | None]:
    """Mails, newest first, from before a position on, and the position to go on from, if there are more."""
    wanted = asdict(sought)
    query = sa.select(mails)
    if owner := wanted.pop("owner"):
        query = query.where(mails.c.customer_id == owner)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(mails.c[name] == value)
    return await _page(database, query, mails.c.position, before, limit, mail_of)


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


async def customer(database: Postgres, customer_id: UUID) -> Customer | None:
    """What is known of a customer."""
    query = sa.select(customers).where(customers.c.id == customer_id)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return Customer(**row._asdict()) if row else None


async def suppressed(database: Postgres, before: int | None, limit: int) -> tuple[list[Suppression], int | None]:
    """Suppressed addresses, as ``notifications``."""
    return await _page(database, sa.select(suppressions), suppressions.c.position, before, limit, suppression_of)


async def suppression(database: Postgres, mail_id: UUID) -> Suppression:
    """What this mail had suppressed; raise ``SuppressionUnknown``."""
    query = sa.select(suppressions).where(suppressions.c.mail_id == mail_id)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise SuppressionUnknown
    return suppression_of(row)


async def _page(
    database: Postgres,
    query: sa.Select[Any],
    position: sa.Column[int],
    before: int | None,
    limit: int,
    read: Callable[[Any], V],
) -> tuple[list[V], int | None]:
    query = query.order_by(position.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(position < before)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [read(row) for row in rows[:limit]], rows[limit - 1].position if len(rows) > limit else None
