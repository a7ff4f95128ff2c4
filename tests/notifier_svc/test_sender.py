"""Mails on their way, past mail servers that behave and others that do not."""

import asyncio
from contextlib import suppress

import pytest
from aiosmtpd.smtp import LoginPassword
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from notifier_svc.domain import Mail, State, mail_id
from notifier_svc.smtp import Connection
from schemas import MailFailed, MailSent
from tests.notifier_svc.conftest import Sending
from tests.notifier_svc.ledger import all_mails, cancelled, due_mail, hear, mail, registered, suppressed, until
from tests.notifier_svc.postoffice import Behaviour, post_office
from tests.outbox import events, told


def outcome(one: Mail) -> tuple[State, int, int]:
    """(state, attempts, doubts)."""
    return one.state, one.attempts, one.doubts


async def test_a_mail_is_sent_once_and_told_of(postgres: Postgres, sending: Sending) -> None:
    mail_id = await due_mail(postgres)
    async with post_office() as office, sending(office.url):
        [sent] = await until(postgres, ["sent"])
    assert (outcome(sent), sent.error) == (("sent", 1, 0), None)
    assert office.ids == [f"<{mail_id}@shopstream.example>"]
    assert office.recipients == ["ada@example.com"]
    [envelope] = await told(postgres, mail_id)
    assert envelope.aggregate_version == 1
    assert envelope.event == MailSent(
        mail_id=mail_id, template="cancelled", customer_id=sent.customer_id, order_id=sent.order_id
    )


async def test_mails_share_a_kept_connection(postgres: Postgres, sending: Sending) -> None:
    for _ in range(5):
        await due_mail(postgres)
    async with post_office() as office, sending(office.url, connections=1):
        await until(postgres, ["sent"] * 5)
    assert (len(office.copies), office.connections) == (5, 1)


async def test_mails_refused_for_good_do_not_hold_up_the_others(postgres: Postgres, sending: Sending) -> None:
    for _ in range(10):
        await due_mail(postgres)
    refused: list[Behaviour] = ["refuse recipient for good", "refuse message for good"] * 4
    refusals: list[State] = ["failed"] * 8
    async with asyncio.timeout(20), post_office(*refused) as office, sending(office.url, connections=1):
        await until(postgres, [*refusals, "sent", "sent"])
    assert office.connections == 1


async def test_a_server_that_hangs_up_after_its_answer_costs_nothing(postgres: Postgres, sending: Sending) -> None:
    for _ in range(3):
        await due_mail(postgres)
    rude: Behaviour = "accept and drop"
    async with post_office(rude, rude, rude) as office, sending(office.url, connections=1):
        found = await until(postgres, ["sent"] * 3)
    assert len(set(office.ids)) == len(office.ids) == 3
    assert {one.doubts for one in found} == {0}


@pytest.mark.parametrize(
    ("behaviour", "copies"),
    [("refuse recipient for now", 1), ("refuse message for now", 2), ("drop at DATA", 1)],
)
async def test_what_has_surely_not_left_is_tried_again_without_a_doubt(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, copies: int
) -> None:
    mail_id = await due_mail(postgres)
    async with post_office(behaviour) as office, sending(office.url):
        [sent] = await until(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 0)
    assert len(office.copies) == copies, "a server that says no to a message has received it"
    assert [type(envelope.event) for envelope in await told(postgres, mail_id)] == [MailSent]


async def test_a_refusal_for_now_waits_before_the_next_try(postgres: Postgres, sending: Sending) -> None:
    mail_id = await due_mail(postgres)
    async with post_office("refuse recipient for now") as office, sending(office.url):
        while not (refused := await mail(postgres, mail_id)).error:
            pass
    assert (outcome(refused), refused.error) == (("queued", 1, 0), "451 come back later")
    assert 1.9 < (refused.due_at - refused.changed_at).total_seconds() < 2.1


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [("refuse recipient for good", "550 no such mailbox"), ("refuse message for good", "554 that is spam")],
)
async def test_a_refusal_for_good_ends_a_mail_and_is_told(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, why: str
) -> None:
    mail_id = await due_mail(postgres)
    async with post_office(behaviour) as office, sending(office.url, connections=1):
        [failed] = await until(postgres, ["failed"])
        await due_mail(postgres, "grace@example.com")
        await until(postgres, ["failed", "sent"])
    assert (failed.error, failed.doubts) == (why, 0)
    assert office.recipients[-1:] == ["grace@example.com"]
    [envelope] = await told(postgres, mail_id)
    assert envelope.event == MailFailed(
        mail_id=mail_id, template="cancelled", customer_id=failed.customer_id, order_id=failed.order_id, reason=why
    )


@pytest.mark.parametrize("behaviour", ["drop after the dot", "babble after the dot"])
async def test_a_mail_in_doubt_is_sent_once_more_as_the_same_mail(
    postgres: Postgres, sending: Sending, behaviour: Behaviour
) -> None:
    mail_id = await due_mail(postgres)
    async with post_office(behaviour) as office, sending(office.url):
        [sent] = await until(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 1)
    assert office.ids == [f"<{mail_id}@shopstream.example>"] * 2
    assert [type(envelope.event) for envelope in await told(postgres, mail_id)] == [MailSent]


async def test_a_mail_in_doubt_twice_is_not_sent_a_third_time(postgres: Postgres, sending: Sending) -> None:
    mail_id = await due_mail(postgres)
    async with post_office("drop after the dot", "drop after the dot") as office, sending(office.url):
        [failed] = await until(postgres, ["failed"])
        await due_mail(postgres)
        await until(postgres, ["failed", "sent"])
    assert outcome(failed) == ("failed", 2, 1)
    assert failed.error == "in doubt twice: it may have been delivered"
    assert office.ids.count(f"<{mail_id}@shopstream.example>") == 2
    assert [type(envelope.event) for envelope in await told(postgres, mail_id)] == [MailFailed]


async def test_a_server_that_hangs_before_the_message_leaves_no_doubt(postgres: Postgres, sending: Sending) -> None:
    await due_mail(postgres)
    async with post_office("hang at RCPT") as office, sending(office.url, lease_seconds=3):
        [sent] = await until(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 0)
    assert len(office.copies) == 1


async def test_a_server_that_hangs_after_the_dot_leaves_a_doubt(postgres: Postgres, sending: Sending) -> None:
    await due_mail(postgres)
    async with post_office("hang after the dot") as office, sending(office.url, lease_seconds=3):
        [sent] = await until(postgres, ["sent"])
    assert outcome(sent) == ("sent", 2, 1)
    assert len(office.copies) == 2


async def test_mails_wait_for_a_server_that_is_away(postgres: Postgres, sending: Sending) -> None:
    mail_id = await due_mail(postgres)
    async with post_office() as nobody:
        port = nobody.port
    async with sending(f"smtp://127.0.0.1:{port}"):
        while not (waiting := await mail(postgres, mail_id)).error:
            pass
        assert waiting.state == "queued"
        assert waiting.error.startswith("cannot connect")
        async with post_office(port=port) as office:
            [sent] = await until(postgres, ["sent"])
    assert (sent.doubts, len(office.copies)) == (0, 1)


async def test_a_mail_waits_for_its_customer_and_then_goes_out(postgres: Postgres, sending: Sending) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await hear(postgres, cancelled(customer_id, order_id))
    async with post_office() as office, sending(office.url):
        await due_mail(postgres)
        await until(postgres, ["queued", "sent"])
        assert (await mail(postgres, mail_id("cancelled", customer_id, str(order_id)))).attempts == 0
        await hear(postgres, registered(customer_id, "late@example.com"))
        await until(postgres, ["sent", "sent"])
    assert office.recipients == ["ada@example.com", "late@example.com"]


async def test_a_letter_that_cannot_be_written_costs_only_itself(postgres: Postgres, sending: Sending) -> None:
    broken = await due_mail(postgres, email="ada@example.com\r\nBcc: eve@example.com")
    await due_mail(postgres)
    async with post_office() as office, sending(office.url, connections=1):
        await until(postgres, ["failed", "sent"])
    assert (await mail(postgres, broken)).attempts == 0
    assert office.recipients == ["ada@example.com"]
    assert [type(envelope.event) for envelope in await told(postgres, broken)] == [MailFailed]


async def test_an_address_that_smtp_cannot_express_costs_only_its_mail(postgres: Postgres, sending: Sending) -> None:
    broken = await due_mail(postgres, email="a\x01da@example.com")
    await due_mail(postgres)
    async with post_office() as office, sending(office.url, connections=1):
        await until(postgres, ["failed", "sent"])
    assert (await mail(postgres, broken)).state == "failed"
    assert office.recipients == ["ada@example.com"]


async def test_an_address_outside_ascii_is_reached(postgres: Postgres, sending: Sending) -> None:
    await due_mail(postgres, email="josé@exämple.de", name="José")
    async with post_office() as office, sending(office.url):
        await until(postgres, ["sent"])
    assert office.recipients == ["josé@exämple.de"]


async def test_an_answer_in_any_bytes_is_kept(postgres: Postgres, sending: Sending) -> None:
    await due_mail(postgres)
    async with post_office("answer in latin-1") as office, sending(office.url):
        [failed] = await until(postgres, ["failed"])
    assert failed.error == "550 Empf\\udce4nger  unbekannt"


@pytest.mark.parametrize(
    ("behaviour", "state", "kept"),
    [
        ("name the mailbox", "failed", "550 5.1.1 <…>: … is nobody here"),
        ("name the mailbox for now", "queued", "451 4.2.1 mailbox … is full"),
    ],
)
async def test_what_a_server_says_is_kept_told_and_logged_without_whom_it_was_about(
    postgres: Postgres, sending: Sending, behaviour: Behaviour, state: State, kept: str
) -> None:
    mail_id = await due_mail(postgres, "ada.l@example.com")
    with capture_logs() as logged:
        async with post_office(behaviour, behaviour) as office, sending(office.url):
            while not (refused := await mail(postgres, mail_id)).error:
                await asyncio.sleep(0.01)
    assert (refused.state, refused.error) == (state, kept)
    assert [entry.reason for entry in await suppressed(postgres)] == [kept] * (state == "failed")
    told_of = [event.reason for event in await events(postgres, mail_id) if isinstance(event, MailFailed)]
    assert told_of == [kept] * (state == "failed")
    assert "ada.l" not in f"{logged}"


async def test_user_and_password_of_the_url_may_hold_any_character(postgres: Postgres, sending: Sending) -> None:
    await due_mail(postgres)
    async with post_office(authenticating=True) as office:
        url = f"smtp://shop%40example.com:p%2Fw%3A@127.0.0.1:{office.port}"
        async with sending(url):
            await until(postgres, ["sent"])
    assert office.logins == [LoginPassword(b"shop@example.com", b"p/w:")]


async def test_a_mail_that_waits_for_its_connection_is_given_back_at_a_stop(
    postgres: Postgres, sending: Sending
) -> None:
    mail_id = await due_mail(postgres)
    called = asyncio.Event()

    class Silent(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            called.set()

    server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    async with server, asyncio.timeout(30):
        async with sending(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
            await called.wait()
        waiting = await mail(postgres, mail_id)
    assert (outcome(waiting), waiting.error) == (("queued", 1, 0), "the process was stopped")


async def test_nothing_is_sent_to_nobody(postgres: Postgres, sending: Sending) -> None:
    async with post_office() as office, sending(office.url):
        assert await all_mails(postgres) == []
    assert office.copies == []


async def test_a_stop_while_a_connection_is_ended_is_not_lost(
    postgres: Postgres, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = asyncio.Event()

    async def deaf(smtp: Connection) -> None:
        """As wait_for is before Python 3.12: who is cancelled in it goes on."""
        ending.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.2)
        smtp.close()

    monkeypatch.setattr(Connection, "hang_up", deaf)
    await due_mail(postgres)
    async with asyncio.timeout(20), post_office("refuse recipient for now") as office, sending(office.url):
        await ending.wait()
