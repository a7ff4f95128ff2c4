"""Replies about stock, in a real database."""

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.tables import dead_letters
from chassis.testing import enveloped, record
from order_svc.orders.domain import Order
from schemas import (
    CustomerRegistered,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    Shortage,
    StockAdjusted,
    StockRejected,
    StockReserved,
)
from tests.order_svc.scenarios import Commit, cancel, consume, consumer, pending, read, reserved, timeline
from tests.outbox import envelopes, events


def rejected(order: Order) -> StockRejected:
    sku, quantity = order.lines[0].sku, order.lines[0].quantity
    short = Shortage(sku=sku, requested=quantity, available=1, reason="short")
    return StockRejected(order_id=order.id, shortages=(short,))


async def test_a_pending_order_is_confirmed_when_its_stock_is_reserved(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await consume(shared, reserved(order))
    confirmed = await read(shared, order)
    assert (confirmed.state, confirmed.version) == ("CONFIRMED", 2)
    placed, last = await envelopes(shared, order.id)
    assert isinstance(placed.event, OrderPlaced)
    assert last.event == OrderConfirmed(
        order_id=order.id,
        customer_id=order.customer_id,
        lines=order.lines,
        total=order.total,
        shipping_address=order.shipping_address,
        placed_at=order.placed_at,
    )
    assert (placed.aggregate_version, last.aggregate_version) == (1, 2)
    assert await timeline(shared, order.id) == [
        ("order.placed", {"state": "PENDING"}),
        ("stock.reserved", {}),
        ("order.confirmed", {"state": "CONFIRMED"}),
    ]


async def test_a_pending_order_is_rejected_when_its_stock_is_short(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    refusal = rejected(order)
    await consume(shared, refusal)
    after = await read(shared, order)
    assert (after.state, after.shortages) == ("REJECTED", refusal.shortages)
    assert (await events(shared, order.id))[1:] == [
        OrderRejected(
            order_id=order.id, customer_id=order.customer_id, lines=order.lines, shortages=refusal.shortages
        )
    ]
    shortages = [short.model_dump() for short in refusal.shortages]
    assert (await timeline(shared, order.id))[1:] == [
        ("stock.rejected", {}),
        ("order.rejected", {"state": "REJECTED", "reason": "stock", "shortages": shortages}),
    ]


async def test_an_event_names_the_event_that_caused_it(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    message = enveloped(reserved(order))
    await consumer(shared).handle([record(message)])
    placed, confirmed = await envelopes(shared, order.id)
    assert (placed.cause, confirmed.cause) == (None, str(message.id))
    assert confirmed.time > placed.time


async def test_a_reply_after_the_cancellation_changes_nothing(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    cancelled = await cancel(commit, order)
    await consume(shared, reserved(order))
    assert await read(shared, order) == cancelled
    assert [type(event) for event in await events(shared, order.id)] == [OrderPlaced, OrderCancelled]
    assert [kind for kind, _ in await timeline(shared, order.id)] == [
        "order.placed",
        "order.cancelled",
        "stock.reserved",
        "saga.answer_ignored",
    ]


async def test_a_repeated_reply_is_handled_once(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    reply = record(enveloped(reserved(order)))
    await consumer(shared).handle([reply, reply])
    await consumer(shared).handle([reply])
    assert [type(event) for event in await events(shared, order.id)] == [OrderPlaced, OrderConfirmed]
    assert len(await timeline(shared, order.id)) == 3


async def test_the_first_of_two_contradicting_replies_decides(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await consume(shared, rejected(order), reserved(order))
    assert (await read(shared, order)).state == "REJECTED"
    assert [type(event) for event in await events(shared, order.id)] == [OrderPlaced, OrderRejected]


async def test_a_batch_can_hold_replies_about_many_orders(shared: Postgres, commit: Commit) -> None:
    orders = [await pending(commit) for _ in range(6)]
    await consume(shared, *(reserved(o) if n % 2 else rejected(o) for n, o in enumerate(orders)))
    states = [(await read(shared, order)).state for order in orders]
    assert states == ["REJECTED", "CONFIRMED"] * 3


async def test_a_reply_about_an_unknown_order_is_dead_lettered(shared: Postgres) -> None:
    unknown = uuid7()
    await consume(shared, StockReserved(order_id=unknown, lines=()))
    async with shared.reading() as connection:
        query = sa.select(dead_letters).where(dead_letters.c.key == str(unknown).encode())
        [letter] = (await connection.execute(query)).all()
    assert (letter.state, letter.reason) == ("dead", "handler_failed")
    assert await timeline(shared, unknown) == []


async def test_events_without_a_handler_are_skipped(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    others = [
        StockAdjusted(sku="MUG", delta=1, reason="count", on_hand=1, reserved=0),
        CustomerRegistered(customer_id=order.customer_id, email="a@b.example", name="Ada"),
    ]
    await consume(shared, *others, reserved(order))
    assert (await read(shared, order)).state == "CONFIRMED"
