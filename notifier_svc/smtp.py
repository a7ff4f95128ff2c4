"""SMTP, step by step: what happens before the message leaves no doubt, what happens after it does.

The library would send DATA and the message in one call, and then a connection that broke could have broken
on either side of the final dot.
"""

import asyncio
import re
from contextlib import suppress
from urllib.parse import unquote

import aiosmtplib
from pydantic_core import Url

_NO_SUCH_ADDRESS = re.compile(r"5\.1\.(?:[0-46]|10)\b")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_WORD = re.compile(r"[^\s<>]+")
_AT = ("@", "\uff20", "%40")

SOMEBODY = "…"
"""Stands where an address was in what a mail server said."""


async def connect(url: Url, timeout: float) -> aiosmtplib.SMTP:
    """A connection, logged in where the URL says as whom; ``timeout`` in seconds, for each answer."""
    smtp = aiosmtplib.SMTP(
        hostname=url.host,
        port=url.port,
        username=url.username and unquote(url.username),
        password=url.password and unquote(url.password),
        use_tls=url.scheme == "smtps",
        timeout=timeout,
    )
    # The library waits with wait_for, which before Python 3.12 can lose a cancellation: we would never stop.
    connecting = asyncio.create_task(smtp.connect())
    try:
        await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        connecting.cancel()
        raise
    return smtp


async def announce(smtp: aiosmtplib.SMTP, sender: str, recipient: str) -> None:
    """Everything before the message; whatever is raised here, it has not left.

    Raise ``ValueError`` for a recipient that SMTP cannot express.
    """
    await smtp.mail(sender, options=[] if recipient.isascii() else ["SMTPUTF8"])
    await smtp.rcpt(recipient, encoding="utf-8")
    answer = await smtp.execute_command(b"DATA")
    if answer.code != aiosmtplib.SMTPStatus.start_input:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)


async def transfer(smtp: aiosmtplib.SMTP, content: bytes) -> aiosmtplib.SMTPResponse:
    """The message with its final dot (RFC 5321 §4.5.2), and the answer: 2xx, 4xx or 5xx.

    Raise ``SMTPException`` where there is no such answer: it may have left.
    """
    if smtp.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    smtp.protocol.write(_LEADING_DOT.sub(b"..", content) + b".\r\n")
    answer = await smtp.protocol.read_response(smtp.timeout)
    if answer.code // 100 not in (2, 4, 5):
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)
    return answer


async def start_again(smtp: aiosmtplib.SMTP) -> bool:
    """Make ready for another mail after one that was refused; False where the connection has ended."""
    try:
        await smtp.rset()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


async def hang_up(smtp: aiosmtplib.SMTP) -> None:
    """End the connection, in good manners if the server still listens."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=2.0)
    smtp.close()


def anonymous(text: str, recipient: str) -> str:
    """What was said about a mail, as it can be kept for long and told to others: nobody is named in it.

    Mail servers name the mailbox, and not always with its domain. What they say can have any bytes; it is kept as
    PostgreSQL can keep it.
    """
    plain = text.encode(errors="backslashreplace").decode().replace("\x00", "")
    # Before it is cut: half an address would not look like one.
    unnamed = _WORD.sub(lambda word: SOMEBODY if any(at in word[0] for at in _AT) else word[0], plain)
    if mailbox := recipient.rpartition("@")[0]:
        unnamed = re.sub(rf"(?i)(?<!\w){re.escape(mailbox)}(?!\w)", SOMEBODY, unnamed)
    return unnamed[:500]


def no_such_address(refusal: aiosmtplib.SMTPResponseException) -> bool:
    """Whether a recipient was refused because nobody is there, and nobody will be.

    So say the enhanced status codes 5.1.x (RFC 3463 §3.2, RFC 7505 §4.2) but for 5.1.7 and 5.1.8, which are about the
    sender. A plain 550 may be somebody's policy.
    """
    return isinstance(refusal, aiosmtplib.SMTPRecipientRefused) and bool(_NO_SUCH_ADDRESS.match(refusal.message))
