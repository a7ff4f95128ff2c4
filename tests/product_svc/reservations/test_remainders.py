"""What the cancelled remainders of partly shipped orders do to the stock, in a real database."""

from chassis.persistence.mongo.database import Mongo
from schemas import OrderPlaced, RemainderCancelled, StockReleased
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
    reservation,
    shipped,
    stocked,
)


def rest_cancelled(order: OrderPlaced, left: dict[str, int], revision: int = 1) -> RemainderCancelled:
    return RemainderCancelled(
        **about(order), revision=revision, reason="staff", lines=priced(left), amount=PRICE, total=PRICE
    )


async def test_what_is_left_to_ship_can_be_sold_again(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 3, cup: 2})
    await handle(shared, order, shipped(order, {mug: 1, cup: 1}))
    await handle(shared, rest_cancelled(order, {mug: 2, cup: 1}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(8, 0), (8, 0)]
    assert await reservation(shared, order.order_id) == ("shipped", {}, 3)
    released = (await events(shared, order.order_id))[-1]
    assert released == StockReleased(order_id=order.order_id, lines=lines({mug: 2, cup: 1}), remainder=True)


async def test_a_parcel_from_before_the_cancellation_may_arrive_after_it(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 5})
    await handle(shared, order, rest_cancelled(order, {sku: 3}))
    assert await numbers(shared, sku) == (9, 2)
    await handle(shared, shipped(order, {sku: 2}))
    assert await numbers(shared, sku) == (7, 0)
    assert await reservation(shared, order.order_id) == ("shipped", {}, 3)


async def test_it_states_the_current_revision_of_the_order(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 3})
    await handle(shared, order, amended(order, {mug: 1, cup: 2}), rest_cancelled(order, {cup: 2}, revision=2))
    await handle(shared, accepted(order, {mug: 1, cup: 2}), shipped(order, {mug: 1}, revision=2))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(8, 0), (9, 0)]


async def test_nothing_is_released_twice(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    rest = rest_cancelled(order, {sku: 1})
    await handle(shared, order, shipped(order, {sku: 1}), rest)
    # The same again under another event id: what is not held any more is not given back.
    await handle(shared, rest)
    assert await numbers(shared, sku) == (8, 0)
    assert await shared.db.dead_letters.count_documents({"stream": {"$regex": str(order.order_id)}}) == 1
