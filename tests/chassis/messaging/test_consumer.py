"""The consumer, on both databases: each event has exactly one effect, and a poison event affects only its key."""

import asyncio
import random
from dataclasses import replace
from itertools import repeat
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import REDACTED
from chassis.messaging.inbox import Deduplication
from chassis.messaging.records import KafkaRecord
from chassis.persistence.database import Database
from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable
from chassis.persistence.mongo.database import Mongo
from chassis.runtime.telemetry import _with_trace
from chassis.testing import enveloped, record, records
from schemas import Envelope, encode
from tests.chassis.tally import (
    BEGIN,
    HANDLERS,
    Deadly,
    Tallies,
    counted,
    letters,
    make_tables,
    outbox,
    stored_letters,
    tally,
)


def consumer(database: Database[Any], **options: Any) -> Consumer[Tallies]:
    return Consumer(database, "tally_svc", Tallies, HANDLERS, **options)


async def total(database: Database[Any], sku: str) -> int:
    found = await tally(database, sku)
    return found.total if found else 0


async def test_a_batch_is_handled_in_order_and_emits_in_order(database: Database[Any]) -> None:
    await consumer(database).handle(records([counted("A", "one"), counted("B", "one"), counted("A", "two")]))
    found = await tally(database, "A")
    assert found is not None
    assert (found.total, found.seen) == (2, "one two ")
    assert [key for _, key in await outbox(database)] == ["A", "B", "A"]


async def test_an_event_twice_in_one_batch_has_one_effect(database: Database[Any]) -> None:
    twice = records([counted("A")])[0]
    await consumer(database).handle([twice, twice])
    assert await total(database, "A") == 1
    assert len(await outbox(database)) == 1


async def test_a_batch_delivered_again_has_no_further_effect(database: Database[Any]) -> None:
    batch = records([counted("A"), counted("B")])
    for _ in range(3):
        await consumer(database).handle(batch)
    assert (await total(database, "A"), await total(database, "B")) == (1, 1)


@pytest.mark.parametrize("seed", range(5))
async def test_thrice_twice_in_a_batch_and_interleaved_comes_to_the_same(database: Database[Any], seed: int) -> None:
    chance = random.Random(seed)
    plain = {sku: records([counted(sku, str(n), delta=n) for n in range(8)]) for sku in "ABC"}
    delivered = messy(plain, chance)
    reader = consumer(database)
    while delivered:
        size = chance.randint(1, 12)
        await reader.handle(delivered[:size])
        delivered = delivered[size:]
    for sku in "ABC":
        found = await tally(database, sku)
        assert found is not None
        assert (found.total, found.seen) == (28, "0 1 2 3 4 5 6 7 ")


def messy(plain: dict[str, list[KafkaRecord]], chance: random.Random) -> list[KafkaRecord]:
    """Every record three times, each key's first deliveries in order, the keys in each other's way."""
    queues = {sku: [again for one in batch for again in (one, one)] + batch for sku, batch in plain.items()}
    delivered = []
    while queues:
        sku = chance.choice(sorted(queues))
        delivered.append(queues[sku].pop(0))
        if not queues[sku]:
            del queues[sku]
    return delivered


async def test_two_workers_with_the_same_events_have_one_effect(database: Database[Any]) -> None:
    batch = records([counted(sku) for sku in "ABCDEFGH" for _ in range(5)])
    await asyncio.gather(*(consumer(database).handle(batch) for _ in range(3)))
    assert [await total(database, sku) for sku in "ABCDEFGH"] == [5] * 8


async def test_a_failing_handler_leaves_a_dead_letter_and_nothing_else(database: Database[Any]) -> None:
    batch = records([counted("A"), counted("B", "bug"), counted("B", "later"), counted("C")])
    await consumer(database).handle(batch)
    assert [await total(database, sku) for sku in "ABC"] == [1, 0, 1]
    assert await letters(database) == [("dead", "handler_failed"), ("parked", "parked")]
    published = await outbox(database)
    assert sorted(published) == sorted(
        [("stock.events", "A"), ("stock.events", "C"), ("tally_svc.dlq", "B"), ("tally_svc.dlq", "B")]
    )


async def test_later_batches_of_the_key_wait_too(database: Database[Any]) -> None:
    await consumer(database).handle(records([counted("B", "bug")]))
    await consumer(database).handle(records([counted("B"), counted("A")]))
    assert (await total(database, "A"), await total(database, "B")) == (1, 0)
    assert await letters(database) == [("dead", "handler_failed"), ("parked", "parked")]


def undecodable() -> list[tuple[str, KafkaRecord]]:
    good = record(enveloped(counted("A")))
    headers = dict(good.headers)

    def having(**changed: bytes) -> tuple[tuple[str, bytes], ...]:
        return tuple((headers | {"ce_id": str(uuid7()).encode()} | changed).items())

    urn = b"urn:shopstream:schema:"
    return [
        ("bad_headers", replace(good, headers=(), value=b"\xff\x00", offset=900)),
        ("bad_headers", replace(good, headers=having(ce_time=b"yesterday"))),
        ("bad_headers", replace(good, headers=having(ce_source=b"\xff"))),
        ("unknown_type", replace(good, headers=having(ce_dataschema=urn + b"stock.adjusted:2"))),
        ("unknown_type", replace(good, headers=having(ce_dataschema=b"nonsense"))),
        ("bad_payload", replace(good, headers=having(), value=b"not JSON")),
        ("bad_payload", replace(good, headers=having(), value=b"{}")),
        ("bad_payload", replace(good, headers=having(), value=None)),
    ]


def misplaced() -> list[KafkaRecord]:
    good = record(enveloped(counted("A", "forged")))
    headers = dict(good.headers)
    return [
        replace(good, headers=tuple((headers | {"ce_source": b"/shopstream/order_svc"}).items())),
        replace(good, headers=tuple((headers | {"ce_subject": b"B"}).items())),
        replace(good, key=b"B"),
        replace(good, key=None),
    ]


@pytest.mark.parametrize("forged", misplaced(), ids=["source", "subject", "key", "no key"])
async def test_a_misplaced_message_is_set_aside_and_holds_nobody_up(
    database: Database[Any], forged: KafkaRecord
) -> None:
    """It claims the id of a genuine event, which is handled all the same, and so is everything else of its key."""
    genuine = record(enveloped(counted("A", "genuine"), event_id=UUID(dict(forged.headers)["ce_id"].decode())))
    await consumer(database).handle([forged])
    await consumer(database).handle([genuine, *records([counted("A", "next"), counted("B")])])
    assert await letters(database) == [("dead", "misplaced")]
    assert (await total(database, "A"), await total(database, "B")) == (2, 1)


async def test_a_payload_about_another_key_is_a_bad_payload(database: Database[Any]) -> None:
    good = record(enveloped(counted("A")))
    headers = tuple((dict(good.headers) | {"ce_subject": b"B"}).items())
    await consumer(database).handle([replace(good, key=b"B", headers=headers)])
    assert await letters(database) == [("dead", "bad_payload")]


@pytest.mark.parametrize(("reason", "poison"), undecodable())
async def test_an_unreadable_message_is_dead_lettered(
    database: Database[Any], reason: str, poison: KafkaRecord
) -> None:
    later = [
        replace(one, offset=poison.offset + 1 + n) for n, one in enumerate(records([counted("A"), counted("B")]))
    ]
    batch = [poison, *later]
    await consumer(database).handle(batch)
    await consumer(database).handle(batch)
    assert (await total(database, "A"), await total(database, "B")) == (0, 1)
    assert await letters(database) == [("dead", reason), ("parked", "parked")]


async def test_without_a_key_nothing_waits_behind_it(database: Database[Any]) -> None:
    poison = replace(records([counted("A")])[0], key=None, value=b"")
    await consumer(database).handle([poison, *records([counted("A")])])
    assert await total(database, "A") == 1
    assert await letters(database) == [("dead", "misplaced")]


async def test_an_event_that_kills_the_process_is_dead_lettered_in_the_end(
    database: Database[Any],
) -> None:
    batch = records([counted("A"), counted("B", "deadly"), counted("B", "later"), counted("C")])
    for start in range(1, 4):
        with pytest.raises(Deadly):
            await consumer(database, max_starts=3).handle(batch)
        # At the last start before the end suspects are handled alone: the one before the killer gets through.
        assert await total(database, "A") == (1 if start == 3 else 0)
    await consumer(database, max_starts=3).handle(batch)
    assert [await total(database, sku) for sku in "ABC"] == [1, 0, 1]
    assert await letters(database) == [("dead", "handler_failed"), ("parked", "parked")]


@pytest.mark.parametrize("trouble", [DatabaseUnavailable("gone"), ConcurrentUpdate("taken")])
async def test_trouble_with_the_database_is_waited_out(
    database: Database[Any], trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    times, deduplicate = iter([trouble, trouble]), database.inbox.deduplicate

    def sometimes(*args: Any) -> Deduplication:
        for error in times:
            raise error
        return deduplicate(*args)

    monkeypatch.setattr(database.inbox, "deduplicate", sometimes)
    await consumer(database).handle(records([counted("A"), counted("B")]))
    assert (await total(database, "A"), await total(database, "B")) == (1, 1)
    assert await letters(database) == []


async def test_a_row_locked_for_long_costs_no_event(database: Database[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.messaging.consumer.backoff", lambda *_: repeat(0.0))
    left, deduplicate = iter(range(300)), database.inbox.deduplicate

    def busy(*args: Any) -> Deduplication:
        for _ in left:
            raise ConcurrentUpdate("kept by a client that was killed")
        return deduplicate(*args)

    monkeypatch.setattr(database.inbox, "deduplicate", busy)
    await consumer(database).handle(records([counted("A")]))
    assert await total(database, "A") == 1
    assert await letters(database) == []


async def test_a_conflict_that_never_ends_is_a_fault_of_the_event(
    database: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.messaging.consumer.CONFLICT_SECONDS", 0.05)
    load = Tallies.load

    async def conflicting(unit: Tallies, tx: Any) -> None:
        if "A" in unit.rows.missing:
            raise ConcurrentUpdate("for ever")
        await load(unit, tx)

    monkeypatch.setattr(Tallies, "load", conflicting)
    await consumer(database).handle(records([counted("A"), counted("B")]))
    assert await letters(database) == [("dead", "handler_failed")]
    monkeypatch.undo()
    assert await total(database, "B") == 1


async def test_events_wait_for_a_database_that_is_not_migrated(mongo: Mongo) -> None:
    await make_tables(mongo)
    lease = await mongo.db.leases.find_one_and_delete({"_id": "relay"})
    assert lease is not None
    handling = asyncio.create_task(consumer(mongo).handle(records([counted("A")])))
    await asyncio.sleep(0.5)
    assert not handling.done()
    await mongo.db.leases.insert_one(lease)
    async with asyncio.timeout(20):
        await handling
    assert await total(mongo, "A") == 1
    assert await letters(mongo) == []


def about(subject: str, one: KafkaRecord) -> tuple[tuple[str, bytes], ...]:
    return tuple((dict(one.headers) | {"ce_subject": subject.encode()}).items())


async def test_dead_letters_about_an_erased_customer_are_redacted(database: Database[Any]) -> None:
    who, other = uuid7(), uuid7()
    broken = records([counted(sku) for sku in "ABCD"])
    values = [
        f'{{"customer_id": "{who}", "name": "Ada"}}',
        "?",
        f'{{"customer_id": "{other}", "name": "Ada"}}',
        "Ada?",
    ]
    keys = ["A", str(who), "C", str(other)]
    aside = [
        replace(one, value=value.encode(), key=key.encode(), headers=about(key, one))
        for one, value, key in zip(broken, values, keys, strict=True)
    ]
    await consumer(database).handle(aside)
    before = await stored_letters(database)
    await consumer(database).handle(records([counted("E", f"erase {who}")]))
    after = await stored_letters(database)
    assert [letter["value"] for letter in after] == [None, None, values[2].encode(), values[3].encode()]
    assert [letter["detail"] == REDACTED for letter in after] == [True, True, False, False]
    assert [story(letter) for letter in after] == [story(letter) for letter in before]
    assert await letters(database) == [("dead", "bad_payload")] * 4


def story(letter: dict[str, Any]) -> dict[str, Any]:
    """All that the audit goes by."""
    return {name: value for name, value in letter.items() if name not in ("value", "detail")}


async def test_what_is_logged_about_an_event_carries_its_trace(database: Database[Any]) -> None:
    trace_id = uuid7().hex
    event = counted("A", "bug")
    bad = encode(Envelope(uuid7(), event.source, BEGIN, 1, event, trace=f"00-{trace_id}-00f067aa0ba902b7-01"))
    with capture_logs(processors=[_with_trace]) as logs:
        await consumer(database, tries=1).handle([record(bad)])
    assert {(one["event"], one.get("trace_id")) for one in logs} == {
        ("event failed", trace_id),
        ("dead letter", trace_id),
    }
