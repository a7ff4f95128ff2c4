"""Redrives as jobs of the event process, on both databases."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.jobs.domain import Job
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import LetterFilter
from chassis.runtime import failpoints
from chassis.testing import enveloped
from schemas import CATALOGUE, StockAdjusted
from tests.chassis.replay.world import WHO, World
from tests.chassis.tally import HANDLERS, Tallies, counted, letters, outbox, tally


class Killed(BaseException):
    """Stands for SIGKILL."""


async def heads(world: World) -> list[UUID]:
    return [one.event_id for one in await world.database.dead_letters.find(LetterFilter({"dead"}), None, 1000)]


async def redrive(world: World, selected: Sequence[UUID], **request: Any) -> UUID:
    wanted = {"letters": [str(event) for event in selected], **request}
    job = Job(uuid7(), "redrive", "running", wanted, {}, WHO, "test")
    async with world.database.transaction() as tx:
        await world.database.jobs.add(tx, job)
    return job.id


async def progress(world: World, job_id: UUID) -> tuple[str, dict[str, Any]]:
    job = await world.database.jobs.get(job_id)
    assert job is not None
    return job.state, dict(job.progress)


async def repair_all(world: World) -> None:
    """Edit every head, so that its handler succeeds."""
    for event in await heads(world):
        async with world.database.transaction() as tx:
            [letter, *_] = await world.database.dead_letters.lock_stream(tx, event, 1)
            value = (letter.record.value or b"").replace(b'"bug"', b'"repaired"')
            record = replace(letter.record, value=value)
            await world.database.dead_letters.update(tx, [replace(letter, record=record, original=b"")])


async def broken(world: World, streams: int) -> list[UUID]:
    """Streams that have a dead head and a letter behind it."""
    for nth in range(streams):
        await world.handle(await world.publish([counted(f"S{nth}", "bug"), counted(f"S{nth}", "next")], partition=0))
    return await heads(world)


async def seen(world: World, sku: str) -> str:
    found = await tally(world.database, sku)
    return found.seen if found else ""


async def test_bulk_redrive(world: World) -> None:
    """kafbat/kafka-ui#1920."""
    selected = await broken(world, 10)
    await repair_all(world)
    job_id = await redrive(world, selected)
    await world.loop().step()
    state, found = await progress(world, job_id)
    assert (state, found["brought"], found["failed"], found["streams"]) == ("done", 20, 0, 10)
    for nth in range(10):
        assert await seen(world, f"S{nth}") == "repaired next "


async def test_batch_and_single_redrive_handled_twice(world: World) -> None:
    """Particular/ServiceControl#4797: however often a letter is selected, it is handled once."""
    selected = await broken(world, 3)
    await repair_all(world)
    jobs = [await redrive(world, wanted) for wanted in (selected, selected[:1], selected)]
    loop = world.loop()
    while await loop.step():
        pass
    states = [await progress(world, job) for job in jobs]
    assert [found["brought"] for _, found in states] == [6, 0, 0]
    assert [found.get("skipped") for _, found in states] == [0, 1, 3]
    assert await seen(world, "S0") == "repaired next "


@pytest.mark.parametrize(
    ("point", "nth"), [("redrive.commit.before", 2), ("redrive.commit.after", 1), ("redrive.commit.after", 3)]
)
async def test_a_restart_half_way_left_a_rest(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str, nth: int
) -> None:
    """ServicePulse#390: a killed redrive goes on where it was, and its counts are exact."""
    selected = await broken(world, 4)
    await repair_all(world)
    job_id = await redrive(world, selected)
    reached = 0

    async def reach(name: str) -> None:
        nonlocal reached
        reached += name == point
        if name == point and reached == nth:
            raise Killed

    monkeypatch.setattr(failpoints, "armed", True)
    monkeypatch.setattr(failpoints, "reach", reach)
    with pytest.raises(Killed):
        await world.loop().step()
    await world.expire_leases()
    await world.loop().step()
    state, found = await progress(world, job_id)
    assert (state, found["brought"], found["failed"], found["skipped"]) == ("done", 8, 0, 0)
    for stream in range(4):
        assert await seen(world, f"S{stream}") == "repaired next "
    assert len([key for topic, key in await outbox(world.database) if topic == "stock.events"]) == 8


async def test_redrive_to_the_one_subscriber_that_failed(world: World) -> None:
    """Azure/azure-service-bus#445: nothing is republished, so that no other group hears the event again."""
    selected = await broken(world, 1)
    other = Consumer(world.database, "other_svc", Tallies, HANDLERS, tries=1)
    await repair_all(world)
    before = Counter(topic for topic, _ in await outbox(world.database))
    await redrive(world, selected)
    await world.loop().step()
    # What is new on the topics is what the handlers emit now, and not the letters.
    emitted = Counter(topic for topic, _ in await outbox(world.database)) - before
    assert emitted == {"stock.events": 2}
    assert await world.database.inbox.known(other.group, selected) == set()


async def test_older_code_meets_newer_events(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """AxonFramework#413: an event of a version that this code does not know waits until the code does."""
    newer = enveloped(counted("A", "new"))
    headers = {**newer.headers, "ce_dataschema": "urn:shopstream:schema:stock.adjusted:2"}
    await world.handle(await world.publish([replace(newer, headers=headers)], partition=0))
    assert await letters(world.database) == [("dead", "unknown_type")]
    job_id = await redrive(world, await heads(world))
    await world.loop().step()
    _, found = await progress(world, job_id)
    assert (found["brought"], found["failed"]) == (0, 1)
    assert await letters(world.database) == [("dead", "unknown_type")]
    monkeypatch.setitem(CATALOGUE, ("stock.adjusted", 2), StockAdjusted)
    await redrive(world, await heads(world))
    await world.loop().step()
    assert await seen(world, "A") == "new "


async def test_a_dry_run_says_what_would_happen(world: World) -> None:
    """Poison again and again: it is tried without effect first, and capped (``test_redrive``)."""
    selected = await broken(world, 2)
    job_id = await redrive(world, selected, dry_run=True)
    await world.loop().step()
    state, found = await progress(world, job_id)
    assert (state, found["brought"], found["failed"]) == ("done", 0, 2)
    assert {one["outcome"] for one in found["results"]} == {"failed"}
    assert [state for state, _ in await letters(world.database)] == ["dead", "parked"] * 2
    assert all(letter.redrives == 0 for letter in await world.database.dead_letters.find(LetterFilter(), None, 10))
