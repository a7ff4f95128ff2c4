"""A mail server that behaves as a test demands, mail by mail."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any, Literal, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Refusal(NamedTuple):
    """Reply so to a command, or to the final dot."""

    step: Literal["MAIL", "RCPT", "DATA", "dot"]
    reply: str


Behaviour = (
    Refusal
    | Literal[
        "accept",
        "refuse recipient temporarily",
        "refuse recipient permanently",
        "no such address",
        "quote the mailbox",
        "quote the mailbox temporarily",
        "refuse message temporarily",
        "refuse message permanently",
        "reply in latin-1",
        "disconnect at DATA",
        "disconnect after the dot",
        "accept and disconnect",
        "no SMTP after the dot",
        "hang at RCPT",
        "hang after the dot",
        "reply slowly",
    ]
)

FOREVER = 3600.0


@dataclass
class SmtpServer:
    """What arrived, and how the next mails are treated; ``accept`` when the list is at its end."""

    behaviours: Iterator[Behaviour]
    messages: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    logins: list[LoginPassword] = field(default_factory=list)
    pipelining: bool = True
    accepts_logins: bool = True
    encrypted: list[bool] = field(default_factory=list)
    open_connections: list["ServerConnection"] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def message_ids(self) -> list[str]:
        """The Message-ID of every message that was received completely."""
        return [message["Message-ID"] for message in self.messages]

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _method: str, data: Any
    ) -> AuthResult:
        self.logins.append(data)
        return AuthResult(success=self.accepts_logins, handled=False)


class Handler:
    """Handles the commands of one connection."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.behaviour: Behaviour = "accept"

    def refusal(self, step: str) -> str | None:
        """The reply with which a test wants this step to be refused."""
        wanted = self.behaviour
        return wanted.reply if isinstance(wanted, Refusal) and wanted.step == step else None

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, extensions: list[str]
    ) -> list[str]:
        session.host_name = hostname
        name, *others = extensions
        return [name, "250-PIPELINING", *others] if self.server.pipelining else extensions

    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:
        self.behaviour = next(self.server.behaviours, "accept")
        if refusal := self.refusal("MAIL"):
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:
        if self.behaviour == "hang at RCPT":
            await asyncio.sleep(FOREVER)
        if self.behaviour == "reply in latin-1":
            await server.push(b"550 Empf\xe4nger \x00 unbekannt")
            await asyncio.sleep(FOREVER)
        replies: dict[Behaviour, str] = {
            "refuse recipient temporarily": "451 come back later",
            "refuse recipient permanently": "550 5.5.0 not taken",
            "no such address": "550 5.1.1 no such mailbox",
            "quote the mailbox": f"550 5.1.1 <{address}>: {address.partition('@')[0]} is nobody here",
            "quote the mailbox temporarily": f"451 4.2.1 mailbox {address} is full",
        }
        refusal = self.refusal("RCPT") or replies.get(self.behaviour)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.server.messages.append(message_from_bytes(envelope.original_content or b""))
        self.server.recipients += envelope.rcpt_tos
        self.server.encrypted.append(bool(server.transport and server.transport.get_extra_info("sslcontext")))
        if self.behaviour == "disconnect after the dot":
            disconnect(server)
            await asyncio.sleep(FOREVER)
        if self.behaviour == "hang after the dot":
            await asyncio.sleep(FOREVER)
        if self.behaviour == "reply slowly":
            await asyncio.sleep(0.7)
        if self.behaviour == "accept and disconnect":
            await server.push(b"250 OK")
            disconnect(server, after_sending=True)
            await asyncio.sleep(FOREVER)
        replies: dict[Behaviour, str] = {
            "refuse message temporarily": "452 mailbox is full",
            "refuse message permanently": "554 that is spam",
            "no SMTP after the dot": "Thank you!",
        }
        return self.refusal("dot") or replies.get(self.behaviour, "250 OK")


class ServerConnection(SMTP):
    """One connection."""

    def __init__(self, server: SmtpServer, **options: Any) -> None:
        self.server, self.handler = server, Handler(server)
        super().__init__(self.handler, **options)

    def connection_made(self, transport: Any) -> None:
        self.server.connections += 1
        self.server.open_connections.append(self)
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:
        if self.handler.behaviour == "disconnect at DATA":
            disconnect(self)
            return
        if refusal := self.handler.refusal("DATA"):
            await self.push(refusal)
            return
        await super().smtp_DATA(arg)

    async def close(self) -> None:
        disconnect(self)
        if self._handler_coroutine:
            self._handler_coroutine.cancel()
            await asyncio.gather(self._handler_coroutine, return_exceptions=True)


def disconnect(connection: SMTP, *, after_sending: bool = False) -> None:
    """Break the connection; ``after_sending`` lets earlier replies arrive."""
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.close() if after_sending else connection.transport.abort()


@asynccontextmanager
async def smtp_server(
    *behaviours: Behaviour,
    port: int = 0,
    authenticating: bool = False,
    tls: ssl.SSLContext | None = None,
    tls_at_once: bool = False,
    smtputf8: bool = True,
) -> AsyncIterator[SmtpServer]:
    """A mail server that treats each mail as the next behaviour says. TLS is offered, or used from the first byte."""
    server = SmtpServer(iter(behaviours))
    options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8}
    if authenticating:
        options |= {"auth_require_tls": False, "authenticator": server.authenticate}
    if tls and not tls_at_once:
        options["tls_context"] = tls
    listening = await asyncio.get_running_loop().create_server(
        lambda: ServerConnection(server, **options), "127.0.0.1", port, ssl=tls if tls_at_once else None
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for connection in server.open_connections:
            await connection.close()
        await listening.wait_closed()
