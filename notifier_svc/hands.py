"""Taking mails up: which are due, whom they go to, and whether they are to be sent at all."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from notifier_svc.domain import NOWHERE, Customer, Mail
from notifier_svc.store import mail_of

# A mail whose customer is not known yet is passed over, and found once the customer is. To whoever was forgotten
# nothing goes, wherever it was to go.
_TAKE_UP = sa.text(
    "WITH due AS ("
    "  SELECT m.id, CASE c.email WHEN :nowhere THEN c.email ELSE coalesce(m.recipient, c.email) END AS email,"
    "    c.name, c.version, c.locale, c.order_updates"
    "  FROM mails m JOIN customers c ON c.id = m.customer_id"
    "  WHERE m.state = 'queued' AND m.due_at <= now() ORDER BY m.due_at LIMIT :limit"
    "  FOR UPDATE OF m SKIP LOCKED)"
    " UPDATE mails SET state = 'claimed', claim = :claim, lease_until = now() + make_interval(secs => :lease)"
    " FROM due LEFT JOIN suppressions s ON s.email = due.email WHERE mails.id = due.id"
    " RETURNING mails.*, due.email AS customer_email, due.name AS customer_name, due.version AS customer_version,"
    " due.locale AS customer_locale, due.order_updates AS customer_order_updates, s.reason AS suppressed"
)


@dataclass(frozen=True, slots=True)
class Job:
    """A mail in hand, with whom it goes to; ``claim`` proves that it is in ours."""

    mail: Mail
    customer: Customer
    """With the address that this mail goes to."""
    claim: UUID
    taken_at: float
    """By the clock of the event loop."""
    suppressed: str | None = None
    """Why its address is not to be tried, where it is not."""

    @property
    def idle(self) -> bool:
        """Whether it is not to be sent at all."""
        return self.suppressed is not None or self.mail.unwanted_by(self.customer)


async def take_up(database: Postgres, limit: int, lease_seconds: float) -> list[Job]:
    """Claim so many mails that are due, the longest due first, for so long; raise ``Away``."""
    claim, taken_at = uuid7(), asyncio.get_running_loop().time()
    parameters = {"limit": limit, "claim": claim, "lease": lease_seconds, "nowhere": NOWHERE}
    async with database.reading() as connection:
        rows = (await connection.execute(_TAKE_UP, parameters)).all()
    return [Job(mail_of(row), _customer(row), claim, taken_at, row.suppressed) for row in rows]


def _customer(row: Any) -> Customer:
    return Customer(
        *(row.customer_id, row.customer_email, row.customer_name, row.customer_version),
        *(row.customer_locale, row.customer_order_updates),
    )
