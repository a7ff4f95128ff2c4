"""Replays of what a group has missed: planned, run and proved, on both databases."""

from dataclasses import replace

from chassis.testing import enveloped
from tests.chassis.replay.world import World
from tests.chassis.tally import counted, letters, outbox, stored_letters, tally


async def seen(world: World, sku: str) -> str:
    found = await tally(world.database, sku)
    return found.seen if found else ""


async def test_the_plan_says_what_the_run_brings(world: World) -> None:
    records = await world.publish([counted(f"SKU-{nth % 7}", str(nth)) for nth in range(100)])
    await world.handle([one for nth, one in enumerate(records) if nth % 2])
    await world.commit_all()
    plan = await world.plan()
    assert plan.state == "planned"
    assert plan.counts is not None
    assert (plan.counts.on_topic, plan.counts.handled, plan.counts.to_bring) == (100, 50, 50)
    assert plan.by_type == {"stock.adjusted": 50}
    assert plan.done.brought == 0
    done = await world.run(plan.id)
    assert (done.state, done.equal, done.digest_run) == ("done", True, plan.digest)
    assert (done.done.brought, done.done.meanwhile, done.done.failed) == (50, 0, 0)
    counts = (await world.plan()).counts
    assert counts is not None
    assert (counts.handled, counts.to_bring) == (100, 0)


async def test_the_whole_history_again_changes_nothing(world: World) -> None:
    records = await world.publish([counted(f"SKU-{nth % 7}", str(nth)) for nth in range(100)])
    await world.handle(records)
    await world.commit_all()
    before = [await seen(world, f"SKU-{nth}") for nth in range(7)], await outbox(world.database)
    plan = await world.plan()
    done = await world.run(plan.id)
    assert (done.state, done.equal, done.done.brought) == ("done", True, 0)
    assert ([await seen(world, f"SKU-{nth}") for nth in range(7)], await outbox(world.database)) == before


async def test_keys_move_when_partitions_are_added(world: World) -> None:
    """karafka#2804: events of a key are brought in the order in which they were published, from all partitions."""
    for nth in range(12):
        # Published one after the other, so that their times differ.
        await world.publish([counted("A", str(nth))], partition=nth % 3)
        await world.publish([counted("B", str(nth))], partition=(nth + 1) % 3)
    await world.commit_all()
    await world.run((await world.plan()).id)
    for sku in "AB":
        assert (await seen(world, sku)).split() == [str(nth) for nth in range(12)]


async def test_it_never_overtakes_the_live_consumer(world: World) -> None:
    await world.publish([counted("A", "1")], partition=0)
    await world.commit_all()
    await world.publish([counted("A", "2")], partition=0)
    plan = await world.plan()
    assert plan.counts is not None
    assert plan.counts.on_topic == 1
    await world.run(plan.id)
    assert await seen(world, "A") == "1 "


async def test_offset_committed_and_event_lost_find_the_hole(world: World) -> None:
    """wolverine#1708."""
    records = await world.publish([counted("A", str(nth)) for nth in range(20)], partition=0)
    await world.handle(records[:7] + records[8:])
    await world.commit_all()
    plan = await world.plan()
    assert plan.counts is not None
    assert (plan.counts.to_bring, plan.counts.late) == (1, 1)
    await world.run(plan.id)
    assert (await seen(world, "A")).split()[-1] == "7"


async def test_selections(world: World) -> None:
    await world.publish([counted("A", "1"), counted("B", "1"), counted("A", "2")])
    await world.commit_all()
    plan = await world.plan(key="A", topic="stock.events")
    assert plan.counts is not None
    assert (plan.counts.to_bring, plan.counts.filtered) == (2, 1)
    nothing = (await world.plan(type="stock.low")).counts
    assert nothing is not None
    assert (nothing.to_bring, nothing.filtered) == (0, 3)
    late = (await world.plan(since=int(2e12))).counts
    assert late is not None
    assert late.on_topic == 0


async def test_offsets_that_are_not_on_the_topic_are_refused(world: World) -> None:
    await world.publish([counted("A", "1")], partition=0)
    await world.commit_all()
    plan = await world.plan(topic="stock.events", offsets={"0": [0, 5]})
    assert plan.state == "failed"
    assert plan.error is not None
    assert "0 to 5 of stock.events/0 are not all on the topic" in plan.error


async def test_what_the_live_consumer_handles_meanwhile_is_summed_apart(world: World) -> None:
    records = await world.publish([counted("A", str(nth)) for nth in range(20)], partition=0)
    await world.commit_all()
    plan = await world.plan()
    await world.handle(records[:5])
    done = await world.run(plan.id)
    assert (done.done.brought, done.done.meanwhile, done.equal) == (15, 5, True)
    assert await seen(world, "A") == "".join(f"{nth} " for nth in range(20))


async def test_an_event_twice_on_the_topic_is_brought_once(world: World) -> None:
    message = enveloped(counted("A", "1"))
    await world.publish([message, message, message], partition=0)
    await world.commit_all()
    plan = await world.plan()
    assert plan.counts is not None
    assert (plan.counts.to_bring, plan.counts.repeated) == (1, 2)
    assert (await world.run(plan.id)).equal
    assert await seen(world, "A") == "1 "


async def test_what_fails_becomes_a_dead_letter_and_is_counted(world: World) -> None:
    good = enveloped(counted("C", "1"))
    unreadable = replace(good, value=b"no JSON", key="D", headers={**good.headers, "ce_subject": "D"})
    await world.publish([counted("A", "bug"), counted("A", "2"), counted("B", "1"), unreadable], partition=0)
    await world.commit_all()
    plan = await world.plan()
    assert plan.counts is not None
    assert (plan.counts.to_bring, plan.counts.unreadable) == (4, 1)
    done = await world.run(plan.id)
    assert (done.done.brought, done.done.failed, done.equal) == (1, 3, True)
    assert sorted(await letters(world.database)) == [
        ("dead", "bad_payload"),
        ("dead", "handler_failed"),
        ("parked", "parked"),
    ]
    again = (await world.plan()).counts
    assert again is not None
    assert (again.dead_lettered, again.to_bring) == (3, 0)


async def test_an_event_behind_a_dead_letter_is_parked(world: World) -> None:
    [bad] = await world.publish([counted("A", "bug")], partition=0)
    await world.handle([bad])
    await world.publish([counted("A", "2")], partition=0)
    await world.commit_all()
    plan = await world.plan()
    assert plan.counts is not None
    assert plan.counts.behind_dead_letter == 1
    await world.run(plan.id)
    assert [one["state"] for one in await stored_letters(world.database)] == ["dead", "parked"]


async def test_an_event_before_a_dead_letter_does_not_wait_for_it(world: World) -> None:
    """A registration was lost, and the change of profile after it failed for that reason."""
    await world.publish([counted("A", "lost")], partition=0)
    await world.handle(await world.publish([counted("A", "bug"), counted("A", "live")], partition=0))
    await world.commit_all()
    plan = await world.plan()
    assert plan.counts is not None
    assert (plan.counts.to_bring, plan.counts.behind_dead_letter) == (1, 0)
    done = await world.run(plan.id)
    assert (done.done.brought, done.equal) == (1, True)
    assert await seen(world, "A") == "lost "
    assert [one["state"] for one in await stored_letters(world.database)] == ["dead", "parked"]
