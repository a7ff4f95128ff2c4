"""What the shipments and returns of orders do to the stock, in a real database."""

from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from schemas import OrderReturned, ParcelReturned, StockCommitted, StockReturned
from tests.outbox import events
from tests.product_svc.factories import (
    PRICE,
    Commit,
    about,
    accepted,
    amended,
    handle,
    lines,
    numbers,
    placed,
    priced,
    shipped,
    stocked,
)


async def movements(database: Mongo, sku: str) -> list[tuple[int, str, int, str]]:
    found = await database.db.movements.find({"sku": sku}).sort("_id").to_list()
    return [(one["delta"], one["reason"], one["on_hand"], one["note"]) for one in found]


async def test_a_shipment_removes_its_units_from_the_stock_and_the_reservation(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 3, cup: 1})
    parcel, rest = shipped(order, {mug: 2}), shipped(order, {mug: 1, cup: 1})
    await handle(shared, order, parcel)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(7, 1), (9, 1)]
    await handle(shared, rest)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(6, 0), (8, 0)]
    ids = (parcel.shipment_id, rest.shipment_id)
    assert (await events(shared, order.order_id))[1:] == [
        StockCommitted(order_id=order.order_id, shipment_id=ids[0], lines=lines({mug: 2})),
        StockCommitted(order_id=order.order_id, shipment_id=ids[1], lines=lines({mug: 1, cup: 1})),
    ]
    note = f"order {order.order_id}"
    assert (await movements(shared, mug))[1:] == [(-2, "shipment", 7, note), (-1, "shipment", 6, note)]


async def test_a_shipment_states_the_current_revision_of_the_order(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 3})
    # That it was accepted comes later.
    await handle(shared, order, amended(order, {mug: 1, cup: 2}), shipped(order, {mug: 1}, revision=2))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(8, 0), (9, 2)]
    await handle(shared, accepted(order, {mug: 1, cup: 2}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(8, 0), (9, 2)]


async def test_returned_units_are_on_hand_again(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    back = OrderReturned(**about(order), return_id=uuid7(), lines=priced({sku: 2}), refund=PRICE)
    await handle(shared, order, shipped(order, {sku: 3}), back)
    assert await numbers(shared, sku) == (4, 0)
    expected = StockReturned(order_id=order.order_id, return_id=back.return_id, lines=lines({sku: 2}))
    assert (await events(shared, order.order_id))[-1] == expected
    booked = [(delta, reason, on_hand) for delta, reason, on_hand, _ in await movements(shared, sku)]
    assert booked == [(5, "delivery", 5), (-3, "shipment", 2), (2, "return", 4)]


async def test_of_a_parcel_that_came_back_only_what_is_not_scrapped_is_on_hand_again(
    shared: Mongo, commit: Commit
) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 5)
    order = placed({mug: 3, cup: 1})
    parcel = shipped(order, {mug: 3, cup: 1})
    back = ParcelReturned(
        **about(order),
        shipment_id=parcel.shipment_id,
        return_id=uuid7(),
        lines=lines({mug: 3, cup: 1}),
        scrapped=lines({mug: 1, cup: 1}),
    )
    await handle(shared, order, parcel, back)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(4, 0), (4, 0)]
    expected = StockReturned(order_id=order.order_id, return_id=back.return_id, lines=lines({mug: 2}))
    assert (await events(shared, order.order_id))[-1] == expected
    assert [(delta, reason) for delta, reason, *_ in await movements(shared, cup)] == [
        (5, "delivery"),
        (-1, "shipment"),
    ]


async def test_a_shipment_of_more_than_is_held_is_dead_lettered(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 1})
    await handle(shared, order, shipped(order, {sku: 2}))
    assert await numbers(shared, sku) == (5, 1)
    assert await shared.db.dead_letters.count_documents({"stream": {"$regex": str(order.order_id)}}) == 1
