"""Letters: a mail of the ledger as an RFC 5322 message, HTML and plain text.

What can be made ready once is (``forms.py``); what remains for each mail is Jinja, and to put the parts together:
the standard library's generator, which is made for any message, took longer for that than everything else together.
"""

from base64 import encodebytes
from collections.abc import Iterator
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr

from notifier_svc.domain import Customer, Mail
from notifier_svc.forms import make_forms, told
from notifier_svc.languages import manner
from notifier_svc.links import Links

MAX_NAME = 60
_SPECIALS = frozenset('()<>[]:;@\\,"=?')


class Letters:
    """Writes letters from one sender."""

    def __init__(self, sender: str, links: Links) -> None:
        self.sender, self._domain, self._links = sender, sender.rpartition("@")[2], links
        self._forms = make_forms()

    def write(self, mail: Mail, customer: Customer, now: datetime) -> bytes:
        """The message (RFC 5322, 2045, 2046); its Message-ID is the same whenever this mail is written.

        Raise ``LinkExpired`` for a mail about a link that is good for nothing any more.
        """
        how = manner(customer.locale)
        form = self._forms[mail.template, how.language]
        context = told(mail, customer) | self._links.context(mail.context, now)
        boundary = f"=_{mail.id}"
        lines = [
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
            f"Content-Language: {how.language}",
            f"From: Shopstream <{self.sender}>",
            f"To: {addressed(in_header(customer.name), customer.email)}",
            f"Subject: {form.subject_of(context)}",
            f"Date: {format_datetime(now)}",
            f"Message-ID: <{mail.id}@{self._domain}>",
            "Auto-Submitted: auto-generated",
            "",
            *_part(boundary, "plain", form.text.render(context)),
            *_part(boundary, "html", form.html.render(context)),
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
