"""Mails as RFC 5322 messages with HTML and plain text.

The templates are compiled once (``templates.py``). For each mail, Jinja fills them in and this module joins the
parts: the generator of the standard library can write any message, and took longer than everything else together.
"""

from base64 import encodebytes
from collections.abc import Iterator
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr

from chassis.email_address import ascii_domain
from notifier_svc.rendering.domain import ACCOUNT_TEMPLATES, MailContent
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.locales import mail_locale
from notifier_svc.rendering.templates import load_mail_templates, template_values
from notifier_svc.replicas.domain import Customer

MAX_NAME = 60
_SPECIALS = frozenset('()<>[]:;@\\,"=?')


class MimeRenderer:
    """Renders mails from one sender."""

    def __init__(self, sender: str, links: Links, reply_to: str | None = None) -> None:
        self.sender, self._reply_to = ascii_domain(sender), ascii_domain(reply_to) if reply_to else None
        self._domain, self._links = self.sender.rpartition("@")[2], links
        self._templates = load_mail_templates()

    def render(self, content: MailContent, recipient: Customer, now: datetime) -> bytes:
        """The message (RFC 5322, 2045, 2046); its Message-ID is the same whenever this mail is rendered.

        Raise ``LinkExpired`` for a mail whose link has expired, ``ValueError`` for an address that is none.
        """
        locale = mail_locale(recipient.locale)
        template = self._templates[content.template, locale.language]
        values = template_values(content, recipient) | self._links.values(content, recipient, now)
        boundary = f"=_{content.id}"
        lines = [
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
            f"Content-Language: {locale.language}",
            f"From: Shopstream <{self.sender}>",
            f"To: {_to(content, recipient)}",
            *self._headers(values["unsubscribe_url"]),
            f"Subject: {template.render_subject(values)}",
            f"Date: {format_datetime(now)}",
            f"Message-ID: <{content.id}@{self._domain}>",
            "Auto-Submitted: auto-generated",
            "",
            *_part(boundary, "plain", template.text.render(values)),
            *_part(boundary, "html", template.html.render(values)),
            f"--{boundary}--",
            "",
        ]
        return "\r\n".join(lines).encode()

    def _headers(self, unsubscribe_url: str | None) -> Iterator[str]:
        """What only some mails have."""
        if self._reply_to:
            yield f"Reply-To: {self._reply_to}"
        if unsubscribe_url:
            # RFC 8058: mail programs post to it when their button is clicked.
            yield f"List-Unsubscribe: <{unsubscribe_url}>"
            yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def _to(content: MailContent, recipient: Customer) -> str:
    """Without a name in mails about accounts, where it can be what a stranger wrote."""
    name = "" if content.template in ACCOUNT_TEMPLATES else name_for_header(recipient.name)
    return address_header(name, envelope_address(recipient.email))


def _part(boundary: str, kind: str, text: str) -> Iterator[str]:
    # Base64 leaves nothing to quote: no line is too long, begins with a dot, or is the boundary.
    yield f"--{boundary}"
    yield f'Content-Type: text/{kind}; charset="utf-8"'
    yield "Content-Transfer-Encoding: base64"
    yield ""
    yield encodebytes(text.encode()).decode().replace("\n", "\r\n")


def envelope_address(email: str) -> str:
    """An address as SMTP commands and headers have it: any server takes it, if the part before the @ is ASCII."""
    return ascii_domain(email) if email.rpartition("@")[0].isascii() else email


def address_header(name: str, email: str) -> str:
    """The value of ``To``; raise ``ValueError`` for an address that could add headers or recipients."""
    if not email.isprintable() or not set(email).isdisjoint(" <>,;"):
        raise ValueError("no address")
    if not email.isascii():
        # It goes to a server that accepts headers in UTF-8 (RFC 6532).
        return f"{name} <{email}>".lstrip()
    if name.isascii():
        return formataddr((name, email))
    value = Header(name, "utf-8", header_name="To")
    value.append(f"<{email}>", "us-ascii")
    return value.encode(linesep="\r\n")


def name_for_header(name: str) -> str:
    """Any name on one line, shortened, and without characters that need quotes.

    The standard library omits the quotes of a name that it has to fold (CPython gh-80222), and a customer
    called ``x, eve@example.com, …`` would add a recipient.
    """
    plain = "".join(c if c.isprintable() and c not in _SPECIALS else " " for c in name)
    return " ".join(plain.split())[:MAX_NAME].strip()
