"""The gauges of what lies in the store, on both databases, whichever process put it there."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from prometheus_client import REGISTRY

from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import LetterFilter
from chassis.messaging.store_gauges import StoreGauges
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import in_background
from chassis.testing import records
from tests.chassis.messaging.relayed import write
from tests.chassis.tally import HANDLERS, Tallies, counted

GROUP, TOPIC = "tally_svc", "stock.events"


def lying(state: str, group: str = GROUP) -> float | None:
    return REGISTRY.get_sample_value("shop_dead_letters_lying", {"group": group, "topic": TOPIC, "state": state})


async def test_dead_letters_and_those_behind_them_are_counted_until_they_are_closed(database: Database[Any]) -> None:
    consumer = Consumer(database, GROUP, Tallies, HANDLERS, tries=1)
    await consumer.handle(records([counted("B", "bug"), counted("B", "two"), counted("C", "bug"), counted("B", "3")]))
    gauges = StoreGauges(database, GROUP)
    await gauges.count_letters()
    assert (lying("dead"), lying("parked")) == (2, 2)
    for letter in await database.dead_letters.find(LetterFilter(), None, 10):
        async with database.transaction() as tx:
            if locked := await database.dead_letters.lock_stream(tx, letter.event_id, 10):
                await database.dead_letters.update(tx, [replace(one, state="discarded") for one in locked])
    await gauges.count_letters()
    assert (lying("dead"), lying("parked")) == (0, 0)


async def test_the_letters_of_another_group_are_not_counted(database: Database[Any]) -> None:
    await Consumer(database, "another_svc", Tallies, HANDLERS, tries=1).handle(records([counted("B", "bug")]))
    assert await database.dead_letters.count_open(GROUP) == {}
    assert await database.dead_letters.count_open("another_svc") == {(TOPIC, "dead"): 1}


async def test_the_outbox_is_measured(database: Database[Any]) -> None:
    gauges = StoreGauges(database, GROUP)
    await gauges.measure_outbox()
    assert outbox() == (0, 0)
    async with in_background((commit := GroupCommit(database, Tallies)).run(), "commit"):
        await write(database, commit, "A", 3)
    await gauges.measure_outbox()
    waiting, seconds = outbox()
    assert waiting == 3
    assert (seconds or 0) > 0


def outbox() -> tuple[float | None, float | None]:
    """Events in the outbox, and the age of the oldest."""
    waiting, oldest = (REGISTRY.get_sample_value(f"shop_outbox_{name}") for name in ("waiting", "oldest_seconds"))
    return waiting, oldest


async def test_connections_are_counted_while_they_are_in_use(database: Database[Any]) -> None:
    store = {"store": "postgres" if isinstance(database, Postgres) else "mongo"}
    before = REGISTRY.get_sample_value("shop_pool_connections_in_use", store) or 0
    async with database.transaction() as tx:
        await database.attempts.record(tx, GROUP, [uuid4()])
        during = REGISTRY.get_sample_value("shop_pool_connections_in_use", store)
        # MongoDB's driver uses one for each request, but for load balancers.
        assert during == before + (store["store"] == "postgres")
    assert REGISTRY.get_sample_value("shop_pool_connections_in_use", store) == before
