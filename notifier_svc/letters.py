"""Letters: a mail of the ledger as an RFC 5322 message, HTML and plain text.

The templates are MJML with Jinja inside. MJML is compiled once, when the process starts; what remains for
each mail is Jinja, and to put the parts together: the standard library's generator, which is made for any
message, took longer for that than everything else together.
"""

from base64 import encodebytes
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache
from importlib.resources import files
from typing import Any

import jinja2
import mjml
from babel.dates import format_datetime as format_moment
from babel.numbers import format_currency, get_currency_precision

from notifier_svc.domain import TEMPLATES, Customer, Mail, Template
from notifier_svc.links import Links

LOCALE = "en"
MAX_NAME = 60
_SPECIALS = frozenset('()<>[]:;@\\,"=?')

SUBJECTS: dict[Template, str] = {
    "receipt": "Your order {number} is confirmed",
    "rejected": "We could not fulfil your order {number}",
    "cancelled": "Your order {number} is cancelled",
    "welcome": "Welcome: please confirm your address",
    "verification": "Please confirm your address",
    "registration_repeated": "You have an account with us",
    "password_reset": "Set another password",
    "password_changed": "Your password was changed",
}


class Letters:
    """Writes letters from one sender."""

    def __init__(self, sender: str, links: Links) -> None:
        self.sender, self._domain, self._links = sender, sender.rpartition("@")[2], links
        folder = files("notifier_svc") / "templates"
        html = {
            f"{name}.html": mjml.mjml2html((folder / f"{name}.mjml").read_text(encoding="utf-8"))
            for name in TEMPLATES
        }
        text = {f"{name}.txt": (folder / f"{name}.txt").read_text(encoding="utf-8") for name in TEMPLATES}
        environment = jinja2.Environment(
            loader=jinja2.DictLoader(html | text),
            autoescape=lambda name: bool(name and name.endswith(".html")),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["money"] = money
        environment.filters["times"] = times
        environment.filters["moment"] = moment
        self._templates = {name: environment.get_template(name) for name in html | text}

    def write(self, mail: Mail, customer: Customer, now: datetime) -> bytes:
        """The message (RFC 5322, 2045, 2046); its Message-ID is the same whenever this mail is written.

        Raise ``LinkExpired`` for a mail about a link that is good for nothing any more.
        """
        number = str(mail.order_id)[-12:]
        names = {line["sku"]: line["name"] for line in mail.context.get("lines", ())}
        linked = self._links.context(mail.context, now)
        context = mail.context | {"name": customer.name, "number": number, "names": names} | linked
        boundary = f"=_{mail.id}"
        lines = [
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
            f"From: Shopstream <{self.sender}>",
            f"To: {addressed(in_header(customer.name), customer.email)}",
            f"Subject: {SUBJECTS[mail.template].format(number=number)}",
            f"Date: {format_datetime(now)}",
            f"Message-ID: <{mail.id}@{self._domain}>",
            "Auto-Submitted: auto-generated",
            "",
            *_part(boundary, "plain", self._templates[f"{mail.template}.txt"].render(context)),
            *_part(boundary, "html", self._templates[f"{mail.template}.html"].render(context)),
            f"--{boundary}--",
            "",
        ]
        return "\r\n".join(lines).encode()


def _part(boundary: str, kind: str, text: str) -> Iterator[str]:
    # Base64 leaves nothing to quote: no line is too long, begins with a dot, or is the boundary.
    yield f"--{boundary}"
    yield f'Content-Type: text/{kind}; charset="utf-8"'
    yield "Content-Transfer-Encoding: base64"
    yield ""
    yield encodebytes(text.encode()).decode().replace("\n", "\r\n")


def addressed(name: str, email: str) -> str:
    """The value of ``To``; raise ``ValueError`` for an address that would not stay one."""
    if not email.isprintable() or not set(email).isdisjoint(" <>,;"):
        raise ValueError("no address")
    if not email.isascii():
        # It goes to a server that takes headers in UTF-8 (RFC 6532).
        return f"{name} <{email}>"
    if name.isascii():
        return formataddr((name, email))
    value = Header(name, "utf-8", header_name="To")
    value.append(f"<{email}>", "us-ascii")
    return value.encode(linesep="\r\n")


def in_header(name: str) -> str:
    """A name as a header can hold it, whatever it is: in one line, and without what needs quotes.

    The standard library forgets the quotes of a name that it has to fold (CPython gh-80222), and a customer
    called ``x, eve@example.com, …`` would add a recipient.
    """
    plain = "".join(c if c.isprintable() and c not in _SPECIALS else " " for c in name)
    return " ".join(plain.split())[:MAX_NAME].strip()


def money(value: dict[str, Any]) -> str:
    """An amount in minor units as people write it: 1250 EUR is €12.50."""
    return _money(value["amount"], value["currency"])


@lru_cache(4096)
def _money(amount: int, currency: str) -> str:
    # Shops have few prices, and Babel takes as long for one as Jinja for a page.
    whole = Decimal(amount).scaleb(-get_currency_precision(currency))
    return format_currency(whole, currency, locale=LOCALE)


def moment(value: datetime) -> str:
    """A moment as people write it, with its time zone: mails are read anywhere."""
    return f"{format_moment(value, 'd MMMM y, HH:mm', locale=LOCALE)} UTC"


def times(value: dict[str, Any], quantity: int) -> dict[str, Any]:
    """The price of so many."""
    return {**value, "amount": value["amount"] * quantity}
