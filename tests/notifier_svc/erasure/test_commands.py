"""Erasing a customer: the ledger still says which mails there were, and no more."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc import SERVICE
from notifier_svc.delivery.commands import BeginSending, MarkBounced, MarkFailed, MarkInDoubt, MarkSent, PostponeMail
from notifier_svc.errors import MailNotResendable
from notifier_svc.mails.commands import QueueOrderMail, ResendMail
from notifier_svc.mails.domain import CUSTOMER_ERASED, Mail, State, compose
from notifier_svc.mails.store import mails
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.replicas.domain import ERASED_ADDRESS, Customer
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import (
    CustomerErased,
    Envelope,
    Event,
    MailFailed,
    MailsAnonymised,
    MailSent,
    OrderReturned,
    PasswordChanged,
    PasswordResetRequested,
    answer_id,
    golden,
)
from tests.chassis.tally import stored_letters
from tests.databases import committing, waits_for_a_lock
from tests.notifier_svc.factories import confirmed, link, registered
from tests.notifier_svc.ledger import (
    all_mails,
    all_suppressions,
    consumer,
    erase_customer,
    handle_events,
    mails_of,
    queue_due_mail,
    read_customer,
    read_mail,
    update_mail,
)
from tests.outbox import envelopes, events
from tests.stack import eventually


async def test_address_content_and_replies_of_mail_servers_are_removed(shared: Postgres) -> None:
    customer_id, other = uuid7(), uuid7()
    await handle_events(shared, registered(customer_id, "ada@example.com", "Ada"), confirmed(customer_id, uuid7()))
    await handle_events(shared, confirmed(other, uuid7()))
    async with shared.reading() as connection:
        of_customer = mails.c.customer_id == customer_id
        await connection.execute(sa.update(mails).where(of_customer).values(error="550 no ada@example.com"))
    await erase_customer(shared, customer_id)
    assert await read_customer(shared, customer_id) == Customer(customer_id, ERASED_ADDRESS, "", 2)
    [mail] = await mails_of(shared, customer_id)
    assert (mail.context, mail.error, mail.state) == ({}, CUSTOMER_ERASED, "failed")
    [untouched] = [one for one in await all_mails(shared) if one.customer_id == other]
    assert untouched.context != {}


async def test_an_erasure_is_confirmed_once_however_often_it_is_consumed(shared: Postgres) -> None:
    customer_id = uuid7()
    for _ in range(2):
        await erase_customer(shared, customer_id)
    key = answer_id(SERVICE, customer_id)
    assert await events(shared, key) == [MailsAnonymised(answer_id=key, customer_id=customer_id)]


async def test_a_late_event_restores_nothing(shared: Postgres) -> None:
    customer_id = uuid7()
    await erase_customer(shared, customer_id)
    await handle_events(shared, registered(customer_id, "ada@example.com", "Ada"))
    assert await read_customer(shared, customer_id) == Customer(customer_id, ERASED_ADDRESS, "", 2)


def test_no_mail_can_be_rendered_to_an_erased_customer(renderer: MimeRenderer) -> None:
    order, now = confirmed(uuid7(), uuid7()), datetime.now(UTC)
    mail = compose("receipt", order.customer_id, "x", order.order_id, order.model_dump(mode="json"), now)
    with pytest.raises(ValueError, match="no address"):
        renderer.render(mail.content, Customer(order.customer_id, ERASED_ADDRESS, "", 2), now)


def order_event(customer_id: UUID) -> Event:
    ids = {"customer_id": customer_id, "order_id": uuid7(), "reason": "Too small for my hands."}
    returned: Event = golden.example(OrderReturned).model_copy(update=ids)
    return returned


def password_event(customer_id: UUID) -> Event:
    return PasswordChanged(customer_id=customer_id, how="reset")


def link_event(customer_id: UUID) -> Event:
    return PasswordResetRequested(customer_id=customer_id, reset=link())


@pytest.mark.parametrize("erased_first", [True, False])
@pytest.mark.parametrize("make_event", [order_event, password_event, link_event])
async def test_an_event_before_or_after_the_erasure_leaves_no_content_and_sends_no_mail(
    shared: Postgres, make_event: Callable[[UUID], Event], erased_first: bool
) -> None:
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id))
    if erased_first:
        await erase_customer(shared, customer_id)
    await handle_events(shared, make_event(customer_id))
    if not erased_first:
        await erase_customer(shared, customer_id)
    [mail] = await mails_of(shared, customer_id)
    assert (mail.context, mail.recipient, mail.state, mail.error) == ({}, None, "failed", CUSTOMER_ERASED)
    [envelope] = await envelopes(shared, mail.id)
    assert envelope.aggregate_version == 1
    assert isinstance(envelope.event, MailFailed)
    assert envelope.event.reason == CUSTOMER_ERASED


async def test_events_in_the_batch_of_the_erasure_leave_no_content(shared: Postgres) -> None:
    customer_id = uuid7()
    erased = CustomerErased(customer_id=customer_id)
    batch = [registered(customer_id, verify=link()), erased, link_event(customer_id)]
    await consumer(shared).handle([record(enveloped(event, version)) for version, event in enumerate(batch, 1)])
    assert [(one.context, one.state) for one in await mails_of(shared, customer_id)] == [({}, "failed")] * 2


async def execute_during_erasure(database: Postgres, command: Any) -> None:
    """Load what a command needs, begin to erase its customer, and only then execute the command and commit."""
    uow = NotifierUnitOfWork(datetime.now(UTC))
    command.prefetch(uow)
    [customer_id] = uow.customers.missing
    async with database.transaction() as tx:
        await uow.load(tx)
        await tx.receive()
        erasing = asyncio.create_task(erase_customer(database, customer_id))
        await eventually(lambda: waits_for_a_lock(database), 10, "the erasure to wait for the command")
        command.execute(uow)
        await uow.save(tx)
        await database.outbox.add(tx, uow.outbox.added)
    await erasing


async def test_a_mail_that_is_queued_during_an_erasure_has_no_content(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    envelope: Envelope[Event] = Envelope(uuid7(), "/shopstream/test", datetime.now(UTC), 1, order)
    await execute_during_erasure(shared, QueueOrderMail(envelope))
    [mail] = await mails_of(shared, order.customer_id)
    assert (mail.context, mail.state, mail.error) == ({}, "failed", CUSTOMER_ERASED)


async def test_a_mail_that_is_resent_during_an_erasure_has_no_address(shared: Postgres) -> None:
    mail_id, resend_id = await queue_due_mail(shared), uuid7()
    await update_mail(shared, mail_id, "state = 'sent'")
    customer_id = (await read_mail(shared, mail_id)).customer_id
    await execute_during_erasure(shared, ResendMail(mail_id, customer_id, resend_id, "ada@work.example"))
    resent = await read_mail(shared, resend_id)
    assert (resent.context, resent.recipient, resent.state) == ({}, None, "failed")


async def test_an_address_that_bounces_during_an_erasure_is_not_suppressed(shared: Postgres) -> None:
    mail_id, claim = await queue_due_mail(shared, "gone@example.com"), uuid7()
    await update_mail(shared, mail_id, f"state = 'claimed', claim = '{claim}'")
    recipient = Customer((await read_mail(shared, mail_id)).customer_id, "gone@example.com", "Ada", 1)
    await execute_during_erasure(shared, MarkBounced(mail_id, claim, recipient, "550 5.1.1 nobody"))
    assert "gone@example.com" not in [one.email for one in await all_suppressions(shared)]
    assert (await read_mail(shared, mail_id)).error == CUSTOMER_ERASED


def bounced(mail: Mail, claim: UUID) -> MarkBounced:
    return MarkBounced(mail.id, claim, Customer(mail.customer_id, "late@example.com", "Ada", 1), "550 5.1.1 ada")


OUTCOMES: dict[str, Callable[[Mail, UUID], Any]] = {
    "refused temporarily": lambda mail, claim: PostponeMail(mail.id, claim, "451 ada"),
    "refused permanently": lambda mail, claim: MarkFailed(mail.id, claim, "550 ada"),
    "bounced": bounced,
    "no reply": lambda mail, claim: MarkInDoubt(mail.id, claim),
}


@pytest.mark.parametrize("state", ["claimed", "sending"])
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_a_reply_after_an_erasure_is_neither_stored_nor_published(
    shared: Postgres, outcome: str, state: State
) -> None:
    mail, claim = await claimed_mail(shared, state)
    await erase_customer(shared, mail.customer_id)
    await commit(shared, OUTCOMES[outcome](mail, claim))
    stored = await read_mail(shared, mail.id)
    assert (stored.context, stored.state, stored.error) == ({}, "failed", CUSTOMER_ERASED)
    assert [e.reason for e in await events(shared, mail.id) if isinstance(e, MailFailed)] == [CUSTOMER_ERASED]
    assert "late@example.com" not in [one.email for one in await all_suppressions(shared)]


async def test_a_claimed_mail_is_not_sent_after_an_erasure(shared: Postgres) -> None:
    mail, claim = await claimed_mail(shared, "claimed")
    await erase_customer(shared, mail.customer_id)
    assert not await commit(shared, BeginSending(mail.id, claim))


async def test_a_mail_that_was_being_handed_over_during_an_erasure_is_published_as_sent(shared: Postgres) -> None:
    mail, _ = await claimed_mail(shared, "sending")
    await erase_customer(shared, mail.customer_id)
    await commit(shared, MarkSent(mail.id))
    versions = [(type(envelope.event), envelope.aggregate_version) for envelope in await envelopes(shared, mail.id)]
    assert versions == [(MailFailed, 1), (MailSent, 2)]
    assert (await read_mail(shared, mail.id)).context == {}


async def test_a_mail_to_an_erased_customer_cannot_be_resent_even_if_it_has_content(shared: Postgres) -> None:
    mail, _ = await claimed_mail(shared, "sent")
    await erase_customer(shared, mail.customer_id)
    await update_mail(shared, mail.id, """context = '{"sku": "MUG"}'""")
    with pytest.raises(MailNotResendable):
        await commit(shared, ResendMail(mail.id, mail.customer_id, uuid7(), None))


async def test_dead_letters_about_an_erased_customer_are_redacted(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    message = record(enveloped(order))
    await consumer(shared).handle([replace(message, value=(message.value or b"") + b"?")])
    [value] = [one["value"] for one in await stored_letters(shared)]
    assert str(order.customer_id).encode() in value
    await erase_customer(shared, order.customer_id)
    assert [one["value"] for one in await stored_letters(shared)] == [None]


async def claimed_mail(database: Postgres, state: State) -> tuple[Mail, UUID]:
    """A mail in this state, and the claim of the process that has it."""
    mail_id, claim = await queue_due_mail(database), uuid7()
    await update_mail(database, mail_id, f"state = '{state}', claim = '{claim}'")
    return await read_mail(database, mail_id), claim


async def commit(database: Postgres, command: Any) -> Any:
    async with committing(database, NotifierUnitOfWork) as group_commit:
        return await group_commit(command)
