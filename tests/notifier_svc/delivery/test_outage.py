"""A mail server that is down for long: no mail is lost, and it is not flooded when it is back."""

import asyncio
from collections.abc import Iterator

import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.retry import backoff
from notifier_svc.delivery import sender
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.ledger import all_mails, end_pauses, queue_due_mail, wait_for_states
from tests.notifier_svc.smtp_server import Behaviour, Refusal, smtp_server

MAILS, CONNECTIONS = 24, 3


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of all connections; an hour takes a second."""
    recorded: list[float] = []

    def shortened(first: float, most: float) -> Iterator[float]:
        for pause in backoff(first, most):
            recorded.append(pause)
            yield pause / 3600

    monkeypatch.setattr(sender, "backoff", shortened)
    return recorded


async def test_a_server_that_is_down_for_an_hour_loses_no_mail_and_is_not_flooded(
    postgres: Postgres, sending: Sending, pauses: list[float]
) -> None:
    expected = {f"<{await queue_due_mail(postgres)}@shopstream.example>" for _ in range(MAILS)}
    async with smtp_server() as server:
        port = server.port
    async with sending(f"smtp://127.0.0.1:{port}", connections=CONNECTIONS), asyncio.timeout(240):
        while sum(pauses) < CONNECTIONS * 3600:
            await end_pauses(postgres)
            await asyncio.sleep(0.01)
        assert {one.state for one in await all_mails(postgres)} <= {"queued", "claimed"}
        async with smtp_server(port=port) as server:
            found = await wait_for_states(postgres, ["sent"] * MAILS)
    assert sorted(server.message_ids) == sorted(expected), "each mail once"
    assert {one.doubts for one in found} == {0}
    assert server.connections <= CONNECTIONS
    # Each connection tries again after 7.5 to 15 s, and no two at the same time.
    late = pauses[CONNECTIONS * 20 :]
    assert all(7.5 <= pause <= 15 for pause in late)
    assert len(set(late)) == len(late)


async def test_a_server_that_refuses_everything_temporarily_is_contacted_less_and_less_often(
    postgres: Postgres, sending: Sending, pauses: list[float]
) -> None:
    for _ in range(8):
        await queue_due_mail(postgres)
    refusals: list[Behaviour] = ["refuse recipient temporarily"] * 8
    async with smtp_server(*refusals) as server, sending(server.url, connections=1):
        await wait_for_states(postgres, ["sent"] * 8)
    assert len(server.messages) == 8
    assert server.connections == 9
    assert len(pauses) == 8
    assert all(0.1 * 2**nth <= pause <= 0.2 * 2**nth for nth, pause in enumerate(pauses[:7]))


async def test_a_mail_that_is_not_tried_does_not_end_the_pauses(
    postgres: Postgres, sending: Sending, pauses: list[float]
) -> None:
    for email in ("ada@example.com", "ada@example.com\r\nBcc: eve@example.com", "grace@example.com"):
        await queue_due_mail(postgres, email)
    refusals = [Refusal("MAIL", "550 5.7.1 not now")] * 2
    async with smtp_server(*refusals) as server, sending(server.url, connections=1):
        await wait_for_states(postgres, ["failed", "sent", "sent"])
    assert all(0.1 * 2**nth <= pause <= 0.2 * 2**nth for nth, pause in enumerate(pauses))
    assert len(pauses) == 2
