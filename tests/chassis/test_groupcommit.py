"""The group commit, on both databases: requests share a transaction, and none pays for another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.http.errors import OutcomeUnknown, Unavailable
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import REDACTED
from chassis.persistence.database import Database
from chassis.persistence.errors import CommitOutcomeUnknown, DatabaseUnavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.runtime.worker import ended
from chassis.testing import enveloped, record
from tests.chassis.tally import HANDLERS, Tallies, Tally, buried, counted, outbox, tally


@pytest.fixture
async def commit(database: Database[Any]) -> AsyncIterator[GroupCommit[Tallies]]:
    made = GroupCommit(database, Tallies)
    running = asyncio.create_task(made.run())
    yield made
    await ended(running)


def add(sku: str, fail: Exception | None = None) -> tuple[Callable[[Tallies], int], Callable[[Tallies], None]]:
    def decide(unit: Tallies) -> int:
        total = (unit.rows.get(sku) or Tally(sku)).total + 1
        unit.rows.set(sku, Tally(sku, total))
        if fail:
            raise fail
        return total

    return decide, lambda unit: unit.rows.prefetch(sku)


async def test_requests_see_each_other_and_share_transactions(
    database: Database[Any], commit: GroupCommit[Tallies], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, transaction = [], database.transaction

    def counting() -> Any:
        begun.append(1)
        return transaction()

    monkeypatch.setattr(database, "transaction", counting)
    totals = await asyncio.gather(*(commit(*add("A")) for _ in range(50)))
    assert sorted(totals) == list(range(1, 51))
    assert len(begun) <= 3
    found = await tally(database, "A")
    assert found is not None
    assert found.total == 50


async def test_a_refused_request_leaves_nothing_and_hurts_nobody(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    refusal = ValueError("not like this")
    wishes = [add("A"), add("A", refusal), add("A"), add("B", refusal)]
    results = await asyncio.gather(*(commit(*wish) for wish in wishes), return_exceptions=True)
    assert results == [1, refusal, 2, refusal]
    assert await tally(database, "B") is None
    assert await outbox(database) == []


async def test_a_row_that_breaks_the_statement_breaks_only_its_own_request(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    def too_much(unit: Tallies) -> None:
        unit.rows.set("B", Tally("B", 2**70))

    results = await asyncio.gather(
        commit(*add("A")),
        commit(too_much, lambda unit: unit.rows.prefetch("B")),
        commit(*add("C")),
        return_exceptions=True,
    )
    assert (results[0], results[2]) == (1, 1)
    assert isinstance(results[1], Exception)
    assert await tally(database, "B") is None


@pytest.mark.parametrize(
    ("trouble", "told"), [(DatabaseUnavailable("gone"), Unavailable), (CommitOutcomeUnknown("gone"), OutcomeUnknown)]
)
async def test_a_store_that_is_away_is_told_to_everybody_at_once(
    database: Database[Any],
    commit: GroupCommit[Tallies],
    trouble: Exception,
    told: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(*_args: Any) -> None:
        raise trouble

    monkeypatch.setattr(database, "publish", gone)
    results = await asyncio.gather(*(commit(*add("A")) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [told] * 3


async def test_a_request_that_erases_somebody_empties_what_was_set_aside_about_them(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    who = uuid7()
    broken = replace(record(enveloped(counted("A"))), value=f'{{"customer_id": "{who}"}}'.encode())
    await Consumer(database, "tally_svc", Tallies, HANDLERS).handle([broken])
    await commit(lambda unit: unit.redactions.add(who), lambda unit: None)
    assert [(letter["value"], letter["detail"]) for letter in await buried(database)] == [(None, REDACTED)]


async def test_who_has_gone_away_before_its_turn_changes_nothing(
    database: Database[Any], commit: GroupCommit[Tallies]
) -> None:
    gone = asyncio.ensure_future(commit(*add("A")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await commit(*add("B")) == 1
    assert await tally(database, "A") is None


async def test_writers_of_several_processes_lose_nothing(database: Database[Any]) -> None:
    commits = [GroupCommit(database, Tallies) for _ in range(3)]
    running = [asyncio.create_task(one.run()) for one in commits]
    await asyncio.gather(*(commits[n % 3](*add("A")) for n in range(90)))
    await asyncio.gather(*(ended(task) for task in running))
    found = await tally(database, "A")
    assert found is not None
    assert found.total == 90
