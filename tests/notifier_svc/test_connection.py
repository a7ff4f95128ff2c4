"""A mail's commands on the line: together where the server likes that, and each answer to its own command."""

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

from notifier_svc.smtp import LONGEST_ANSWER, Connection, connect
from tests.notifier_svc.postoffice import post_office

ANSWERS = {b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n"}


class Server:
    """Answers each line by its first four letters; ``heard`` is what came at once, one entry a packet."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self.answers, self.heard = {**ANSWERS, **answers}, list[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        in_data = False
        with suppress(ConnectionError):
            while packet := await reader.read(65536):
                self.heard.append(packet)
                for line in packet.splitlines():
                    if in_data and line != b".":
                        continue
                    answer = self.answers.get(line[:4], b"250 OK\r\n")
                    in_data = answer.startswith(b"354")
                    for byte in answer:
                        writer.write(bytes([byte]))
        writer.close()


@asynccontextmanager
async def talk(**answers: bytes) -> AsyncIterator[tuple[Server, Connection]]:
    server = Server({word.encode(): answer for word, answer in answers.items()})
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening, asyncio.timeout(10):
        connection = await connect(Url(f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"), 5.0)
        server.heard.clear()
        try:
            yield server, connection
        finally:
            connection.close()


THREE = [b"MAIL FROM:<shop@x>\r\n", b"RCPT TO:<ada@x>\r\n", b"DATA\r\n"]


async def test_the_commands_of_a_mail_go_together() -> None:
    async with talk() as (server, connection):
        await connection.announce("shop@x", "ada@x")
        assert (await connection.transfer(b"Hi\r\n.dot\r\n")).code == 250
        assert server.heard == [b"".join(THREE), b"Hi\r\n..dot\r\n.\r\n"]


async def test_a_server_that_wants_one_after_the_other_gets_one_after_the_other() -> None:
    async with talk(EHLO=b"250 here\r\n") as (server, connection):
        await connection.announce("shop@x", "ada@x")
        assert server.heard == THREE


@pytest.mark.parametrize("ehlo", [b"250 here\r\n", ANSWERS[b"EHLO"]], ids=["one after the other", "together"])
@pytest.mark.parametrize("refused", ["MAIL", "RCPT", "DATA"])
async def test_after_a_refusal_the_next_mail_gets_its_own_answers(refused: str, ehlo: bytes) -> None:
    async with talk(EHLO=ehlo, **{refused: b"550-no\r\n550 never\r\n"}) as (server, connection):
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await connection.announce("shop@x", "ada@x")
        assert (no.value.code, no.value.message) == (550, "no\nnever")
        assert await connection.start_again()
        server.answers.update({refused.encode(): ANSWERS[b"DATA"] if refused == "DATA" else b"250 OK\r\n"})
        server.answers[b"."] = b"250 kept\r\n"
        await connection.announce("shop@x", "ada@x")
        assert await connection.transfer(b"Hi\r\n") == (250, "kept")


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.01])
async def test_a_server_that_leaves_when_it_has_said_what_it_can_is_away(pause: float) -> None:
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


async def test_what_was_not_asked_for_is_no_answer() -> None:
    async with talk(**{".": b"250 kept\r\n250 and a nice day\r\n"}) as (server, connection):
        await connection.announce("shop@x", "ada@x")
        assert await connection.transfer(b"Hi\r\n") == (250, "kept")
        # The rest of it comes before the next mail does.
        await asyncio.sleep(0.05)
        server.answers[b"."] = b"554 spam\r\n"
        await connection.announce("shop@x", "ada@x")
        assert await connection.transfer(b"Hi\r\n") == (554, "spam")


async def test_of_a_server_that_never_stops_not_everything_is_kept() -> None:
    async with talk(**{".": b"250 kept\r\n" + b"y" * (3 * LONGEST_ANSWER)}) as (_, connection):
        await connection.announce("shop@x", "ada@x")
        assert (await connection.transfer(b"Hi\r\n")).code == 250
        await asyncio.sleep(0.2)
        assert len(connection._said) <= LONGEST_ANSWER + 1


@pytest.mark.parametrize("babble", [b"Thank you!\r\n", b"250-and\r\n" * 10_000, b"y" * 100_000])
async def test_what_cannot_be_understood_is_not_waited_for(babble: bytes) -> None:
    async with talk(MAIL=babble) as (_, connection):
        with pytest.raises(aiosmtplib.SMTPResponseException) as nonsense:
            await connection.announce("shop@x", "ada@x")
        assert nonsense.value.code < 0


@pytest.mark.parametrize("scheme", ["smtps", "smtp"], ids=["from the start", "when it is offered"])
async def test_mails_go_over_tls(scheme: str, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with post_office(tls=context, at_once=scheme == "smtps") as office, asyncio.timeout(10):
        connection = await connect(Url(f"{scheme}://127.0.0.1:{office.port}"), 5.0)
        for _ in range(2):
            await connection.announce("shop@x", "ada@x")
            assert (await connection.transfer(b"Subject: Hi\r\n\r\nHi\r\n")).code == 250
        await connection.hang_up()
    assert (office.recipients, office.encrypted) == (["ada@x"] * 2, [True] * 2)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of 127.0.0.1, with its key; everybody here believes it."""
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
async def test_no_address_can_end_a_command(address: str) -> None:
    async with talk() as (server, connection):
        with pytest.raises(ValueError, match="no such address"):
            await connection.announce("shop@x", address)
        assert server.heard == []
