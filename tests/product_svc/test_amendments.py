"""What orders that are amended, shipped and returned do to the stock, in a real database."""

from collections.abc import Mapping
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.commands import change_product, want_product
from product_svc.catalogue.domain import Product
from product_svc.store import Warehouse
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    Line,
    OrderAmended,
    OrderPlaced,
    OrderReturned,
    OrderShipped,
    PricedLine,
    Shortage,
    StockCommitted,
    StockLow,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)
from tests.outbox import events
from tests.product_svc.goods import (
    ADDRESS,
    PRICE,
    Commit,
    cancelled,
    create,
    hear,
    new_sku,
    numbers,
    placed,
    stocked,
)


def priced(quantities: Mapping[str, int]) -> tuple[PricedLine, ...]:
    return tuple(PricedLine(sku=s, quantity=q, name="Mug", unit_price=PRICE) for s, q in quantities.items())


def lines(quantities: Mapping[str, int]) -> tuple[Line, ...]:
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in quantities.items())


def about(order: OrderPlaced) -> dict[str, Any]:
    return {"order_id": order.order_id, "customer_id": order.customer_id}


def amended(order: OrderPlaced, to: Mapping[str, int], revision: int = 2, replaces: int = 1) -> OrderAmended:
    wanted: dict[str, Any] = {"lines": priced(to), "total": PRICE, "shipping_address": ADDRESS}
    return OrderAmended(**about(order), revision=revision, replaces=replaces, **wanted)


def accepted(order: OrderPlaced, became: Mapping[str, int], revision: int = 2) -> AmendmentAccepted:
    now: dict[str, Any] = {"lines": priced(became), "total": PRICE, "shipping_address": ADDRESS}
    return AmendmentAccepted(**about(order), revision=revision, **now)


def refused(order: OrderPlaced, revision: int = 2) -> AmendmentRefused:
    return AmendmentRefused(**about(order), revision=revision, shortages=())


def shipped(order: OrderPlaced, parcel: Mapping[str, int], revision: int = 1) -> OrderShipped:
    sent: dict[str, Any] = {"shipment_id": uuid7(), "carrier": "DHL", "tracking_number": "1", "complete": False}
    return OrderShipped(**about(order), **sent, revision=revision, lines=priced(parcel), shipping_address=ADDRESS)


async def movements(database: Mongo, sku: str) -> list[tuple[int, str, int, str]]:
    found = await database.db.movements.find({"sku": sku}).sort("_id").to_list()
    return [(one["delta"], one["reason"], one["on_hand"], one["note"]) for one in found]


async def types(database: Mongo, order: OrderPlaced) -> list[type[Event]]:
    return [type(event) for event in await events(database, order.order_id)]


async def test_both_revisions_are_held_until_the_order_has_decided(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 5})
    await hear(shared, order, amended(order, {mug: 2, cup: 3}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(9, 5), (9, 3)]
    await hear(shared, accepted(order, {mug: 2, cup: 3}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(9, 2), (9, 3)]
    assert (await events(shared, order.order_id))[1:] == [
        StockReserved(order_id=order.order_id, lines=lines({mug: 2, cup: 3}), revision=2),
        StockReleased(order_id=order.order_id, lines=lines({mug: 3}), revision=2),
    ]


async def test_what_an_order_has_counts_for_what_it_is_to_become(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 4})
    await hear(shared, order, amended(order, {sku: 5}))
    assert await numbers(shared, sku) == (5, 5)


async def test_a_refused_amendment_leaves_the_order_what_it_had(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 1)
    order = placed({mug: 4})
    await hear(shared, order, amended(order, {mug: 6, cup: 2}), refused(order))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 4), (1, 0)]
    shortages = (
        Shortage(sku=mug, requested=6, available=5, reason="short"),
        Shortage(sku=cup, requested=2, available=1, reason="short"),
    )
    answer = StockRejected(order_id=order.order_id, shortages=shortages, revision=2)
    assert (await events(shared, order.order_id))[1:] == [answer]


async def test_an_amendment_that_is_withdrawn_after_its_answer_is_given_back(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 5), await stocked(commit, 5)
    order = placed({mug: 4})
    await hear(shared, order, amended(order, {cup: 2}))
    await hear(shared, refused(order))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(5, 4), (5, 0)]


async def test_an_amendment_that_is_withdrawn_before_it_came_is_not_reserved(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    await hear(shared, order, refused(order), amended(order, {sku: 5}))
    assert await numbers(shared, sku) == (9, 2)
    assert await types(shared, order) == [StockReserved, StockRejected]


@pytest.mark.parametrize("last", ["amended", "accepted"])
async def test_the_next_amendment_says_what_became_of_the_one_before(
    shared: Mongo, commit: Commit, last: str
) -> None:
    mug, cup, jug = [await stocked(commit, 9) for _ in range(3)]
    order = placed({mug: 1})
    has = 2 if last == "accepted" else 1
    # What the order decided about its second revision comes after it has asked for the third.
    await hear(shared, order, amended(order, {cup: 1}), amended(order, {jug: 1}, 3, has))
    await hear(shared, accepted(order, {cup: 1}) if has == 2 else refused(order), refused(order, 3))
    held = [(await numbers(shared, sku))[1] for sku in (mug, cup, jug)]
    assert held == ([0, 1, 0] if has == 2 else [1, 0, 0])


async def test_an_amendment_that_overtakes_its_order_stands_for_it(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 9)
    order = placed({sku: 2})
    await hear(shared, amended(order, {sku: 5}), order, accepted(order, {sku: 5}))
    assert await numbers(shared, sku) == (9, 5)
    assert await types(shared, order) == [StockReserved]


async def test_an_order_is_tried_after_its_amendment_was_refused_before_it(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 3)
    order = placed({sku: 2})
    await hear(shared, amended(order, {sku: 5}), order)
    assert await numbers(shared, sku) == (3, 2)
    assert await types(shared, order) == [StockRejected, StockReserved]


async def test_a_cancelled_order_gives_back_both_revisions(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 5})
    await hear(shared, order, amended(order, {mug: 6, cup: 3}), cancelled(order))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(9, 0), (9, 0)]
    assert (await events(shared, order.order_id))[-1] == StockReleased(
        order_id=order.order_id, lines=lines({mug: 6, cup: 3})
    )


@pytest.mark.parametrize("had", [1, 9], ids=["refused", "held"])
async def test_an_amendment_that_comes_after_the_cancellation_holds_nothing(
    shared: Mongo, commit: Commit, had: int
) -> None:
    sku = await stocked(commit, had)
    order = placed({sku: 2})
    await hear(shared, order, cancelled(order), amended(order, {sku: 1}))
    assert await numbers(shared, sku) == (had, 0)


async def test_asking_again_is_answered_again_and_reserves_once(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 4)
    order = placed({sku: 2})
    await hear(shared, order, amended(order, {sku: 3}), amended(order, {sku: 3}), order)
    await hear(
        shared, refused(order), amended(order, {sku: 3}), amended(order, {sku: 9}, 3), amended(order, {sku: 9}, 3)
    )
    assert await numbers(shared, sku) == (4, 2)
    told = [(type(e), getattr(e, "revision", 0)) for e in await events(shared, order.order_id)]
    first = [(StockReserved, 1), (StockReserved, 2), (StockReserved, 2), (StockReserved, 1), (StockReleased, 2)]
    assert told == [*first, (StockRejected, 2), (StockRejected, 3), (StockRejected, 3)]


async def test_a_shipment_takes_its_pieces_off_the_shelf_and_the_books(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 3, cup: 1})
    parcel, rest = shipped(order, {mug: 2}), shipped(order, {mug: 1, cup: 1})
    await hear(shared, order, parcel)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(7, 1), (9, 1)]
    await hear(shared, rest)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(6, 0), (8, 0)]
    ids = (parcel.shipment_id, rest.shipment_id)
    assert (await events(shared, order.order_id))[1:] == [
        StockCommitted(order_id=order.order_id, shipment_id=ids[0], lines=lines({mug: 2})),
        StockCommitted(order_id=order.order_id, shipment_id=ids[1], lines=lines({mug: 1, cup: 1})),
    ]
    note = f"order {order.order_id}"
    assert (await movements(shared, mug))[1:] == [(-2, "shipment", 7, note), (-1, "shipment", 6, note)]


async def test_a_shipment_says_which_revision_the_order_has(shared: Mongo, commit: Commit) -> None:
    mug, cup = await stocked(commit, 9), await stocked(commit, 9)
    order = placed({mug: 3})
    # That it was accepted comes later.
    await hear(shared, order, amended(order, {mug: 1, cup: 2}), shipped(order, {mug: 1}, revision=2))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(8, 0), (9, 2)]
    await hear(shared, accepted(order, {mug: 1, cup: 2}))
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(8, 0), (9, 2)]


async def test_what_comes_back_can_be_sold_again(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 3})
    back = OrderReturned(**about(order), return_id=uuid7(), lines=priced({sku: 2}), refund=PRICE)
    await hear(shared, order, shipped(order, {sku: 3}), back)
    assert await numbers(shared, sku) == (4, 0)
    told = StockReturned(order_id=order.order_id, return_id=back.return_id, lines=lines({sku: 2}))
    assert (await events(shared, order.order_id))[-1] == told
    booked = [(delta, reason, on_hand) for delta, reason, on_hand, _ in await movements(shared, sku)]
    assert booked == [(5, "delivery", 5), (-3, "shipment", 2), (2, "return", 4)]


async def test_a_shipment_of_what_is_not_held_is_set_aside(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    order = placed({sku: 1})
    await hear(shared, order, shipped(order, {sku: 2}))
    assert await numbers(shared, sku) == (5, 1)
    assert await shared.db.dead_letters.count_documents({"stream": {"$regex": str(order.order_id)}}) == 1


async def test_stock_is_low_when_an_amendment_takes_it_and_not_when_it_is_sent(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    await shared.db.stock.update_one({"_id": sku}, {"$set": {"low_at": 2}})
    order = placed({sku: 2})
    await hear(shared, order)
    await hear(shared, amended(order, {sku: 3}), accepted(order, {sku: 3}))
    await hear(shared, shipped(order, {sku: 3}, revision=2))
    low = [event for event in await events(shared, sku) if isinstance(event, StockLow)]
    assert [(event.available, event.on_hand, event.reserved) for event in low] == [(2, 5, 3)]


async def test_what_is_discontinued_is_not_promised_and_what_was_promised_stays(
    shared: Mongo, commit: Commit
) -> None:
    sku = new_sku()
    product = await create(commit, sku)
    await shared.db.stock.update_one({"_id": sku}, {"$set": {"on_hand": 9}})
    early, late = placed({sku: 2}), placed({sku: 2})
    await hear(shared, early)
    await change(commit, product, status="discontinued")
    await hear(shared, late, amended(early, {sku: 3}), amended(early, {sku: 1}, 3))
    reason: dict[str, Any] = {"sku": sku, "reason": "discontinued"}
    [answer] = await events(shared, late.order_id)
    assert answer == StockRejected(order_id=late.order_id, shortages=(Shortage(**reason, requested=2, available=0),))
    assert [type(event) for event in await events(shared, early.order_id)] == [
        *(StockReserved, StockRejected, StockReserved)
    ]
    await change(commit, product, status="active")
    again = placed({sku: 2})
    await hear(shared, again)
    assert await types(shared, again) == [StockReserved]


async def change(commit: Commit, product: Product, **changes: Any) -> None:
    def wants(unit: Warehouse) -> None:
        want_product(unit, product.id, ())

    await commit(lambda unit: change_product(unit, product.id, "*", changes), wants)
