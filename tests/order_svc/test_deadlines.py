"""Orders whose stock was not answered in time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from chassis.consumer import Consumer
from chassis.groupcommit import GroupCommit
from chassis.preconditions import ANY
from chassis.sql import Postgres
from chassis.testing import records
from order_svc import SERVICE
from order_svc.amending.commands import Wish, amend_order, want_wish
from order_svc.deadlines import AT_ONCE, Deadlines
from order_svc.domain import Order
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
from schemas import AmendmentRefused, OrderCancelled, OrderConfirmed, OrderPlaced, StockReserved
from tests.databases import committing
from tests.order_svc.orders import basket, pending, place, product, read, timeline
from tests.outbox import events

SECONDS = 600.0


@pytest.fixture
async def commit(postgres: Postgres) -> AsyncIterator[GroupCommit[OrderBook]]:
    """A group commit on a database of this test: deadlines look at every order there is."""
    async with committing(postgres, OrderBook) as commit:
        yield commit


async def wait(database: Postgres, seconds: float, *orders: Order) -> None:
    """Let so much time pass for these orders by the database's clock."""
    statement = sa.text(
        "UPDATE orders SET stored_at = stored_at - make_interval(secs => :s),"
        " asked_at = asked_at - make_interval(secs => :s) WHERE id = ANY(:ids)"
    )
    async with database.engine.begin() as tx:
        await tx.execute(statement, {"s": seconds, "ids": [order.id for order in orders]})


async def test_an_order_without_an_answer_in_time_is_cancelled(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    late, early = await pending(commit), await pending(commit)
    await wait(postgres, SECONDS + 1, late)
    await wait(postgres, SECONDS - 60, early)
    assert await Deadlines(postgres, commit, SECONDS).expire() == 1
    cancelled = await read(postgres, late)
    assert (cancelled.state, cancelled.reason) == ("CANCELLED", "timeout")
    assert (await events(postgres, late.id))[1:] == [
        OrderCancelled(order_id=late.id, customer_id=late.customer_id, reason="timeout")
    ]
    assert (await timeline(postgres, late.id))[-1] == (
        "order.cancelled",
        {"state": "CANCELLED", "reason": "timeout"},
    )
    assert await read(postgres, early) == early


async def test_an_amendment_without_an_answer_in_time_is_withdrawn(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    order, fresh = await confirmed(postgres, commit), await confirmed(postgres, commit)
    # Both were placed long ago; only of the one is the amendment old as well.
    await wait(postgres, SECONDS + 1, order, fresh)
    for one in (order, fresh):
        await amend(commit, one, 5)
    await wait(postgres, SECONDS + 1, order)
    assert await Deadlines(postgres, commit, SECONDS).expire() == 1
    kept = await read(postgres, order)
    assert (kept.state, kept.revision, kept.last_revision, kept.amendment) == ("CONFIRMED", 1, 2, None)
    assert (await events(postgres, order.id))[3:] == [
        AmendmentRefused(order_id=order.id, customer_id=order.customer_id, revision=2, shortages=())
    ]
    assert (await read(postgres, fresh)).amendment is not None


async def test_an_answer_after_the_withdrawal_changes_nothing(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    order = await confirmed(postgres, commit)
    await amend(commit, order, 5)
    await wait(postgres, SECONDS + 1, order)
    await Deadlines(postgres, commit, SECONDS).expire()
    kept = await read(postgres, order)
    late = StockReserved(order_id=order.id, lines=(), revision=2)
    await Consumer(postgres, SERVICE, OrderBook, HANDLERS).handle(records([late]))
    assert await read(postgres, order) == kept


async def confirmed(database: Postgres, commit: GroupCommit[OrderBook]) -> Order:
    order = await pending(commit)
    answer = StockReserved(order_id=order.id, lines=())
    await Consumer(database, SERVICE, OrderBook, HANDLERS).handle(records([answer]))
    return await read(database, order)


async def amend(commit: GroupCommit[OrderBook], order: Order, quantity: int) -> Order:
    wish = Wish({order.lines[0].sku: quantity}, {})
    return await commit(
        lambda book: amend_order(book, order.id, order.customer_id, ANY, wish),
        lambda book: want_wish(book, order.id, order.customer_id, wish),
    )


async def test_an_answered_order_is_left_alone(postgres: Postgres, commit: GroupCommit[OrderBook]) -> None:
    order = await pending(commit)
    await Consumer(postgres, SERVICE, OrderBook, HANDLERS).handle(
        records([StockReserved(order_id=order.id, lines=())])
    )
    await wait(postgres, SECONDS + 1, order)
    assert await Deadlines(postgres, commit, SECONDS).expire() == 0
    assert [type(event) for event in await events(postgres, order.id)] == [OrderPlaced, OrderConfirmed]


async def test_an_answer_and_a_deadline_at_once_end_an_order_once(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    orders = [await pending(commit) for _ in range(10)]
    await wait(postgres, SECONDS + 1, *orders)
    consumer = Consumer(postgres, SERVICE, OrderBook, HANDLERS)
    await asyncio.gather(
        Deadlines(postgres, commit, SECONDS).expire(),
        consumer.handle(records([StockReserved(order_id=order.id, lines=()) for order in orders])),
    )
    for order in orders:
        ended = await read(postgres, order)
        assert ended.state in ("CONFIRMED", "CANCELLED")
        assert ended.version == len(await events(postgres, order.id)) == 2


async def test_several_watchers_cancel_each_order_once(postgres: Postgres, commit: GroupCommit[OrderBook]) -> None:
    orders = [await pending(commit) for _ in range(10)]
    await wait(postgres, SECONDS + 1, *orders)
    watchers = [Deadlines(postgres, commit, SECONDS) for _ in range(3)]
    await asyncio.gather(*(watcher.expire() for watcher in watchers))
    for order in orders:
        assert [type(event) for event in await events(postgres, order.id)] == [OrderPlaced, OrderCancelled]


async def test_many_overdue_orders_are_cancelled_in_portions(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    sku = await product(commit)
    orders = await asyncio.gather(*(place(commit, basket({sku: 1})) for _ in range(AT_ONCE + 5)))
    await wait(postgres, SECONDS + 1, *orders)
    deadlines = Deadlines(postgres, commit, SECONDS)
    assert [await deadlines.expire() for _ in range(3)] == [AT_ONCE, 5, 0]
