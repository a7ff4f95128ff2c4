"""What orders that are amended do to the stock, in a real database."""

from typing import Any

import pytest

from chassis.http.preconditions import ANY
from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.commands import UpdateProduct
from product_svc.catalogue.domain import Product
from schemas import Event, OrderPlaced, Shortage, StockLow, StockRejected, StockReleased, StockReserved
from tests.outbox import events
from tests.product_svc.factories import (
    Commit,
    accepted,
    amended,
    cancelled,
    create,
    handle,
    lines,
    new_sku,
    numbers,
    placed,
    refused,
    shipped,
    stocked,
)


async def types(database: Mongo, order: OrderPlaced) -> list[type[Event]]:
    return [type(event) for event in await events(database, order.order_id)]


async def test_both_revisions_are_held_until_the_order_has_decided(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 5})
    await handle(shared, order, amended(order, {mug: 2, cup: 3}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(9, 5), (9, 3)]
    await handle(shared, accepted(order, {mug: 2, cup: 3}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(9, 2), (9, 3)]
    assert (await events(shared, order.order_id))[1:] == [
        StockReserved(order_id=order.order_id, lines=lines({mug: 2, cup: 3}), revision=2),
        StockReleased(order_id=order.order_id, lines=lines({mug: 3}), revision=2),
    ]


async def test_what_an_order_holds_counts_towards_its_amendment(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 4})
    await handle(shared, order, amended(order, {sku: 5}))
    assert await numbers(shared, sku) == (5, 5)


async def test_a_refused_amendment_does_not_change_what_the_order_holds(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 1)
    order = placed({mug: 4})
    await handle(shared, order, amended(order, {mug: 6, cup: 2}), refused(order))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 4), (1, 0)]
    shortages = (
        Shortage(sku=mug, requested=6, available=5, reason="short"),
        Shortage(sku=cup, requested=2, available=1, reason="short"),
    )
    reply = StockRejected(order_id=order.order_id, shortages=shortages, revision=2)
    assert (await events(shared, order.order_id))[1:] == [reply]


async def test_an_amendment_that_is_withdrawn_after_its_reply_is_released(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 5)
    order = placed({mug: 4})
    await handle(shared, order, amended(order, {cup: 2}))
    await handle(shared, refused(order))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 4), (5, 0)]


async def test_an_amendment_that_is_withdrawn_before_its_request_arrives_is_not_reserved(
    shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    await handle(shared, order, refused(order), amended(order, {sku: 5}))
    assert await numbers(shared, sku) == (9, 2)
    assert await types(shared, order) == [StockReserved, StockRejected]


@pytest.mark.parametrize("last", ["amended", "accepted"])
async def test_the_next_amendment_states_the_outcome_of_the_one_before(
    shared: Mongo, commit: Commit, last: str
) -> None:
    mug, cup, jug = [await stocked(commit, 9) for _ in range(3)]
    order = placed({mug: 1})
    has = 2 if last == "accepted" else 1
    # The outcome of the second revision arrives after the request for the third.
    await handle(shared, order, amended(order, {cup: 1}), amended(order, {jug: 1}, 3, has))
    await handle(shared, accepted(order, {cup: 1}) if has == 2 else refused(order), refused(order, 3))
    held = [(await numbers(shared, sku))[1] for sku in (mug, cup, jug)]
    assert held == ([0, 1, 0] if has == 2 else [1, 0, 0])


async def test_an_amendment_that_overtakes_its_order_replaces_it(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    await handle(shared, amended(order, {sku: 5}), order, accepted(order, {sku: 5}))
    assert await numbers(shared, sku) == (9, 5)
    assert await types(shared, order) == [StockReserved]


async def test_an_order_is_reserved_after_its_amendment_was_rejected_before_it(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 3)
    order = placed({sku: 2})
    await handle(shared, amended(order, {sku: 5}), order)
    assert await numbers(shared, sku) == (3, 2)
    assert await types(shared, order) == [StockRejected, StockReserved]


async def test_a_cancelled_order_releases_both_revisions(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 5})
    await handle(shared, order, amended(order, {mug: 6, cup: 3}), cancelled(order))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(9, 0), (9, 0)]
    assert (await events(shared, order.order_id))[-1] == StockReleased(
        order_id=order.order_id, lines=lines({mug: 6, cup: 3})
    )


@pytest.mark.parametrize("had", [1, 9], ids=["refused", "held"])
async def test_an_amendment_after_the_cancellation_reserves_nothing(shared: Mongo, commit: Commit, had: int) -> None:
    sku = await stocked(commit, had)
    order = placed({sku: 2})
    await handle(shared, order, cancelled(order), amended(order, {sku: 1}))
    assert await numbers(shared, sku) == (had, 0)


async def test_a_repeated_request_gets_the_same_reply_and_reserves_once(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 4)
    order = placed({sku: 2})
    await handle(shared, order, amended(order, {sku: 3}), amended(order, {sku: 3}), order)
    await handle(
        shared, refused(order), amended(order, {sku: 3}), amended(order, {sku: 9}, 3), amended(order, {sku: 9}, 3)
    )
    assert await numbers(shared, sku) == (4, 2)
    published = [(type(e), getattr(e, "revision", 0)) for e in await events(shared, order.order_id)]
    first = [(StockReserved, 1), (StockReserved, 2), (StockReserved, 2), (StockReserved, 1), (StockReleased, 2)]
    assert published == [*first, (StockRejected, 2), (StockRejected, 3), (StockRejected, 3)]


async def test_stock_becomes_low_when_an_amendment_reserves_it_and_not_when_it_is_shipped(
    shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 5)
    await shared.db.stock.update_one({"_id": sku}, {"$set": {"threshold": 2}})
    order = placed({sku: 2})
    await handle(shared, order)
    await handle(shared, amended(order, {sku: 3}), accepted(order, {sku: 3}))
    await handle(shared, shipped(order, {sku: 3}, revision=2))
    low = [event for event in await events(shared, sku) if isinstance(event, StockLow)]
    assert [(event.available, event.on_hand, event.reserved) for event in low] == [(2, 5, 3)]


async def test_discontinued_stock_cannot_be_reserved_and_reservations_of_it_stay(
    shared: Mongo, commit: Commit
) -> None:
    sku = new_sku()
    product = await create(commit, sku)
    await shared.db.stock.update_one({"_id": sku}, {"$set": {"on_hand": 9}})
    early, late = placed({sku: 2}), placed({sku: 2})
    await handle(shared, early)
    await change(commit, product, status="discontinued")
    await handle(shared, late, amended(early, {sku: 3}), amended(early, {sku: 1}, 3))
    reason: dict[str, Any] = {"sku": sku, "reason": "discontinued"}
    [reply] = await events(shared, late.order_id)
    assert reply == StockRejected(order_id=late.order_id, shortages=(Shortage(**reason, requested=2, available=0),))
    assert [type(event) for event in await events(shared, early.order_id)] == [
        *(StockReserved, StockRejected, StockReserved)
    ]
    await change(commit, product, status="active")
    again = placed({sku: 2})
    await handle(shared, again)
    assert await types(shared, again) == [StockReserved]


async def change(commit: Commit, product: Product, **changes: Any) -> None:
    await commit(UpdateProduct(product.id, ANY, changes))
