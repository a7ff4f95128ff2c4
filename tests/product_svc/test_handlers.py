"""What product_svc does with the events of orders, in a real database."""

from dataclasses import replace

from chassis.persistence.mongo.database import Mongo
from chassis.testing import enveloped, record
from schemas import Line, OrdersAnonymised, Shortage, StockRejected, StockReleased, StockReserved, answer_id
from tests.chassis.tally import buried
from tests.outbox import events, told
from tests.product_svc.goods import (
    Commit,
    adjust,
    cancelled,
    consumer,
    hear,
    new_sku,
    numbers,
    placed,
    reservation,
    stocked,
)


async def test_an_orders_stock_is_set_aside(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 1)
    order = placed({mug: 2, cup: 1})
    await hear(shared, order)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 2), (1, 1)]
    assert await reservation(shared, order.order_id) == ("held", {mug: 2, cup: 1}, 1)
    lines = (Line(sku=mug, quantity=2), Line(sku=cup, quantity=1))
    assert await events(shared, order.order_id) == [StockReserved(order_id=order.order_id, lines=lines)]


async def test_nothing_is_set_aside_where_one_line_is_short(shared: Mongo, commit: Commit) -> None:
    mug, cup, gone = await stocked(commit, 5), await stocked(commit, 1), new_sku()
    order = placed({mug: 2, cup: 4, gone: 1})
    await hear(shared, order)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 0), (1, 0)]
    assert await reservation(shared, order.order_id) == ("rejected", {}, 1)
    shortages = (
        Shortage(sku=cup, requested=4, available=1, reason="short"),
        Shortage(sku=gone, requested=1, available=0, reason="unknown"),
    )
    assert await events(shared, order.order_id) == [StockRejected(order_id=order.order_id, shortages=shortages)]


async def test_the_answer_names_the_order_as_its_cause(shared: Mongo, commit: Commit) -> None:
    order = enveloped(placed({await stocked(commit, 1): 1}))
    await consumer(shared).handle([record(order)])
    [answer] = await told(shared, order.key)
    assert (answer.cause, answer.aggregate_version) == (str(order.id), 1)


async def test_orders_of_one_batch_see_what_those_before_them_took(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    orders = [placed({sku: 2}) for _ in range(4)]
    await hear(shared, *orders)
    answers = [(await events(shared, order.order_id))[0] for order in orders]
    assert [type(answer) for answer in answers] == [StockReserved, StockReserved, StockRejected, StockRejected]
    assert await numbers(shared, sku) == (5, 4)


async def test_a_cancelled_orders_stock_can_be_sold_again(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await hear(shared, order)
    await hear(shared, cancelled(order))
    assert await numbers(shared, sku) == (5, 0)
    assert await reservation(shared, order.order_id) == ("released", {}, 2)
    lines = (Line(sku=sku, quantity=3),)
    assert [(e.aggregate_version, e.event) for e in await told(shared, order.order_id)] == [
        (1, StockReserved(order_id=order.order_id, lines=lines)),
        (2, StockReleased(order_id=order.order_id, lines=lines)),
    ]


async def test_an_order_placed_and_cancelled_in_one_batch_holds_nothing(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await hear(shared, order, cancelled(order))
    assert await numbers(shared, sku) == (5, 0)
    assert [type(event) for event in await events(shared, order.order_id)] == [StockReserved, StockReleased]


async def test_a_release_before_its_reserve_leaves_a_tombstone(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    await hear(shared, cancelled(order))
    assert await reservation(shared, order.order_id) == ("released", {}, 1)
    await hear(shared, order)
    assert await numbers(shared, sku) == (5, 0)
    assert await reservation(shared, order.order_id) == ("released", {}, 1)
    assert await events(shared, order.order_id) == [StockReleased(order_id=order.order_id, lines=())]


async def test_the_cancellation_of_a_refused_order_releases_nothing(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 1)
    order = placed({sku: 3})
    await hear(shared, order)
    await hear(shared, cancelled(order))
    assert await numbers(shared, sku) == (1, 0)
    assert [type(event) for event in await events(shared, order.order_id)] == [StockRejected]


async def test_an_order_is_reserved_and_released_once_however_often_it_is_told(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    reserve, release = record(enveloped(order)), record(enveloped(cancelled(order), version=2))
    await consumer(shared).handle([reserve, reserve])
    await consumer(shared).handle([reserve])
    assert await numbers(shared, sku) == (9, 2)
    await consumer(shared).handle([release, reserve, release])
    assert await numbers(shared, sku) == (9, 0)
    assert [type(event) for event in await events(shared, order.order_id)] == [StockReserved, StockReleased]


async def test_the_same_order_told_under_another_id_is_reserved_once(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    await hear(shared, order, order)
    await hear(shared, order)
    assert await numbers(shared, sku) == (9, 2)
    answer = StockReserved(order_id=order.order_id, lines=(Line(sku=sku, quantity=2),))
    assert await events(shared, order.order_id) == [answer] * 3, "whoever asks again is answered again"


async def test_a_short_order_leaves_stock_for_the_next(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 2)
    large, small = placed({sku: 3}), placed({sku: 2})
    await hear(shared, large, small)
    assert [type((await events(shared, o.order_id))[0]) for o in (large, small)] == [StockRejected, StockReserved]


async def test_a_quantity_beyond_every_stock_is_short_and_harms_nobody(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 2)
    order = placed({sku: 10**30})
    await hear(shared, order)
    [answer] = await events(shared, order.order_id)
    assert isinstance(answer, StockRejected)
    assert answer.shortages[0].requested == 10**30
    await adjust(commit, sku, 1)
    assert await numbers(shared, sku) == (3, 0)


async def test_what_was_set_aside_of_an_erased_customers_orders_is_emptied(shared: Mongo) -> None:
    orders = [placed({new_sku(): 1}) for _ in range(2)]
    letters = [record(enveloped(order)) for order in orders]
    await consumer(shared).handle([replace(letter, value=(letter.value or b"") + b"?") for letter in letters])
    theirs, others = orders
    answer = answer_id("order_svc", theirs.customer_id)
    await hear(shared, OrdersAnonymised(answer_id=answer, customer_id=theirs.customer_id))
    left = {bytes(one["key"]).decode(): one["value"] for one in await buried(shared)}
    assert left[str(theirs.order_id)] is None
    assert str(others.customer_id).encode() in left[str(others.order_id)]
