"""Letters as a mail program reads them."""

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
from notifier_svc.domain import Customer, Template, compose
from notifier_svc.letters import MAX_NAME, Letters, in_header
from notifier_svc.links import Links

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
CUSTOMER = UUID("019b7c61-0000-7000-8000-000000000001")
ORDER = UUID("019b7c61-0000-7000-8000-0000000abcde")
LETTERS = Letters("shop@shopstream.example", Links("https://shop.example", SecretStr(LINK_KEY)))
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
# What a name would have to hold to become a header or an address of its own.
spiteful = st.lists(
    st.sampled_from(
        ["x", " ", ", ", "eve@example.com", "\r\nBcc: ", '"', "\\", "<", ">", ":", ";", "=?utf-8?q?=0A?=", "é"]
    ),
    max_size=60,
).map("".join)


def write(
    template: Template = "receipt", name: str = "Ada Lovelace", email: str = "ada@example.com", **context: Any
) -> bytes:
    known = {"order_id": str(ORDER), "customer_id": str(CUSTOMER)}
    mail = compose(template, CUSTOMER, str(ORDER), ORDER, known | CONTEXT[template] | context, NOW)
    return LETTERS.write(mail, Customer(CUSTOMER, email, name, 1), NOW)


def received(letter: bytes) -> EmailMessage:
    read = message_from_bytes(letter, policy=default)
    assert isinstance(read, EmailMessage)
    return read


def body(letter: bytes, kind: str) -> str:
    part = received(letter).get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("receipt", "Your order 0000000abcde is confirmed"),
        ("rejected", "We could not fulfil your order 0000000abcde"),
        ("cancelled", "Your order 0000000abcde is cancelled"),
    ],
)
def test_a_letter_says_what_it_is_about(template: Template, subject: str) -> None:
    letter = received(write(template))
    assert letter["Subject"] == subject
    assert letter["From"] == "Shopstream <shop@shopstream.example>"
    assert letter["To"] == "Ada Lovelace <ada@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == NOW


@pytest.mark.parametrize("template", ["receipt", "rejected", "cancelled"])
def test_a_letter_has_plain_text_and_html(template: Template) -> None:
    letter = write(template)
    assert [part.get_content_type() for part in received(letter).iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        text = body(letter, kind)
        assert "Ada Lovelace" in text
        assert str(ORDER) in text
        assert not {"{{", "{%", "None"} & set(text.split())


def test_the_message_id_is_the_same_however_often_it_is_written() -> None:
    first, again, another = (
        received(one)["Message-ID"] for one in (write(), write(name="Ada King"), write("cancelled"))
    )
    assert first == again != another
    assert first.endswith("@shopstream.example>")


def test_a_receipt_lists_lines_total_and_address() -> None:
    for kind in ("plain", "html"):
        text = body(write(total={"amount": 2900, "currency": "EUR"}), kind)
        for part in ("Blue mug", "MUG", "€25.00", "€29.00", "Ada", "1 St", "London", "SW1Y", "United Kingdom"):
            assert part in text


def test_a_rejection_says_what_was_short() -> None:
    assert "Blue mug (MUG): 2 ordered, 1 left" in body(write("rejected"), "plain")
    gone = [{"sku": "MUG", "requested": 2, "available": 0, "reason": "unknown"}]
    assert "Blue mug (MUG): no longer sold" in body(write("rejected", shortages=gone), "plain")


@pytest.mark.parametrize(
    ("reason", "words"),
    [("timeout", "could not confirm it in time"), ("customer", "as you asked"), ("staff", "by our staff")],
)
def test_a_cancellation_says_why(reason: str, words: str) -> None:
    assert words in body(write("cancelled", reason=reason), "plain")
    assert words in body(write("cancelled", reason=reason), "html")


def test_what_others_wrote_is_text_in_html_and_as_it_is_in_plain_text() -> None:
    line = {**LINE, "name": "<script>alert('x')</script>"}
    letter = write(lines=[line], name="<b>Ada</b> & Co")
    assert "<script>" not in body(letter, "html")
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in body(letter, "html")
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; Co" in body(letter, "html")
    assert "<script>alert('x')</script>" in body(letter, "plain")


@given(names | spiteful)
@settings(max_examples=60, deadline=None)
def test_no_name_makes_another_header_or_recipient(name: str) -> None:
    letter = write("cancelled", name=name)
    head = letter.partition(b"\r\n\r\n")[0]
    starts = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert sorted(starts) == [
        *(b"Auto-Submitted", b"Content-Language", b"Content-Type", b"Date", b"From"),
        *(b"MIME-Version", b"Message-ID", b"Subject", b"To"),
    ]
    assert [address.addr_spec for address in received(letter)["To"].addresses] == ["ada@example.com"]
    assert head.isascii()
    assert max(map(len, letter.split(b"\r\n"))) <= 998


@given(names | spiteful)
@settings(deadline=None)
def test_a_name_in_a_header_is_one_short_line_without_what_needs_quotes(name: str) -> None:
    plain = in_header(name)
    assert len(plain) <= MAX_NAME
    assert plain.isprintable()
    assert plain == plain.strip()
    assert not set('()<>[]:;@\\,"=?') & set(plain)


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "José", "李小龍", "O'Brien", "Anne-Marie", "J. R. R. Tolkien", "é" * 60]
)
def test_a_name_that_people_have_arrives_as_it_is(name: str) -> None:
    raw = message_from_bytes(write(name=name))["To"]
    shown = str(make_header(decode_header(raw.rpartition(" ")[0]))).strip('"')
    assert shown == name


@pytest.mark.parametrize("email", ["josé@example.com", "ada@exämple.de", "用户@例え.jp"])
@pytest.mark.parametrize("name", ["Ada Lovelace", "José"])
def test_an_address_outside_ascii_is_written_in_utf_8(name: str, email: str) -> None:
    assert f"To: {name} <{email}>\r\n".encode() in write(name=name, email=email)


def test_a_letter_to_an_ascii_address_needs_no_extension_of_the_server() -> None:
    line = {**LINE, "name": "Blåbær-kopp € 日本"}
    assert write(name="José", lines=[line]).isascii()
    assert "Blåbær-kopp € 日本" in body(write(lines=[line]), "plain")
