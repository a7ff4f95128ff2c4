"""``shop lag``: how far the groups are behind, for people and for programs."""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.testing import enveloped
from deploy.local.ports import free_port
from schemas import StockAdjusted, golden
from tests.ops.cli.program import assert_failed, location, run
from tests.ops.world import World

GROUPS = {"customer_svc", "product_svc", "order_svc", "notifier_svc"}


async def commit(world: World, group: str, topic: str, offsets: dict[int, int]) -> None:
    """Commit offsets of a group, as its members would."""
    of_partition = {TopicPartition(world.prefix + topic, number): offset for number, offset in offsets.items()}
    name = world.prefix + group
    async with AIOKafkaConsumer(
        bootstrap_servers=world.servers.kafka, group_id=name, enable_auto_commit=False
    ) as consumer:
        consumer.assign(list(of_partition))
        await consumer.commit(of_partition)


async def of_topic(world: World, group: str, topic: str) -> list[dict[str, Any]]:
    result = await run("lag", "--json", **location(world))
    assert result.status == 0
    return [one for one in result.json if (one["group"], one["topic"]) == (group, topic)]


async def test_every_group_is_listed_with_each_partition_of_its_topics(world: World) -> None:
    found = (await run("lag", "--json", **location(world))).json
    assert {one["group"] for one in found} == GROUPS
    assert all(one.keys() == {"group", "topic", "partition", "committed", "end", "lag"} for one in found)
    assert [(one["topic"], one["partition"]) for one in found if one["group"] == "product_svc"] == [
        *(("erasure.events", 0), ("erasure.events", 1)),
        *(("order.events", 0), ("order.events", 1)),
    ]


async def test_the_lag_is_what_a_group_has_not_committed(world: World) -> None:
    for _ in range(4):
        await world.send(enveloped(golden.example(StockAdjusted)))
    before = await of_topic(world, "order_svc", "stock.events")
    # Without a commit, the group begins with the first event.
    assert all(one["committed"] is None and one["lag"] == one["end"] for one in before)
    busy = max(before, key=lambda one: int(one["end"]))
    await commit(world, "order_svc", "stock.events", {busy["partition"]: busy["end"] - 3})
    [after] = [one for one in await of_topic(world, "order_svc", "stock.events") if one["committed"] is not None]
    assert (after["partition"], after["lag"], after["end"]) == (busy["partition"], 3, busy["end"])
    other_group = await of_topic(world, "notifier_svc", "stock.events")
    assert all(one["committed"] is None for one in other_group)


async def test_people_see_sums_by_topic_or_each_partition_and_what_waits(world: World) -> None:
    await world.registered()
    shown = await run("lag", **location(world))
    assert shown.status == 0
    rows = [line.split()[:3] for line in shown.out.splitlines()]
    assert ["order_svc", "stock.events", "2"] in rows
    assert "customer_svc: 1 events wait in the outbox" in shown.out
    await world.flow()
    each = (await run("lag", "--partitions", "--group", "product_svc", **location(world))).out
    rows = [line.split()[:3] for line in each.splitlines()]
    assert rows[1:] == [
        ["product_svc", topic, number] for topic in ("erasure.events", "order.events") for number in "01"
    ]


async def test_a_group_that_is_too_far_behind_is_a_finding(world: World) -> None:
    await world.send(enveloped(golden.example(StockAdjusted)))
    behind = sum(one["lag"] for one in await of_topic(world, "notifier_svc", "stock.events"))
    assert behind
    assert (await run("lag", "--most", "1000000", **location(world))).status == 0
    assert (await run("lag", "--most", "0", "--group", "notifier_svc", **location(world))).status == 1


async def test_what_cannot_be_read_is_named(world: World) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    kafka = await run("lag", **location(world, KAFKA_BOOTSTRAP_SERVERS=nowhere))
    assert_failed(kafka, "cannot read the lag: kafka: ", nowhere)
    service = await run("lag", **location(world, ORDER_URL=f"http://{nowhere}"))
    assert_failed(service, "order: ", nowhere)
    assert_failed(await run("lag", "--group", "order", **location(world)), "did you mean order_svc?")
