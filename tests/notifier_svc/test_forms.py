"""Every mail in every language: all words are there, all of them arrive, and none of the other language's."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from notifier_svc.domain import TEMPLATES, UPDATES, Template
from notifier_svc.forms import catalogue, in_subject, make_forms
from notifier_svc.languages import LANGUAGES
from notifier_svc.letters import Letters
from tests.notifier_svc.samples import NOW, customer, mail
from tests.pictures import DOCS, FAMILIES, outdated, page, sheets


def written(letters: Letters, template: Template, locale: str, **context: object) -> tuple[EmailMessage, str, str]:
    """(letter, plain text, HTML) of a sample."""
    letter = message_from_bytes(letters.write(mail(template, **context), customer(locale), NOW), policy=default)
    assert isinstance(letter, EmailMessage)
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain
    assert html
    return letter, plain.get_content(), html.get_content()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_mail_says_the_same_in_both_parts_and_nothing_of_the_other_language(
    letters: Letters, template: Template
) -> None:
    subjects = set()
    for language in LANGUAGES:
        letter, plain, html = written(letters, template, language)
        subjects.add(letter["Subject"])
        assert letter["Content-Language"] == language
        assert f'lang="{language}"' in html
        seen = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
        for text in (plain, seen):
            assert not re.search(r"[{\[]{2}|{%|\[%|\bNone\b|&amp;lt;", text)
        for paragraph in re.split(r"\n\s*\n", plain):
            # But for lists, and addresses of pages, it stands word by word in HTML as well.
            if "://" not in paragraph and not paragraph.startswith(("  ", "--")) and "\n" not in paragraph:
                assert set(paragraph.split()) <= set(seen.replace("&#39;", "'").split()), paragraph
    assert len(subjects) == len(LANGUAGES)


def test_the_catalogues_have_the_same_words() -> None:
    english, german = ({mail: set(words) for mail, words in catalogue(language).items()} for language in LANGUAGES)
    assert english == german


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_hold_no_markup_and_fill_in_what_the_others_do(language: str) -> None:
    english = catalogue("en")
    for mail_, words in catalogue(language).items():
        for name, text in words.items():
            filled = re.compile(r"{{? ?(\w+)")
            assert not set("<>&") & set(text), f"{mail_}.{name}"
            assert set(filled.findall(text)) == set(filled.findall(english[mail_][name])), f"{mail_}.{name}"


def test_subjects_fit_a_header() -> None:
    for (template, language), form in make_forms().items():
        assert form.subject.isascii()
        assert all(len(word) <= 75 for word in form.subject.split())
        filled = [name for name in ("{number}", "{sku}") if name in catalogue(language)[template]["subject"]]
        assert all(name in form.subject for name in filled)


@pytest.mark.parametrize("words", ["plain {number}", "für {number}", "für ältere {number} Öfen und größere Öfen"])
def test_a_subject_arrives_as_it_was_written(words: str) -> None:
    letter = message_from_bytes(f"Subject: {in_subject(words)}\r\n\r\n".encode(), policy=default)
    assert letter["Subject"] == words


def test_a_shipment_says_what_is_in_it_with_whom_and_whether_more_follows(letters: Letters) -> None:
    for kind in (1, 2):
        part, last = (written(letters, "shipped", "en", complete=complete)[kind] for complete in (False, True))
        for text in (part, last):
            assert all(words in text for words in ("Enamel mug, blue", "DHL", "00340434161094042557", "London"))
            assert "€" not in text
        assert ("The rest follows" in part, "The rest follows" in last) == (True, False)


def test_a_return_says_what_came_back_and_what_is_refunded(letters: Letters) -> None:
    _, plain, _ = written(letters, "return_received", "de-AT")
    assert "und erstatten Ihnen € 25,00." in plain.replace("\u00a0", " ")
    assert "2 x Enamel mug, blue (MUG-BLUE)" in plain
    assert "Ihr Grund: One of them is chipped." in plain
    assert "Grund" not in written(letters, "return_received", "de", reason=None)[1]


def test_a_refused_amendment_says_what_was_short_if_anything_was(letters: Letters) -> None:
    _, plain, html = written(letters, "amendment_refused", "en")
    assert "MUG-BLUE: 2 ordered, 1 left" in plain
    assert "POT-1: no longer sold" in plain
    for text in written(letters, "amendment_refused", "en", shortages=[])[1:]:
        assert "stays as it was" in text
        assert "was short" not in text
    assert html.count("MUG-BLUE") == 1


def test_only_what_staff_wrote_about_a_cancellation_is_told(letters: Letters) -> None:
    for kind in (1, 2):
        assert "The last teapot broke" in written(letters, "cancelled", "en")[kind]
        assert "The last teapot broke" not in written(letters, "cancelled", "en", reason="customer")[kind]
        assert "What they say" not in written(letters, "cancelled", "en", note=None)[kind]


def test_mails_that_one_can_do_without_say_how_to(letters: Letters) -> None:
    for template in TEMPLATES:
        plain = written(letters, template, "en")[1]
        assert ("you can switch off mails" in plain) == (template in UPDATES)


def test_staff_read_how_many_are_left(letters: Letters) -> None:
    letter, plain, _ = written(letters, "low_stock", "en")
    assert letter["Subject"] == "MUG-BLUE is running low"
    assert re.findall(r"^  (\w.+)$", plain, re.M) == ["Available: 3", "Threshold: 5", "On hand: 5", "Reserved: 2"]
    assert "Hello" not in plain


def test_the_page_about_the_mails_tells_of_them_as_they_are(letters: Letters) -> None:
    """If not, ``python -m tests.pictures`` writes it anew."""
    assert (DOCS / "mails.md").read_text(encoding="utf-8") == page(letters)
    assert sorted(template for family in FAMILIES.values() for template in family) == sorted(TEMPLATES)
    assert {picture.stem for picture in (DOCS / "pictures").glob("*.png")} == set(FAMILIES)
    assert outdated("pictures", sheets(letters)) == [], "run `python -m tests.pictures`, and look at them"
