"""Shipping races cancelling, in two processes on one database: the first to lock the order wins."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from chassis.persistence.postgres.database import Postgres
from order_svc.errors import TransitionNotAllowed
from order_svc.fulfilment.commands import CancelRemainder, ShipOrder
from order_svc.orders.commands import CancelOrder
from order_svc.orders.domain import Order
from order_svc.unit_of_work import OrderUnitOfWork
from tests.order_svc.scenarios import Commit, confirmed, read, waits_for_a_row
from tests.outbox import events
from tests.stack import eventually

Command = Callable[[Order], Any]


def ship(order: Order) -> ShipOrder:
    return ShipOrder(order.id, ANY, uuid7(), "DHL", "4711")


def cancel(order: Order) -> CancelOrder:
    return CancelOrder(order.id, order.customer_id)


def cancel_remainder(order: Order) -> CancelRemainder:
    return CancelRemainder(order.id, order.customer_id)


RACES: list[tuple[Command, Command, list[str]]] = [
    (ship, cancel, ["order.shipped"]),
    (cancel, ship, ["order.cancelled"]),
    (ship, cancel_remainder, ["order.shipped", "order.shipped"]),
    (cancel_remainder, ship, ["order.shipped", "order.remainder_cancelled"]),
]


@pytest.mark.parametrize(("first", "second", "published"), RACES, ids=lambda one: getattr(one, "__name__", ""))
async def test_the_first_wins_and_the_second_is_refused(
    shared: Postgres, commit: Commit, first: Command, second: Command, published: list[str]
) -> None:
    order = await confirmed(shared, commit)
    if cancel_remainder in (first, second):
        one = {order.lines[0].sku: 1}
        await commit(ShipOrder(order.id, ANY, uuid7(), "DHL", "4710", one))
    command, uow = first(order), OrderUnitOfWork(datetime.now(UTC))
    command.prefetch(uow)
    async with shared.transaction() as tx:
        await uow.load(tx)
        late = asyncio.create_task(commit(second(order)))
        await eventually(lambda: waits_for_a_row(shared), 10, "the second to wait for the order")
        command.execute(uow)
        await uow.save(tx)
        await shared.outbox.add(tx, uow.outbox.added)
    with pytest.raises(TransitionNotAllowed):
        await late
    after = await read(shared, order)
    assert [event.type for event in await events(shared, order.id)][2:] == published
    assert (after.state, after.unshipped) in (("SHIPPED", {}), ("CANCELLED", order.unshipped))
