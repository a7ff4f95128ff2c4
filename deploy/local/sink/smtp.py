"""The SMTP side: takes every message to anybody who is there, and says 250 once it is on disk."""

import asyncio
import logging

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from deploy.local.sink.store import Store

log = logging.getLogger(__name__)

LARGEST = 32 * 1024 * 1024
DOT = b".\r\n"
END = b"\r\n.\r\n"

NOBODY = "no-such-mailbox"
"""Nobody has an address that begins so: for seeing what becomes of mail to it."""


class Recipients:
    """Says what can be done here, and who is there."""

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, extensions: list[str]
    ) -> list[str]:
        """Commands may come before those before them are answered: they are read one after the other anyway."""
        session.host_name = hostname
        name, *others = extensions
        return [name, "250-PIPELINING", *others]

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Everybody but ``NOBODY``."""
        if address.casefold().startswith(NOBODY):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


class Reception(SMTP):
    """One connection."""

    line_length_limit = 64 * 1024
    """Also the size of the read buffer, which is to hold a usual message."""

    def __init__(self, store: Store) -> None:
        # The host name is given: looking it up can take seconds.
        super().__init__(handler=Recipients(), hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True)
        self._store = store

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """Receive a message as a whole; aiosmtpd goes line by line, which takes three times as long."""
        if await self.check_helo_needed():
            return
        assert self.envelope
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._until_dot()
        answer = (
            await self._keep(self.envelope, content) if len(content) <= LARGEST else "552 Error: Too much mail data"
        )
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(answer)

    async def _until_dot(self) -> bytes:
        """Return what comes before the lone dot, RFC 5321 4.5.2; of too large a message, too large a part."""
        received = bytearray()
        while received != DOT and not received.endswith(END):
            if len(received) > 2 * LARGEST:
                del received[LARGEST : -len(END)]
            try:
                received += await self._reader.readuntil(DOT)
            except asyncio.LimitOverrunError as error:
                received += await self._reader.read(error.consumed)
        content = bytes(received[: -len(DOT)])
        return content.replace(b"\r\n.", b"\r\n").removeprefix(b".")

    async def _keep(self, envelope: Envelope, content: bytes) -> str:
        try:
            await self._store.add(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        except OSError as error:
            log.error("cannot keep a message: %s", error)
            return "452 Cannot write to disk, try again later"
        return "250 OK kept"
