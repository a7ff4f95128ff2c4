"""The mail ledger of a test: filled by handling events, read from the tables."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record, records
from notifier_svc import SERVICE
from notifier_svc.handlers import HANDLERS
from notifier_svc.mails.domain import Mail, State, mail_id
from notifier_svc.mails.store import mail_of, mails
from notifier_svc.replicas.domain import Customer
from notifier_svc.replicas.queries import find_customer
from notifier_svc.suppressions.domain import Suppression
from notifier_svc.suppressions.store import suppression_of, suppressions
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import CustomerErased, Event
from tests.notifier_svc.factories import cancelled, registered


def consumer(postgres: Postgres) -> Consumer[NotifierUnitOfWork]:
    return Consumer(postgres, SERVICE, NotifierUnitOfWork, HANDLERS)


async def handle_events(postgres: Postgres, *events: Event) -> None:
    """Handle events, each in a batch of its own."""
    consuming = consumer(postgres)
    for event in events:
        await consuming.handle(records([event]))


async def erase_customer(postgres: Postgres, customer_id: object, version: int = 2) -> None:
    erased = CustomerErased.model_validate({"customer_id": customer_id})
    await consumer(postgres).handle([record(enveloped(erased, version))])


async def queue_due_mail(postgres: Postgres, email: str = "ada@example.com", name: str = "Ada Lovelace") -> UUID:
    """Queue a mail to a known customer, so that it can be sent; return its id."""
    customer_id, order_id = uuid7(), uuid7()
    await handle_events(postgres, registered(customer_id, email, name), cancelled(customer_id, order_id))
    return mail_id("cancelled", customer_id, str(order_id))


async def all_mails(postgres: Postgres) -> list[Mail]:
    async with postgres.reading() as connection:
        return [mail_of(row) for row in await connection.execute(sa.select(mails).order_by(mails.c.id))]


async def read_mail(postgres: Postgres, mail_id: UUID) -> Mail:
    [found] = [one for one in await all_mails(postgres) if one.id == mail_id]
    return found


async def mails_of(postgres: Postgres, customer_id: object) -> list[Mail]:
    """All mails but the one that confirms an erasure."""
    found = await all_mails(postgres)
    return [one for one in found if one.customer_id == customer_id and one.template != "account_erased"]


async def read_customer(postgres: Postgres, customer_id: object) -> Customer | None:
    return await find_customer(postgres, UUID(str(customer_id)))


async def all_suppressions(postgres: Postgres) -> list[Suppression]:
    async with postgres.reading() as connection:
        return [suppression_of(row) for row in await connection.execute(sa.select(suppressions))]


async def add_suppression(postgres: Postgres, email: str = "ada@example.com") -> UUID:
    """Suppress an address; return the id of the suppression."""
    suppression_id = uuid7()
    row = {"email": email, "mail_id": suppression_id, "reason": "550", "since": sa.func.now()}
    async with postgres.reading() as connection:
        await connection.execute(sa.insert(suppressions).values(**row))
    return suppression_id


async def update_mail(postgres: Postgres, mail_id: UUID, assignments: str) -> None:
    """Set columns of a mail, as time or another process would have."""
    async with postgres.engine.begin() as tx:
        await tx.execute(sa.text(f"UPDATE mails SET {assignments} WHERE id = :id"), {"id": mail_id})


async def end_pauses(postgres: Postgres) -> None:
    """Let all mails that are to be retried be due now."""
    async with postgres.engine.begin() as tx:
        await tx.execute(sa.text("UPDATE mails SET due_at = now() WHERE state = 'queued' AND due_at > now()"))


async def wait_for_states(postgres: Postgres, states: Sequence[State], *, seconds: float = 30.0) -> list[Mail]:
    """Wait until the mails of the ledger are in these states (in any order), ending every pause."""
    async with asyncio.timeout(seconds):
        while True:
            found = await all_mails(postgres)
            if sorted(one.state for one in found) == sorted(states):
                return found
            await end_pauses(postgres)
            await asyncio.sleep(0.02)
