"""Every mail in every language: no text is missing, and none is in the other language."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import get_args

import pytest

from notifier_svc.rendering.domain import OPTIONAL_TEMPLATES, TEMPLATES, OrderTemplate, Template
from notifier_svc.rendering.locales import LANGUAGES
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.rendering.templates import encode_subject, load_catalogue, load_mail_templates
from tests.notifier_svc.samples import NOW, customer, mail
from tests.pictures import DOCS, FAMILIES, outdated, page, sheets


def rendered(
    renderer: MimeRenderer, template: Template, locale: str, **context: object
) -> tuple[EmailMessage, str, str]:
    """(message, plain text, HTML) of a sample."""
    message = message_from_bytes(
        renderer.render(mail(template, **context).content, customer(locale), NOW), policy=default
    )
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain
    assert html
    return message, plain.get_content(), html.get_content()


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_parts_of_a_mail_have_the_same_text_in_one_language(renderer: MimeRenderer, template: Template) -> None:
    subjects = set()
    for language in LANGUAGES:
        message, plain, html = rendered(renderer, template, language)
        subjects.add(message["Subject"])
        assert message["Content-Language"] == language
        assert f'lang="{language}"' in html
        seen = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
        for text in (plain, seen):
            assert not re.search(r"[{\[]{2}|{%|\[%|\bNone\b|&amp;lt;", text)
        for paragraph in re.split(r"\n\s*\n", plain):
            # Except for lists and URLs, HTML has the same words.
            if "://" not in paragraph and not paragraph.startswith(("  ", "--")) and "\n" not in paragraph:
                assert set(paragraph.split()) <= set(seen.replace("&#39;", "'").split()), paragraph
    assert len(subjects) == len(LANGUAGES)


def test_the_catalogues_have_texts_with_the_same_names() -> None:
    english, german = (
        {name: set(texts) for name, texts in load_catalogue(language).items()} for language in LANGUAGES
    )
    assert english == german


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_no_markup_and_the_same_placeholders_in_each_language(language: str) -> None:
    english = load_catalogue("en")
    for template, texts in load_catalogue(language).items():
        for name, text in texts.items():
            placeholder = re.compile(r"{{? ?(\w+)")
            assert not set("<>&") & set(text), f"{template}.{name}"
            assert set(placeholder.findall(text)) == set(placeholder.findall(english[template][name])), (
                f"{template}.{name}"
            )


def test_subjects_are_valid_in_a_header() -> None:
    for (template, language), compiled in load_mail_templates().items():
        assert compiled.subject.isascii()
        assert all(len(word) <= 75 for word in compiled.subject.split())
        placeholders = [
            name for name in ("{number}", "{sku}") if name in load_catalogue(language)[template]["subject"]
        ]
        assert all(name in compiled.subject for name in placeholders)


@pytest.mark.parametrize("text", ["plain {number}", "für {number}", "für ältere {number} Öfen und größere Öfen"])
def test_an_encoded_subject_is_decoded_to_itself(text: str) -> None:
    message = message_from_bytes(f"Subject: {encode_subject(text)}\r\n\r\n".encode(), policy=default)
    assert message["Subject"] == text


def test_a_shipment_mail_has_lines_carrier_and_whether_more_follows(renderer: MimeRenderer) -> None:
    for kind in (1, 2):
        part, last = (rendered(renderer, "shipped", "en", complete=complete)[kind] for complete in (False, True))
        for text in (part, last):
            assert all(words in text for words in ("Enamel mug, blue", "DHL", "00340434161094042557", "London"))
            assert "€" not in text
        assert ("when we send the rest" in part, "when we send the rest" in last) == (True, False)


@pytest.mark.parametrize("template", ["shipped", "tracking_corrected"])
def test_a_tracking_number_comes_with_the_page_that_tracks_it(renderer: MimeRenderer, template: Template) -> None:
    for text in rendered(renderer, template, "en")[1:]:
        assert "Track your parcel" in text
        assert len(re.findall(r"\d{18,}", text)) > 1, "the number, and the link"


def test_every_mail_about_an_order_leads_to_it_once(renderer: MimeRenderer) -> None:
    for template in TEMPLATES:
        times = int(template in get_args(OrderTemplate))
        for text in rendered(renderer, template, "en")[1:]:
            assert text.count("View your order") == times, template


def test_a_mail_to_an_address_that_is_taken_requests_nothing(renderer: MimeRenderer) -> None:
    message, plain, html = rendered(renderer, "email_change", "en", taken=True)
    assert message["Subject"] == "Your email address was entered for a Shopstream account"
    for text in (plain, html):
        assert "onfirm" not in text
        assert "already another account" in text
    assert rendered(renderer, "email_change", "en")[0]["Subject"] == "Please confirm your new email address"


def test_a_mail_with_a_link_says_in_the_customers_time_when_it_expires() -> None:
    for template, language in load_mail_templates():
        texts = {**load_catalogue(language)["common"], **load_catalogue(language)[template]}
        assert not [one for one in texts.values() if "datetime(" in one and "datetime(locale, zone)" not in one]


def test_a_return_mail_has_lines_and_promises_no_money(renderer: MimeRenderer) -> None:
    message, plain, html = rendered(renderer, "return_received", "de-AT")
    assert "2 x Enamel mug, blue (MUG-BLUE)" in plain
    assert "Ihr Grund: One of them is chipped." in plain
    assert "Grund" not in rendered(renderer, "return_received", "de", reason=None)[1]
    for text in (message["Subject"], plain, html):
        assert not re.search(r"€|25,00|[Ee]rstatt|[Rr]efund", text)


def test_a_refused_amendment_lists_the_shortages_if_there_are_any(renderer: MimeRenderer) -> None:
    _, plain, html = rendered(renderer, "amendment_refused", "en")
    assert "Enamel mug, blue (MUG-BLUE): 2 ordered, 1 in stock" in plain
    assert "Teapot with a bamboo handle, 1.2 l (POT-1): no longer available" in plain
    earlier = rendered(renderer, "amendment_refused", "en", lines=())[1]
    assert "  MUG-BLUE: 2 ordered, 1 in stock" in earlier, "an event of an earlier release has no names"
    for text in rendered(renderer, "amendment_refused", "en", shortages=[])[1:]:
        assert "is still valid" in text
        assert "not available" not in text
    assert html.count("MUG-BLUE") == 1


def test_only_a_note_of_staff_is_in_a_cancellation_mail(renderer: MimeRenderer) -> None:
    for kind in (1, 2):
        assert "The last teapot broke" in rendered(renderer, "cancelled", "en")[kind]
        assert "The last teapot broke" not in rendered(renderer, "cancelled", "en", reason="customer")[kind]
        assert "Reason:" not in rendered(renderer, "cancelled", "en", note=None)[kind]


def test_optional_mails_say_how_to_switch_them_off(renderer: MimeRenderer) -> None:
    for template in TEMPLATES:
        plain = rendered(renderer, template, "en")[1]
        assert ("Unsubscribe from shipping updates: https://" in plain) == (template in OPTIONAL_TEMPLATES)


def test_a_low_stock_mail_has_the_quantities(renderer: MimeRenderer) -> None:
    message, plain, _ = rendered(renderer, "low_stock", "en")
    assert message["Subject"] == "MUG-BLUE is running low"
    assert re.findall(r"^  (\w.+)$", plain, re.M) == ["Available: 3", "Threshold: 5", "On hand: 5", "Reserved: 2"]
    assert "Hello" not in plain
    assert "The available quantity of Enamel mug (MUG-BLUE) has reached" in " ".join(plain.split())


def test_a_low_stock_event_of_an_earlier_release_has_no_name(renderer: MimeRenderer) -> None:
    _, plain, html = rendered(renderer, "low_stock", "en", product_name=None)
    assert "The available quantity of MUG-BLUE has reached" in " ".join(plain.split())
    assert "None" not in html


def test_the_page_about_the_mails_is_current(renderer: MimeRenderer) -> None:
    """``python -m tests.pictures`` writes it."""
    assert (DOCS / "mails.md").read_text(encoding="utf-8") == page(renderer)


def test_the_pictures_of_the_mails_are_current(renderer: MimeRenderer) -> None:
    assert sorted(template for family in FAMILIES.values() for template in family) == sorted(TEMPLATES)
    assert {picture.stem for picture in (DOCS / "pictures").glob("*.png")} == set(FAMILIES)
    assert outdated("pictures", sheets(renderer)) == [], "run `python -m tests.pictures`, and look at the result"
