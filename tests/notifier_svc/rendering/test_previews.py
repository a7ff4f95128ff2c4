"""Previews: what the API shows of a mail."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import get_args

import pytest

from notifier_svc.rendering.domain import ACCOUNT_TEMPLATES, TEMPLATES, AccountTemplate, Template
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.rendering.previews import MailPreviews
from notifier_svc.replicas.domain import ERASED_ADDRESS
from tests.notifier_svc.samples import NOW, customer, mail

PREVIEWS = MailPreviews()
SHOWN = [template for template in TEMPLATES if template not in ACCOUNT_TEMPLATES]


@pytest.mark.parametrize("locale", ["en", "de-AT", None])
@pytest.mark.parametrize("template", SHOWN)
def test_a_preview_has_the_subject_and_text_of_the_message(
    renderer: MimeRenderer, template: Template, locale: str | None
) -> None:
    reader = customer(locale, name="Ørjan <b>“O”</b>")
    message = message_from_bytes(renderer.render(mail(template).content, reader, NOW), policy=default)
    assert isinstance(message, EmailMessage)
    plain = message.get_body(("plain",))
    assert plain is not None
    # The message has links as well, each on a line of its own.
    unlinked = [line for line in plain.get_content().splitlines() if line and "://" not in line]
    preview = PREVIEWS.render(mail(template).content, reader)
    assert preview
    assert preview.subject == message["Subject"]
    assert [line for line in preview.text.splitlines() if line] == unlinked


@pytest.mark.parametrize("template", get_args(AccountTemplate))
def test_a_mail_about_an_account_has_no_preview(template: Template) -> None:
    assert PREVIEWS.render(mail(template).content, customer()) is None


def test_a_mail_with_a_link_has_no_preview_whatever_its_template() -> None:
    assert PREVIEWS.render(mail("receipt", link={"link_id": "x"}).content, customer()) is None


def test_a_mail_to_an_unknown_or_erased_customer_has_no_preview() -> None:
    assert PREVIEWS.render(mail("receipt").content, None) is None
    assert PREVIEWS.render(mail("receipt").content, customer(email=ERASED_ADDRESS)) is None


def test_a_mail_that_cannot_be_rendered_has_no_preview() -> None:
    assert PREVIEWS.render(mail("receipt", total="much").content, customer()) is None
    assert PREVIEWS.render(mail("receipt", lines=[{}]).content, customer()) is None
