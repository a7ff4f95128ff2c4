"""Replays that are interrupted in every way: same counts, and nothing is done twice. On both databases."""

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

from chassis.jobs.domain import MAX_STARTS
from chassis.jobs.loop import JobLoop
from chassis.persistence.errors import CommitOutcomeUnknown, ConcurrentUpdate, DatabaseUnavailable
from chassis.replay.pace import LiveConsumer
from chassis.runtime import failpoints
from tests.chassis.replay.world import World
from tests.chassis.tally import counted, outbox, tally

EVENTS = 60


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the chassis may catch it."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The process dies when it reaches a fail point for the nth time, once."""

    def arm(point: str, nth: int) -> None:
        reached = 0

        async def reach(name: str) -> None:
            nonlocal reached
            reached += name == point
            if name == point and reached == nth:
                raise Killed

        monkeypatch.setattr(failpoints, "armed", True)
        monkeypatch.setattr(failpoints, "reach", reach)

    return arm


async def missed(world: World, count: int = EVENTS) -> None:
    await world.publish([counted(f"SKU-{nth % 5}", str(nth)) for nth in range(count)])
    await world.commit_all()


async def handled_once(world: World, count: int = EVENTS) -> None:
    for sku in range(5):
        found = await tally(world.database, f"SKU-{sku}")
        assert found is not None
        assert found.seen.split() == [str(nth) for nth in range(count) if nth % 5 == sku]
    assert len(await outbox(world.database)) == count


async def die(world: World, loop: JobLoop) -> None:
    """Run until the process dies, and let its lease run out."""

    async def work() -> None:
        while await loop.step():
            pass

    with pytest.raises(Killed):
        await work()
    await world.expire_leases()


POINTS = [
    ("replay.planned.before", 1),
    *(("replay.commit.before", nth) for nth in (1, 2, 5)),
    *(("replay.commit.after", nth) for nth in (1, 3)),
    *(("consumer.commit.before", nth) for nth in (1, 4)),
    *(("consumer.commit.after", nth) for nth in (1, 4)),
    ("replay.done.before", 1),
]


@pytest.mark.parametrize(("point", "nth"), POINTS)
async def test_a_kill_at_any_point_repeats_nothing(world: World, kill_at: Any, point: str, nth: int) -> None:
    await missed(world)
    job_id = await world.request(rate=40)
    planned_at_once = not point.startswith("replay.planned")
    if planned_at_once:
        await world.finish(job_id)
        await world.set_state(job_id, "running")
    kill_at(point, nth)
    await die(world, world.loop())
    if not planned_at_once:
        await world.finish(job_id)
        await world.set_state(job_id, "running")
    await world.unlimited(job_id)
    await world.finish(job_id)
    done = await world.replay(job_id)
    assert (done.state, done.equal, done.done.brought, done.done.meanwhile) == ("done", True, EVENTS, 0)
    await handled_once(world)


async def test_a_job_that_yields_to_live_events_and_dies_brings_the_rest(
    world: World, kill_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has read and not brought yet does not count as done, while it keeps its lease."""
    looks = iter([True])

    async def falls_behind(_: LiveConsumer) -> bool:
        return next(looks, False)

    monkeypatch.setattr(LiveConsumer, "falls_behind", falls_behind)
    await missed(world)
    plan = await world.plan(rate=40)
    await world.set_state(plan.id, "running")
    looks = iter([True])
    kill_at("consumer.commit.before", 2)
    await die(world, world.loop())
    await world.unlimited(plan.id)
    await world.finish(plan.id)
    done = await world.replay(plan.id)
    assert (done.state, done.equal, done.done.brought, done.done.meanwhile) == ("done", True, EVENTS, 0)
    await handled_once(world)


@pytest.mark.parametrize("error", [CommitOutcomeUnknown, ConcurrentUpdate, DatabaseUnavailable])
async def test_a_commit_with_another_outcome_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    await missed(world)
    plan = await world.plan(rate=100)
    tries = 0
    before, after = error is not CommitOutcomeUnknown, error is CommitOutcomeUnknown

    async def reach(name: str) -> None:
        nonlocal tries
        if name == ("consumer.commit.before" if before else "consumer.commit.after"):
            tries += 1
            if tries in (1, 3):
                raise error("on purpose")

    monkeypatch.setattr(failpoints, "armed", True)
    monkeypatch.setattr(failpoints, "reach", reach)
    done = await world.run(plan.id)
    assert (done.state, done.equal, done.done.brought, done.done.meanwhile) == ("done", True, EVENTS, 0)
    assert after or tries > 3
    await handled_once(world)


async def test_a_job_that_kills_its_process_is_failed(world: World, kill_at: Any) -> None:
    await missed(world)
    plan = await world.plan()
    await world.set_state(plan.id, "running")
    for _ in range(MAX_STARTS):
        kill_at("replay.commit.before", 1)
        await die(world, world.loop())
    await world.loop().step()
    found = await world.replay(plan.id)
    assert found.state == "failed"
    assert found.error is not None
    assert "died 3 times" in found.error
    assert found.done.brought == 0


async def test_a_pause_forgotten_at_a_restart(world: World) -> None:
    """debezium#6030: a pause takes hold within a second, and outlives a restart; cancelling leaves the rest."""
    await missed(world)
    plan = await world.plan(rate=20)
    await world.set_state(plan.id, "running")
    running = asyncio.create_task(world.loop().step())
    await until_brought(world, plan.id, 5)
    await world.set_state(plan.id, "paused")
    before = (await world.replay(plan.id)).done.brought
    await running
    brought = (await world.replay(plan.id)).done.brought
    assert brought - before <= 20, "a second's worth at this rate"
    assert await world.loop().step() == 0
    assert (await world.replay(plan.id)).done.brought == brought < EVENTS
    await world.unlimited(plan.id)
    await world.run(plan.id)
    assert (await world.replay(plan.id)).equal
    await handled_once(world)


async def test_a_cancelled_replay_keeps_what_it_has_brought(world: World) -> None:
    await missed(world)
    plan = await world.plan(rate=20)
    await world.set_state(plan.id, "running")
    running = asyncio.create_task(world.loop().step())
    await until_brought(world, plan.id, 5)
    await world.set_state(plan.id, "cancelled")
    await running
    brought = (await world.replay(plan.id)).done.brought
    assert len(await outbox(world.database)) == brought
    again = await world.plan()
    assert again.counts is not None
    assert again.counts.to_bring == EVENTS - brought


async def test_one_job_at_a_time(world: World) -> None:
    await missed(world)
    plan = await world.plan(rate=20)
    await world.set_state(plan.id, "running")
    running = asyncio.create_task(world.loop().step())
    await until_brought(world, plan.id, 1)
    assert await world.loop().step() == 0
    await world.set_state(plan.id, "cancelled")
    await running


async def test_a_stopped_process_that_wakes_up_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease ran out, and another process has taken over."""
    await missed(world)
    plan = await world.plan(rate=40)
    await world.set_state(plan.id, "running")
    stopped, woken = asyncio.Event(), asyncio.Event()

    async def reach(name: str) -> None:
        if name == "replay.commit.after" and not stopped.is_set():
            stopped.set()
            await woken.wait()

    monkeypatch.setattr(failpoints, "armed", True)
    monkeypatch.setattr(failpoints, "reach", reach)
    sleeper = asyncio.create_task(world.loop().step())
    await stopped.wait()
    await world.expire_leases()
    await world.unlimited(plan.id)
    await world.finish(plan.id)
    woken.set()
    await sleeper
    assert (await world.replay(plan.id)).equal
    await handled_once(world)


async def until_brought(world: World, job_id: UUID, count: int) -> None:
    async with asyncio.timeout(20):
        while (await world.replay(job_id)).done.brought < count:
            await asyncio.sleep(0.02)


async def test_the_rate_is_kept(world: World) -> None:
    await missed(world, 200)
    plan = await world.plan(rate=100)
    started = time.monotonic()
    await world.run(plan.id)
    assert time.monotonic() - started > 200 / 100 * 0.9


def test_points_exist() -> None:
    assert {point for point, _ in POINTS} <= failpoints.POINTS.keys()
