"""What becomes of a mail that a mail server refuses: each row of the table of replies, on a real server."""

import asyncio
from typing import Literal
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.persistence.postgres.database import Postgres
from notifier_svc.delivery import sender
from notifier_svc.delivery.smtp_replies import RULES, About, Rule, Step, find_rule
from notifier_svc.mails.domain import Mail
from tests.alerting import fired, scrape
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.ledger import all_suppressions, queue_due_mail, read_mail, wait_for_states
from tests.notifier_svc.smtp_server import Refusal, smtp_server

Where = Literal["MAIL", "RCPT", "DATA", "dot"]

ROWS: list[tuple[Where, str, About]] = [
    ("MAIL", "421 4.3.2 shutting down", "us"),
    ("RCPT", "421 too many connections", "us"),
    ("MAIL", "454 4.7.0 temporary authentication failure", "us"),
    ("dot", "452 4.3.1 insufficient system storage", "us"),
    ("MAIL", "451 sender check failed for now", "us"),
    ("RCPT", "450 4.7.1 greylisted", "now"),
    ("RCPT", "452 4.2.2 mailbox full", "now"),
    ("dot", "451 local error in processing", "now"),
    ("MAIL", "521 5.3.2 this host takes no mail", "us"),
    ("MAIL", "530 5.7.0 authentication required", "us"),
    ("MAIL", "530 authentication required", "us"),
    ("RCPT", "535 authentication failed", "us"),
    ("MAIL", "550 5.7.1 sender is not allowed", "us"),
    ("RCPT", "554 5.7.1 relay access denied", "us"),
    ("DATA", "550 5.7.26 not authenticated: SPF and DKIM", "us"),
    ("dot", "554 5.7.1 that is spam", "us"),
    ("RCPT", "550 5.1.8 the domain of the sender does not exist", "us"),
    ("dot", "550 5.1.7 bad sender", "us"),
    ("MAIL", "550 5.6.7 non-ASCII addresses are not permitted", "message"),
    ("dot", "554 5.6.0 the content cannot be converted", "message"),
    ("RCPT", "552 5.2.3 message is too large for this mailbox", "message"),
    ("dot", "552 5.3.4 message is too large", "message"),
    ("MAIL", "554 5.3.5 the system is misconfigured", "us"),
    ("MAIL", "502 command not implemented", "us"),
    ("MAIL", "552 message size exceeds the limit", "message"),
    ("MAIL", "550 no", "us"),
    ("MAIL", "553 5.1.3 malformed address", "us"),
    ("RCPT", "550 5.1.1 no such mailbox", "recipient"),
    ("RCPT", "556 5.1.10 the domain takes no mail", "recipient"),
    ("dot", "550 5.1.1 no such mailbox after all", "recipient"),
    ("RCPT", "550 5.2.1 the mailbox is disabled", "recipient"),
    ("RCPT", "554 5.2.2 mailbox full", "now"),
    ("RCPT", "552 storage exceeded", "now"),
    ("RCPT", "550 no such user", "recipient"),
    ("RCPT", "553 mailbox name not allowed", "recipient"),
    ("RCPT", "554 no service", "us"),
    ("RCPT", "550 5.4.4 cannot route to the domain", "message"),
    ("RCPT", "501 5.5.4 bad argument", "message"),
    ("dot", "552 too much mail data", "message"),
    ("dot", "554 transaction failed", "message"),
    ("dot", "550 no", "message"),
    ("MAIL", "354 go on", "us"),
]


def rule(where: Where, reply: str) -> Rule:
    code, _, text = reply.partition(" ")
    step: Step = "DATA" if where == "dot" else where
    return find_rule(step, int(code), text)


def refuses_us() -> float | None:
    return REGISTRY.get_sample_value("shop_mail_server_refuses")


def refused(about: About) -> float:
    return REGISTRY.get_sample_value("shop_mail_refusals_total", {"about": about}) or 0.0


async def after_the_refusal(postgres: Postgres, mail_id: UUID) -> Mail:
    async with asyncio.timeout(20):
        while True:
            if (mail := await read_mail(postgres, mail_id)).error:
                return mail
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries that the tests make due are found at once."""
    monkeypatch.setattr(sender, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(sender, "CONNECTION_PAUSES", (0.02, 0.05))


@pytest.mark.parametrize(("where", "reply", "about"), ROWS)
async def test_a_refusal_has_the_effect_that_the_table_says(
    postgres: Postgres, sending: Sending, where: Where, reply: str, about: About
) -> None:
    mail_id, before = await queue_due_mail(postgres), refused(about)
    async with smtp_server(Refusal(where, reply)) as server, sending(server.url, connections=1):
        mail = await after_the_refusal(postgres, mail_id)
        assert mail.error == reply
        assert refused(about) == before + 1
        if about in ("us", "now"):
            assert mail.state == "queued"
            [mail] = await wait_for_states(postgres, ["sent"])
            assert (mail.attempts, mail.doubts, mail.error) == (2, 0, None)
        else:
            assert (mail.state, mail.bounced) == ("failed", about == "recipient")
            await queue_due_mail(postgres, "grace@example.com")
            await wait_for_states(postgres, ["failed", "sent"])
            assert server.connections == 1, "other mails go on at once"
    assert [one.email for one in await all_suppressions(postgres)] == ["ada@example.com"] * (about == "recipient")
    assert refuses_us() == 0


def test_every_rule_has_a_row() -> None:
    assert {rule(where, reply) for where, reply, _ in ROWS} == set(RULES)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("5.1.1: no such mailbox", "recipient"),
        ("5.1.1\nno such mailbox", "recipient"),
        ("5.7.1: no", "us"),
        # Neither a version, nor a number in the middle, is a status.
        ("no such mailbox, says 5.7.1", "recipient"),
        ("", "recipient"),
    ],
)
def test_the_status_is_at_the_beginning_of_the_reply(text: str, about: About) -> None:
    assert find_rule("RCPT", 550, text).about == about


async def test_a_server_that_refuses_our_sender_loses_no_mail_and_alerts_once(
    postgres: Postgres, sending: Sending
) -> None:
    for _ in range(6):
        await queue_due_mail(postgres)
    refusals = [Refusal("MAIL", reply) for reply in ("530 5.7.0 log in", "550 no", "550 5.7.1 no")] * 4
    with capture_logs() as logged:
        async with smtp_server(*refusals) as server, sending(server.url, connections=1):
            while not refuses_us():
                await asyncio.sleep(0.005)
            found = await wait_for_states(postgres, ["sent"] * 6)
    assert {one.doubts for one in found} == {0}
    assert len(server.messages) == 6
    assert refuses_us() == 0
    alerts = [entry for entry in logged if entry["log_level"] == "error"]
    assert [entry["event"] for entry in alerts] == ["the mail server refuses us"]
    assert alerts[0]["why"] == "MAIL: 530 5.7.0 log in"


async def test_a_server_that_cannot_be_reached_alerts_once(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres)
    async with smtp_server() as server:
        port = server.port
    before = scrape("notifier_svc")
    with capture_logs() as logged:
        async with sending(f"smtp://127.0.0.1:{port}", connections=1):
            while not refuses_us():
                await asyncio.sleep(0.005)
            assert fired("MailServerRefusesUs", before, scrape("notifier_svc")) == [{}]
            async with smtp_server(port=port):
                await wait_for_states(postgres, ["sent"])
    assert refuses_us() == 0
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["the mail server refuses us"]


async def test_a_server_that_refuses_our_password_loses_no_mail(postgres: Postgres, sending: Sending) -> None:
    mail_id = await queue_due_mail(postgres)
    async with smtp_server(authenticating=True) as server:
        server.accepts_logins = False
        async with sending(f"smtp://shop:wrong@127.0.0.1:{server.port}", connections=1):
            mail = await after_the_refusal(postgres, mail_id)
            assert mail.state == "queued"
            assert "535" in (mail.error or "")
            assert refuses_us() == 1
            server.accepts_logins = True
            await wait_for_states(postgres, ["sent"])
