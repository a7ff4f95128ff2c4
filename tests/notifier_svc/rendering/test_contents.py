"""What mails say beyond their texts: links, dates, addresses, prices; and how their HTML is made."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from chassis.link_tokens import customer_of_unsubscribe_token, unsubscribe_token
from chassis.testing import LINK_KEY
from notifier_svc.rendering.carriers import TrackingPages
from notifier_svc.rendering.domain import OPTIONAL_TEMPLATES, TEMPLATES, Template
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.rendering.previews import MailPreviews
from tests.notifier_svc.samples import CUSTOMER, NOW, ORDER, customer, mail

KEY = SecretStr(LINK_KEY)
LINKS = Links("https://shop.example", KEY)
RENDERER = MimeRenderer("shop@example.com", LINKS)


def parts(template: Template, /, renderer: MimeRenderer = RENDERER, **context: Any) -> tuple[EmailMessage, str, str]:
    """(message, plain text, HTML) of a sample."""
    who = customer(context.pop("locale", "en"), time_zone=context.pop("time_zone", None))
    message = message_from_bytes(renderer.render(mail(template, **context).content, who, NOW), policy=default)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain
    assert html
    return message, plain.get_content(), html.get_content()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_mail_has_one_heading_and_styles_for_the_dark(template: Template) -> None:
    _, _, html = parts(template)
    assert len(re.findall(r"<h1\b", html)) == 1
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "@media (prefers-color-scheme: dark)" in html


@pytest.mark.parametrize("template", TEMPLATES)
def test_only_a_mail_that_can_be_switched_off_is_unsubscribed_from_with_one_click(template: Template) -> None:
    message, plain, html = parts(template)
    token = unsubscribe_token(KEY, CUSTOMER)
    url = f"https://shop.example/unsubscribe?token={token}"
    optional = template in OPTIONAL_TEMPLATES
    assert message["List-Unsubscribe"] == (f"<{url}>" if optional else None)
    assert message["List-Unsubscribe-Post"] == ("List-Unsubscribe=One-Click" if optional else None)
    assert (url in plain, url in html) == (optional, optional)


def test_a_mail_that_staff_send_again_cannot_unsubscribe_the_customer() -> None:
    again = mail("shipped").content
    resent = type(again)(again.id, again.template, again.order_id, again.context, resent=True)
    assert b"unsubscribe" not in RENDERER.render(resent, customer(), NOW).lower()


@pytest.mark.parametrize("wrong", ["", "x" * 65, "ä", "\ud800", unsubscribe_token(KEY, ORDER)[:-1] + "_"])
def test_no_other_token_unsubscribes_anybody(wrong: str) -> None:
    assert customer_of_unsubscribe_token(KEY, wrong) is None


def test_a_token_unsubscribes_its_customer_and_only_with_the_key() -> None:
    token = unsubscribe_token(KEY, CUSTOMER)
    assert customer_of_unsubscribe_token(KEY, token) == CUSTOMER
    assert customer_of_unsubscribe_token(SecretStr("another key of links, also for tests"), token) is None
    stolen = unsubscribe_token(KEY, UUID(int=1))[:22] + token[22:]
    assert customer_of_unsubscribe_token(KEY, stolen) is None


def test_replies_go_where_the_setting_says() -> None:
    message, _, _ = parts("receipt", MimeRenderer("shop@example.com", LINKS, "help@münchen.de"))
    assert message["Reply-To"] == "help@xn--mnchen-3ya.de"
    assert parts("receipt")[0]["Reply-To"] is None


@pytest.mark.parametrize(
    ("carrier", "number", "url"),
    [
        ("DHL", "0034", "https://www.dhl.com/global-en/home/tracking.html?tracking-id=0034"),
        ("royal-mail", "AB 1/2", "https://www.royalmail.com/track-your-item#/tracking-results/AB%201%2F2"),
        ("Acme", "1&x=<2>", "https://acme.example/1%26x%3D%3C2%3E"),
        ("ups", "1", "https://ups.example/1"),
        ("Our own van", "4711", None),
        ("DHL", "-", None),
    ],
)
def test_a_carrier_has_a_page_about_a_parcel(carrier: str, number: str, url: str | None) -> None:
    pages = TrackingPages({"Acme": "https://acme.example/{number}", "UPS": "https://ups.example/{number}"})
    assert pages.url(carrier, number) == url


def test_a_shipment_mail_links_to_the_page_of_the_carrier() -> None:
    url = "https://www.dhl.com/global-en/home/tracking.html?tracking-id=0034"
    _, plain, html = parts("shipped", carrier="dhl", tracking_number="0034")
    assert f"Track your parcel: {url}" in plain
    assert f'href="{url}"' in html
    for text in parts("shipped", carrier="Our own van")[1:]:
        assert "Track your parcel" not in text


def test_the_subject_of_a_shipment_says_whether_it_is_everything() -> None:
    def subjects(locale: str) -> list[str]:
        return [parts("shipped", locale=locale, complete=complete)[0]["Subject"] for complete in (True, False)]

    order = "order 0000000abcde has been dispatched"
    assert subjects("en") == [f"Your {order}", f"Part of your {order}"]
    order = "Bestellung 0000000abcde wurde versandt"
    assert subjects("de") == [f"Ihre {order}", f"Ein Teil Ihrer {order}"]


def test_a_receipt_has_date_unit_prices_billing_address_and_a_link() -> None:
    for text in parts("receipt")[1:]:
        seen = re.sub(r"<[^>]+>", " ", text)
        assert "Order date: January 1, 2026" in seen
        assert "€12.50 each" in seen
        assert re.search(r"Billing address\s+Ada Lovelace\s+Rechenwerk GmbH\s+Lindenstraße 5\s+2\. OG\s+10969", seen)
        assert f"https://shop.example/order#{ORDER}" in text


def test_a_receipt_of_an_event_without_the_newer_fields_leaves_them_out() -> None:
    for text in parts("receipt", placed_at=None, billing_address=None)[1:]:
        assert not re.search("Order date|Billing", text)


def test_a_billing_address_that_is_the_shipping_address_is_not_repeated() -> None:
    same = mail("receipt").context["shipping_address"]
    assert "Billing" not in parts("receipt", billing_address=same)[1]


@pytest.mark.parametrize(
    ("time_zone", "day"),
    [(None, "January 1, 2026"), ("Asia/Tokyo", "January 2, 2026"), ("No/Where", "January 1, 2026")],
)
def test_a_date_is_that_of_the_customers_time_zone(time_zone: str | None, day: str) -> None:
    _, plain, _ = parts("receipt", time_zone=time_zone, placed_at="2026-01-01T20:00:00Z")
    assert f"Order date: {day}" in plain


def test_a_link_expires_at_a_time_of_the_customers_time_zone() -> None:
    assert "am 3. Januar 2026, 13:30 MEZ ab" in parts("welcome", locale="de", time_zone="Europe/Berlin")[1]


def test_a_french_customer_gets_no_american_dates() -> None:
    assert "Order date: 1 January 2026" in parts("receipt", locale="fr-FR")[1]


def test_a_preview_has_no_links() -> None:
    for template in ("receipt", "shipped"):
        preview = MailPreviews().render(mail(template).content, customer())
        assert preview
        assert "://" not in preview.text
