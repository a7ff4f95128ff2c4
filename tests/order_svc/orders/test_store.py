"""Orders, products and responses in and out of their tables."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from order_svc.errors import OrderNotFound
from order_svc.orders.domain import Order
from order_svc.orders.parts import Amendment, Return, Shipment
from order_svc.orders.queries import OrderFilter, find_order, list_orders
from order_svc.orders.store import StoredResponse
from order_svc.replicas.domain import Product
from order_svc.replicas.store import products
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Address, Line, Money, PricedLine, Shortage

AT = datetime(2026, 1, 1, 12, 0, 0, 123456, UTC)
EUR5 = Money(amount=500, currency="EUR")
ODD = Address(name="Ørjan “O” \\ {null}", street="{}", city="東京", postal_code="NULL", country="JP")


def order(**changes: object) -> Order:
    line = PricedLine(sku="MUG", quantity=3, name='A "mug", {braced} \\', unit_price=EUR5)
    made = Order(uuid7(), uuid7(), "PENDING", (line,), EUR5.times(3), ODD, (), None, 1, AT, AT)
    return replace(made, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def writing(database: Postgres, prefetch: Callable[[OrderUnitOfWork], None]) -> AsyncIterator[OrderUnitOfWork]:
    uow = OrderUnitOfWork(AT)
    prefetch(uow)
    async with database.transaction() as tx:
        await uow.load(tx)
        yield uow
        await uow.save(tx)


async def save(database: Postgres, *orders: Order) -> None:
    async with writing(database, lambda uow: uow.orders.prefetch(*(one.id for one in orders))) as uow:
        for one in orders:
            uow.orders.set(one.id, one)


async def save_product(database: Postgres, product: Product) -> None:
    async with writing(database, lambda uow: uow.products.prefetch(product.sku)) as uow:
        uow.products.set(product.sku, product)


async def test_an_order_is_read_as_it_was_saved(shared: Postgres) -> None:
    short = Shortage(sku="MUG", requested=3, available=1, reason="short")
    made = [
        order(),
        order(state="REJECTED", shortages=(short,), version=2, changed_at=AT + timedelta(microseconds=1)),
        order(state="CANCELLED", reason="timeout", version=3),
        order(billing_address=ODD, customer_notes='A "note"'),
    ]
    await save(shared, *made)
    assert [await find_order(shared, one.id, one.customer_id) for one in made] == made


PART = UUID(int=7)
LINES = (Line(sku="MUG", quantity=1),)
CONTENT_CHANGES: dict[str, dict[str, object]] = {
    "amended": {"amendment": Amendment(2, (), EUR5, ODD, None), "last_revision": 2, "reservation_attempts": 2},
    "original rejected": {"amendment": Amendment(2, (), EUR5, ODD, ODD, original_rejected=True)},
    "accepted": {"revision": 2, "lines": (), "total": EUR5, "shipping_address": ODD, "billing_address": ODD},
    "shipped": {"shipments": (Shipment(PART, "DHL", "1", LINES, AT),) * 2},
    "returned": {"returns": (Return(PART, LINES, EUR5, None, AT), Return(PART, LINES, EUR5, "why", AT))},
    "cancelled": {"state": "CANCELLED", "cancellation_note": "why"},
}


@pytest.mark.parametrize("changes", CONTENT_CHANGES.values(), ids=CONTENT_CHANGES)
async def test_changed_content_is_saved_and_no_other_order_changes(
    shared: Postgres, changes: dict[str, object]
) -> None:
    before, other = order(), order()
    await save(shared, before, other)
    after: Order = replace(before, version=2, **changes)  # type: ignore[arg-type]
    await save(shared, after, replace(other, state="CONFIRMED", version=2))
    assert await find_order(shared, before.id, None) == after
    assert await find_order(shared, other.id, None) == replace(other, state="CONFIRMED", version=2)
    made = replace(after, id=uuid7())
    await save(shared, made)
    assert await find_order(shared, made.id, None) == made


async def test_orders_inserted_and_updated_in_one_transaction_are_all_saved(shared: Postgres) -> None:
    old = order()
    await save(shared, old)
    amended, new = replace(old, state="CONFIRMED", version=2), order()
    await save(shared, amended, new)
    assert [await find_order(shared, one.id, None) for one in (old, new)] == [amended, new]


async def test_an_order_is_not_found_by_another_customer(shared: Postgres) -> None:
    made = order()
    await save(shared, made)
    with pytest.raises(OrderNotFound):
        await find_order(shared, made.id, uuid7())


async def test_a_product_does_not_replace_a_newer_one_that_was_saved_since_the_read(shared: Postgres) -> None:
    # Replicas are read without a lock: another process may save a newer version between our read and our write.
    sku = f"SKU-{uuid7()}"
    async with writing(shared, lambda uow: uow.products.prefetch(sku)) as uow:
        await save_product(shared, Product(sku, uuid7(), "New", EUR5, 2))
        uow.products.set(sku, Product(sku, uuid7(), "Old", EUR5, 1))
    async with shared.reading() as connection:
        row = (await connection.execute(sa.select(products).where(products.c.sku == sku))).one()
    assert (row.name, row.version) == ("New", 2)


async def test_a_list_is_newest_first_and_its_pages_stay_the_same(shared: Postgres) -> None:
    customer = uuid7()
    made = [order(customer_id=customer) for _ in range(5)]
    await save(shared, *made, order())
    first = await list_orders(shared, customer, OrderFilter(), None, 2)
    await save(shared, order(customer_id=customer))
    second = await list_orders(shared, customer, OrderFilter(), first.next, 2)
    third = await list_orders(shared, customer, OrderFilter(), second.next, 2)
    assert [*first.orders, *second.orders, *third.orders] == made[::-1]
    assert third.next is None


async def test_a_response_is_stored_byte_for_byte(shared: Postgres) -> None:
    stored = StoredResponse(uuid7(), "f" * 64, uuid7(), '{"b": 1, "a": "ü \\" \\\\ "}')
    async with writing(shared, lambda uow: uow.stored_responses.prefetch(stored.id)) as uow:
        uow.stored_responses.set(stored.id, stored)
    async with writing(shared, lambda uow: uow.stored_responses.prefetch(stored.id)) as uow:
        assert uow.stored_responses.get(stored.id) == stored
