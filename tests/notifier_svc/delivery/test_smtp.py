"""The SMTP commands of a mail: pipelined if the server supports it, and each with its own reply."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import aiosmtplib
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic_core import Url

from notifier_svc.delivery.smtp import MAX_REPLY, Connection, connect
from tests.notifier_svc.smtp_server import smtp_server

REPLIES = {b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n"}


class Server:
    """Replies to each line by its first four letters; ``received`` has an entry for each packet."""

    def __init__(self, replies: Mapping[bytes, bytes]) -> None:
        self.replies, self.received = {**REPLIES, **replies}, list[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        in_data = False
        with suppress(ConnectionError):
            while packet := await reader.read(65536):
                self.received.append(packet)
                for line in packet.splitlines():
                    if in_data and line != b".":
                        continue
                    reply = self.replies.get(line[:4], b"250 OK\r\n")
                    in_data = reply.startswith(b"354")
                    for byte in reply:
                        writer.write(bytes([byte]))
        writer.close()


@asynccontextmanager
async def connected(**replies: bytes) -> AsyncIterator[tuple[Server, Connection]]:
    server = Server({word.encode(): reply for word, reply in replies.items()})
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening, asyncio.timeout(10):
        connection = await connect(Url(f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"), 5.0)
        server.received.clear()
        try:
            yield server, connection
        finally:
            connection.close()


COMMANDS = [b"MAIL FROM:<shop@x>\r\n", b"RCPT TO:<ada@x>\r\n", b"DATA\r\n"]


async def test_the_commands_of_a_mail_are_sent_together() -> None:
    async with connected() as (server, connection):
        await connection.announce("shop@x", "ada@x")
        assert (await connection.transfer(b"Hi\r\n.dot\r\n")).code == 250
        assert server.received == [b"".join(COMMANDS), b"Hi\r\n..dot\r\n.\r\n"]


async def test_without_pipelining_commands_are_sent_one_by_one() -> None:
    async with connected(EHLO=b"250 here\r\n") as (server, connection):
        await connection.announce("shop@x", "ada@x")
        assert server.received == COMMANDS


@pytest.mark.parametrize("ehlo", [b"250 here\r\n", REPLIES[b"EHLO"]], ids=["one after the other", "together"])
@pytest.mark.parametrize("refused", ["MAIL", "RCPT", "DATA"])
async def test_after_a_refusal_the_next_mail_gets_its_own_replies(refused: str, ehlo: bytes) -> None:
    async with connected(EHLO=ehlo, **{refused: b"550-no\r\n550 never\r\n"}) as (server, connection):
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await connection.announce("shop@x", "ada@x")
        assert (no.value.code, no.value.message) == (550, "no\nnever")
        assert await connection.reset()
        server.replies.update({refused.encode(): REPLIES[b"DATA"] if refused == "DATA" else b"250 OK\r\n"})
        server.replies[b"."] = b"250 stored\r\n"
        await connection.announce("shop@x", "ada@x")
        assert await connection.transfer(b"Hi\r\n") == (250, "stored")


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.01])
async def test_a_server_that_disconnects_after_ehlo_raises_a_connection_error(pause: float) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await reader.readline()
        writer.write(b"250 PIPELINING\r\n")
        await asyncio.sleep(pause)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = Url(f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    async with listening, asyncio.timeout(10):
        for _ in range(20):
            with pytest.raises((aiosmtplib.SMTPException, OSError)):
                await (await connect(url, 5.0)).announce("shop@x", "ada@x")


async def test_unsolicited_data_is_not_taken_for_a_reply() -> None:
    async with connected(**{".": b"250 stored\r\n250 and a nice day\r\n"}) as (server, connection):
        await connection.announce("shop@x", "ada@x")
        assert await connection.transfer(b"Hi\r\n") == (250, "stored")
        # The rest arrives before the next mail is sent.
        await asyncio.sleep(0.05)
        server.replies[b"."] = b"554 spam\r\n"
        await connection.announce("shop@x", "ada@x")
        assert await connection.transfer(b"Hi\r\n") == (554, "spam")


async def test_the_data_of_a_server_that_never_stops_is_not_all_stored() -> None:
    async with connected(**{".": b"250 stored\r\n" + b"y" * (3 * MAX_REPLY)}) as (_, connection):
        await connection.announce("shop@x", "ada@x")
        assert (await connection.transfer(b"Hi\r\n")).code == 250
        await asyncio.sleep(0.2)
        assert len(connection._received) <= MAX_REPLY + 1


@pytest.mark.parametrize("nonsense", [b"Thank you!\r\n", b"250-and\r\n" * 10_000, b"y" * 100_000])
async def test_a_reply_that_is_not_smtp_is_an_error_at_once(nonsense: bytes) -> None:
    async with connected(MAIL=nonsense) as (_, connection):
        with pytest.raises(aiosmtplib.SMTPResponseException) as error:
            await connection.announce("shop@x", "ada@x")
        assert error.value.code < 0


@pytest.mark.parametrize("scheme", ["smtps", "smtp"], ids=["from the start", "when it is offered"])
async def test_mails_are_sent_over_tls(scheme: str, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with smtp_server(tls=context, tls_at_once=scheme == "smtps") as server, asyncio.timeout(10):
        connection = await connect(Url(f"{scheme}://127.0.0.1:{server.port}"), 5.0)
        for _ in range(2):
            await connection.announce("shop@x", "ada@x")
            assert (await connection.transfer(b"Subject: Hi\r\n\r\nHi\r\n")).code == 250
        await connection.quit()
    assert (server.recipients, server.encrypted) == (["ada@x"] * 2, [True] * 2)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of 127.0.0.1 with its key, which this process trusts."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.mark.parametrize("address", ["", "a>b@x", "a\r\nDATA@x", "a b@x"])
async def test_an_address_cannot_end_a_command(address: str) -> None:
    async with connected() as (server, connection):
        with pytest.raises(ValueError, match="cannot express"):
            await connection.announce("shop@x", address)
        assert server.received == []
