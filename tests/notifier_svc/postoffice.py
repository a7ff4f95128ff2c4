"""A mail server that behaves as the test says, mail by mail."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Behaviour = Literal[
    "accept",
    "refuse recipient for now",
    "refuse recipient for good",
    "no such address",
    "name the mailbox",
    "name the mailbox for now",
    "no such sender",
    "refuse message for now",
    "refuse message for good",
    "answer in latin-1",
    "drop at DATA",
    "drop after the dot",
    "accept and drop",
    "babble after the dot",
    "hang at RCPT",
    "hang after the dot",
    "dawdle",
]

HELD = 3600.0


@dataclass
class PostOffice:
    """What arrived, and what is to be done with what comes; ``accept`` when the list is at its end."""

    behaviours: Iterator[Behaviour]
    copies: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    logins: list[LoginPassword] = field(default_factory=list)
    pipelining: bool = True
    encrypted: list[bool] = field(default_factory=list)
    lines: list["Line"] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        """The Message-ID of every copy that was received to its end."""
        return [copy["Message-ID"] for copy in self.copies]

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _method: str, data: Any
    ) -> AuthResult:
        self.logins.append(data)
        return AuthResult(success=True)


class Clerk:
    """Serves one connection."""

    def __init__(self, office: PostOffice) -> None:
        self.office = office
        self.behaviour: Behaviour = "accept"

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, extensions: list[str]
    ) -> list[str]:
        session.host_name = hostname
        name, *others = extensions
        return [name, "250-PIPELINING", *others] if self.office.pipelining else extensions

    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:
        self.behaviour = next(self.office.behaviours, "accept")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:
        if self.behaviour == "hang at RCPT":
            await asyncio.sleep(HELD)
        if self.behaviour == "answer in latin-1":
            await server.push(b"550 Empf\xe4nger \x00 unbekannt")
            await asyncio.sleep(HELD)
        refusal = {
            "refuse recipient for now": "451 come back later",
            "refuse recipient for good": "550 no such mailbox",
            "no such address": "550 5.1.1 no such mailbox",
            "name the mailbox": f"550 5.1.1 <{address}>: {address.partition('@')[0]} is nobody here",
            "name the mailbox for now": f"451 4.2.1 mailbox {address} is full",
            "no such sender": "550 5.1.8 who are you?",
        }.get(self.behaviour)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.office.copies.append(message_from_bytes(envelope.original_content or b""))
        self.office.recipients += envelope.rcpt_tos
        self.office.encrypted.append(bool(server.transport and server.transport.get_extra_info("sslcontext")))
        if self.behaviour == "drop after the dot":
            sever(server)
            await asyncio.sleep(HELD)
        if self.behaviour == "hang after the dot":
            await asyncio.sleep(HELD)
        if self.behaviour == "dawdle":
            await asyncio.sleep(0.7)
        if self.behaviour == "accept and drop":
            await server.push(b"250 OK")
            sever(server, gently=True)
            await asyncio.sleep(HELD)
        return {
            "refuse message for now": "452 mailbox is full",
            "refuse message for good": "554 that is spam",
            "babble after the dot": "Thank you!",
        }.get(self.behaviour, "250 OK")


class Line(SMTP):
    """One connection."""

    def __init__(self, office: PostOffice, **options: Any) -> None:
        self.office, self.clerk = office, Clerk(office)
        super().__init__(self.clerk, enable_SMTPUTF8=True, **options)

    def connection_made(self, transport: Any) -> None:
        self.office.connections += 1
        self.office.lines.append(self)
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:
        if self.clerk.behaviour == "drop at DATA":
            sever(self)
            return
        await super().smtp_DATA(arg)

    async def close(self) -> None:
        sever(self)
        if self._handler_coroutine:
            self._handler_coroutine.cancel()
            await asyncio.gather(self._handler_coroutine, return_exceptions=True)


def sever(line: SMTP, *, gently: bool = False) -> None:
    """Break the connection; ``gently`` lets what was said before arrive."""
    if isinstance(line.transport, asyncio.Transport):
        line.transport.close() if gently else line.transport.abort()


@asynccontextmanager
async def post_office(
    *behaviours: Behaviour,
    port: int = 0,
    authenticating: bool = False,
    tls: ssl.SSLContext | None = None,
    at_once: bool = False,
) -> AsyncIterator[PostOffice]:
    """A mail server; each mail that comes is treated as the next behaviour says. TLS is offered, or ``at_once``."""
    office = PostOffice(iter(behaviours))
    options: dict[str, Any] = {}
    if authenticating:
        options = {"auth_require_tls": False, "authenticator": office.authenticate}
    if tls and not at_once:
        options["tls_context"] = tls
    server = await asyncio.get_running_loop().create_server(
        lambda: Line(office, **options), "127.0.0.1", port, ssl=tls if at_once else None
    )
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        for line in office.lines:
            await line.close()
        await server.wait_closed()
