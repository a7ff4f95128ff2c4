"""SMTP, step by step: what happens before the message leaves no doubt, what happens after it does.

The library would send DATA and the message in one call, and then a connection that broke could have broken
on either side of the final dot. It also waits for an answer to every command, where a mail's first three can go
together (RFC 2920): a round trip costs more than all three. So it connects and logs in, and the rest is here.
"""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import cast
from urllib.parse import unquote

import aiosmtplib
from aiosmtplib import SMTPResponse, SMTPStatus
from pydantic_core import Url

_NO_SUCH_ADDRESS = re.compile(r"5\.1\.(?:[0-46]|10)\b")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ANSWER = re.compile(rb"(?:\d{3}-[^\n]*\n)*(?P<code>\d{3})(?: [^\n]*|\r)?\n")
_NO_ANSWER = re.compile(rb"(?:\d{3}-[^\n]*\n)*(?!\d{3}[ \r\n-])[^\n]*\n")
_NOT_IN_PATHS = re.compile(r"[\x00-\x20\x7f<>]")
_WORD = re.compile(r"[^\s<>]+")
_AT = ("@", "\uff20", "%40")

LONGEST_ANSWER = 64 * 1024
"""Bytes; a server that goes on after that is not understood."""
ASIDE_SECONDS = 5.0
"""How long a server may take over what is not about a mail: RSET, QUIT."""

SOMEBODY = "…"
"""Stands where an address was in what a mail server said."""


class Connection(asyncio.Protocol):
    """A connection to a mail server, ready for mails.

    Whatever breaks is raised as ``SMTPServerDisconnected`` or ``OSError``, what cannot be understood as
    ``SMTPResponseException`` with a code below 0. How long to wait is the caller's business.
    """

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool) -> None:
        self._transport, self._pipelining = transport, pipelining
        self._said, self._heard, self._lost = b"", asyncio.Event(), False
        self._owed: list[bytes] = []
        """Commands that wait for their answers, or to be sent."""

    @property
    def usable(self) -> bool:
        """Has nobody hung up?"""
        return not (self._lost or self._transport.is_closing())

    def data_received(self, data: bytes) -> None:
        """Keep what the server says until it is asked for; of too much, so much that this is seen."""
        self._said += data[: LONGEST_ANSWER + 1 - len(self._said)]
        self._heard.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """Wake whoever waits for an answer."""
        self._lost = True
        self._heard.set()

    async def announce(self, sender: str, recipient: str) -> None:
        """Everything before the message; whatever is raised here, it has not left.

        Raise ``SMTPSenderRefused``, ``SMTPRecipientRefused``, ``SMTPDataError``; ``ValueError`` for a recipient that
        SMTP cannot express.
        """
        mail = f"MAIL FROM:{_path(sender)}" + ("" if recipient.isascii() else " SMTPUTF8")
        self._begin([mail.encode(), f"RCPT TO:{_path(recipient)}".encode(), b"DATA"])
        if (answer := await self._next()).code != SMTPStatus.completed:
            raise aiosmtplib.SMTPSenderRefused(*answer, sender)
        if (answer := await self._next()).code not in (SMTPStatus.completed, SMTPStatus.will_forward):
            raise aiosmtplib.SMTPRecipientRefused(*answer, recipient)
        if (answer := await self._next()).code != SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(*answer)

    async def transfer(self, content: bytes) -> SMTPResponse:
        """The message with its final dot (RFC 5321 §4.5.2), and the answer: 2xx, 4xx or 5xx.

        Raise ``SMTPException`` where there is no such answer: it may have left.
        """
        self._write(_LEADING_DOT.sub(b"..", content) + b".\r\n")
        answer = await self._answer()
        if answer.code // 100 not in (2, 4, 5):
            raise aiosmtplib.SMTPDataError(*answer)
        return answer

    async def start_again(self) -> bool:
        """Make ready for another mail after one that was refused; False where the connection has ended."""
        with suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(ASIDE_SECONDS):
                while self._owed:
                    if (await self._next()).code == SMTPStatus.start_input:
                        # A message is wanted all the same: an empty one, to nobody (RFC 2920 §3.1).
                        await self.transfer(b"")
                self._begin([b"RSET"])
                return (await self._next()).code == SMTPStatus.completed
        return False

    async def hang_up(self) -> None:
        """End the connection, in good manners if the server still listens."""
        # With commands under way it may take QUIT for the beginning of a message.
        if not self._owed:
            with suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(ASIDE_SECONDS):
                    self._begin([b"QUIT"])
                    await self._next()
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def _begin(self, commands: Sequence[bytes]) -> None:
        self._owed = list(commands)
        self._write(b"\r\n".join(self._owed if self._pipelining else self._owed[:1]) + b"\r\n")

    async def _next(self) -> SMTPResponse:
        """The answer to the oldest command without one; the one after it is sent, if it was not sent with it."""
        answer = await self._answer()
        del self._owed[0]
        if self._owed and not self._pipelining:
            if answer.code // 100 == 2:
                self._write(self._owed[0] + b"\r\n")
            else:
                self._owed.clear()
        return answer

    def _write(self, data: bytes) -> None:
        if not self.usable:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        # What came unasked must not be taken for the answer.
        self._said = b""
        self._transport.write(data)

    async def _answer(self) -> SMTPResponse:
        while not (found := _ANSWER.match(self._said)):
            if _NO_ANSWER.match(self._said) or len(self._said) > LONGEST_ANSWER:
                said = self._said[:200].decode(errors="surrogateescape")
                raise aiosmtplib.SMTPResponseException(SMTPStatus.invalid_response, f"not an answer: {said}")
            if self._lost:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            self._heard.clear()
            await self._heard.wait()
        self._said = self._said[found.end() :]
        return SMTPResponse(int(found["code"]), _text(found[0]))


async def connect(url: Url, timeout: float) -> Connection:
    """A connection, logged in where the URL says as whom; ``timeout`` in seconds, for each answer until then."""
    smtp = aiosmtplib.SMTP(
        hostname=url.host,
        port=url.port,
        username=url.username and unquote(url.username),
        password=url.password and unquote(url.password),
        use_tls=url.scheme == "smtps",
        timeout=timeout,
    )
    # The library waits with wait_for, which before Python 3.12 can lose a cancellation: we would never stop.
    connecting = asyncio.create_task(_introduce(smtp))
    try:
        await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        connecting.cancel()
        raise
    if smtp.transport is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    transport = cast(asyncio.Transport, smtp.transport)
    connection = Connection(transport, pipelining=smtp.supports_extension("pipelining"))
    transport.set_protocol(connection)
    return connection


async def _introduce(smtp: aiosmtplib.SMTP) -> None:
    await smtp.connect()
    if smtp.is_ehlo_or_helo_needed:
        await smtp.ehlo()


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


def _path(address: str) -> str:
    """An address as commands have it (RFC 5321 §4.1.2, RFC 6531); nothing in it can end the command."""
    if not address or _NOT_IN_PATHS.search(address):
        raise ValueError("SMTP has no such address")
    return f"<{address}>"


def _text(answer: bytes) -> str:
    """What an answer says, without its codes."""
    return b"\n".join(line[4:].strip() for line in answer.splitlines()).decode(errors="surrogateescape")
