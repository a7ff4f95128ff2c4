"""An erased customer's mails: the ledger says that there were some, and no more."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc import SERVICE
from notifier_svc.commands import begin_sending, bounce, mark_doubtful, mark_failed, mark_sent, postpone, resend
from notifier_svc.domain import FORGOTTEN, NOWHERE, Customer, Mail, State, compose
from notifier_svc.errors import NotResendable
from notifier_svc.letters import Letters
from notifier_svc.store import Ledger, mails
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
from tests.chassis.tally import buried
from tests.databases import committing, waits_for_a_lock
from tests.notifier_svc.ledger import (
    all_mails,
    change,
    confirmed,
    consumer,
    due_mail,
    hear,
    link,
    mail,
    registered,
    suppressed,
)
from tests.notifier_svc.test_handlers import known, mails_of
from tests.outbox import events, told
from tests.stack import eventually

R = TypeVar("R")


async def forget(database: Postgres, customer_id: object, version: int = 2) -> None:
    erased = CustomerErased.model_validate({"customer_id": customer_id})
    await consumer(database).handle([record(enveloped(erased, version))])


async def test_neither_address_nor_contents_nor_what_servers_said_stays(shared: Postgres) -> None:
    customer_id, other = uuid7(), uuid7()
    await hear(shared, registered(customer_id, "ada@example.com", "Ada"), confirmed(customer_id, uuid7()))
    await hear(shared, confirmed(other, uuid7()))
    async with shared.reading() as connection:
        said = sa.update(mails).where(mails.c.customer_id == customer_id).values(error="550 no ada@example.com")
        await connection.execute(said)
    await forget(shared, customer_id)
    assert await known(shared, customer_id) == Customer(customer_id, NOWHERE, "", 2)
    [mail] = await mails_of(shared, customer_id)
    assert (mail.context, mail.error, mail.state) == ({}, FORGOTTEN, "failed")
    [untouched] = [one for one in await all_mails(shared) if one.customer_id == other]
    assert untouched.context != {}


async def test_it_is_told_once_however_often_it_is_heard(shared: Postgres) -> None:
    customer_id = uuid7()
    for _ in range(2):
        await forget(shared, customer_id)
    key = answer_id(SERVICE, customer_id)
    assert await events(shared, key) == [MailsAnonymised(answer_id=key, customer_id=customer_id)]


async def test_what_is_heard_late_brings_nothing_back(shared: Postgres) -> None:
    customer_id = uuid7()
    await forget(shared, customer_id)
    await hear(shared, registered(customer_id, "ada@example.com", "Ada"))
    assert await known(shared, customer_id) == Customer(customer_id, NOWHERE, "", 2)


def test_no_letter_can_be_written_to_nowhere(letters: Letters) -> None:
    order, now = confirmed(uuid7(), uuid7()), datetime.now(UTC)
    mail = compose("receipt", order.customer_id, "x", order.order_id, order.model_dump(mode="json"), now)
    with pytest.raises(ValueError, match="no address"):
        letters.write(mail, Customer(order.customer_id, NOWHERE, "", 2), now)


def of_an_order(customer_id: UUID) -> Event:
    ids = {"customer_id": customer_id, "order_id": uuid7(), "reason": "Too small for my hands."}
    returned: Event = golden.example(OrderReturned).model_copy(update=ids)
    return returned


def of_a_password(customer_id: UUID) -> Event:
    return PasswordChanged(customer_id=customer_id, how="reset")


def of_a_link(customer_id: UUID) -> Event:
    return PasswordResetRequested(customer_id=customer_id, reset=link())


@pytest.mark.parametrize("erased_first", [True, False])
@pytest.mark.parametrize("happened", [of_an_order, of_a_password, of_a_link])
async def test_whichever_is_heard_first_nothing_is_kept_of_what_happened_and_no_mail_leaves(
    shared: Postgres, happened: Callable[[UUID], Event], erased_first: bool
) -> None:
    customer_id = uuid7()
    await hear(shared, registered(customer_id))
    if erased_first:
        await forget(shared, customer_id)
    await hear(shared, happened(customer_id))
    if not erased_first:
        await forget(shared, customer_id)
    [mail] = await mails_of(shared, customer_id)
    assert (mail.context, mail.recipient, mail.state, mail.error) == ({}, None, "failed", FORGOTTEN)
    [envelope] = await told(shared, mail.id)
    assert envelope.aggregate_version == 1
    assert isinstance(envelope.event, MailFailed)
    assert envelope.event.reason == FORGOTTEN


async def test_what_happened_in_the_batch_of_the_erasure_is_not_kept(shared: Postgres) -> None:
    customer_id = uuid7()
    batch = [registered(customer_id, verify=link()), CustomerErased(customer_id=customer_id), of_a_link(customer_id)]
    messages = [record(enveloped(event, version)) for version, event in enumerate(batch, 1)]
    await consumer(shared).handle(messages)
    assert [(one.context, one.state) for one in await mails_of(shared, customer_id)] == [({}, "failed")] * 2


async def entering(database: Postgres, ledger: Ledger, decide: Callable[[Ledger], object]) -> None:
    """Let a unit look at what it has wanted, an erasure begin, and only then the unit decide and commit."""
    [customer_id] = [UUID(str(wanted)) for wanted in ledger.customers.missing]
    async with database.transaction() as tx:
        await ledger.load(tx)
        await tx.receive()
        erasing = asyncio.create_task(forget(database, customer_id))
        await eventually(lambda: waits_for_a_lock(database), 10, "the erasure to wait for the mail")
        decide(ledger)
        await ledger.save(tx)
        await database.outbox.add(tx, ledger.outbox.added)
    await erasing


async def test_a_mail_that_is_entered_during_an_erasure_says_nothing(shared: Postgres) -> None:
    order, ledger = confirmed(uuid7(), uuid7()), Ledger(datetime.now(UTC))
    listening = consumer(shared).handlers[type(order)]
    listening.wants(ledger, order)
    envelope: Envelope[Event] = Envelope(uuid7(), "/shopstream/test", ledger.now, 1, order)
    await entering(shared, ledger, lambda ledger: listening.effect(ledger, envelope))
    [mail] = await mails_of(shared, order.customer_id)
    assert (mail.context, mail.state, mail.error) == ({}, "failed", FORGOTTEN)


async def test_a_mail_that_is_sent_again_during_an_erasure_goes_nowhere(shared: Postgres) -> None:
    one, made = await due_mail(shared), uuid7()
    await change(shared, one, "state = 'sent'")
    customer_id, ledger = (await mail(shared, one)).customer_id, Ledger(datetime.now(UTC))
    ledger.mails.prefetch(one, made)
    ledger.customers.prefetch(customer_id)
    await entering(shared, ledger, lambda ledger: resend(ledger, one, made, "ada@work.example"))
    kept = await mail(shared, made)
    assert (kept.context, kept.recipient, kept.state) == ({}, None, "failed")


async def test_an_address_that_is_refused_during_an_erasure_is_not_listed(shared: Postgres) -> None:
    one, claim = await due_mail(shared, "gone@example.com"), uuid7()
    await change(shared, one, f"state = 'claimed', claim = '{claim}'")
    who, ledger = (await mail(shared, one)).customer_id, Ledger(datetime.now(UTC))
    ledger.mails.prefetch(one)
    ledger.customers.prefetch(who)
    ledger.suppressions.prefetch("gone@example.com")
    gone = Customer(who, "gone@example.com", "Ada", 1)
    await entering(shared, ledger, lambda ledger: bounce(ledger, one, claim, gone, "550 5.1.1 nobody"))
    assert "gone@example.com" not in [entry.email for entry in await suppressed(shared)]
    assert (await mail(shared, one)).error == FORGOTTEN


SAID: dict[str, Callable[[Ledger, Mail, UUID], object]] = {
    "later": lambda ledger, mail, claim: postpone(ledger, mail.id, claim, "451 ada"),
    "no": lambda ledger, mail, claim: mark_failed(ledger, mail.id, claim, "550 ada"),
    "nobody": lambda ledger, mail, claim: bounce(
        ledger, mail.id, claim, Customer(mail.customer_id, "late@example.com", "Ada", 1), "550 5.1.1 ada"
    ),
    "nothing": lambda ledger, mail, claim: mark_doubtful(ledger, mail.id, claim),
}


@pytest.mark.parametrize("state", ["claimed", "sending"])
@pytest.mark.parametrize("answer", SAID)
async def test_what_a_server_says_after_an_erasure_is_not_kept_or_told(
    shared: Postgres, answer: str, state: State
) -> None:
    one, claim = await in_hand(shared, state)
    await forget(shared, one.customer_id)
    await note(shared, one, lambda ledger: SAID[answer](ledger, one, claim))
    kept = await mail(shared, one.id)
    assert (kept.context, kept.state, kept.error) == ({}, "failed", FORGOTTEN)
    assert [event.reason for event in await events(shared, one.id) if isinstance(event, MailFailed)] == [FORGOTTEN]
    assert "late@example.com" not in [entry.email for entry in await suppressed(shared)]


async def test_a_mail_in_hand_is_not_begun_after_an_erasure(shared: Postgres) -> None:
    one, claim = await in_hand(shared, "claimed")
    await forget(shared, one.customer_id)
    assert not await note(shared, one, lambda ledger: begin_sending(ledger, one.id, claim))


async def test_a_mail_that_was_being_handed_over_and_arrived_is_told_of_as_sent(shared: Postgres) -> None:
    one, _ = await in_hand(shared, "sending")
    await forget(shared, one.customer_id)
    await note(shared, one, lambda ledger: mark_sent(ledger, one.id))
    versions = [(type(envelope.event), envelope.aggregate_version) for envelope in await told(shared, one.id)]
    assert versions == [(MailFailed, 1), (MailSent, 2)]
    assert (await mail(shared, one.id)).context == {}


async def test_a_mail_of_an_erased_customer_is_not_sent_again_whatever_it_still_says(shared: Postgres) -> None:
    (one, _), made = await in_hand(shared, "sent"), uuid7()
    await forget(shared, one.customer_id)
    await change(shared, one.id, """context = '{"sku": "MUG"}'""")
    with pytest.raises(NotResendable):
        await note(shared, one, lambda ledger: resend(ledger, one.id, made, None), made)


async def test_what_was_set_aside_about_an_erased_customer_is_emptied(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    letter = record(enveloped(order))
    await consumer(shared).handle([replace(letter, value=(letter.value or b"") + b"?")])
    [kept] = [one["value"] for one in await buried(shared)]
    assert str(order.customer_id).encode() in kept
    await forget(shared, order.customer_id)
    assert [one["value"] for one in await buried(shared)] == [None]


async def in_hand(database: Postgres, state: State) -> tuple[Mail, UUID]:
    """A mail that a process has taken up, and the claim that proves it."""
    one, claim = await due_mail(database), uuid7()
    await change(database, one, f"state = '{state}', claim = '{claim}'")
    return await mail(database, one), claim


async def note(database: Postgres, one: Mail, act: Callable[[Ledger], R], *more: UUID) -> R:
    """Do something to a mail, as the sender and the REST front do."""

    def wants(ledger: Ledger) -> None:
        ledger.mails.prefetch(one.id, *more)
        ledger.customers.prefetch(one.customer_id)
        ledger.suppressions.prefetch("late@example.com")

    async with committing(database, Ledger) as commit:
        return await commit(act, wants)
