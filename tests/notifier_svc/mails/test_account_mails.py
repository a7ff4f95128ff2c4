"""Mails about accounts: what events of customer_svc enter in the ledger, and what arrives."""

from datetime import timedelta
from email.message import Message
from uuid import UUID

import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import Purpose, link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, enveloped, record, records
from notifier_svc.mails.domain import mail_id
from notifier_svc.rendering.domain import AccountTemplate
from schemas import (
    Event,
    MailedLink,
    MailFailed,
    MailSent,
    PasswordChanged,
    PasswordResetRequested,
    RegistrationRepeated,
    VerificationRequested,
)
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import link, registered
from tests.notifier_svc.ledger import consumer, handle_events, mails_of, wait_for_states
from tests.notifier_svc.smtp_server import smtp_server
from tests.outbox import envelopes


def event_with_link(template: AccountTemplate, customer_id: UUID, link: MailedLink) -> Event:
    """The event that causes a mail with this template."""
    if template == "welcome":
        return registered(customer_id, verify=link)
    if template == "verification":
        return VerificationRequested(customer_id=customer_id, verify=link)
    return PasswordResetRequested(customer_id=customer_id, reset=link)


LINK_MAILS: list[tuple[AccountTemplate, Purpose, str]] = [
    ("welcome", "verify", "verify-email"),
    ("verification", "verify", "verify-email"),
    ("password_reset", "reset", "reset-password"),
]


def texts(message: Message) -> list[str]:
    return [part.get_payload(decode=True).decode() for part in message.walk() if not part.is_multipart()]  # type: ignore[union-attr]


@pytest.mark.parametrize(("template", "purpose", "page"), LINK_MAILS)
async def test_the_ledger_keeps_the_id_of_a_link_and_no_token(
    shared: Postgres, template: AccountTemplate, purpose: Purpose, page: str
) -> None:
    customer_id, one = uuid7(), link()
    await handle_events(shared, event_with_link(template, customer_id, one))
    [mail] = await mails_of(shared, customer_id)
    assert (mail.id, mail.template) == (mail_id(template, customer_id, str(one.link_id)), template)
    assert (mail.state, mail.order_id) == ("queued", None)
    assert mail.context == {"link": {**one.model_dump(mode="json"), "purpose": purpose}}


@pytest.mark.parametrize(("template", "purpose", "page"), LINK_MAILS)
async def test_the_mail_has_the_link_with_its_token(
    postgres: Postgres, sending: Sending, template: AccountTemplate, purpose: Purpose, page: str
) -> None:
    customer_id, one = uuid7(), link()
    events = [event_with_link(template, customer_id, one)]
    await handle_events(postgres, *([registered(customer_id)] if template != "welcome" else []), *events)
    async with smtp_server() as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    url = f"https://shop.example/{page}#{link_token(SecretStr(LINK_KEY), purpose, one.link_id)}"
    [message] = server.messages
    assert all(url in text for text in texts(message))
    [envelope] = await envelopes(postgres, sent.id)
    assert envelope.event == MailSent(mail_id=sent.id, template=template, customer_id=customer_id)


async def test_a_mail_with_an_expired_link_fails(postgres: Postgres, sending: Sending) -> None:
    customer_id, expired, good = uuid7(), link(-timedelta(seconds=1)), link()
    requested = [PasswordResetRequested(customer_id=customer_id, reset=one) for one in (expired, good)]
    await handle_events(postgres, registered(customer_id), *requested)
    async with smtp_server() as server, sending(server.url, connections=1):
        found = {one.state: one for one in await wait_for_states(postgres, ["failed", "sent"])}
    failed = found["failed"]
    assert failed.id == mail_id("password_reset", customer_id, str(expired.link_id))
    why = f"cannot be rendered: LinkExpired('the link expired at {expired.expires_at:%Y-%m-%d %H:%M} UTC')"
    assert (failed.error, failed.attempts, failed.doubts) == (why, 0, 0)
    assert len(server.messages) == 1
    [envelope] = await envelopes(postgres, failed.id)
    assert envelope.event == MailFailed(
        mail_id=failed.id, template="password_reset", customer_id=customer_id, reason=why
    )


async def test_no_token_is_logged(postgres: Postgres, sending: Sending, capsys: pytest.CaptureFixture[str]) -> None:
    customer_id, sent, doubtful = uuid7(), link(), link()
    requested = [VerificationRequested(customer_id=customer_id, verify=one) for one in (sent, doubtful)]
    await handle_events(postgres, registered(customer_id), *requested)
    async with smtp_server("disconnect after the dot", "refuse message permanently") as server, sending(server.url):
        await wait_for_states(postgres, ["failed", "sent"])
    output = "".join(capsys.readouterr())
    assert "mail failed" in output
    for one in (sent, doubtful):
        assert link_token(SecretStr(LINK_KEY), "verify", one.link_id) not in output


async def test_a_registration_without_a_link_queues_no_mail(shared: Postgres) -> None:
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id))
    assert await mails_of(shared, customer_id) == []


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("registration_repeated", "You already have an account with us"),
        ("password_changed", "Your password has been changed"),
    ],
)
async def test_each_event_of_an_account_is_mailed(
    postgres: Postgres, sending: Sending, template: AccountTemplate, subject: str
) -> None:
    customer_id = uuid7()
    event: Event = RegistrationRepeated(customer_id=customer_id)
    if template == "password_changed":
        event = PasswordChanged(customer_id=customer_id, how="changed")
    await handle_events(postgres, registered(customer_id))
    # Two events in one batch, then a third, and repetitions: three facts.
    first, second, third = [record(enveloped(event, version)) for version in (2, 3, 4)]
    await consumer(postgres).handle([first, second, first])
    await consumer(postgres).handle([second, third])
    async with smtp_server() as server, sending(server.url):
        sent = await wait_for_states(postgres, ["sent"] * 3)
    assert {mail.template for mail in sent} == {template}
    assert [message["Subject"] for message in server.messages] == [subject] * 3
    assert all("https://shop.example" in text for message in server.messages for text in texts(message))
    assert not any("#" in text for message in server.messages for text in texts(message)[:1]), (
        "no link in the plain text"
    )


@pytest.mark.parametrize(("how", "words"), [("changed", False), ("reset", True)])
async def test_a_mail_about_a_changed_password_says_how_it_was_changed(
    postgres: Postgres, sending: Sending, how: str, words: bool
) -> None:
    customer_id = uuid7()
    changed = PasswordChanged.model_validate({"customer_id": customer_id, "how": how})
    await handle_events(postgres, registered(customer_id), changed)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
    [message] = server.messages
    assert [("with a link that we sent you" in text) for text in texts(message)] == [words, words]


async def test_the_same_link_under_another_event_id_is_mailed_once(shared: Postgres) -> None:
    requested = VerificationRequested(customer_id=uuid7(), verify=link())
    await consumer(shared).handle(records([requested, requested]))
    await handle_events(shared, requested)
    assert len(await mails_of(shared, requested.customer_id)) == 1
