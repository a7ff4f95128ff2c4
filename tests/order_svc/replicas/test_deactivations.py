"""Orders that are placed after an account is deactivated and before order_svc knows it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, record
from order_svc.replicas.domain import Deactivation
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import (
    CustomerDeactivated,
    CustomerReactivated,
    CustomerRegistered,
    Envelope,
    Event,
    OrderCancelled,
    OrderPlaced,
    StockReserved,
    encode,
)
from tests.order_svc.rest import API, place
from tests.order_svc.scenarios import Commit, consumer, product
from tests.order_svc.scenarios import consume as consume_one
from tests.outbox import events

SECOND = timedelta(seconds=1)


async def consume(database: Postgres, batch: Mapping[int, tuple[Event, datetime]]) -> None:
    """Handle events of an account, by their versions, with the times at which they happened."""
    happened = [Envelope(uuid7(), event.source, at, version, event) for version, (event, at) in batch.items()]
    await consumer(database).handle([record(encode(one)) for one in happened])


def deactivated(customer: UUID, by: Literal["customer", "staff"] = "staff") -> CustomerDeactivated:
    return CustomerDeactivated(customer_id=customer, by=by)


async def new_customer(database: Postgres) -> UUID:
    customer = uuid7()
    event = CustomerRegistered(customer_id=customer, email="ada@example.com", name="Ada")
    await consume(database, {1: (event, datetime.now(UTC))})
    return customer


async def kinds(database: Postgres, order: str) -> list[type[Event]]:
    return [type(one) for one in await events(database, UUID(order))]


@pytest.mark.parametrize("by", ["customer", "staff"])
async def test_an_order_from_before_a_deactivation_stays_and_one_from_after_it_is_cancelled(
    api: API, shared: Postgres, commit: Commit, by: Literal["customer", "staff"]
) -> None:
    customer, sku = await new_customer(shared), await product(commit)
    before = await place(api, sku, headers=bearer(customer))
    at = datetime.now(UTC)
    pending, confirmed = [await place(api, sku, headers=bearer(customer)) for _ in range(2)]
    await consume_one(shared, StockReserved(order_id=UUID(confirmed["id"]), lines=()))
    strangers = await place(api, sku, headers=bearer(uuid7()))
    await consume(shared, {2: (deactivated(customer, by), at)})
    assert await kinds(shared, before["id"]) == [OrderPlaced]
    assert await kinds(shared, strangers["id"]) == [OrderPlaced]
    for late in (pending, confirmed):
        [*_, cancelled] = await events(shared, UUID(late["id"]))
        assert isinstance(cancelled, OrderCancelled)
        assert cancelled.reason == by


async def test_an_account_that_is_active_again_keeps_its_orders(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = await new_customer(shared), await product(commit)
    at = datetime.now(UTC)
    placed = await place(api, sku, headers=bearer(customer))
    again = CustomerReactivated(customer_id=customer, by="staff")
    await consume(shared, {2: (deactivated(customer), at - SECOND), 3: (again, at)})
    assert await kinds(shared, placed["id"]) == [OrderPlaced]


async def test_an_old_deactivation_that_is_replayed_cancels_nothing(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer, sku = await new_customer(shared), await product(commit)
    at = datetime.now(UTC) - SECOND
    again = CustomerReactivated(customer_id=customer, by="staff")
    await consume(shared, {2: (deactivated(customer), at)})
    await consume(shared, {3: (again, at)})
    placed = await place(api, sku, headers=bearer(customer))
    await consume(shared, {2: (deactivated(customer), at)})
    assert await kinds(shared, placed["id"]) == [OrderPlaced]


def test_a_deactivation_that_is_handled_once_more_emits_nothing() -> None:
    uow = OrderUnitOfWork(datetime.now(UTC))
    uow.repeated = True
    uow.deactivations.add(Deactivation(uuid7(), "staff", datetime.now(UTC) - SECOND, None, None))
    uow.after_commands()
    assert uow.outbox.added == []
