"""What a database says about events by their ids: whether they were handled, and what became of dead letters."""

from datetime import UTC, datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.database import Database
from chassis.testing import enveloped, record
from tests.chassis.tally import HANDLERS, Tallies, counted


async def test_the_inbox_knows_the_events_of_its_group(database: Database[Any]) -> None:
    good, bad, behind = (enveloped(counted("A", reason)) for reason in ("x", "bug", "x"))
    await Consumer(database, "tally_svc", Tallies, HANDLERS).handle([record(one) for one in (good, bad, behind)])
    ids = [good.id, bad.id, behind.id, uuid7()]
    assert await database.inbox.known("tally_svc", ids) == {good.id, bad.id, behind.id}
    assert await database.inbox.known("other_svc", ids) == set()
    assert await database.inbox.known("tally_svc", []) == set()


async def test_dead_letters_have_their_state_and_the_time_when_they_were_stored(database: Database[Any]) -> None:
    good, bad, behind = (enveloped(counted("A", reason)) for reason in ("x", "bug", "x"))
    await Consumer(database, "tally_svc", Tallies, HANDLERS).handle([record(one) for one in (good, bad, behind)])
    ids = [good.id, bad.id, behind.id, uuid7()]
    letters = await database.dead_letters.states("tally_svc", ids)
    assert {event: letter.state for event, letter in letters.items()} == {bad.id: "dead", behind.id: "parked"}
    for letter in letters.values():
        assert abs(datetime.now(UTC) - letter.at) < timedelta(minutes=1)
    assert await database.dead_letters.states("other_svc", ids) == {}
    assert await database.dead_letters.states("tally_svc", []) == {}
