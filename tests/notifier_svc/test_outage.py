"""A mail server that is away for long: nothing is lost meanwhile, and nothing storms it when it is back."""

import asyncio
from collections.abc import Iterator

import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.retry import backoff
from notifier_svc import sender
from tests.notifier_svc.conftest import Sending
from tests.notifier_svc.ledger import all_mails, due_mail, hasten, until
from tests.notifier_svc.postoffice import Behaviour, post_office

MAILS, CONNECTIONS = 24, 3


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """An hour in a second: what a connection would have waited is noted, and hardly waited."""
    noted: list[float] = []

    def shortened(first: float, most: float) -> Iterator[float]:
        for pause in backoff(first, most):
            noted.append(pause)
            yield pause / 3600

    monkeypatch.setattr(sender, "backoff", shortened)
    return noted


async def test_a_server_that_is_away_for_an_hour_costs_no_mail_and_is_not_stormed(
    postgres: Postgres, sending: Sending, pauses: list[float]
) -> None:
    expected = {f"<{await due_mail(postgres)}@shopstream.example>" for _ in range(MAILS)}
    async with post_office() as nobody:
        port = nobody.port
    async with sending(f"smtp://127.0.0.1:{port}", connections=CONNECTIONS), asyncio.timeout(240):
        while sum(pauses) < CONNECTIONS * 3600:
            await hasten(postgres)
            await asyncio.sleep(0.01)
        assert {one.state for one in await all_mails(postgres)} <= {"queued", "claimed"}
        async with post_office(port=port) as office:
            found = await until(postgres, ["sent"] * MAILS)
    assert sorted(office.ids) == sorted(expected), "each once"
    assert {one.doubts for one in found} == {0}
    assert office.connections <= CONNECTIONS
    # Each connection calls every 7.5 to 15 s, and no two in step.
    late = pauses[CONNECTIONS * 20 :]
    assert all(7.5 <= pause <= 15 for pause in late)
    assert len(set(late)) == len(late)


async def test_a_server_that_refuses_everything_for_now_is_called_ever_less_often(
    postgres: Postgres, sending: Sending, pauses: list[float]
) -> None:
    for _ in range(8):
        await due_mail(postgres)
    busy: list[Behaviour] = ["refuse recipient for now"] * 8
    async with post_office(*busy) as office, sending(office.url, connections=1):
        await until(postgres, ["sent"] * 8)
    assert len(office.copies) == 8
    assert office.connections == 9
    assert len(pauses) == 8
    assert all(0.1 * 2**nth <= pause <= 0.2 * 2**nth for nth, pause in enumerate(pauses[:7]))
