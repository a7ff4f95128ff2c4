"""The ledger of a test: mails put in through the handlers, as events do, and looked at through the table."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.postgres.database import Postgres
from chassis.testing import records
from notifier_svc import SERVICE
from notifier_svc.domain import Mail, State, Suppression, mail_id
from notifier_svc.handlers import HANDLERS
from notifier_svc.store import Ledger, mail_of, mails, suppression_of, suppressions
from schemas import CustomerRegistered, Event, MailedLink, OrderCancelled, OrderConfirmed, golden


def consumer(postgres: Postgres) -> Consumer[Ledger]:
    return Consumer(postgres, SERVICE, Ledger, HANDLERS)


async def hear(postgres: Postgres, *events: Event) -> None:
    """Handle events, one topic at a time as Kafka delivers them."""
    listening = consumer(postgres)
    for event in events:
        await listening.handle(records([event]))


def registered(
    customer_id: UUID, email: str = "ada@example.com", name: str = "Ada Lovelace", verify: MailedLink | None = None
) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer_id, email=email, name=name, verify=verify)


def link(good_for: timedelta = timedelta(hours=1)) -> MailedLink:
    """A link of an event; of the past where ``good_for`` is negative."""
    return MailedLink(link_id=uuid7(), expires_at=datetime.now(UTC) + good_for)


def confirmed(customer_id: UUID, order_id: UUID) -> OrderConfirmed:
    example = golden.example(OrderConfirmed)
    assert isinstance(example, OrderConfirmed)
    return example.model_copy(update={"customer_id": customer_id, "order_id": order_id})


def cancelled(customer_id: UUID, order_id: UUID) -> OrderCancelled:
    return OrderCancelled(customer_id=customer_id, order_id=order_id, reason="customer")


async def due_mail(postgres: Postgres, email: str = "ada@example.com", name: str = "Ada Lovelace") -> UUID:
    """The id of a mail to a customer who is known: it can be sent."""
    customer_id, order_id = uuid7(), uuid7()
    await hear(postgres, registered(customer_id, email, name), cancelled(customer_id, order_id))
    return mail_id("cancelled", customer_id, str(order_id))


async def all_mails(postgres: Postgres) -> list[Mail]:
    async with postgres.reading() as connection:
        return [mail_of(row) for row in await connection.execute(sa.select(mails).order_by(mails.c.id))]


async def mail(postgres: Postgres, mail_id: UUID) -> Mail:
    [found] = [one for one in await all_mails(postgres) if one.id == mail_id]
    return found


async def change(postgres: Postgres, mail_id: UUID, assignments: str) -> None:
    """Set columns of a mail, as time or another process would have."""
    async with postgres.engine.begin() as tx:
        await tx.execute(sa.text(f"UPDATE mails SET {assignments} WHERE id = :id"), {"id": mail_id})


async def hasten(postgres: Postgres) -> None:
    """Let the pause before the next try be over."""
    async with postgres.engine.begin() as tx:
        await tx.execute(sa.text("UPDATE mails SET due_at = now() WHERE state = 'queued' AND due_at > now()"))


async def until(postgres: Postgres, states: Sequence[State], *, seconds: float = 30.0) -> list[Mail]:
    """Wait until the mails of the ledger are in these states (in any order), hastening every pause."""
    async with asyncio.timeout(seconds):
        while True:
            found = await all_mails(postgres)
            if sorted(one.state for one in found) == sorted(states):
                return found
            await hasten(postgres)
            await asyncio.sleep(0.02)


async def suppressed(postgres: Postgres) -> list[Suppression]:
    async with postgres.reading() as connection:
        return [suppression_of(row) for row in await connection.execute(sa.select(suppressions))]
