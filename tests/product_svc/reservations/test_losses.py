"""Units that staff take away though orders hold them, in a real database."""

from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from product_svc.errors import InsufficientStock
from product_svc.stock.commands import AdjustStock
from schemas import MissingRequested, OrderPlaced, RemainderCancelled, StockAdjusted, StockCommitted, StockLost
from tests.outbox import envelopes, events
from tests.product_svc.factories import (
    PRICE,
    Commit,
    about,
    accepted,
    adjust,
    amended,
    cancelled,
    handle,
    lines,
    numbers,
    placed,
    priced,
    refused,
    reservation,
    shipped,
    stocked,
)


async def damage(commit: Commit, sku: str, units: int) -> Any:
    return await commit(AdjustStock(sku, -units, "damage", take_held=True))


def again(order: OrderPlaced, revision: int = 1) -> MissingRequested:
    return MissingRequested(**about(order), revision=revision)


def lost(order: OrderPlaced, quantities: dict[str, int], revision: int = 1) -> StockLost:
    return StockLost(order_id=order.order_id, lines=lines(quantities), revision=revision)


async def movements(database: Mongo, sku: str) -> list[tuple[int, str]]:
    found = await database.db.movements.find({"sku": sku}).sort("_id").to_list()
    return [(one["delta"], one["reason"]) for one in found]


async def test_what_is_available_goes_first_and_then_what_the_newest_orders_hold(
    shared: Mongo, commit: Commit
) -> None:
    sku, other = await stocked(commit, 8), await stocked(commit, 9)
    old, middle, new = placed({sku: 2}), placed({sku: 3, other: 1}), placed({sku: 2})
    await handle(shared, old, middle, new)
    stock = await damage(commit, sku, 4)
    assert (stock.on_hand, stock.reserved, await numbers(shared, sku)) == (4, 4, (4, 4))
    assert await reservation(shared, old.order_id) == ("held", {sku: 2}, 1)
    assert await reservation(shared, middle.order_id) == ("held", {sku: 2, other: 1}, 2)
    assert await reservation(shared, new.order_id) == ("held", {}, 2)
    assert [(one.aggregate_version, one.event) for one in (await envelopes(shared, middle.order_id))[1:]] == [
        (2, lost(middle, {sku: 1}))
    ]
    assert (await events(shared, new.order_id))[1:] == [lost(new, {sku: 2})]
    assert (await events(shared, sku))[-1] == StockAdjusted(sku=sku, delta=-4, reason="damage", on_hand=4, reserved=4)
    assert await numbers(shared, other) == (9, 1)
    # What follows takes from the next, and says everything that is missing.
    await damage(commit, sku, 1)
    assert (await events(shared, middle.order_id))[-1] == lost(middle, {sku: 2})


async def test_orders_lose_nothing_while_enough_is_available_nor_without_the_wish(
    shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await handle(shared, order)
    await damage(commit, sku, 2)
    with pytest.raises(InsufficientStock):
        await adjust(commit, sku, -1)
    assert await reservation(shared, order.order_id) == ("held", {sku: 3}, 1)
    assert await numbers(shared, sku) == (3, 3)


async def test_no_more_can_be_lost_than_there_is(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await handle(shared, order)
    with pytest.raises(InsufficientStock) as refusal:
        await damage(commit, sku, 6)
    assert refusal.value.extra == {"available": 5}
    assert await reservation(shared, order.order_id) == ("held", {sku: 3}, 1)
    assert await numbers(shared, sku) == (5, 3)


async def test_one_adjustment_concerns_a_limited_number_of_orders(
    shared: Mongo, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("stock.commands", "unit_of_work"):
        monkeypatch.setattr(f"product_svc.{module}.MOST_LOSING", 2)
    sku = await stocked(commit, 3)
    await handle(shared, *(placed({sku: 1}) for _ in range(3)))
    with pytest.raises(InsufficientStock) as refusal:
        await damage(commit, sku, 3)
    assert refusal.value.extra == {"available": 2}
    await damage(commit, sku, 2)
    await damage(commit, sku, 1)
    assert await numbers(shared, sku) == (0, 0)


async def test_a_cancelled_order_releases_only_what_it_still_holds(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 5})
    await handle(shared, order)
    await damage(commit, sku, 2)
    await handle(shared, cancelled(order))
    assert await numbers(shared, sku) == (3, 0)
    assert await reservation(shared, order.order_id) == ("released", {}, 3)
    stored = await shared.db.reservations.find_one({"_id": order.order_id})
    assert stored
    assert stored["lost"] == []


async def test_a_parcel_that_left_before_the_order_knew_had_the_lost_units_in_it(
    shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 4)
    order = placed({sku: 4})
    await handle(shared, order)
    await damage(commit, sku, 3)
    parcel = shipped(order, {sku: 2})
    await handle(shared, parcel)
    # One of two was held; the other one was found in the parcel. Two of four are still missing.
    assert await numbers(shared, sku) == (0, 0)
    assert await movements(shared, sku) == [(4, "delivery"), (-3, "damage"), (1, "found"), (-2, "shipment")]
    assert (await events(shared, order.order_id))[-1] == StockCommitted(
        order_id=order.order_id, shipment_id=parcel.shipment_id, lines=lines({sku: 2})
    )
    assert await reservation(shared, order.order_id) == ("held", {}, 3)
    await handle(shared, shipped(order, {sku: 2}))
    assert await reservation(shared, order.order_id) == ("shipped", {}, 4)
    assert await numbers(shared, sku) == (0, 0)


async def test_no_more_is_found_than_was_lost(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 3})
    await handle(shared, order)
    await damage(commit, sku, 7)
    await handle(shared, shipped(order, {sku: 4}))
    assert await numbers(shared, sku) == (2, 2)
    assert await movements(shared, sku) == [(9, "delivery"), (-7, "damage")]
    assert await shared.db.dead_letters.count_documents({"stream": {"$regex": str(order.order_id)}}) == 1


async def test_of_a_cancelled_remainder_what_was_lost_is_not_released(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 5})
    await handle(shared, order)
    await damage(commit, sku, 1)
    rest = RemainderCancelled(
        **about(order), revision=1, reason="staff", lines=priced({sku: 3}), amount=PRICE, total=PRICE
    )
    # The parcel from before arrives after it.
    await handle(shared, rest, shipped(order, {sku: 2}))
    assert await numbers(shared, sku) == (2, 0)
    assert await movements(shared, sku) == [(5, "delivery"), (-1, "damage"), (-2, "shipment")]
    assert await reservation(shared, order.order_id) == ("shipped", {}, 4)


async def test_while_an_order_is_amended_both_revisions_lose(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await handle(shared, order, amended(order, {sku: 5}))
    await damage(commit, sku, 3)
    assert [(one.aggregate_version, one.event) for one in (await envelopes(shared, order.order_id))[2:]] == [
        (3, lost(order, {sku: 1})),
        (4, lost(order, {sku: 3}, revision=2)),
    ]
    await handle(shared, accepted(order, {sku: 5}))
    assert await numbers(shared, sku) == (2, 2)
    await adjust(commit, sku, 9)
    await handle(shared, again(order), again(order, revision=2))
    assert (await events(shared, order.order_id))[4:] == [lost(order, {}, revision=2)]
    assert await numbers(shared, sku) == (11, 5)


async def test_an_order_is_amended_down_to_what_is_left(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 5})
    await handle(shared, order)
    await damage(commit, sku, 2)
    await handle(shared, amended(order, {sku: 3}), accepted(order, {sku: 3}), again(order, revision=2))
    assert await reservation(shared, order.order_id) == ("held", {sku: 3}, 3)
    assert await numbers(shared, sku) == (3, 3)
    await handle(shared, shipped(order, {sku: 3}, revision=2))
    assert await reservation(shared, order.order_id) == ("shipped", {}, 4)


async def test_a_refused_amendment_leaves_what_was_lost_as_it_was(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 5})
    await handle(shared, order)
    await damage(commit, sku, 2)
    await adjust(commit, sku, 7)
    await handle(shared, amended(order, {sku: 6}))
    assert await numbers(shared, sku) == (10, 6)
    await handle(shared, refused(order))
    assert await numbers(shared, sku) == (10, 3)
    await handle(shared, again(order))
    assert await numbers(shared, sku) == (10, 5)


async def test_what_is_missing_is_reserved_again_as_a_whole_or_not(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 2), await stocked(commit, 2)
    order = placed({mug: 2, cup: 1})
    await handle(shared, order)
    await damage(commit, mug, 2)
    await damage(commit, cup, 2)
    await adjust(commit, mug, 5)
    await handle(shared, again(order))
    assert (await events(shared, order.order_id))[-1] == lost(order, {mug: 2, cup: 1})
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 0), (0, 0)]
    await adjust(commit, cup, 1)
    await handle(shared, again(order))
    assert (await events(shared, order.order_id))[-1] == lost(order, {})
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 2), (1, 1)]
    assert await reservation(shared, order.order_id) == ("held", {mug: 2, cup: 1}, 5)
    # Nothing is missing any more: no reply.
    await handle(shared, again(order))
    assert len(await events(shared, order.order_id)) == 5


async def test_an_order_that_is_not_known_has_nothing_to_reserve_again(shared: Mongo) -> None:
    order = placed({str(uuid7()): 1})
    await handle(shared, again(order))
    assert await events(shared, order.order_id) == []
