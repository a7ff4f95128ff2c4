"""The SMTP server: accepts every message, and acknowledges it once it is on disk."""

import asyncio
import logging

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from deploy.local.sink.store import Store

log = logging.getLogger(__name__)

MAX_BYTES = 32 * 1024 * 1024
DOT = b".\r\n"
END = b"\r\n.\r\n"

UNKNOWN_MAILBOX = "no-such-mailbox"
"""Mail to addresses that begin so is refused: for trying out what happens then."""


class Hooks:
    """Our responses to EHLO and RCPT, in the form that aiosmtpd calls."""

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, extensions: list[str]
    ) -> list[str]:
        """Offer pipelining (RFC 2920): commands are read one after the other, so a client need not wait for each."""
        session.host_name = hostname
        name, *others = extensions
        return [name, "250-PIPELINING", *others]

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept all recipients but those of ``UNKNOWN_MAILBOX``."""
        if address.casefold().startswith(UNKNOWN_MAILBOX):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


class SmtpSession(SMTP):
    """One connection."""

    line_length_limit = 64 * 1024
    """Also the size of the read buffer, which should hold a typical message."""

    def __init__(self, store: Store) -> None:
        # With a host name, since to look it up can take seconds.
        super().__init__(handler=Hooks(), hostname="localhost", data_size_limit=MAX_BYTES, enable_SMTPUTF8=True)
        self._store = store

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """Receive a message as a whole; aiosmtpd reads line by line, which takes three times as long."""
        if await self.check_helo_needed():
            return
        assert self.envelope
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._read_until_dot()
        too_large = len(content) > MAX_BYTES
        response = "552 Error: Too much mail data" if too_large else await self._store_message(self.envelope, content)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(response)

    async def _read_until_dot(self) -> bytes:
        """Return what precedes the final dot (RFC 5321, 4.5.2); of a too large message, enough to see that."""
        received = bytearray()
        while received != DOT and not received.endswith(END):
            if len(received) > 2 * MAX_BYTES:
                del received[MAX_BYTES : -len(END)]
            try:
                received += await self._reader.readuntil(DOT)
            except asyncio.LimitOverrunError as error:
                received += await self._reader.read(error.consumed)
        content = bytes(received[: -len(DOT)])
        return content.replace(b"\r\n.", b"\r\n").removeprefix(b".")

    async def _store_message(self, envelope: Envelope, content: bytes) -> str:
        try:
            await self._store.add(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        except OSError as error:
            log.error("cannot store a message: %s", error)
            return "452 Cannot write to disk, try again later"
        return "250 OK stored"
