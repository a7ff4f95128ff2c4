"""E-mail addresses: the one spelling of a mailbox, and the one that every mail server understands.

``normalised_email`` is for all that compares them: registration, log-in, throttling, suppressions, searches of staff.
"""

from collections.abc import Callable
from unicodedata import normalize

import idna

MAX_DOMAIN = 253
"""Longer ones do not exist (RFC 1035 §2.3.4), and would take long to convert."""


def normalised_email(email: str) -> str:
    """The one spelling of a mailbox, so that however people write it, it is the same.

    Unicode is composed (NFC) and in lower case: mail providers ignore case, and so do people. The domain is as IDNA
    has it (UTS #46, RFC 5891), in Unicode: ``u@XN--MNCHEN-3YA.de`` and ``U@München.DE`` are one mailbox.
    What is no domain only gets lower case.
    """
    local, at, domain = email.strip().rpartition("@")
    return f"{_lower(local)}{at}{_converted(domain, idna.ulabel) or _lower(domain)}"


def ascii_domain(email: str) -> str:
    """The address with its domain in ASCII (A-labels, RFC 5890), which needs no SMTPUTF8; else as it is."""
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{_converted(domain, lambda label: idna.alabel(label).decode()) or domain}"


def _converted(domain: str, convert: Callable[[str], str]) -> str | None:
    """The domain, with each label converted; None for what is no domain."""
    if len(domain) > MAX_DOMAIN:
        return None
    try:
        return ".".join(convert(label) for label in idna.uts46_remap(domain, std3_rules=False).split("."))
    except UnicodeError:
        return None


def _lower(text: str) -> str:
    # Not casefold(): it turns ß into ss, which is a different mailbox.
    return normalize("NFC", text.lower())
