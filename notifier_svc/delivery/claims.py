"""Claims: a process takes a mail for a limited time, the lease, so that no other process sends it meanwhile."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from notifier_svc.mails.domain import Mail, State
from notifier_svc.mails.store import mail_of
from notifier_svc.replicas.domain import ERASED_ADDRESS, Customer

# A mail whose customer is unknown is skipped, and found once the customer is known. Nothing is sent to an erased
# customer, whatever the address, but the confirmation of the erasure, which has address and language itself.
_CLAIM = sa.text(
    "WITH due AS ("
    "  SELECT m.id, CASE WHEN c.email = :erased AND m.template <> 'account_erased'"
    "    THEN c.email ELSE coalesce(m.recipient, c.email) END AS email,"
    "    c.name, c.version, c.order_updates, c.time_zone,"
    "    CASE m.template WHEN 'account_erased' THEN m.context ->> 'locale' ELSE c.locale END AS locale"
    "  FROM mails m JOIN customers c ON c.id = m.customer_id"
    "  WHERE m.state = 'queued' AND m.due_at <= now() ORDER BY m.due_at LIMIT :limit"
    "  FOR UPDATE OF m SKIP LOCKED)"
    " UPDATE mails SET state = 'claimed', claim = :claim, lease_until = now() + make_interval(secs => :lease)"
    " FROM due LEFT JOIN suppressions s ON s.email = due.email WHERE mails.id = due.id"
    " RETURNING mails.*, due.email AS customer_email, due.name AS customer_name, due.version AS customer_version,"
    " due.locale AS customer_locale, due.order_updates AS customer_order_updates,"
    " due.time_zone AS customer_time_zone, s.reason AS suppressed"
)
_EXPIRED = sa.text(
    "SELECT id, state, claim, trace FROM mails"
    " WHERE state IN ('claimed', 'sending') AND lease_until < now() LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    """A mail that this process has claimed; ``claim`` proves it."""

    mail: Mail
    recipient: Customer
    """The customer, with the address that this mail is sent to."""
    claim: UUID
    claimed_at: float
    """By the clock of the event loop."""
    suppressed: str | None = None
    """Why nothing is sent to its address, if it is suppressed."""

    @property
    def not_attempted(self) -> bool:
        """Whether it is not to be sent at all: its address is suppressed, or its customer does not want it."""
        return self.suppressed is not None or self.mail.unwanted_by(self.recipient)


@dataclass(frozen=True, slots=True)
class ExpiredClaim:
    """A mail whose lease has expired: its process has ended, or hangs."""

    mail_id: UUID
    state: State
    claim: UUID
    trace: str | None = None
    """That of what caused it."""


async def claim_due_mails(database: Postgres, limit: int, lease_seconds: float) -> list[ClaimedMail]:
    """Claim mails that are due, the longest due first; raise ``DatabaseUnavailable``."""
    claim, claimed_at = uuid7(), asyncio.get_running_loop().time()
    parameters = {"limit": limit, "claim": claim, "lease": lease_seconds, "erased": ERASED_ADDRESS}
    async with database.reading() as connection:
        rows = (await connection.execute(_CLAIM, parameters)).all()
    return [ClaimedMail(mail_of(row), _recipient(row), claim, claimed_at, row.suppressed) for row in rows]


async def find_expired_claims(database: Postgres, limit: int) -> list[ExpiredClaim]:
    """Some of the mails whose lease has expired; raise ``DatabaseUnavailable``."""
    async with database.reading() as connection:
        rows = (await connection.execute(_EXPIRED, {"limit": limit})).all()
    return [ExpiredClaim(row.id, row.state, row.claim, row.trace) for row in rows]


def _recipient(row: Any) -> Customer:
    return Customer(
        *(row.customer_id, row.customer_email, row.customer_name, row.customer_version),
        *(row.customer_locale, row.customer_order_updates, row.customer_time_zone),
    )
