"""What the replies of mail servers say about addresses."""

import re

import aiosmtplib

_UNKNOWN_ADDRESS = re.compile(r"5\.1\.(?:[0-46]|10)\b")
_WORD = re.compile(r"[^\s<>]+")
_AT = ("@", "\uff20", "%40")

REDACTED = "…"
"""Replaces an address in the reply of a mail server."""


def is_unknown_address(refusal: aiosmtplib.SMTPResponseException) -> bool:
    """Whether a recipient was refused because the address does not exist.

    That is what the enhanced status codes 5.1.x mean (RFC 3463 §3.2, RFC 7505 §4.2), except for 5.1.7 and 5.1.8,
    which are about the sender. A plain 550 may be a policy of the server.
    """
    return isinstance(refusal, aiosmtplib.SMTPRecipientRefused) and bool(_UNKNOWN_ADDRESS.match(refusal.message))


def redact_addresses(text: str, recipient: str) -> str:
    """A reply without addresses, so that it can be logged, stored and published.

    Mail servers quote the mailbox, and not always with its domain. Their replies may contain any bytes; the result is
    text that PostgreSQL can store.
    """
    storable = text.encode(errors="backslashreplace").decode().replace("\x00", "")
    # Before it is cut: half an address would not look like one.
    redacted = _WORD.sub(lambda word: REDACTED if any(at in word[0] for at in _AT) else word[0], storable)
    if mailbox := recipient.rpartition("@")[0]:
        redacted = re.sub(rf"(?i)(?<!\w){re.escape(mailbox)}(?!\w)", REDACTED, redacted)
    return redacted[:500]
