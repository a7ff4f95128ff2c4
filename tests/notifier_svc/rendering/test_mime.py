"""Messages as a mail program reads them."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from chassis.testing import LINK_KEY
from notifier_svc.mails.domain import compose
from notifier_svc.rendering.domain import ACCOUNT_TEMPLATES, Template
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.mime import MAX_NAME, MimeRenderer, name_for_header
from notifier_svc.replicas.domain import Customer
from tests.notifier_svc.samples import NOW as NOW_OF_SAMPLES
from tests.notifier_svc.samples import mail

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
CUSTOMER = UUID("019b7c61-0000-7000-8000-000000000001")
ORDER = UUID("019b7c61-0000-7000-8000-0000000abcde")
RENDERER = MimeRenderer("shop@shopstream.example", Links("https://shop.example", SecretStr(LINK_KEY)))
ADDRESS = {"name": "Ada", "street": "1 St", "city": "London", "postal_code": "SW1Y", "country": "GB"}
LINE = {"sku": "MUG", "quantity": 2, "name": "Blue mug", "unit_price": {"amount": 1250, "currency": "EUR"}}
CONTEXT: dict[Template, dict[str, Any]] = {
    "receipt": {"lines": [LINE], "total": {"amount": 2500, "currency": "EUR"}, "shipping_address": ADDRESS},
    "rejected": {
        "lines": [LINE],
        "shortages": [{"sku": "MUG", "requested": 2, "available": 1, "reason": "short"}],
    },
    "cancelled": {"reason": "customer", "note": None},
}

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
# Pieces from which a name could make a header or an address.
hostile_names = st.lists(
    st.sampled_from(
        ["x", " ", ", ", "eve@example.com", "\r\nBcc: ", '"', "\\", "<", ">", ":", ";", "=?utf-8?q?=0A?=", "é"]
    ),
    max_size=60,
).map("".join)


def render(
    template: Template = "receipt", name: str = "Ada Lovelace", email: str = "ada@example.com", **context: Any
) -> bytes:
    known = {"order_id": str(ORDER), "customer_id": str(CUSTOMER)}
    mail = compose(template, CUSTOMER, str(ORDER), ORDER, known | CONTEXT[template] | context, NOW)
    return RENDERER.render(mail.content, Customer(CUSTOMER, email, name, 1), NOW)


def parsed(raw: bytes) -> EmailMessage:
    parsed_message = message_from_bytes(raw, policy=default)
    assert isinstance(parsed_message, EmailMessage)
    return parsed_message


def body(message: bytes, kind: str) -> str:
    part = parsed(message).get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("receipt", "Your order 0000000abcde is confirmed"),
        ("rejected", "We could not accept your order 0000000abcde"),
        ("cancelled", "Your order 0000000abcde has been cancelled"),
    ],
)
def test_a_message_has_its_headers(template: Template, subject: str) -> None:
    message = parsed(render(template))
    assert message["Subject"] == subject
    assert message["From"] == "Shopstream <shop@shopstream.example>"
    assert message["To"] == "Ada Lovelace <ada@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW


@pytest.mark.parametrize("template", ["receipt", "rejected", "cancelled"])
def test_a_message_has_plain_text_and_html(template: Template) -> None:
    message = render(template)
    assert [part.get_content_type() for part in parsed(message).iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        text = body(message, kind)
        assert "Ada Lovelace" in text
        assert str(ORDER) in text
        assert not {"{{", "{%", "None"} & set(text.split())


def test_the_message_id_is_the_same_however_often_a_mail_is_rendered() -> None:
    first, again, another = (
        parsed(one)["Message-ID"] for one in (render(), render(name="Ada King"), render("cancelled"))
    )
    assert first == again != another
    assert first.endswith("@shopstream.example>")


def test_a_receipt_lists_lines_total_and_address() -> None:
    for kind in ("plain", "html"):
        text = body(render(total={"amount": 2900, "currency": "EUR"}), kind)
        for part in ("Blue mug", "MUG", "€25.00", "€29.00", "Ada", "1 St", "London", "SW1Y", "United Kingdom"):
            assert part in text


def test_a_rejection_lists_the_shortages() -> None:
    assert "Blue mug (MUG): 2 ordered, 1 in stock" in body(render("rejected"), "plain")
    gone = [{"sku": "MUG", "requested": 2, "available": 0, "reason": "unknown"}]
    assert "Blue mug (MUG): no longer available" in body(render("rejected", shortages=gone), "plain")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("timeout", "could not confirm it in time"),
        ("customer", "as you requested"),
        ("staff", "Our staff have cancelled"),
    ],
)
def test_a_cancellation_gives_the_reason(reason: str, words: str) -> None:
    assert words in body(render("cancelled", reason=reason), "plain")
    assert words in body(render("cancelled", reason=reason), "html")


def test_input_of_others_is_escaped_in_html_and_unchanged_in_plain_text() -> None:
    line = {**LINE, "name": "<script>alert('x')</script>"}
    message = render(lines=[line], name="<b>Ada</b> & Co")
    assert "<script>" not in body(message, "html")
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in body(message, "html")
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; Co" in body(message, "html")
    assert "<script>alert('x')</script>" in body(message, "plain")


@given(names | hostile_names)
@settings(max_examples=60, deadline=None)
def test_no_name_adds_a_header_or_recipient(name: str) -> None:
    message = render("cancelled", name=name)
    head = message.partition(b"\r\n\r\n")[0]
    starts = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert sorted(starts) == [
        *(b"Auto-Submitted", b"Content-Language", b"Content-Type", b"Date", b"From"),
        *(b"MIME-Version", b"Message-ID", b"Subject", b"To"),
    ]
    assert [address.addr_spec for address in parsed(message)["To"].addresses] == ["ada@example.com"]
    assert head.isascii()
    assert max(map(len, message.split(b"\r\n"))) <= 998


@given(names | hostile_names)
@settings(deadline=None)
def test_a_name_in_a_header_is_one_short_line_without_characters_that_need_quotes(name: str) -> None:
    plain = name_for_header(name)
    assert len(plain) <= MAX_NAME
    assert plain.isprintable()
    assert plain == plain.strip()
    assert not set('()<>[]:;@\\,"=?') & set(plain)


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "José", "李小龍", "O'Brien", "Anne-Marie", "J. R. R. Tolkien", "é" * 60]
)
def test_real_names_arrive_unchanged(name: str) -> None:
    raw = message_from_bytes(render(name=name))["To"]
    shown = str(make_header(decode_header(raw.rpartition(" ")[0]))).strip('"')
    assert shown == name


@pytest.mark.parametrize("email", ["josé@example.com", "用户@例え.jp"])
@pytest.mark.parametrize("name", ["Ada Lovelace", "José"])
def test_an_address_outside_ascii_is_written_in_utf_8(name: str, email: str) -> None:
    assert f"To: {name} <{email}>\r\n".encode() in render(name=name, email=email)


@pytest.mark.parametrize("name", ["Ada Lovelace", "José"])
def test_an_address_with_only_its_domain_outside_ascii_needs_no_smtp_extension(name: str) -> None:
    message = render(name=name, email="ada@münchen.de")
    assert message.isascii()
    assert [address.addr_spec for address in parsed(message)["To"].addresses] == ["ada@xn--mnchen-3ya.de"]


def test_the_domain_of_the_sender_is_in_ascii() -> None:
    renderer = MimeRenderer("shop@münchen.de", Links("https://shop.example", SecretStr(LINK_KEY)))
    message = renderer.render(
        mail("receipt").content, Customer(CUSTOMER, "ada@example.com", "Ada", 1), NOW_OF_SAMPLES
    )
    assert parsed(message)["From"] == "Shopstream <shop@xn--mnchen-3ya.de>"
    assert parsed(message)["Message-ID"].endswith("@xn--mnchen-3ya.de>")


def test_a_message_to_an_ascii_address_needs_no_smtp_extension() -> None:
    line = {**LINE, "name": "Blåbær-kopp € 日本"}
    assert render(name="José", lines=[line]).isascii()
    assert "Blåbær-kopp € 日本" in body(render(lines=[line]), "plain")


@pytest.mark.parametrize("template", sorted(ACCOUNT_TEMPLATES))
@pytest.mark.parametrize("locale", ["en", "de"])
def test_a_mail_about_an_account_contains_nothing_that_its_registrant_wrote(template: Template, locale: str) -> None:
    sample = mail(template)
    name = "Win a prize at evil.example"
    raw = RENDERER.render(sample.content, Customer(CUSTOMER, "ada@example.com", name, 1, locale), NOW_OF_SAMPLES)
    message = parsed(raw)
    assert message["To"] == "ada@example.com"
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    assert len(parts) == 2
    assert [part for part in (raw.decode(), *parts) if "prize" in part] == []


def test_a_mail_about_an_account_goes_to_an_address_outside_ascii() -> None:
    raw = RENDERER.render(
        mail("welcome").content, Customer(CUSTOMER, "jos\u00e9@example.com", "x", 1), NOW_OF_SAMPLES
    )
    assert "To: <jos\u00e9@example.com>\r\n" in raw.decode()


def test_a_note_of_several_lines_keeps_them() -> None:
    raw = render("cancelled", reason="staff", note="Sold out.\nSorry <b>about</b> that.")
    assert "Sold out.<br />Sorry &lt;b&gt;about&lt;/b&gt; that." in body(raw, "html")
    assert "Sold out.\nSorry <b>about</b> that." in body(raw, "plain").replace("\r\n", "\n")
