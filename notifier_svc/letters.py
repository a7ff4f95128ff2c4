"""Letters: a mail of the ledger as an RFC 5322 message, HTML and plain text.

The templates are MJML with Jinja inside. MJML is compiled once, when the process starts; what remains for
each mail is Jinja.
"""

from datetime import datetime
from decimal import Decimal
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTPUTF8, compat32
from email.utils import format_datetime, formataddr
from importlib.resources import files
from typing import Any, get_args

import jinja2
import mjml
from babel.numbers import format_currency, get_currency_precision

from notifier_svc.domain import Customer, Mail, Template

LOCALE = "en"
# 7bit: a body of 8-bit bytes would need a server with 8BITMIME (RFC 6152). The older policy of the standard
# library takes headers as they are; the newer parses every one, which costs more than the rest of a letter.
ASCII_MAIL = compat32.clone(cte_type="7bit", linesep="\r\n")
UTF8_MAIL = SMTPUTF8.clone(cte_type="7bit")
MAX_NAME = 60
_SPECIALS = frozenset('()<>[]:;@\\,"=?')

SUBJECTS: dict[Template, str] = {
    "receipt": "Your order {number} is confirmed",
    "rejected": "We could not fulfil your order {number}",
    "cancelled": "Your order {number} is cancelled",
}


class Letters:
    """Writes letters from one sender."""

    def __init__(self, sender: str) -> None:
        self.sender, self._domain = sender, sender.rpartition("@")[2]
        folder = files("notifier_svc") / "templates"
        html = {
            f"{name}.html": mjml.mjml2html((folder / f"{name}.mjml").read_text(encoding="utf-8"))
            for name in get_args(Template)
        }
        text = {f"{name}.txt": (folder / f"{name}.txt").read_text(encoding="utf-8") for name in get_args(Template)}
        environment = jinja2.Environment(
            loader=jinja2.DictLoader(html | text),
            autoescape=lambda name: bool(name and name.endswith(".html")),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["money"] = money
        environment.filters["times"] = times
        self._templates = {name: environment.get_template(name) for name in html | text}

    def write(self, mail: Mail, customer: Customer, now: datetime) -> MIMEMultipart:
        """The message; its Message-ID is the same whenever this mail is written."""
        number = str(mail.order_id)[-12:]
        names = {line["sku"]: line["name"] for line in mail.context.get("lines", ())}
        context = mail.context | {"name": customer.name, "number": number, "names": names}
        policy = ASCII_MAIL if customer.email.isascii() else UTF8_MAIL
        message = MIMEMultipart("alternative", policy=policy)
        message["From"] = formataddr(("Shopstream", self.sender))
        message["To"] = addressed(in_header(customer.name), customer.email)  # type: ignore[assignment]
        message["Subject"] = SUBJECTS[mail.template].format(number=number)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{mail.id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        for kind, template in (("plain", f"{mail.template}.txt"), ("html", f"{mail.template}.html")):
            message.attach(MIMEText(self._templates[template].render(context), kind, "utf-8", policy=policy))
        return message


def addressed(name: str, email: str) -> Header | str:
    """The value of ``To``; raise ``ValueError`` for an address that would not stay one."""
    if not email.isprintable() or not set(email).isdisjoint(" <>,;"):
        raise ValueError("no address")
    if name.isascii():
        return formataddr((name, email)) if email.isascii() else f"{name} <{email}>"
    value = Header(name, "utf-8", header_name="To")
    value.append(f"<{email}>", "us-ascii" if email.isascii() else "utf-8")
    return value


def in_header(name: str) -> str:
    """A name as a header can hold it, whatever it is: in one line, and without what needs quotes.

    The standard library forgets the quotes of a name that it has to fold (CPython gh-80222), and a customer
    called ``x, eve@example.com, …`` would add a recipient.
    """
    plain = "".join(c if c.isprintable() and c not in _SPECIALS else " " for c in name)
    return " ".join(plain.split())[:MAX_NAME].strip()


def money(value: dict[str, Any]) -> str:
    """An amount in minor units as people write it: 1250 EUR is €12.50."""
    whole = Decimal(value["amount"]).scaleb(-get_currency_precision(value["currency"]))
    return format_currency(whole, value["currency"], locale=LOCALE)


def times(value: dict[str, Any], quantity: int) -> dict[str, Any]:
    """The price of so many."""
    return {**value, "amount": value["amount"] * quantity}
