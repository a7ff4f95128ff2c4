"""Orders whose stock was not answered in time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.http.preconditions import ANY
from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import records
from order_svc import SERVICE
from order_svc.amending.commands import Wish, amend_order, want_wish
from order_svc.deadlines import AT_ONCE, Deadlines
from order_svc.domain import Order
from order_svc.handlers import HANDLERS
from order_svc.sagas.commands import pass_half_time, retry_saga
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


HALF = SECONDS / 2
AGAIN, GIVEN_UP = "asked_again", "given_up"


async def wait_in_vain(database: Postgres, commit: GroupCommit[OrderBook], *orders: Order) -> list[dict[str, int]]:
    """Let the whole deadline of these orders pass; what was done after each half of it."""
    done = []
    for _ in range(2):
        await wait(database, HALF + 1, *orders)
        done.append(dict(await Deadlines(database, commit, SECONDS).sweep()))
    return done


async def test_an_order_without_an_answer_is_asked_for_again_and_then_cancelled(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    late, early = await pending(commit), await pending(commit)
    await wait(postgres, HALF - 60, early)
    assert await wait_in_vain(postgres, commit, late) == [{AGAIN: 1}, {GIVEN_UP: 1}]
    cancelled = await read(postgres, late)
    assert (cancelled.state, cancelled.reason) == ("CANCELLED", "timeout")
    placed, again, ended = await events(postgres, late.id)
    assert placed == again
    assert ended == OrderCancelled(order_id=late.id, customer_id=late.customer_id, reason="timeout")
    assert (await timeline(postgres, late.id))[1:] == [
        ("saga.asked_again", {"by": "deadline"}),
        ("order.placed", {"state": "PENDING"}),
        ("saga.given_up", {"by": "deadline"}),
        ("order.cancelled", {"state": "CANCELLED", "reason": "timeout"}),
    ]
    assert await read(postgres, early) == early


async def test_a_half_of_the_deadline_passes_once(postgres: Postgres, commit: GroupCommit[OrderBook]) -> None:
    order = await pending(commit)
    await wait(postgres, HALF + 1, order)
    deadlines = Deadlines(postgres, commit, SECONDS)
    assert [dict(await deadlines.sweep()) for _ in range(2)] == [{AGAIN: 1}, {}]
    asked = await read(postgres, order)
    assert (asked.state, asked.asked, asked.reminded, asked.version) == ("PENDING", 2, True, 2)


async def test_who_asks_again_by_hand_gives_a_whole_deadline(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    order = await pending(commit)
    await wait(postgres, HALF + 1, order)
    await Deadlines(postgres, commit, SECONDS).sweep()
    await commit(lambda book: retry_saga(book, order.id), lambda book: book.orders.prefetch(order.id))
    assert await wait_in_vain(postgres, commit, order) == [{AGAIN: 1}, {GIVEN_UP: 1}]


async def test_what_was_asked_for_since_it_was_found_is_not_given_up(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    order = await pending(commit)
    await amend(commit, order, 5)
    step = await commit(lambda book: pass_half_time(book, order.id, 1), lambda book: book.orders.prefetch(order.id))
    assert step is None
    assert (await read(postgres, order)).asked == 2


async def test_an_amendment_without_an_answer_is_asked_for_again_and_then_withdrawn(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    order, fresh = await confirmed(postgres, commit), await confirmed(postgres, commit)
    # Both were placed long ago; only of the one is the amendment old as well.
    await wait(postgres, SECONDS + 1, order, fresh)
    for one in (order, fresh):
        await amend(commit, one, 5)
    assert await wait_in_vain(postgres, commit, order) == [{AGAIN: 1}, {GIVEN_UP: 1}]
    kept = await read(postgres, order)
    assert (kept.state, kept.revision, kept.last_revision, kept.amendment) == ("CONFIRMED", 1, 2, None)
    asked, again, refused = (await events(postgres, order.id))[2:]
    assert asked == again
    assert refused == AmendmentRefused(order_id=order.id, customer_id=order.customer_id, revision=2, shortages=())
    assert (await read(postgres, fresh)).amendment is not None


async def test_an_answer_after_the_withdrawal_changes_nothing(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    order = await confirmed(postgres, commit)
    await amend(commit, order, 5)
    await wait_in_vain(postgres, commit, order)
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
    assert await wait_in_vain(postgres, commit, order) == [{}, {}]
    assert [type(event) for event in await events(postgres, order.id)] == [OrderPlaced, OrderConfirmed]


async def in_the_last_half(database: Postgres, commit: GroupCommit[OrderBook], number: int) -> list[Order]:
    """Orders that were asked for again, and whose other half of the deadline has passed."""
    orders = [await pending(commit) for _ in range(number)]
    await wait(database, HALF + 1, *orders)
    await Deadlines(database, commit, SECONDS).sweep()
    await wait(database, HALF + 1, *orders)
    return orders


async def test_an_answer_and_a_deadline_at_once_end_an_order_once(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    orders = await in_the_last_half(postgres, commit, 10)
    consumer = Consumer(postgres, SERVICE, OrderBook, HANDLERS)
    await asyncio.gather(
        Deadlines(postgres, commit, SECONDS).sweep(),
        consumer.handle(records([StockReserved(order_id=order.id, lines=()) for order in orders])),
    )
    for order in orders:
        ended = await read(postgres, order)
        assert ended.state in ("CONFIRMED", "CANCELLED")
        assert ended.version == len(await events(postgres, order.id)) == 3


async def test_several_watchers_do_each_thing_once(postgres: Postgres, commit: GroupCommit[OrderBook]) -> None:
    waiting, ending = [await pending(commit) for _ in range(10)], await in_the_last_half(postgres, commit, 10)
    await wait(postgres, HALF + 1, *waiting)
    done = await asyncio.gather(*(Deadlines(postgres, commit, SECONDS).sweep() for _ in range(3)))
    total = sum(done, Counter())
    assert (total[AGAIN], total[GIVEN_UP]) == (10, 10)
    for order in waiting:
        assert [type(event) for event in await events(postgres, order.id)] == [OrderPlaced] * 2
    for order in ending:
        assert [type(event) for event in await events(postgres, order.id)] == [
            OrderPlaced,
            OrderPlaced,
            OrderCancelled,
        ]


async def test_many_orders_are_asked_for_again_in_portions(
    postgres: Postgres, commit: GroupCommit[OrderBook]
) -> None:
    sku = await product(commit)
    orders = await asyncio.gather(*(place(commit, basket({sku: 1})) for _ in range(AT_ONCE + 5)))
    await wait(postgres, HALF + 1, *orders)
    deadlines = Deadlines(postgres, commit, SECONDS)
    assert [dict(await deadlines.sweep()) for _ in range(3)] == [{AGAIN: AT_ONCE}, {AGAIN: 5}, {}]


async def test_what_is_due_is_counted_and_logged(postgres: Postgres, commit: GroupCommit[OrderBook]) -> None:
    await in_the_last_half(postgres, commit, 2)
    fresh = await pending(commit)
    await wait(postgres, HALF + 1, fresh)
    before = [counted(did) for did in (AGAIN, GIVEN_UP)]
    with capture_logs() as logs:
        await Deadlines(postgres, commit, SECONDS).sweep()
    assert [log["orders"] for log in logs] == [1, 2]
    assert [counted(did) for did in (AGAIN, GIVEN_UP)] == [before[0] + 1, before[1] + 2]


def counted(did: str) -> float:
    return REGISTRY.get_sample_value("shop_unanswered_total", {"step": did}) or 0
