"""Redriving dead letters, on both databases: in order, once, and never leaving a letter parked behind nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import REDACTED, LetterFilter, StoredLetter
from chassis.messaging.records import KafkaRecord
from chassis.messaging.redrive import CHUNK, MAX_REDRIVES, Redrive, Redriven
from chassis.persistence.database import Database
from chassis.persistence.errors import ConcurrentUpdate
from chassis.runtime.retry import retry_until_available
from chassis.testing import records
from tests.chassis.tally import HANDLERS, Tallies, counted, letters, outbox, tally

GROUP = "tally_svc"


def consumer(database: Database[Any]) -> Consumer[Tallies]:
    return Consumer(database, GROUP, Tallies, HANDLERS, tries=1)


async def gone(_record: KafkaRecord) -> bytes | None:
    return None


async def nothing_else(_tx: Any, _outcome: Redriven) -> None:
    pass


def redrive(database: Database[Any], fetch: Any = gone) -> Redrive[Tallies]:
    return Redrive(database, consumer(database), Tallies, fetch)


async def heads(database: Database[Any]) -> list[UUID]:
    return [one.event_id for one in await database.dead_letters.find(LetterFilter({"dead"}), None, 1000)]


async def stored(database: Database[Any]) -> Sequence[StoredLetter]:
    return await database.dead_letters.find(LetterFilter({"dead", "parked", "redriven", "discarded"}), None, 5000)


async def repair(database: Database[Any], event: UUID, reason: str = "repaired") -> None:
    """Edit a letter, as ops would, so that its handler succeeds."""

    async def attempt() -> None:
        async with database.transaction() as tx:
            locked = await database.dead_letters.lock_stream(tx, event, 1)
            if not locked:
                # MongoDB's snapshot can be older than the plain read that found the letter.
                raise ConcurrentUpdate
            [letter] = locked
            value = (letter.record.value or b"").replace(b'"bug"', f'"{reason}"'.encode())
            record, original = replace(letter.record, value=value), letter.original or letter.record.value
            await database.dead_letters.update(tx, [replace(letter, record=record, original=original)])

    await retry_until_available(attempt, "the test", also=(ConcurrentUpdate,))


async def test_a_stream_is_brought_in_order_and_emits_once(database: Database[Any]) -> None:
    batch = records([counted("B", "bug"), counted("B", "two"), counted("A", "other"), counted("B", "three")])
    await consumer(database).handle(batch)
    [head] = await heads(database)
    await repair(database, head, "one")
    outcome = await redrive(database).bring(head, nothing_else)
    assert (len(outcome.brought), outcome.failed, outcome.next) == (3, None, None)
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "one two three "
    assert [key for topic, key in await outbox(database) if topic == "stock.events"] == ["A", "B", "B", "B"]
    assert {one.state for one in await stored(database)} == {"redriven"}


async def test_it_stops_at_the_first_letter_that_fails_again(database: Database[Any]) -> None:
    batch = records([counted("B", "bug"), counted("B", "two"), counted("B", "bug"), counted("B", "four")])
    await consumer(database).handle(batch)
    [head] = await heads(database)
    await repair(database, head)
    outcome = await redrive(database).bring(head, nothing_else)
    assert len(outcome.brought) == 2
    assert outcome.failed is not None
    assert await letters(database) == [
        ("redriven", "handler_failed"),
        ("redriven", "parked"),
        ("dead", "handler_failed"),
        ("parked", "parked"),
    ]
    assert (await heads(database)) == [outcome.failed[0]]
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "repaired two "


async def test_letters_are_brought_in_the_order_of_the_topic_also_where_one_arrived_late(
    database: Database[Any],
) -> None:
    """A replay has parked what was lost between two letters."""
    first, lost, last = records([counted("B", reason) for reason in ("bug", "two", "three")])
    for one in (first, last, lost):
        await consumer(database).handle([one])
    [head] = await heads(database)
    await repair(database, head, "one")
    assert len((await redrive(database).bring(head, nothing_else)).brought) == 3
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "one two three "


async def test_letters_of_a_partition_that_the_key_has_left_come_first(database: Database[Any]) -> None:
    """Partitions were added: the offsets in the new one begin at 0."""
    first, second, third, fourth = records([counted("B", reason) for reason in ("bug", "two", "three", "four")])
    moved = [replace(third, partition=7, offset=0), replace(fourth, partition=7, offset=1)]
    for one in (replace(first, offset=100), replace(second, offset=101), *moved):
        await consumer(database).handle([one])
    [head] = await heads(database)
    await repair(database, head, "one")
    assert len((await redrive(database).bring(head, nothing_else)).brought) == 4
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "one two three four "


async def test_what_arrives_afterwards_is_handled(database: Database[Any]) -> None:
    await consumer(database).handle(records([counted("B", "bug")]))
    [head] = await heads(database)
    await repair(database, head)
    await redrive(database).bring(head, nothing_else)
    await consumer(database).handle(records([counted("B", "live")]))
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "repaired live "


async def test_a_second_redrive_of_the_same_letter_does_nothing(database: Database[Any]) -> None:
    await consumer(database).handle(records([counted("B", "bug"), counted("B", "two")]))
    [head] = await heads(database)
    await repair(database, head)
    outcomes = await asyncio.gather(*(redrive(database).bring(head, nothing_else) for _ in range(4)))
    assert sorted(len(outcome.brought) for outcome in outcomes) == [0, 0, 0, 2]
    found = await tally(database, "B")
    assert found is not None
    assert found.total == 2


async def test_a_dry_run_changes_nothing(database: Database[Any]) -> None:
    await consumer(database).handle(records([counted("B", "bug"), counted("B", "two")]))
    before = await stored(database)
    outcome = await redrive(database).bring((await heads(database))[0], nothing_else, dry_run=True)
    assert outcome.failed is not None
    assert await stored(database) == before
    assert await tally(database, "B") is None


async def test_poison_is_redriven_a_few_times_and_then_no_more(database: Database[Any]) -> None:
    await consumer(database).handle(records([counted("B", "bug")]))
    [head] = await heads(database)
    for nth in range(1, MAX_REDRIVES + 3):
        await redrive(database).bring(head, nothing_else)
        [letter] = await stored(database)
        assert letter.redrives == min(nth, MAX_REDRIVES)
    assert "edit it or discard it" in letter.detail


async def test_a_longer_stream_takes_several_transactions_and_stays_blocked_between_them(
    database: Database[Any],
) -> None:
    batch = records([counted("B", "bug"), *(counted("B", str(nth)) for nth in range(CHUNK))])
    await consumer(database).handle(batch)
    [head] = await heads(database)
    await repair(database, head, "first")
    outcome = await redrive(database).bring(head, nothing_else)
    assert len(outcome.brought) == CHUNK
    assert await heads(database) == [outcome.next]
    await consumer(database).handle(records([counted("B", "live")]))
    assert outcome.next
    outcome = await redrive(database).bring(outcome.next, nothing_else)
    assert len(outcome.brought) == 2
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "first " + "".join(f"{nth} " for nth in range(CHUNK)) + "live "


async def test_a_redacted_letter_is_read_again_from_its_topic(database: Database[Any]) -> None:
    event = counted("B", "bug")
    await consumer(database).handle(records([event]))
    [head] = await heads(database)
    async with database.transaction() as tx:
        [letter] = await database.dead_letters.lock_stream(tx, head, 1)
        redacted = replace(letter, record=replace(letter.record, value=None), detail=REDACTED)
        await database.dead_letters.update(tx, [redacted])

    async def on_topic(_record: KafkaRecord) -> bytes | None:
        return counted("B", "from the topic").model_dump_json().encode()

    gone_now = await redrive(database).bring(head, nothing_else)
    assert gone_now.failed is not None
    [letter] = await stored(database)
    assert (letter.state, letter.detail) == ("dead", REDACTED)
    outcome = await redrive(database, on_topic).bring(head, nothing_else)
    assert outcome.brought == [head]
    [letter] = await stored(database)
    assert letter.record.value is None


async def test_a_redrive_races_a_thousand_live_events_of_its_own_stream(database: Database[Any]) -> None:
    """Nothing is parked behind a head that is gone, and the order is kept; every fiftieth event fails at first."""
    await consumer(database).handle(records([counted("B", "bug")]))
    reasons = ["bug" if nth % 50 == 7 else str(nth) for nth in range(1000)]
    live = records([counted("B", reason) for reason in reasons])
    delivered = asyncio.Event()

    async def deliver() -> None:
        reader = consumer(database)
        for start in range(0, len(live), 20):
            await reader.handle(live[start : start + 20])
        delivered.set()

    async def bring() -> None:
        ended = False
        while not ended:
            # One more round after the last event was delivered.
            ended = delivered.is_set()
            for one in await heads(database):
                await repair(database, one)
                await redrive(database).bring(one, nothing_else)
                ended = False
            await asyncio.sleep(0.001)

    await asyncio.gather(deliver(), bring())
    assert {letter.state for letter in await stored(database)} == {"redriven"}
    found = await tally(database, "B")
    assert found is not None
    expected = ["repaired" if reason == "bug" else reason for reason in ["bug", *reasons]]
    assert found.seen.split() == expected


async def test_a_message_that_cannot_be_read_is_no_better_read_again_and_frees_its_stream_once_discarded(
    database: Database[Any],
) -> None:
    """What docs/how-to/ops.md tells operators to do about it."""
    first, *behind = records([counted("B", "one"), counted("B", "two"), counted("B", "three")])
    await consumer(database).handle([replace(first, value=b"no event at all"), *behind])
    [head] = await heads(database)
    outcome = await redrive(database).bring(head, nothing_else)
    assert outcome.failed
    assert [(one.state, one.reason) for one in await stored(database) if one.event_id == head] == [
        ("dead", "bad_payload")
    ]
    assert await database.dead_letters.count_open(GROUP) == {(first.topic, "dead"): 1, (first.topic, "parked"): 2}

    async def discard() -> None:
        async with database.transaction() as tx:
            letter, following, *_ = await database.dead_letters.lock_stream(tx, head, 2)
            await database.dead_letters.update(
                tx, [replace(letter, state="discarded"), replace(following, state="dead")]
            )

    await retry_until_available(discard, "the test", also=(ConcurrentUpdate, ValueError))
    [head] = await heads(database)
    assert len((await redrive(database).bring(head, nothing_else)).brought) == 2
    found = await tally(database, "B")
    assert found is not None
    assert found.seen == "two three "
    assert await database.dead_letters.count_open(GROUP) == {}
