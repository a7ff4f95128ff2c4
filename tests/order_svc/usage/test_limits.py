"""How much an account may order: orders in a minute, and pieces that are not shipped yet."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.errors import TooManyOrders, TooManyPieces
from order_svc.main import build
from order_svc.migrations.versions.s064_account_usage import FILL
from order_svc.unit_of_work import OrderUnitOfWork
from order_svc.usage.domain import WINDOW, AccountUsage, OrderLimits
from order_svc.usage.store import account_usage
from schemas import StockRejected, StockReserved
from tests.databases import committing
from tests.order_svc.apps import settings
from tests.order_svc.rest import API, amend, body, lines, place
from tests.order_svc.scenarios import Commit, consume, place_order, product
from tests.responses import assert_problem, checked_client

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CUSTOMER = UUID(int=7)
LIMITS = OrderLimits(per_minute=3, pieces=10)


def test_the_orders_of_a_minute_are_limited() -> None:
    usage = AccountUsage(CUSTOMER)
    for second in range(3):
        usage = usage.with_order(1, LIMITS, NOW + timedelta(seconds=second))
    with pytest.raises(TooManyOrders) as refused:
        usage.with_order(1, LIMITS, NOW + timedelta(seconds=20.5))
    assert refused.value.extra == {"limit": 3, "retry_after": 40}
    assert usage.with_order(1, LIMITS, NOW + WINDOW).orders == 1


def test_the_pieces_are_limited() -> None:
    usage = AccountUsage(CUSTOMER, held_pieces=8).with_order(2, LIMITS, NOW)
    with pytest.raises(TooManyPieces) as refused:
        usage.with_order(1, LIMITS, NOW)
    assert refused.value.extra == {"limit": 10, "held": 10}


def test_an_amendment_to_less_is_possible_above_a_limit_that_was_lowered() -> None:
    assert AccountUsage(CUSTOMER, held_pieces=50).with_order(0, LIMITS, NOW).held_pieces == 50


@pytest.fixture(scope="module")
async def limited(shared_url: str) -> AsyncIterator[API]:
    """A REST process with these limits."""
    strict = settings(shared_url, "http://127.0.0.1:9").model_copy(
        update={"orders_per_minute": LIMITS.per_minute, "pieces_held": LIMITS.pieces}
    )
    async with checked_client(build(strict)) as client:
        yield client


async def held(database: Postgres, customer_id: UUID) -> int:
    query = sa.select(account_usage.c.held_pieces).where(account_usage.c.customer_id == customer_id)
    async with database.reading() as connection:
        return int(await connection.scalar(query) or 0)


async def test_one_order_too_many_in_a_minute_is_refused(limited: API, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    for _ in range(LIMITS.per_minute):
        await place(limited, sku, 1, headers)
    refused = await limited.post("/v1/orders", json=body(**{sku: 1}), headers=headers)
    assert assert_problem(refused, 429, "too_many_orders")["limit"] == LIMITS.per_minute
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW.total_seconds()
    await place(limited, sku, 1, bearer())


async def test_a_repeated_request_is_no_order(limited: API, commit: Commit) -> None:
    headers, sku = bearer() | {"Idempotency-Key": "k"}, await product(commit)
    repeated = [await limited.post("/v1/orders", json=body(**{sku: 1}), headers=headers) for _ in range(5)]
    assert {response.status_code for response in repeated} == {202}


async def test_more_pieces_than_an_account_may_hold_are_refused(
    limited: API, commit: Commit, shared: Postgres
) -> None:
    customer, sku = uuid7(), await product(commit)
    await place(limited, sku, 9, bearer(customer))
    refused = await limited.post("/v1/orders", json=body(**{sku: 2}), headers=bearer(customer))
    assert assert_problem(refused, 409, "too_many_pieces")["held"] == 9
    await place(limited, sku, 1, bearer(customer))
    assert await held(shared, customer) == 10


async def test_an_amendment_counts_with_what_it_adds(limited: API, commit: Commit, shared: Postgres) -> None:
    customer, sku = uuid7(), await product(commit)
    order = await place(limited, sku, 6, bearer(customer))
    refused = await amend(limited, order, bearer(customer), lines(**{sku: 11}))
    assert_problem(refused, 409, "too_many_pieces")
    assert (await amend(limited, order, bearer(customer), lines(**{sku: 10}))).status_code == 202
    assert await held(shared, customer) == 10
    await consume(shared, StockRejected(order_id=UUID(order["id"]), shortages=(), revision=2))
    assert await held(shared, customer) == 6


async def test_what_is_cancelled_or_rejected_is_held_no_longer(
    limited: API, commit: Commit, shared: Postgres
) -> None:
    customer, sku = uuid7(), await product(commit)
    first, second = [await place(limited, sku, 4, bearer(customer)) for _ in range(2)]
    await consume(shared, StockReserved(order_id=UUID(first["id"]), lines=()))
    assert await held(shared, customer) == 8
    await consume(shared, StockRejected(order_id=UUID(second["id"]), shortages=()))
    assert await held(shared, customer) == 4
    cancelled = await limited.post(f"/v1/orders/{first['id']}/cancel", headers=bearer(customer))
    assert cancelled.status_code == 200
    assert await held(shared, customer) == 0


async def test_what_is_shipped_is_held_no_longer(limited: API, commit: Commit, shared: Postgres) -> None:
    customer, sku = uuid7(), await product(commit)
    order = await place(limited, sku, 5, bearer(customer))
    await consume(shared, StockReserved(order_id=UUID(order["id"]), lines=()))
    shipment = {"carrier": "DHL", "tracking_number": "1", "lines": [{"sku": sku, "quantity": 2}]}
    headers = bearer(role="staff") | {"If-Match": '"2"'}
    shipped = await limited.post(f"/v1/orders/{order['id']}/shipments", json=shipment, headers=headers)
    assert shipped.status_code in (200, 201), shipped.text
    assert await held(shared, customer) == 3


async def test_the_limits_hold_across_processes(commit: Commit, shared_url: str, shared: Postgres) -> None:
    customer, sku = uuid7(), await product(commit)
    limits = OrderLimits(per_minute=1000, pieces=20)
    outcomes: Counter[str] = Counter()

    async def order(through: Commit) -> None:
        try:
            await through(replace(place_order({sku: 1}, customer), limits=limits))
            outcomes["placed"] += 1
        except TooManyPieces:
            outcomes["refused"] += 1

    another = Postgres(shared_url)
    async with committing(another, OrderUnitOfWork) as other:
        await asyncio.gather(*(order(through) for _ in range(30) for through in (commit, other)))
    await another.close()
    assert outcomes == {"placed": 20, "refused": 40}
    assert await held(shared, customer) == 20


async def test_the_migration_counts_what_is_held_already(limited: API, commit: Commit, shared: Postgres) -> None:
    customer, sku = uuid7(), await product(commit)
    await place(limited, sku, 3, bearer(customer))
    order = await place(limited, sku, 2, bearer(customer))
    assert (await amend(limited, order, bearer(customer), lines(**{sku: 4}))).status_code == 202
    before = await held(shared, customer)
    async with shared.engine.begin() as connection:
        await connection.execute(sa.delete(account_usage))
        await connection.execute(sa.text(FILL))
    assert await held(shared, customer) == before == 7
