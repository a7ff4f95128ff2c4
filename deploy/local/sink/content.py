"""Parse a message for display: headers, text, HTML."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True)
class Content:
    """The readable parts of a message. Missing parts are empty."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    attachments: tuple[str, ...]


def content_of(raw: bytes) -> Content:
    """Parse a message; malformed parts are shown as well as possible."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    names = (part.get_filename() or part.get_content_type() for part in message.iter_attachments())
    return Content(
        headers=tuple((name, _header(message, name, index)) for index, name in enumerate(message.keys())),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=tuple(names) if message.is_multipart() else (),
    )


def _header(message: EmailMessage, name: str, index: int) -> str:
    try:
        return str(message.values()[index])
    except (ValueError, LookupError, AttributeError):  # the parser fails on some malformed headers
        return f"(malformed {name})"


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):  # an unknown character set
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)
