"""Mails about changes of the e-mail address, and where all other mails go then."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, enveloped, record
from notifier_svc.errors import MailNotResendable
from notifier_svc.mails.commands import MoveCustomer, ResendMail
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import EmailChanged, EmailChangeRequested, EmailChangeReverted, Envelope, Event
from tests.databases import committing
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import cancelled, link, registered
from tests.notifier_svc.ledger import (
    add_suppression,
    all_suppressions,
    consumer,
    erase_customer,
    mails_of,
    read_customer,
    update_mail,
    wait_for_states,
)
from tests.notifier_svc.smtp_server import smtp_server

OLD, NEW = "ada@example.com", "ada.lovelace@example.com"


async def handle(postgres: Postgres, events: Mapping[int, Event]) -> None:
    """Handle events of one customer, by their versions."""
    await consumer(postgres).handle([record(enveloped(event, version)) for version, event in events.items()])


def requested(customer_id: UUID, *, taken: bool = False) -> EmailChangeRequested:
    return EmailChangeRequested(customer_id=customer_id, email=NEW, change=link(), taken=taken)


def changed(customer_id: UUID) -> EmailChanged:
    return EmailChanged(customer_id=customer_id, email=NEW, old_email=OLD, revert=link())


def reverted(customer_id: UUID) -> EmailChangeReverted:
    return EmailChangeReverted(customer_id=customer_id, email=OLD, removed_email=NEW)


async def test_each_mail_goes_to_the_address_that_it_is_for(postgres: Postgres, sending: Sending) -> None:
    customer_id = uuid7()
    request, change = requested(customer_id), changed(customer_id)
    await handle(postgres, {1: registered(customer_id, OLD), 2: request, 3: change, 4: reverted(customer_id)})
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"] * 3)
    texts = {
        message["Subject"]: (message["To"], message.get_payload(0).get_payload(decode=True).decode())  # type: ignore[union-attr]
        for message in server.messages
    }
    assert {subject: to for subject, (to, _) in texts.items()} == {
        "Please confirm your new email address": NEW,
        "The email address of your account has been changed": OLD,
        "The email address of your account has been changed back": NEW,
    }
    change_token = link_token(SecretStr(LINK_KEY), "change", request.change.link_id)
    revert_token = link_token(SecretStr(LINK_KEY), "revert", change.revert.link_id)
    assert f"https://shop.example/change-email#{change_token}" in texts["Please confirm your new email address"][1]
    warning = texts["The email address of your account has been changed"][1]
    assert f"https://shop.example/revert-email-change#{revert_token}" in warning
    assert NEW not in warning, "the old mailbox may have other readers by now"
    assert not any(
        NEW in str(mail.context) or OLD in str(mail.context) for mail in await mails_of(postgres, customer_id)
    )


async def test_the_mail_to_a_taken_address_has_no_link_and_says_so(postgres: Postgres, sending: Sending) -> None:
    customer_id = uuid7()
    await handle(postgres, {1: registered(customer_id, OLD), 2: requested(customer_id, taken=True)})
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
    [message] = server.messages
    assert message["To"] == NEW
    for part in message.get_payload():
        text = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        assert "There is already another account with this address" in text
        assert "change-email#" not in text


async def test_mails_that_are_due_go_to_the_address_that_the_customer_has_then(
    postgres: Postgres, sending: Sending
) -> None:
    customer_id = uuid7()
    await handle(postgres, {1: registered(customer_id, OLD)})
    await consumer(postgres).handle([record(enveloped(cancelled(customer_id, uuid7())))])
    await handle(postgres, {3: changed(customer_id)})
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"] * 2)
    [order_mail] = [one for one in server.messages if "order" in one["Subject"]]
    assert NEW in order_mail["To"]


async def test_an_older_change_that_arrives_late_changes_nothing(postgres: Postgres) -> None:
    customer_id = uuid7()
    await handle(postgres, {1: registered(customer_id, OLD), 4: reverted(customer_id)})
    await handle(postgres, {3: changed(customer_id)})
    known = await read_customer(postgres, customer_id)
    assert known
    assert known.email == OLD


async def test_a_suppression_stays_with_the_old_address(postgres: Postgres, sending: Sending) -> None:
    customer_id = uuid7()
    await add_suppression(postgres, OLD)
    await handle(postgres, {1: registered(customer_id, OLD), 3: changed(customer_id)})
    await consumer(postgres).handle([record(enveloped(cancelled(customer_id, uuid7())))])
    async with smtp_server() as server, sending(server.url):
        found = await wait_for_states(postgres, ["sent", "suppressed"])
    assert {mail.template: mail.state for mail in found} == {"email_changed": "suppressed", "cancelled": "sent"}
    assert [NEW in one["To"] for one in server.messages] == [True]


async def test_an_erasure_removes_every_address_that_the_customer_had(postgres: Postgres) -> None:
    customer_id = uuid7()
    await handle(postgres, {1: registered(customer_id, OLD), 3: changed(customer_id)})
    await add_suppression(postgres, OLD)
    await erase_customer(postgres, customer_id, 4)
    assert await all_suppressions(postgres) == []
    assert [(mail.recipient, mail.context) for mail in await mails_of(postgres, customer_id)] == [(None, {})]


async def test_staff_cannot_send_the_link_that_reverts_a_change_to_the_new_address(postgres: Postgres) -> None:
    customer_id = uuid7()
    await handle(postgres, {1: registered(customer_id, OLD), 3: changed(customer_id)})
    [warning] = await mails_of(postgres, customer_id)
    await update_mail(postgres, warning.id, "state = 'failed'")
    async with committing(postgres, NotifierUnitOfWork) as commit:
        again, replayed = await commit(ResendMail(warning.id, customer_id, key := uuid7(), None))
        assert (again.recipient, replayed) == (OLD, False)
        assert (await commit(ResendMail(warning.id, customer_id, key, None)))[1]
        with pytest.raises(MailNotResendable):
            await commit(ResendMail(warning.id, customer_id, uuid7(), NEW))


async def test_a_change_needs_a_customer_who_is_known(postgres: Postgres) -> None:
    event = changed(uuid7())
    unknown = Envelope(uuid7(), event.source, datetime.now(UTC), 2, event)
    with pytest.raises(LookupError):
        async with committing(postgres, NotifierUnitOfWork) as commit:
            await commit(MoveCustomer(unknown))
