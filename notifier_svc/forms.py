"""Forms: each mail in each language, made ready once, when the process starts.

A template has the structure of a mail (``templates/``), a catalogue the words of a language (``texts/``). They are
put together first, with Jinja between square brackets; what comes of it is MJML, or plain text, with Jinja between
braces, which is filled in for each mail. So a mail costs the same in every language.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.quoprimime import header_encode
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, get_args

import jinja2
import mjml

from notifier_svc.domain import TEMPLATES, UPDATES, AccountTemplate, Customer, Mail, Template
from notifier_svc.languages import LANGUAGES, Language, country, manner, moment, money, times

Words = Mapping[str, str]
Catalogue = Mapping[str, Words]

SHOP = "{{ shop }}"
SHOP_LINK = f'<a href="{SHOP}" style="color:#0b6e6e;">{SHOP}</a>'
FILTERS = {"money": money, "times": times, "moment": moment, "country": country}


@dataclass(frozen=True, slots=True)
class PlainForm:
    """One mail in one language, as plain text: what is filled in when it is written."""

    subject: str
    """For ``str.format``."""
    text: jinja2.Template

    def subject_of(self, known: Mapping[str, Any]) -> str:
        """The subject of a mail of which ``told`` is known."""
        return self.subject.format(number=known["number"], sku=known.get("sku"))


@dataclass(frozen=True, slots=True)
class Form(PlainForm):
    """The same with HTML, and its subject fit for a header."""

    html: jinja2.Template


def make_forms() -> Mapping[tuple[Template, Language], Form]:
    """All of them; raise ``jinja2.UndefinedError`` where a catalogue lacks words."""
    blank = _blank()
    return {
        (template, language): _form(blank, language, template, _words(catalogue(language), template))
        for language in LANGUAGES
        for template in TEMPLATES
    }


def make_plain_forms() -> Mapping[tuple[Template, Language], PlainForm]:
    """Those of mails without links: the others are about accounts. HTML takes by far the longest to make ready."""
    blank = _blank()
    return {
        (template, language): _plain_form(blank, language, template, _words(catalogue(language), template))
        for language in LANGUAGES
        for template in TEMPLATES
        if template not in get_args(AccountTemplate)
    }


def told(mail: Mail, customer: Customer) -> dict[str, Any]:
    """What a form is filled in with: what the ledger says of a mail, and of whom it goes to."""
    names = {line["sku"]: line["name"] for line in mail.context.get("lines", ())}
    known = {"name": customer.name, "number": str(mail.order_id)[-12:], "names": names}
    return mail.context | known | {"locale": manner(customer.locale).locale}


@cache
def catalogue(language: Language) -> Catalogue:
    """The words of a language: those of each mail, and those of all (``everywhere``)."""
    return tomllib.loads((files("notifier_svc") / "texts" / f"{language}.toml").read_text(encoding="utf-8"))


def _form(blank: jinja2.Environment, language: Language, template: Template, words: Words) -> Form:
    filled = blank.get_template(f"{template}.mjml").render(t=words, language=language)
    return Form(
        subject=in_subject(words["subject"]),
        text=_plain_form(blank, language, template, words).text,
        html=_environment(escaped=True).from_string(mjml.mjml2html(filled)),
    )


def _plain_form(blank: jinja2.Environment, language: Language, template: Template, words: Words) -> PlainForm:
    filled = blank.get_template(f"{template}.txt").render(t=words, language=language)
    return PlainForm(words["subject"], _environment(escaped=False).from_string(filled))


def _words(catalogue: Catalogue, template: Template) -> Words:
    common = catalogue["everywhere"]
    about = "account" if template in get_args(AccountTemplate) else "updates" if template in UPDATES else "order"
    return {**common, "why": common[f"about_{about}"], **catalogue[template]}


def _blank() -> jinja2.Environment:
    folder = files("notifier_svc") / "templates"
    environment = jinja2.Environment(
        *("[%", "%]", "[[", "]]", "[#", "#]"),
        loader=jinja2.FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["linked"] = lambda words: words.replace(SHOP, SHOP_LINK)
    return environment


def _environment(*, escaped: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=escaped, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(FILTERS)
    return environment


def in_subject(words: str) -> str:
    """A subject as a header can hold it (RFC 2047): words outside ASCII encoded, what is to be filled in as it is.

    Neighbours are encoded together: the space between two encoded words is not shown.
    """
    runs = ((plain, " ".join(run)) for plain, run in groupby(words.split(" "), key=str.isascii))
    return " ".join(run if plain else header_encode(run.encode(), "utf-8") for plain, run in runs)
