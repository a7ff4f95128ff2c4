"""Templates and texts, compiled once for each mail and language when the process starts.

A template has the structure of a mail (``template_files/``), a catalogue the texts of a language (``texts/``). They
are merged first, by Jinja with square brackets. The result is MJML or plain text, with Jinja in braces, which is
filled in for each mail. So a mail costs the same in every language.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.quoprimime import header_encode
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
import mjml

from notifier_svc.rendering.addresses import address_lines
from notifier_svc.rendering.domain import ACCOUNT_TEMPLATES, TEMPLATES, MailContent, Template
from notifier_svc.rendering.locales import (
    LANGUAGES,
    Language,
    format_date,
    format_datetime,
    format_money,
    mail_locale,
    multiply_money,
)
from notifier_svc.replicas.domain import Customer

Texts = Mapping[str, str]
Catalogue = Mapping[str, Texts]

FOLDER = files("notifier_svc.rendering")
FILTERS = {
    "money": format_money,
    "times": multiply_money,
    "date": format_date,
    "datetime": format_datetime,
    "address": address_lines,
}

OPTIONAL_VALUES: Mapping[str, Any] = dict.fromkeys(
    ("placed_at", "order_url", "tracking_url", "unsubscribe_url", "forgotten_url", "product_name")
)
"""What an event of an earlier release, or a preview, does not have."""
SUBJECT_CASES = ("partial", "taken")
"""Cases in which a mail can have another subject: about a part of an order, to an address that has an account."""
_TO_FORMER: frozenset[Template] = frozenset({"email_changed", "email_change_reverted"})
"""Mails to an address that the customer does not have any more."""


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """One mail in one language, as plain text."""

    subject: str
    """For ``str.format``."""
    other_subjects: Mapping[str, str]
    """The subjects of other cases by the value that says which it is (``SUBJECT_CASES``)."""
    text: jinja2.Template

    def render_subject(self, values: Mapping[str, Any]) -> str:
        """The subject, filled in with ``template_values``."""
        others = (subject for case, subject in self.other_subjects.items() if values.get(case))
        subject = next(others, self.subject)
        return subject.format(number=values["number"], sku=values.get("sku"))


@dataclass(frozen=True, slots=True)
class MailTemplate(TextTemplate):
    """The same with HTML, and with its subject encoded for a header."""

    html: jinja2.Template


def load_mail_templates() -> Mapping[tuple[Template, Language], MailTemplate]:
    """Every mail in every language; raise ``jinja2.UndefinedError`` if a catalogue lacks a text."""
    merging = _merging_environment()
    return {
        (template, language): _mail_template(merging, language, template)
        for language in LANGUAGES
        for template in TEMPLATES
    }


def load_text_templates() -> Mapping[tuple[Template, Language], TextTemplate]:
    """The mails that the API shows, as plain text: HTML takes by far the longest to compile."""
    merging = _merging_environment()
    return {
        (template, language): _text_template(merging, language, template)
        for language in LANGUAGES
        for template in TEMPLATES
        if template not in ACCOUNT_TEMPLATES
    }


def template_values(content: MailContent, customer: Customer) -> dict[str, Any]:
    """The values that fill in a template: those of the mail, and those of its customer."""
    return {
        **OPTIONAL_VALUES,
        **content.context,
        "billing_address": _other_address(content.context),
        "partial": not content.context.get("complete"),
        "name": customer.name,
        "number": str(content.order_id)[-12:],
        "names": {line["sku"]: line["name"] for line in content.context.get("lines") or ()},
        "locale": mail_locale(customer.locale).locale,
        "zone": customer.time_zone,
    }


def _other_address(context: Mapping[str, Any]) -> Any:
    """The billing address, unless it is the shipping address."""
    billing = context.get("billing_address")
    return None if billing == context.get("shipping_address") else billing


@cache
def load_catalogue(language: Language) -> Catalogue:
    """The texts of a language: those of each mail, and those of all mails (``common``)."""
    return tomllib.loads((FOLDER / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def _mail_template(merging: jinja2.Environment, language: Language, template: Template) -> MailTemplate:
    texts = _texts(language, template)
    merged = merging.get_template(f"{template}.mjml").render(t=texts, language=language)
    return MailTemplate(
        subject=encode_subject(texts["subject"]),
        other_subjects={case: encode_subject(subject) for case, subject in _other_subjects(texts).items()},
        text=_text_template(merging, language, template).text,
        html=_environment(escaped=True).from_string(mjml.mjml2html(merged)),
    )


def _text_template(merging: jinja2.Environment, language: Language, template: Template) -> TextTemplate:
    texts = _texts(language, template)
    merged = merging.get_template(f"{template}.txt").render(t=texts, language=language)
    text = _environment(escaped=False).from_string(merged)
    return TextTemplate(texts["subject"], _other_subjects(texts), text)


def _other_subjects(texts: Texts) -> Mapping[str, str]:
    return {case: texts[f"{case}_subject"] for case in SUBJECT_CASES if f"{case}_subject" in texts}


def _texts(language: Language, template: Template) -> Texts:
    catalogue = load_catalogue(language)
    is_account = template in ACCOUNT_TEMPLATES
    kind = "former" if template in _TO_FORMER else "account" if is_account else "order"
    texts = {**catalogue["common"], "why": catalogue["common"][f"why_{kind}"], **catalogue[template]}
    # Anybody can register any address with any name: such a mail must not carry what a stranger wrote.
    return texts | {"greeting": texts["greeting_account"]} if is_account else texts


def _merging_environment() -> jinja2.Environment:
    def read(name: str) -> str:
        return (FOLDER / "template_files" / name).read_text(encoding="utf-8")

    return jinja2.Environment(  # noqa: S701 - what is merged is escaped when it is filled in
        *("[%", "%]", "[[", "]]", "[#", "#]"),
        loader=jinja2.FunctionLoader(read),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _environment(*, escaped: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=escaped,  # noqa: S701 - HTML is escaped, plain text must not be
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


def encode_subject(text: str) -> str:
    """A subject as a header can hold it (RFC 2047): words outside ASCII are encoded, placeholders stay.

    Neighbouring words are encoded together, because the space between two encoded words is not shown.
    """
    runs = ((ascii_only, " ".join(run)) for ascii_only, run in groupby(text.split(" "), key=str.isascii))
    return " ".join(run if ascii_only else header_encode(run.encode(), "utf-8") for ascii_only, run in runs)
