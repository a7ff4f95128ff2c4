"""What the replies of mail servers mean: whom a refusal is about, which decides what becomes of the mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_ENHANCED = re.compile(r"[245]\.(\d{1,3}\.\d{1,3})(?!\d)")
_WORD = re.compile(r"[^\s<>]+")
_AT = ("@", "\uff20", "%40")

REDACTED = "…"
"""Replaces an address in the reply of a mail server."""

Step = Literal["MAIL", "RCPT", "DATA"]
"""What the server has replied to: the sender, the recipient, or the message (``DATA``, or its final dot)."""

About = Literal["us", "recipient", "message", "now"]
"""Whom a refusal is about:

- ``us``: no mail of ours is taken. The mail waits, sending slows down, and people are alerted.
- ``recipient``: the mailbox does not exist. The mail has failed, and its address is suppressed.
- ``message``: this mail, or nobody knows. It has failed; others are taken.
- ``now``: this mail for the moment. It waits.
"""

ANY_STEP: Sequence[Step] = ("MAIL", "RCPT", "DATA")
AFTER_MAIL: Sequence[Step] = ("RCPT", "DATA")
PLAIN = ""
"""The status of a reply without an enhanced one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Refusals with these codes (RFC 5321 §4.2) and enhanced status codes (RFC 3463), which are regular expressions.

    The status is without its class, which is the first digit of the code: ``1.1`` of ``550 5.1.1``; ``PLAIN`` where
    the reply has none.
    """

    about: About
    steps: Sequence[Step]
    code: str
    status: str
    why: str
    """What such a reply says."""

    def matches(self, step: Step, code: str, status: str) -> bool:
        """Whether the rule is about this reply."""
        matches = re.fullmatch(self.code, code) and re.fullmatch(self.status, status)
        return step in self.steps and matches is not None


ANY = r".*"

RULES: Sequence[Rule] = (
    # 4yz is temporary (RFC 5321 §4.2.1).
    Rule("us", ANY_STEP, r"421", ANY, "the server closes the connection (RFC 5321 §3.8)"),
    Rule("us", ANY_STEP, r"4(32|54)", ANY, "we have to log in anew, or cannot for now (RFC 4954 §6)"),
    Rule("us", ANY_STEP, r"4..", r"3\..*", "the mail system is full, or takes nothing for now (RFC 3463 §3.4)"),
    Rule("us", ("MAIL",), r"4..", ANY, "our sender is refused for now"),
    Rule("now", AFTER_MAIL, r"4..", ANY, "a full mailbox, greylisting, a local error"),
    # 5yz is permanent.
    Rule("us", ANY_STEP, r"521", ANY, "the host takes no mail (RFC 7504 §3)"),
    Rule("us", ANY_STEP, r"5(23|24|25|30|34|35|38)", ANY, "authentication (RFC 4954 §6, RFC 5248 §2.4)"),
    Rule("us", ANY_STEP, r"5..", r"7\..*", "security or policy: we may not send, or may not relay (RFC 3463 §3.8)"),
    Rule("us", ANY_STEP, r"5..", r"1\.[78]", "the address of our sender (RFC 3463 §3.2)"),
    Rule("message", ANY_STEP, r"5..", r"6\..*", "the content, or its conversion (RFC 3463 §3.7, RFC 6531 §3.5)"),
    Rule("message", ANY_STEP, r"5..", r"2\.3|3\.4", "the message is too large (RFC 3463 §3.3, §3.4)"),
    Rule("us", ANY_STEP, r"5..", r"3\..*", "the mail system (RFC 3463 §3.4)"),
    Rule("us", ANY_STEP, r"50[0234]", ANY, "the server does not take our commands"),
    Rule("message", ("MAIL",), r"552", PLAIN, "the message is too large (RFC 1870 §6.1)"),
    Rule("us", ("MAIL",), r"5..", ANY, "our sender"),
    Rule("recipient", AFTER_MAIL, r"5..", r"1\..*", "the mailbox, or its domain, does not exist (RFC 3463 §3.2)"),
    Rule("recipient", AFTER_MAIL, r"5..", r"2\.1", "the mailbox is disabled (RFC 3463 §3.3)"),
    Rule("now", ("RCPT",), r"5..", r"2\.2", "the mailbox is full (RFC 3463 §3.3: it may have room later)"),
    Rule("now", ("RCPT",), r"552", PLAIN, "the mailbox is full, so temporary (RFC 5321 §4.5.3.1.10)"),
    Rule("recipient", ("RCPT",), r"55[0136]", PLAIN, "no such mailbox (RFC 5321 §4.2.2, RFC 7504 §4)"),
    Rule("us", ("RCPT",), r"554", PLAIN, "no service here, or no relaying (RFC 5321 §3.1)"),
    Rule("message", AFTER_MAIL, r"5..", ANY, "anything else"),
    Rule("us", ANY_STEP, ANY, ANY, "no reply that SMTP has here"),
)
"""The first rule that matches counts."""


def find_rule(step: Step, code: int, message: str) -> Rule:
    """The rule for a refusal; ``message`` is the text of the reply, without the code."""
    found = _ENHANCED.match(message)
    status = found[1] if found else PLAIN
    return next(rule for rule in RULES if rule.matches(step, str(code), status))


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
