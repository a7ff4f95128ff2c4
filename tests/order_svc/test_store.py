"""Orders and products in and out of their tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from order_svc import queries
from order_svc.domain import Order, Product
from order_svc.errors import OrderUnknown
from order_svc.history import Sought, history
from order_svc.parts import Amendment, Return, Shipment
from order_svc.store import Answered, OrderBook, products
from schemas import Address, Line, Money, PricedLine, Shortage

AT = datetime(2026, 1, 1, 12, 0, 0, 123456, UTC)
EUR5 = Money(amount=500, currency="EUR")
ODD = Address(name="Ørjan “O” \\ {null}", street="{}", city="東京", postal_code="NULL", country="JP")


def order(**changes: object) -> Order:
    line = PricedLine(sku="MUG", quantity=3, name='A "mug", {braced} \\', unit_price=EUR5)
    made = Order(uuid7(), uuid7(), "PENDING", (line,), EUR5.times(3), ODD, (), None, 1, AT, AT)
    return replace(made, **changes)  # type: ignore[arg-type]


async def write(database: Postgres, change: Callable[[OrderBook], None], want: Callable[[OrderBook], None]) -> None:
    book = OrderBook(AT)
    want(book)
    async with database.transaction() as tx:
        await book.load(tx)
        change(book)
        await book.save(tx)


async def keep(database: Postgres, *kept: Order) -> None:
    def change(book: OrderBook) -> None:
        for one in kept:
            book.orders.set(one.id, one)

    await write(database, change, lambda book: book.orders.prefetch(*(one.id for one in kept)))


async def learn(database: Postgres, *known: Product) -> None:
    def change(book: OrderBook) -> None:
        for one in known:
            book.products.set(one.sku, one)

    await write(database, change, lambda book: book.products.prefetch(*(one.sku for one in known)))


async def test_an_order_comes_back_as_it_went(shared: Postgres) -> None:
    short = Shortage(sku="MUG", requested=3, available=1, reason="short")
    made = [
        order(),
        order(state="REJECTED", shortages=(short,), version=2, changed_at=AT + timedelta(microseconds=1)),
        order(state="CANCELLED", reason="timeout", version=3),
        order(billing_address=ODD, notes='A "note"'),
    ]
    await keep(shared, *made)
    assert [await queries.order(shared, one.id, one.customer_id) for one in made] == made


PART = UUID(int=7)
LINES = (Line(sku="MUG", quantity=1),)
RESHAPES: dict[str, dict[str, object]] = {
    "amended": {"amendment": Amendment(2, (), EUR5, ODD, None), "last_revision": 2, "asked": 2},
    "alone": {"amendment": Amendment(2, (), EUR5, ODD, ODD, alone=True)},
    "accepted": {"revision": 2, "lines": (), "total": EUR5, "shipping_address": ODD, "billing_address": ODD},
    "shipped": {"shipments": (Shipment(PART, "DHL", "1", LINES, AT),) * 2},
    "returned": {"returns": (Return(PART, LINES, EUR5, None, AT), Return(PART, LINES, EUR5, "why", AT))},
    "cancelled": {"state": "CANCELLED", "note": "why"},
}


@pytest.mark.parametrize("changes", RESHAPES.values(), ids=RESHAPES)
async def test_what_becomes_of_an_order_is_kept_and_no_other_order_changes(
    shared: Postgres, changes: dict[str, object]
) -> None:
    before, other = order(), order()
    await keep(shared, before, other)
    after: Order = replace(before, version=2, **changes)  # type: ignore[arg-type]
    await keep(shared, after, replace(other, state="CONFIRMED", version=2))
    assert await queries.order(shared, before.id, None) == after
    assert await queries.order(shared, other.id, None) == replace(other, state="CONFIRMED", version=2)
    made = replace(after, id=uuid7())
    await keep(shared, made)
    assert await queries.order(shared, made.id, None) == made


async def test_orders_made_and_amended_in_one_transaction_are_all_kept(shared: Postgres) -> None:
    old = order()
    await keep(shared, old)
    amended, new = replace(old, state="CONFIRMED", version=2), order()
    await keep(shared, amended, new)
    assert [await queries.order(shared, one.id, None) for one in (old, new)] == [amended, new]


async def test_an_order_is_nobody_elses(shared: Postgres) -> None:
    made = order()
    await keep(shared, made)
    with pytest.raises(OrderUnknown):
        await queries.order(shared, made.id, uuid7())


async def test_a_copy_that_was_read_before_a_newer_one_came_does_not_replace_it(shared: Postgres) -> None:
    # Copies are read without a lock: between our read and our write another process may have learnt more.
    sku, book = f"SKU-{uuid7()}", OrderBook(AT)
    book.products.prefetch(sku)
    async with shared.transaction() as tx:
        await book.load(tx)
        await learn(shared, Product(sku, uuid7(), "New", EUR5, 2))
        book.products.set(sku, Product(sku, uuid7(), "Old", EUR5, 1))
        await book.save(tx)
    async with shared.reading() as connection:
        row = (await connection.execute(sa.select(products).where(products.c.sku == sku))).one()
    assert (row.name, row.version) == ("New", 2)


async def test_history_is_newest_first_in_pages_that_stay(shared: Postgres) -> None:
    customer = uuid7()
    made = [order(customer_id=customer) for _ in range(5)]
    await keep(shared, *made, order())
    first = await history(shared, customer, Sought(), None, 2)
    await keep(shared, order(customer_id=customer))
    second = await history(shared, customer, Sought(), first.next, 2)
    third = await history(shared, customer, Sought(), second.next, 2)
    assert [*first.orders, *second.orders, *third.orders] == made[::-1]
    assert third.next is None


async def test_an_answer_to_a_key_is_kept_byte_for_byte(shared: Postgres) -> None:
    answered = Answered(uuid7(), "f" * 64, uuid7(), '{"b": 1, "a": "ü \\" \\\\ "}')
    await write(
        shared,
        lambda book: book.answered.set(answered.id, answered),
        lambda book: book.answered.prefetch(answered.id),
    )
    read = OrderBook(AT)
    read.answered.prefetch(answered.id)
    async with shared.transaction() as tx:
        await read.load(tx)
    assert read.answered.get(answered.id) == answered
