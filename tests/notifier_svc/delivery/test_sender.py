"""Sending mails, to mail servers that behave and others that do not."""

import asyncio
from contextlib import suppress

import pytest
from aiosmtpd.smtp import LoginPassword
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from notifier_svc.delivery.smtp import Connection
from notifier_svc.mails.domain import Mail, State, mail_id
from schemas import MailFailed, MailSent
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import cancelled, registered
from tests.notifier_svc.ledger import (
    all_mails,
    all_suppressions,
    handle_events,
    queue_due_mail,
    read_mail,
    wait_for_states,
)
from tests.notifier_svc.smtp_server import Behaviour, smtp_server
from tests.outbox import envelopes, events


def outcome(one: Mail) -> tuple[State, int, int]:
    """(state, attempts, doubts)."""
    return one.state, one.attempts, one.doubts


async def test_a_mail_is_sent_once_and_published(postgres: Postgres, sending: Sending) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server() as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert (outcome(sent), sent.error) == (("sent", 1, 0), None)
    assert server.message_ids == [f"<{mail_id}@shopstream.example>"]
    assert server.recipients == ["ada@example.com"]
    [envelope] = await envelopes(postgres, mail_id)
    assert envelope.aggregate_version == 1
    assert envelope.event == MailSent(
        mail_id=mail_id, template="cancelled", customer_id=sent.customer_id, order_id=sent.order_id
    )


async def test_mails_share_a_connection(postgres: Postgres, sending: Sending) -> None:
    for _ in range(5):
        await queue_due_mail(postgres)
    async with smtp_server() as server, sending(server.url, connections=1):
        await wait_for_states(postgres, ["sent"] * 5)
    assert (len(server.messages), server.connections) == (5, 1)


async def test_permanent_refusals_do_not_slow_other_mails(postgres: Postgres, sending: Sending) -> None:
    for _ in range(10):
        await queue_due_mail(postgres)
    refused: list[Behaviour] = ["refuse recipient permanently", "refuse message permanently"] * 4
    refusals: list[State] = ["failed"] * 8
    async with asyncio.timeout(20), smtp_server(*refused) as server, sending(server.url, connections=1):
        await wait_for_states(postgres, [*refusals, "sent", "sent"])
    assert server.connections == 1


async def test_a_server_that_disconnects_after_its_reply_causes_no_doubt(
    postgres: Postgres, sending: Sending
) -> None:
    for _ in range(3):
        await queue_due_mail(postgres)
    behaviour: Behaviour = "accept and disconnect"
    async with smtp_server(behaviour, behaviour, behaviour) as server, sending(server.url, connections=1):
        found = await wait_for_states(postgres, ["sent"] * 3)
    assert len(set(server.message_ids)) == len(server.message_ids) == 3
    assert {one.doubts for one in found} == {0}


@pytest.mark.parametrize(
    ("behaviour", "copies"),
    [("refuse recipient temporarily", 1), ("refuse message temporarily", 2), ("disconnect at DATA", 1)],
)
async def test_a_mail_that_was_certainly_not_sent_is_retried_without_doubt(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, copies: int
) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server(behaviour) as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 0)
    assert len(server.messages) == copies, "a server that refuses a message has received it"
    assert [type(envelope.event) for envelope in await envelopes(postgres, mail_id)] == [MailSent]


async def test_a_temporary_refusal_is_retried_after_a_pause(postgres: Postgres, sending: Sending) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server("refuse recipient temporarily") as server, sending(server.url):
        while not (refused := await read_mail(postgres, mail_id)).error:
            pass
    assert (outcome(refused), refused.error) == (("queued", 1, 0), "451 come back later")
    assert 1.9 < (refused.due_at - refused.changed_at).total_seconds() < 2.1


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [("refuse recipient permanently", "550 5.5.0 not taken"), ("refuse message permanently", "554 that is spam")],
)
async def test_a_permanent_refusal_fails_the_mail_and_is_published(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, why: str
) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server(behaviour) as server, sending(server.url, connections=1):
        [failed] = await wait_for_states(postgres, ["failed"])
        await queue_due_mail(postgres, "grace@example.com")
        await wait_for_states(postgres, ["failed", "sent"])
    assert (failed.error, failed.doubts) == (why, 0)
    assert server.recipients[-1:] == ["grace@example.com"]
    [envelope] = await envelopes(postgres, mail_id)
    assert envelope.event == MailFailed(
        mail_id=mail_id, template="cancelled", customer_id=failed.customer_id, order_id=failed.order_id, reason=why
    )


@pytest.mark.parametrize("behaviour", ["disconnect after the dot", "no SMTP after the dot"])
async def test_a_mail_in_doubt_is_sent_once_more_with_the_same_message_id(
    postgres: Postgres, sending: Sending, behaviour: Behaviour
) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server(behaviour) as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 1)
    assert server.message_ids == [f"<{mail_id}@shopstream.example>"] * 2
    assert [type(envelope.event) for envelope in await envelopes(postgres, mail_id)] == [MailSent]


async def test_a_mail_in_doubt_twice_is_not_sent_a_third_time(postgres: Postgres, sending: Sending) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server("disconnect after the dot", "disconnect after the dot") as server, sending(server.url):
        [failed] = await wait_for_states(postgres, ["failed"])
        await queue_due_mail(postgres)
        await wait_for_states(postgres, ["failed", "sent"])
    assert outcome(failed) == ("failed", 2, 1)
    assert failed.error == "in doubt twice: it may have been delivered"
    assert server.message_ids.count(f"<{mail_id}@shopstream.example>") == 2
    assert [type(envelope.event) for envelope in await envelopes(postgres, mail_id)] == [MailFailed]


async def test_a_server_that_hangs_before_the_message_causes_no_doubt(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres)
    async with smtp_server("hang at RCPT") as server, sending(server.url, lease_seconds=3):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 0)
    assert len(server.messages) == 1


async def test_a_server_that_hangs_after_the_final_dot_causes_a_doubt(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres)
    async with smtp_server("hang after the dot") as server, sending(server.url, lease_seconds=3):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 1)
    assert len(server.messages) == 2


async def test_mails_wait_for_a_server_that_is_down(postgres: Postgres, sending: Sending) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server() as server:
        port = server.port
    async with sending(f"smtp://127.0.0.1:{port}"):
        while not (waiting := await read_mail(postgres, mail_id)).error:
            pass
        assert waiting.state == "queued"
        assert waiting.error.startswith("cannot connect")
        async with smtp_server(port=port) as server:
            [sent] = await wait_for_states(postgres, ["sent"])
    assert (sent.doubts, len(server.messages)) == (0, 1)


async def test_a_mail_waits_until_its_customer_is_known(postgres: Postgres, sending: Sending) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await handle_events(postgres, cancelled(customer_id, order_id))
    async with smtp_server() as server, sending(server.url):
        await queue_due_mail(postgres)
        await wait_for_states(postgres, ["queued", "sent"])
        assert (await read_mail(postgres, mail_id("cancelled", customer_id, str(order_id)))).attempts == 0
        await handle_events(postgres, registered(customer_id, "late@example.com"))
        await wait_for_states(postgres, ["sent", "sent"])
    assert server.recipients == ["ada@example.com", "late@example.com"]


async def test_a_mail_that_cannot_be_rendered_affects_only_itself(postgres: Postgres, sending: Sending) -> None:
    broken = await queue_due_mail(postgres, email="ada@example.com\r\nBcc: eve@example.com")
    await queue_due_mail(postgres)
    async with smtp_server() as server, sending(server.url, connections=1):
        await wait_for_states(postgres, ["failed", "sent"])
    assert (await read_mail(postgres, broken)).attempts == 0
    assert server.recipients == ["ada@example.com"]
    assert [type(envelope.event) for envelope in await envelopes(postgres, broken)] == [MailFailed]


async def test_an_address_that_smtp_cannot_express_affects_only_its_mail(
    postgres: Postgres, sending: Sending
) -> None:
    broken = await queue_due_mail(postgres, email="a\x01da@example.com")
    await queue_due_mail(postgres)
    async with smtp_server() as server, sending(server.url, connections=1):
        await wait_for_states(postgres, ["failed", "sent"])
    assert (await read_mail(postgres, broken)).state == "failed"
    assert server.recipients == ["ada@example.com"]


async def test_an_address_outside_ascii_is_reached(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres, email="josé@exämple.de", name="José")
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
    assert server.recipients == ["josé@exämple.de"]


@pytest.mark.parametrize("smtputf8", [True, False], ids=["SMTPUTF8", "no SMTPUTF8"])
async def test_an_address_with_a_domain_outside_ascii_is_reached_through_any_server(
    postgres: Postgres, sending: Sending, smtputf8: bool
) -> None:
    await queue_due_mail(postgres, email="ada@münchen.de", name="José")
    async with smtp_server(smtputf8=smtputf8) as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
    assert server.recipients == ["ada@xn--mnchen-3ya.de"]
    [message] = server.messages
    assert message.as_string().isascii()


async def test_an_address_that_a_server_cannot_express_fails_its_mail_alone(
    postgres: Postgres, sending: Sending
) -> None:
    broken = await queue_due_mail(postgres, email="josé@exämple.de")
    await queue_due_mail(postgres)
    async with smtp_server(smtputf8=False) as server, sending(server.url, connections=1):
        await wait_for_states(postgres, ["failed", "sent"])
    failed = await read_mail(postgres, broken)
    assert failed.error == "no address: it needs SMTPUTF8, which the mail server does not offer"
    assert (failed.attempts, failed.bounced, await all_suppressions(postgres)) == (0, False, [])
    assert (server.recipients, server.connections) == (["ada@example.com"], 1)


async def test_a_reply_with_any_bytes_is_stored(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres)
    async with smtp_server("reply in latin-1") as server, sending(server.url):
        [failed] = await wait_for_states(postgres, ["failed"])
    assert failed.error == "550 Empf\\udce4nger  unbekannt"


@pytest.mark.parametrize(
    ("behaviour", "state", "kept"),
    [
        ("quote the mailbox", "failed", "550 5.1.1 <…>: … is nobody here"),
        ("quote the mailbox temporarily", "queued", "451 4.2.1 mailbox … is full"),
    ],
)
async def test_replies_are_stored_published_and_logged_without_addresses(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, state: State, kept: str
) -> None:
    mail_id = await queue_due_mail(postgres, "ada.l@example.com")
    with capture_logs() as logged:
        async with smtp_server(behaviour, behaviour) as server, sending(server.url):
            while not (refused := await read_mail(postgres, mail_id)).error:
                await asyncio.sleep(0.01)
    assert (refused.state, refused.error) == (state, kept)
    assert [entry.reason for entry in await all_suppressions(postgres)] == [kept] * (state == "failed")
    told_of = [event.reason for event in await events(postgres, mail_id) if isinstance(event, MailFailed)]
    assert told_of == [kept] * (state == "failed")
    assert "ada.l" not in f"{logged}"


async def test_user_and_password_of_the_url_can_contain_any_character(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres)
    async with smtp_server(authenticating=True) as server:
        url = f"smtp://shop%40example.com:p%2Fw%3A@127.0.0.1:{server.port}"
        async with sending(url):
            await wait_for_states(postgres, ["sent"])
    assert server.logins == [LoginPassword(b"shop@example.com", b"p/w:")]


async def test_a_mail_that_waits_for_a_connection_is_released_when_the_sender_stops(
    postgres: Postgres, sending: Sending
) -> None:
    mail_id = await queue_due_mail(postgres)
    called = asyncio.Event()

    class Silent(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            called.set()

    server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    async with server, asyncio.timeout(30):
        async with sending(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
            await called.wait()
        waiting = await read_mail(postgres, mail_id)
    assert (outcome(waiting), waiting.error) == (("queued", 1, 0), "the process was stopped")


async def test_an_empty_ledger_sends_nothing(postgres: Postgres, sending: Sending) -> None:
    async with smtp_server() as server, sending(server.url):
        assert await all_mails(postgres) == []
    assert server.messages == []


async def test_a_stop_while_a_connection_is_closed_is_not_lost(
    postgres: Postgres, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = asyncio.Event()

    async def quit_ignoring_cancellation(smtp: Connection) -> None:
        """As wait_for does before Python 3.12."""
        closing.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.2)
        smtp.close()

    monkeypatch.setattr(Connection, "quit", quit_ignoring_cancellation)
    await queue_due_mail(postgres)
    async with asyncio.timeout(20), smtp_server("refuse recipient temporarily") as server, sending(server.url):
        await closing.wait()
