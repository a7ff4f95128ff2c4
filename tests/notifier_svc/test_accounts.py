"""Mails about accounts: what the events of customer_svc put into the ledger, and what arrives of it."""

from datetime import timedelta
from email.message import Message
from uuid import UUID

import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import Purpose, link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, enveloped, record, records
from notifier_svc.domain import NOWHERE, AccountTemplate, Customer, mail_id
from schemas import (
    CustomerErased,
    CustomerRegistered,
    Event,
    MailedLink,
    MailFailed,
    MailSent,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    VerificationRequested,
)
from tests.notifier_svc.conftest import Sending
from tests.notifier_svc.ledger import consumer, hear, link, registered, until
from tests.notifier_svc.postoffice import post_office
from tests.notifier_svc.test_handlers import known, mails_of
from tests.outbox import told


def linked(template: AccountTemplate, customer_id: UUID, link: MailedLink) -> Event:
    """The event that this mail is about."""
    if template == "welcome":
        return registered(customer_id, verify=link)
    if template == "verification":
        return VerificationRequested(customer_id=customer_id, verify=link)
    return PasswordResetRequested(customer_id=customer_id, reset=link)


LINKED: list[tuple[AccountTemplate, Purpose, str]] = [
    ("welcome", "verify", "verify-email"),
    ("verification", "verify", "verify-email"),
    ("password_reset", "reset", "reset-password"),
]


def renamed(customer_id: UUID, name: str = "Ada King", locale: str = "de") -> ProfileChanged:
    return ProfileChanged(customer_id=customer_id, name=name, locale=locale, marketing=False, order_updates=True)


def texts(letter: Message) -> list[str]:
    return [part.get_payload(decode=True).decode() for part in letter.walk() if not part.is_multipart()]  # type: ignore[union-attr]


@pytest.mark.parametrize(("template", "purpose", "page"), LINKED)
async def test_the_ledger_keeps_the_id_of_a_link_and_no_token(
    shared: Postgres, template: AccountTemplate, purpose: Purpose, page: str
) -> None:
    customer_id, one = uuid7(), link()
    await hear(shared, linked(template, customer_id, one))
    [mail] = await mails_of(shared, customer_id)
    assert (mail.id, mail.template) == (mail_id(template, customer_id, str(one.link_id)), template)
    assert (mail.state, mail.order_id) == ("queued", None)
    assert mail.context == {"link": {**one.model_dump(mode="json"), "purpose": purpose}}


@pytest.mark.parametrize(("template", "purpose", "page"), LINKED)
async def test_the_mail_has_the_link_with_its_token(
    postgres: Postgres, sending: Sending, template: AccountTemplate, purpose: Purpose, page: str
) -> None:
    customer_id, one = uuid7(), link()
    events = [linked(template, customer_id, one)]
    await hear(postgres, *([registered(customer_id)] if template != "welcome" else []), *events)
    async with post_office() as office, sending(office.url):
        [sent] = await until(postgres, ["sent"])
    url = f"https://shop.example/{page}#{link_token(SecretStr(LINK_KEY), purpose, one.link_id)}"
    [letter] = office.copies
    assert all(url in text for text in texts(letter))
    [envelope] = await told(postgres, sent.id)
    assert envelope.event == MailSent(mail_id=sent.id, template=template, customer_id=customer_id)


async def test_a_link_that_has_expired_is_not_mailed(postgres: Postgres, sending: Sending) -> None:
    customer_id, dead, good = uuid7(), link(-timedelta(seconds=1)), link()
    asked = [PasswordResetRequested(customer_id=customer_id, reset=one) for one in (dead, good)]
    await hear(postgres, registered(customer_id), *asked)
    async with post_office() as office, sending(office.url, connections=1):
        found = {one.state: one for one in await until(postgres, ["failed", "sent"])}
    failed = found["failed"]
    assert failed.id == mail_id("password_reset", customer_id, str(dead.link_id))
    why = f"cannot be written: LinkExpired('its link was good until {dead.expires_at:%Y-%m-%d %H:%M} UTC')"
    assert (failed.error, failed.attempts, failed.doubts) == (why, 0, 0)
    assert len(office.copies) == 1
    [envelope] = await told(postgres, failed.id)
    assert envelope.event == MailFailed(
        mail_id=failed.id, template="password_reset", customer_id=customer_id, reason=why
    )


async def test_no_token_is_logged(postgres: Postgres, sending: Sending, capsys: pytest.CaptureFixture[str]) -> None:
    customer_id, sent, doubtful = uuid7(), link(), link()
    asked = [VerificationRequested(customer_id=customer_id, verify=one) for one in (sent, doubtful)]
    await hear(postgres, registered(customer_id), *asked)
    async with post_office("drop after the dot", "refuse message for good") as office, sending(office.url):
        await until(postgres, ["failed", "sent"])
    said = "".join(capsys.readouterr())
    assert "mail failed" in said
    for one in (sent, doubtful):
        assert link_token(SecretStr(LINK_KEY), "verify", one.link_id) not in said


async def test_a_registration_without_a_link_is_no_cause_for_a_mail(shared: Postgres) -> None:
    customer_id = uuid7()
    await hear(shared, registered(customer_id))
    assert await mails_of(shared, customer_id) == []


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("registration_repeated", "You have an account with us"),
        ("password_changed", "Your password was changed"),
    ],
)
async def test_what_happened_to_an_account_is_mailed_each_time(
    postgres: Postgres, sending: Sending, template: AccountTemplate, subject: str
) -> None:
    customer_id = uuid7()
    event: Event = RegistrationRepeated(customer_id=customer_id)
    if template == "password_changed":
        event = PasswordChanged(customer_id=customer_id, how="changed")
    await hear(postgres, registered(customer_id))
    # Twice within one batch, then once more, and one of them again: three facts.
    first, second, third = [record(enveloped(event, version)) for version in (2, 3, 4)]
    await consumer(postgres).handle([first, second, first])
    await consumer(postgres).handle([second, third])
    async with post_office() as office, sending(office.url):
        sent = await until(postgres, ["sent"] * 3)
    assert {mail.template for mail in sent} == {template}
    assert [letter["Subject"] for letter in office.copies] == [subject] * 3
    assert all("https://shop.example" in text for letter in office.copies for text in texts(letter))
    assert not any("#" in text for letter in office.copies for text in texts(letter)[:1]), "no link in the plain text"


@pytest.mark.parametrize(("how", "words"), [("changed", False), ("reset", True)])
async def test_a_mail_about_a_password_says_how_it_came(
    postgres: Postgres, sending: Sending, how: str, words: bool
) -> None:
    customer_id = uuid7()
    changed = PasswordChanged.model_validate({"customer_id": customer_id, "how": how})
    await hear(postgres, registered(customer_id), changed)
    async with post_office() as office, sending(office.url):
        await until(postgres, ["sent"])
    [letter] = office.copies
    assert [("with a link that we mailed to you" in text) for text in texts(letter)] == [words, words]


async def test_the_same_link_under_another_event_id_is_mailed_once(shared: Postgres) -> None:
    asked = VerificationRequested(customer_id=uuid7(), verify=link())
    await consumer(shared).handle(records([asked, asked]))
    await hear(shared, asked)
    assert len(await mails_of(shared, asked.customer_id)) == 1


async def test_another_profile_changes_our_copy(shared: Postgres) -> None:
    customer_id = uuid7()
    await hear(shared, CustomerRegistered(customer_id=customer_id, email="a@example.com", name="Ada", locale="en"))
    assert await known(shared, customer_id) == Customer(customer_id, "a@example.com", "Ada", 1, "en")
    await consumer(shared).handle([record(enveloped(renamed(customer_id), 2))])
    assert await known(shared, customer_id) == Customer(customer_id, "a@example.com", "Ada King", 2, "de")


async def test_an_older_profile_changes_nothing(shared: Postgres) -> None:
    customer_id = uuid7()
    await hear(shared, registered(customer_id, "a@example.com"))
    for version in (3, 2):
        await consumer(shared).handle([record(enveloped(renamed(customer_id, f"v{version}"), version))])
    assert await known(shared, customer_id) == Customer(customer_id, "a@example.com", "v3", 3, "de")


async def test_a_profile_brings_no_erased_customer_back(shared: Postgres) -> None:
    customer_id = uuid7()
    await hear(shared, registered(customer_id))
    erased = CustomerErased(customer_id=customer_id)
    await consumer(shared).handle([record(enveloped(erased, 3)), record(enveloped(renamed(customer_id), 4))])
    assert await known(shared, customer_id) == Customer(customer_id, NOWHERE, "", 3)
