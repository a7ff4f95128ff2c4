"""The gauge of dead letters, on both databases: what lies in the store, whichever process put it there."""

from dataclasses import replace
from typing import Any

from prometheus_client import REGISTRY

from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import LetterFilter
from chassis.messaging.letter_gauge import LetterGauge
from chassis.persistence.database import Database
from chassis.testing import records
from tests.chassis.tally import HANDLERS, Tallies, counted

GROUP, TOPIC = "tally_svc", "stock.events"


def lying(state: str, group: str = GROUP) -> float | None:
    return REGISTRY.get_sample_value("shop_dead_letters_lying", {"group": group, "topic": TOPIC, "state": state})


async def test_dead_letters_and_those_behind_them_are_counted_until_they_are_closed(database: Database[Any]) -> None:
    consumer = Consumer(database, GROUP, Tallies, HANDLERS, tries=1)
    await consumer.handle(records([counted("B", "bug"), counted("B", "two"), counted("C", "bug"), counted("B", "3")]))
    gauge = LetterGauge(database, GROUP)
    await gauge.refresh()
    assert (lying("dead"), lying("parked")) == (2, 2)
    for letter in await database.dead_letters.find(LetterFilter(), None, 10):
        async with database.transaction() as tx:
            if locked := await database.dead_letters.lock_stream(tx, letter.event_id, 10):
                await database.dead_letters.update(tx, [replace(one, state="discarded") for one in locked])
    await gauge.refresh()
    assert (lying("dead"), lying("parked")) == (0, 0)


async def test_the_letters_of_another_group_are_not_counted(database: Database[Any]) -> None:
    await Consumer(database, "another_svc", Tallies, HANDLERS, tries=1).handle(records([counted("B", "bug")]))
    assert await database.dead_letters.count_open(GROUP) == {}
    assert await database.dead_letters.count_open("another_svc") == {(TOPIC, "dead"): 1}
