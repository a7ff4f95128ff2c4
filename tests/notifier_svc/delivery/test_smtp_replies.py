"""What is stored of replies of mail servers, and of errors of the SMTP library."""

import aiosmtplib
import pytest

from notifier_svc.delivery.smtp_replies import redact_addresses

ADA = "ada@example.com"
REFUSED = aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "no", "grace@example.com")])


@pytest.mark.parametrize(
    ("reply", "redacted"),
    [
        ("550 5.1.1 <ada@example.com>: Recipient address rejected", "550 5.1.1 <…>: Recipient address rejected"),
        ("550 5.1.1 RCPT TO:<Ada@EXAMPLE.com>", "550 5.1.1 RCPT TO:<…>"),
        ("452 grace.hopper@navy.example is full", "452 … is full"),
        ("550 user Ada unknown, adam is", "550 user … unknown, adam is"),
        ("550 user ada%40example.com unknown", "550 user … unknown"),
        ("550 josé@exämple.de", "550 …"),
        ("550 ada\uff20example.com", "550 …"),
        ("550 bounces+ada=example.com@lists.example", "550 …"),
        ("554 5.7.1 that is spam", "554 5.7.1 that is spam"),
        (f"{REFUSED!r}", "SMTPRecipientsRefused([SMTPRecipientRefused(550, 'no', …"),
    ],
)
def test_addresses_are_redacted(reply: str, redacted: str) -> None:
    assert redact_addresses(reply, ADA) == redacted


def test_a_shortened_reply_does_not_end_in_half_an_address() -> None:
    assert redact_addresses("x " * 247 + "grace@example.com", ADA) == "x " * 247 + "…"
    assert redact_addresses("x" * 495 + " grace@example.com", ADA) == "x" * 495 + " …"


def test_any_bytes_become_storable_text() -> None:
    assert redact_addresses("550 Empf\udce4nger \x00 unbekannt", ADA) == "550 Empf\\udce4nger  unbekannt"


def test_a_recipient_without_an_address_redacts_nothing() -> None:
    assert redact_addresses("550 no address any more", "no address any more") == "550 no address any more"
