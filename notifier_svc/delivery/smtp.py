"""SMTP, step by step: what happens before the message leaves no doubt, what happens after it does.

The library would send DATA and the message in one call, and then a connection that broke could have broken
on either side of the final dot. It also waits for the reply to every command, where the first three of a mail can be
sent together (RFC 2920): a round trip costs more than all three. So it connects and logs in, and the rest is here.
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

_LEADING_DOT = re.compile(rb"(?m)^\.")
_REPLY = re.compile(rb"(?:\d{3}-[^\n]*\n)*(?P<code>\d{3})(?: [^\n]*|\r)?\n")
_NO_REPLY = re.compile(rb"(?:\d{3}-[^\n]*\n)*(?!\d{3}[ \r\n-])[^\n]*\n")
_NOT_IN_PATHS = re.compile(r"[\x00-\x20\x7f<>]")

MAX_REPLY = 64 * 1024
"""Bytes of a reply; longer ones are an error of the server."""
CLEANUP_SECONDS = 5.0
"""How long a server may take to reply to RSET and QUIT."""


class Connection(asyncio.Protocol):
    """A connection to a mail server, ready for mails.

    A broken connection is raised as ``SMTPServerDisconnected`` or ``OSError``, a reply that is not SMTP as
    ``SMTPResponseException`` with a code below 0. Time limits are up to the caller.
    """

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool, smtputf8: bool) -> None:
        self._transport, self._pipelining, self._smtputf8 = transport, pipelining, smtputf8
        self._received, self._changed, self._lost = b"", asyncio.Event(), False
        self._unanswered: list[bytes] = []
        """Commands without a reply: sent, or to be sent after the reply to the one before."""

    @property
    def usable(self) -> bool:
        """Whether the connection is open."""
        return not (self._lost or self._transport.is_closing())

    def data_received(self, data: bytes) -> None:
        """Keep what the server sends until it is read; no more than shows that it is too much."""
        self._received += data[: MAX_REPLY + 1 - len(self._received)]
        self._changed.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """Wake the task that waits for a reply."""
        self._lost = True
        self._changed.set()

    async def announce(self, sender: str, recipient: str) -> None:
        """Everything before the message; after any error that this raises, it has not been sent.

        SMTPUTF8 (RFC 6531) is used for a recipient that is not ASCII, and so for headers that are not either. Raise
        ``SMTPSenderRefused``, ``SMTPRecipientRefused``, ``SMTPDataError``; ``ValueError`` for a recipient that SMTP,
        or this server, cannot express.
        """
        if not (recipient.isascii() or self._smtputf8):
            raise ValueError("it needs SMTPUTF8, which the mail server does not offer")
        mail = f"MAIL FROM:{_path(sender)}" + ("" if recipient.isascii() else " SMTPUTF8")
        self._begin([mail.encode(), f"RCPT TO:{_path(recipient)}".encode(), b"DATA"])
        if (reply := await self._next_reply()).code != SMTPStatus.completed:
            raise aiosmtplib.SMTPSenderRefused(*reply, sender)
        if (reply := await self._next_reply()).code not in (SMTPStatus.completed, SMTPStatus.will_forward):
            raise aiosmtplib.SMTPRecipientRefused(*reply, recipient)
        if (reply := await self._next_reply()).code != SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(*reply)

    async def transfer(self, content: bytes) -> SMTPResponse:
        """The message with its final dot (RFC 5321 §4.5.2), and the reply: 2xx, 4xx or 5xx.

        Raise ``SMTPException`` without such a reply: the message may have been sent.
        """
        self._write(_LEADING_DOT.sub(b"..", content) + b".\r\n")
        reply = await self._reply()
        if reply.code // 100 not in (2, 4, 5):
            raise aiosmtplib.SMTPDataError(*reply)
        return reply

    async def reset(self) -> bool:
        """Prepare for another mail after one that was refused; False if the connection has ended."""
        with suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(CLEANUP_SECONDS):
                while self._unanswered:
                    if (await self._next_reply()).code == SMTPStatus.start_input:
                        # The server expects a message all the same: an empty one, to nobody (RFC 2920 §3.1).
                        await self.transfer(b"")
                self._begin([b"RSET"])
                return (await self._next_reply()).code == SMTPStatus.completed
        return False

    async def quit(self) -> None:
        """Close the connection, with QUIT if the server still replies."""
        # After other commands the server may take QUIT for the beginning of a message.
        if not self._unanswered:
            with suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(CLEANUP_SECONDS):
                    self._begin([b"QUIT"])
                    await self._next_reply()
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _begin(self, commands: Sequence[bytes]) -> None:
        self._unanswered = list(commands)
        self._write(b"\r\n".join(self._unanswered if self._pipelining else self._unanswered[:1]) + b"\r\n")

    async def _next_reply(self) -> SMTPResponse:
        """The reply to the oldest command without one; without pipelining, the next command is sent after it."""
        reply = await self._reply()
        del self._unanswered[0]
        if self._unanswered and not self._pipelining:
            if reply.code // 100 == 2:
                self._write(self._unanswered[0] + b"\r\n")
            else:
                self._unanswered.clear()
        return reply

    def _write(self, data: bytes) -> None:
        if not self.usable:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        # What the server has sent unasked must not be taken for the reply.
        self._received = b""
        self._transport.write(data)

    async def _reply(self) -> SMTPResponse:
        while not (found := _REPLY.match(self._received)):
            if _NO_REPLY.match(self._received) or len(self._received) > MAX_REPLY:
                received = self._received[:200].decode(errors="surrogateescape")
                raise aiosmtplib.SMTPResponseException(SMTPStatus.invalid_response, f"not an SMTP reply: {received}")
            if self._lost:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            self._changed.clear()
            await self._changed.wait()
        self._received = self._received[found.end() :]
        return SMTPResponse(int(found["code"]), _text(found[0]))


async def connect(url: Url, timeout: float, start_tls: bool | None = None) -> Connection:
    """A connection, logged in if the URL has a user; ``timeout`` in seconds, for each reply until then.

    ``start_tls``: True raises ``SMTPException`` where the server offers no TLS, None takes it if it is offered.
    """
    smtp = aiosmtplib.SMTP(
        hostname=url.host,
        port=url.port,
        username=url.username and unquote(url.username),
        password=url.password and unquote(url.password),
        use_tls=url.scheme == "smtps",
        start_tls=start_tls,
        timeout=timeout,
    )
    # The library waits with wait_for, which before Python 3.12 can lose a cancellation: we would never stop.
    connecting = asyncio.create_task(_connect_and_greet(smtp))
    try:
        await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        connecting.cancel()
        raise
    if smtp.transport is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    transport = cast(asyncio.Transport, smtp.transport)
    offered = {name: smtp.supports_extension(name) for name in ("pipelining", "smtputf8")}
    connection = Connection(transport, **offered)
    transport.set_protocol(connection)
    return connection


async def _connect_and_greet(smtp: aiosmtplib.SMTP) -> None:
    await smtp.connect()
    if smtp.is_ehlo_or_helo_needed:
        await smtp.ehlo()


def _path(address: str) -> str:
    """An address as commands have it (RFC 5321 §4.1.2, RFC 6531); nothing in it can end the command."""
    if not address or _NOT_IN_PATHS.search(address):
        raise ValueError("SMTP cannot express this address")
    return f"<{address}>"


def _text(reply: bytes) -> str:
    """The text of a reply, without its codes."""
    return b"\n".join(line[4:].strip() for line in reply.splitlines()).decode(errors="surrogateescape")
