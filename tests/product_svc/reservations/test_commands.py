"""What product_svc does with the events of orders, in a real database."""

from chassis.persistence.mongo.database import Mongo
from chassis.testing import enveloped, record
from schemas import Line, Shortage, StockRejected, StockReleased, StockReserved
from tests.outbox import envelopes, events
from tests.product_svc.factories import (
    Commit,
    adjust,
    cancelled,
    consumer,
    handle,
    new_sku,
    numbers,
    placed,
    reservation,
    stocked,
)


async def test_the_lines_of_an_order_are_reserved(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 1)
    order = placed({mug: 2, cup: 1})
    await handle(shared, order)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 2), (1, 1)]
    assert await reservation(shared, order.order_id) == ("held", {mug: 2, cup: 1}, 1)
    lines = (Line(sku=mug, quantity=2), Line(sku=cup, quantity=1))
    assert await events(shared, order.order_id) == [StockReserved(order_id=order.order_id, lines=lines)]


async def test_nothing_is_reserved_if_one_line_is_short(shared: Mongo, commit: Commit) -> None:
    mug, cup, gone = await stocked(commit, 5), await stocked(commit, 1), new_sku()
    order = placed({mug: 2, cup: 4, gone: 1})
    await handle(shared, order)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 0), (1, 0)]
    assert await reservation(shared, order.order_id) == ("rejected", {}, 1)
    shortages = (
        Shortage(sku=cup, requested=4, available=1, reason="short"),
        Shortage(sku=gone, requested=1, available=0, reason="unknown"),
    )
    assert await events(shared, order.order_id) == [StockRejected(order_id=order.order_id, shortages=shortages)]


async def test_the_reply_names_the_event_of_the_order_as_its_cause(shared: Mongo, commit: Commit) -> None:
    order = enveloped(placed({await stocked(commit, 1): 1}))
    await consumer(shared).handle([record(order)])
    [reply] = await envelopes(shared, order.key)
    assert (reply.cause, reply.aggregate_version) == (str(order.id), 1)


async def test_orders_of_one_batch_see_what_earlier_ones_reserved(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    orders = [placed({sku: 2}) for _ in range(4)]
    await handle(shared, *orders)
    replies = [(await events(shared, order.order_id))[0] for order in orders]
    assert [type(reply) for reply in replies] == [StockReserved, StockReserved, StockRejected, StockRejected]
    assert await numbers(shared, sku) == (5, 4)


async def test_a_cancelled_order_releases_its_stock(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await handle(shared, order)
    await handle(shared, cancelled(order))
    assert await numbers(shared, sku) == (5, 0)
    assert await reservation(shared, order.order_id) == ("released", {}, 2)
    lines = (Line(sku=sku, quantity=3),)
    assert [(e.aggregate_version, e.event) for e in await envelopes(shared, order.order_id)] == [
        (1, StockReserved(order_id=order.order_id, lines=lines)),
        (2, StockReleased(order_id=order.order_id, lines=lines)),
    ]


async def test_an_order_placed_and_cancelled_in_one_batch_holds_nothing(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await handle(shared, order, cancelled(order))
    assert await numbers(shared, sku) == (5, 0)
    assert [type(event) for event in await events(shared, order.order_id)] == [StockReserved, StockReleased]


async def test_a_cancellation_before_its_order_leaves_a_tombstone(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await handle(shared, cancelled(order))
    assert await reservation(shared, order.order_id) == ("released", {}, 1)
    await handle(shared, order)
    assert await numbers(shared, sku) == (5, 0)
    assert await reservation(shared, order.order_id) == ("released", {}, 1)
    assert await events(shared, order.order_id) == [StockReleased(order_id=order.order_id, lines=())]


async def test_the_cancellation_of_a_rejected_order_releases_nothing(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 1)
    order = placed({sku: 3})
    await handle(shared, order)
    await handle(shared, cancelled(order))
    assert await numbers(shared, sku) == (1, 0)
    assert [type(event) for event in await events(shared, order.order_id)] == [StockRejected]


async def test_an_order_is_reserved_and_released_once_however_often_its_events_arrive(
    shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    reserve, release = record(enveloped(order)), record(enveloped(cancelled(order), version=2))
    await consumer(shared).handle([reserve, reserve])
    await consumer(shared).handle([reserve])
    assert await numbers(shared, sku) == (9, 2)
    await consumer(shared).handle([release, reserve, release])
    assert await numbers(shared, sku) == (9, 0)
    assert [type(event) for event in await events(shared, order.order_id)] == [StockReserved, StockReleased]


async def test_an_order_that_is_published_again_is_reserved_once(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    await handle(shared, order, order)
    await handle(shared, order)
    assert await numbers(shared, sku) == (9, 2)
    reply = StockReserved(order_id=order.order_id, lines=(Line(sku=sku, quantity=2),))
    assert await events(shared, order.order_id) == [reply] * 3, "a repeated request gets the same reply"


async def test_a_short_order_leaves_stock_for_the_next(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 2)
    large, small = placed({sku: 3}), placed({sku: 2})
    await handle(shared, large, small)
    assert [type((await events(shared, o.order_id))[0]) for o in (large, small)] == [StockRejected, StockReserved]


async def test_a_quantity_beyond_any_integer_of_the_database_is_a_shortage(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 2)
    order = placed({sku: 10**30})
    await handle(shared, order)
    [reply] = await events(shared, order.order_id)
    assert isinstance(reply, StockRejected)
    assert reply.shortages[0].requested == 10**30
    await adjust(commit, sku, 1)
    assert await numbers(shared, sku) == (3, 0)
