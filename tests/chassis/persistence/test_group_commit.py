"""The group commit, on both databases: requests share a transaction, and a failed one does not affect the others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.http.errors import OutcomeUnknown, Unavailable
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import REDACTED
from chassis.persistence.database import Database
from chassis.persistence.errors import CommitOutcomeUnknown, DatabaseUnavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.runtime.background import ended
from chassis.testing import enveloped, record
from tests.chassis.tally import HANDLERS, Tallies, Tally, counted, outbox, stored_letters, tally


@pytest.fixture
async def commit(database: Database[Any]) -> AsyncIterator[GroupCommit[Tallies]]:
    made = GroupCommit(database, Tallies)
    running = asyncio.create_task(made.run())
    yield made
    await ended(running)


@dataclass(frozen=True)
class Add:
    sku: str
    error: Exception | None = None
    """Raised after the change was made."""

    def prefetch(self, uow: Tallies) -> None:
        uow.rows.prefetch(self.sku)

    def execute(self, uow: Tallies) -> int:
        total = (uow.rows.get(self.sku) or Tally(self.sku)).total + 1
        uow.rows.set(self.sku, Tally(self.sku, total))
        if self.error:
            raise self.error
        return total


@dataclass(frozen=True)
class Overflow(Add):
    def execute(self, uow: Tallies) -> int:
        uow.rows.set(self.sku, Tally(self.sku, 2**70))
        return 0


@dataclass(frozen=True)
class Erase:
    id: UUID

    def prefetch(self, uow: Tallies) -> None:
        """Read nothing."""

    def execute(self, uow: Tallies) -> None:
        uow.redactions.add(self.id)


async def test_requests_see_each_other_and_share_transactions(
    database: Database[Any], commit: GroupCommit[Tallies], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, transaction = [], database.transaction

    def counting() -> Any:
        begun.append(1)
        return transaction()

    monkeypatch.setattr(database, "transaction", counting)
    totals = await asyncio.gather(*(commit(Add("A")) for _ in range(50)))
    assert sorted(totals) == list(range(1, 51))
    assert len(begun) <= 3
    found = await tally(database, "A")
    assert found is not None
    assert found.total == 50


async def test_a_failed_request_leaves_nothing_and_affects_no_other(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    refusal = ValueError("not like this")
    commands = [Add("A"), Add("A", refusal), Add("A"), Add("B", refusal)]
    results = await asyncio.gather(*(commit(command) for command in commands), return_exceptions=True)
    assert results == [1, refusal, 2, refusal]
    assert await tally(database, "B") is None
    assert await outbox(database) == []


async def test_a_row_that_breaks_the_statement_breaks_only_its_own_request(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    results = await asyncio.gather(
        commit(Add("A")),
        commit(Overflow("B")),
        commit(Add("C")),
        return_exceptions=True,
    )
    assert (results[0], results[2]) == (1, 1)
    assert isinstance(results[1], Exception)
    assert await tally(database, "B") is None


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(DatabaseUnavailable("gone"), Unavailable), (CommitOutcomeUnknown("gone"), OutcomeUnknown)],
)
async def test_every_request_of_the_group_gets_the_error_of_an_unavailable_database(
    database: Database[Any],
    commit: GroupCommit[Tallies],
    failure: Exception,
    raised: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(*_args: Any) -> None:
        raise failure

    monkeypatch.setattr(database.outbox, "add", gone)
    results = await asyncio.gather(*(commit(Add("A")) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [raised] * 3


async def test_a_request_that_erases_a_customer_redacts_their_dead_letters(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    who = uuid7()
    broken = replace(record(enveloped(counted("A"))), value=f'{{"customer_id": "{who}"}}'.encode())
    await Consumer(database, "tally_svc", Tallies, HANDLERS).handle([broken])
    await commit(Erase(who))
    assert [(letter["value"], letter["detail"]) for letter in await stored_letters(database)] == [(None, REDACTED)]


async def test_a_request_cancelled_before_its_turn_changes_nothing(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    gone = asyncio.ensure_future(commit(Add("A")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await commit(Add("B")) == 1
    assert await tally(database, "A") is None


async def test_writers_of_several_processes_lose_nothing(database: Database[Any]) -> None:
    commits = [GroupCommit(database, Tallies) for _ in range(3)]
    running = [asyncio.create_task(one.run()) for one in commits]
    await asyncio.gather(*(commits[n % 3](Add("A")) for n in range(90)))
    await asyncio.gather(*(ended(task) for task in running))
    found = await tally(database, "A")
    assert found is not None
    assert found.total == 90
