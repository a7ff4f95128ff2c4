"""What a mail says, to whoever asks for it again: the words of the letter."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import get_args

import pytest

from notifier_svc.domain import NOWHERE, TEMPLATES, AccountTemplate, Template
from notifier_svc.letters import Letters
from notifier_svc.readings import Reading, Readings
from tests.notifier_svc.samples import NOW, customer, mail

READINGS = Readings()
SHOWN = [template for template in TEMPLATES if template not in get_args(AccountTemplate)]


@pytest.mark.parametrize("locale", ["en", "de-AT", None])
@pytest.mark.parametrize("template", SHOWN)
def test_a_mail_reads_as_its_letter_does(letters: Letters, template: Template, locale: str | None) -> None:
    reader = customer(locale, name="Ørjan <b>“O”</b>")
    letter = message_from_bytes(letters.write(mail(template), reader, NOW), policy=default)
    assert isinstance(letter, EmailMessage)
    plain = letter.get_body(("plain",))
    assert plain is not None
    assert READINGS.of(mail(template), reader) == Reading(str(letter["Subject"]), plain.get_content())


@pytest.mark.parametrize("template", get_args(AccountTemplate))
def test_a_mail_about_an_account_is_not_shown(template: Template) -> None:
    assert READINGS.of(mail(template), customer()) is None


def test_no_mail_with_a_link_is_shown_whatever_it_is_about() -> None:
    assert READINGS.of(mail("receipt", link={"link_id": "x"}), customer()) is None


def test_a_mail_to_nobody_we_know_is_not_shown() -> None:
    assert READINGS.of(mail("receipt"), None) is None
    assert READINGS.of(mail("receipt"), customer(email=NOWHERE)) is None


def test_a_mail_that_cannot_be_written_is_not_shown() -> None:
    assert READINGS.of(mail("receipt", total="much"), customer()) is None
    assert READINGS.of(mail("receipt", lines=[{}]), customer()) is None
