"""Orders without a reply about their stock in time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.http.preconditions import ANY
from chassis.persistence.postgres.database import Postgres
from order_svc.amendments.commands import AmendOrder
from order_svc.orders.domain import Order
from order_svc.saga.commands import HandleHalfDeadline, RetrySaga
from order_svc.saga.periodic import BATCH, Deadlines
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import AmendmentRefused, OrderAmended, OrderCancelled, OrderConfirmed, OrderPlaced
from tests.databases import committing
from tests.order_svc.scenarios import (
    Commit,
    confirmed,
    consume,
    pending,
    place_order,
    product,
    read,
    reserved,
    timeline,
)
from tests.outbox import events

SECONDS = 600.0


@pytest.fixture
async def commit(postgres: Postgres) -> AsyncIterator[Commit]:
    """A group commit on a database of this test: deadlines concern every order in it."""
    async with committing(postgres, OrderUnitOfWork) as commit:
        yield commit


async def wait(database: Postgres, seconds: float, *orders: Order) -> None:
    """Age these orders by so much of the database's time."""
    statement = sa.text(
        "UPDATE orders SET stored_at = stored_at - make_interval(secs => :s),"
        " reservation_requested_at = reservation_requested_at - make_interval(secs => :s) WHERE id = ANY(:ids)"
    )
    async with database.engine.begin() as tx:
        await tx.execute(statement, {"s": seconds, "ids": [order.id for order in orders]})


HALF = SECONDS / 2
AGAIN, GIVEN_UP = "asked_again", "given_up"


async def pass_deadline(database: Postgres, commit: Commit, *orders: Order) -> list[dict[str, int]]:
    """Let the whole deadline of these orders pass; the steps that were taken after each half of it."""
    done = []
    for _ in range(2):
        await wait(database, HALF + 1, *orders)
        done.append(dict(await Deadlines(database, commit, SECONDS).handle_due()))
    return done


async def test_stock_without_a_reply_is_requested_again_and_then_the_order_is_cancelled(
    postgres: Postgres, commit: Commit
) -> None:
    late, early = await pending(commit), await pending(commit)
    await wait(postgres, HALF - 60, early)
    assert await pass_deadline(postgres, commit, late) == [{AGAIN: 1}, {GIVEN_UP: 1}]
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


async def test_a_half_of_the_deadline_passes_once(postgres: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await wait(postgres, HALF + 1, order)
    deadlines = Deadlines(postgres, commit, SECONDS)
    assert [dict(await deadlines.handle_due()) for _ in range(2)] == [{AGAIN: 1}, {}]
    retried = await read(postgres, order)
    assert (retried.state, retried.reservation_attempts, retried.retried, retried.version) == ("PENDING", 2, True, 2)


async def test_ops_request_stock_again_with_a_whole_deadline(postgres: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await wait(postgres, HALF + 1, order)
    await Deadlines(postgres, commit, SECONDS).handle_due()
    await commit(RetrySaga(order.id))
    assert await pass_deadline(postgres, commit, order) == [{AGAIN: 1}, {GIVEN_UP: 1}]


async def test_a_deadline_of_an_earlier_request_does_nothing(postgres: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await amend(commit, order, 5)
    assert await commit(HandleHalfDeadline(order.id, attempt=1)) is None
    assert (await read(postgres, order)).reservation_attempts == 2


async def test_an_amendment_without_a_reply_is_requested_again_and_then_withdrawn(
    postgres: Postgres, commit: Commit
) -> None:
    order, fresh = await confirmed(postgres, commit), await confirmed(postgres, commit)
    # Both were placed long ago, but only one of the amendments is old.
    await wait(postgres, SECONDS + 1, order, fresh)
    for one in (order, fresh):
        await amend(commit, one, 5)
    assert await pass_deadline(postgres, commit, order) == [{AGAIN: 1}, {GIVEN_UP: 1}]
    kept = await read(postgres, order)
    assert (kept.state, kept.revision, kept.last_revision, kept.amendment) == ("CONFIRMED", 1, 2, None)
    amended, again, refused = (await events(postgres, order.id))[2:]
    assert amended == again
    assert isinstance(amended, OrderAmended)
    assert refused == AmendmentRefused(
        order_id=order.id, customer_id=order.customer_id, revision=2, shortages=(), lines=amended.lines
    )
    assert (await read(postgres, fresh)).amendment is not None


async def test_a_reply_after_the_withdrawal_changes_nothing(postgres: Postgres, commit: Commit) -> None:
    order = await confirmed(postgres, commit)
    await amend(commit, order, 5)
    await pass_deadline(postgres, commit, order)
    kept = await read(postgres, order)
    await consume(postgres, reserved(order, revision=2))
    assert await read(postgres, order) == kept


async def amend(commit: Commit, order: Order, quantity: int) -> None:
    await commit(AmendOrder(order.id, order.customer_id, ANY, {order.lines[0].sku: quantity}, {}))


async def test_a_deadline_does_not_change_a_decided_order(postgres: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await consume(postgres, reserved(order))
    assert await pass_deadline(postgres, commit, order) == [{}, {}]
    assert [type(event) for event in await events(postgres, order.id)] == [OrderPlaced, OrderConfirmed]


async def in_second_half(database: Postgres, commit: Commit, number: int) -> list[Order]:
    """Orders whose stock was requested again, and the second half of whose deadline has passed."""
    orders = [await pending(commit) for _ in range(number)]
    await wait(database, HALF + 1, *orders)
    await Deadlines(database, commit, SECONDS).handle_due()
    await wait(database, HALF + 1, *orders)
    return orders


async def test_a_concurrent_reply_and_deadline_decide_an_order_once(postgres: Postgres, commit: Commit) -> None:
    orders = await in_second_half(postgres, commit, 10)
    await asyncio.gather(
        Deadlines(postgres, commit, SECONDS).handle_due(),
        consume(postgres, *(reserved(order) for order in orders)),
    )
    for order in orders:
        ended = await read(postgres, order)
        assert ended.state in ("CONFIRMED", "CANCELLED")
        assert ended.version == len(await events(postgres, order.id)) == 3


async def test_several_processes_handle_each_deadline_once(postgres: Postgres, commit: Commit) -> None:
    waiting, ending = [await pending(commit) for _ in range(10)], await in_second_half(postgres, commit, 10)
    await wait(postgres, HALF + 1, *waiting)
    done = await asyncio.gather(*(Deadlines(postgres, commit, SECONDS).handle_due() for _ in range(3)))
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


async def test_many_deadlines_are_handled_in_batches(postgres: Postgres, commit: Commit) -> None:
    sku = await product(commit)
    orders = await asyncio.gather(*(commit(place_order({sku: 1})) for _ in range(BATCH + 5)))
    await wait(postgres, HALF + 1, *orders)
    deadlines = Deadlines(postgres, commit, SECONDS)
    assert [dict(await deadlines.handle_due()) for _ in range(3)] == [{AGAIN: BATCH}, {AGAIN: 5}, {}]


async def test_deadlines_are_counted_and_logged(postgres: Postgres, commit: Commit) -> None:
    await in_second_half(postgres, commit, 2)
    fresh = await pending(commit)
    await wait(postgres, HALF + 1, fresh)
    before = [counted(step) for step in (AGAIN, GIVEN_UP)]
    with capture_logs() as logs:
        await Deadlines(postgres, commit, SECONDS).handle_due()
    assert [log["orders"] for log in logs] == [1, 2]
    assert [counted(step) for step in (AGAIN, GIVEN_UP)] == [before[0] + 1, before[1] + 2]


def counted(step: str) -> float:
    return REGISTRY.get_sample_value("shop_saga_deadlines_total", {"step": step}) or 0
