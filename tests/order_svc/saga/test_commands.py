"""What order_svc does with the events of others, in a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.tables import dead_letters
from chassis.testing import enveloped, record, records
from order_svc import SERVICE
from order_svc.domain import Order, Product
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook, products
from schemas import (
    CustomerRegistered,
    Event,
    Line,
    MailFailed,
    MailSent,
    Message,
    Money,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    ProductChanged,
    ProductCreated,
    ProductDrafted,
    Shortage,
    StockAdjusted,
    StockCommitted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)
from schemas.values import Offer, Variant
from tests.order_svc.orders import cancel, pending, read, timeline
from tests.outbox import events, told

Commit = GroupCommit[OrderBook]
AT = datetime(2026, 1, 1, tzinfo=UTC)


def consumer(database: Postgres) -> Consumer[OrderBook]:
    return Consumer(database, SERVICE, OrderBook, HANDLERS)


async def hear(database: Postgres, *heard: Event) -> None:
    await consumer(database).handle(records(heard))


def reserved(order: Order) -> StockReserved:
    return StockReserved(order_id=order.id, lines=tuple(Line(sku=x.sku, quantity=x.quantity) for x in order.lines))


def rejected(order: Order) -> StockRejected:
    sku, quantity = order.lines[0].sku, order.lines[0].quantity
    short = Shortage(sku=sku, requested=quantity, available=1, reason="short")
    return StockRejected(order_id=order.id, shortages=(short,))


async def known(database: Postgres, sku: str) -> Product | None:
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(products).where(products.c.sku == sku))).one_or_none()
    if row is None:
        return None
    price = Money(amount=row.amount, currency=row.currency)
    return Product(row.sku, row.product_id, row.name, price, row.version, row.for_sale)


def created(sku: str, version: int, amount: int = 100, name: str = "Mug") -> Message:
    variant = Variant(sku=sku, price=Money(amount=amount, currency="EUR"))
    return enveloped(ProductCreated(product_id=PRODUCT, name=name, variants=(variant,)), version)


def changed(version: int, *offers: Offer, status: Any = "active") -> Message:
    return enveloped(ProductChanged(product_id=PRODUCT, name="Jug", status=status, offers=offers), version)


def offer(sku: str, amount: int = 7, *, for_sale: bool = True) -> Offer:
    return Offer(sku=sku, price=Money(amount=amount, currency="EUR"), for_sale=for_sale)


PRODUCT = uuid7()


async def test_a_pending_order_is_confirmed_when_its_stock_is_reserved(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await hear(shared, reserved(order))
    confirmed = await read(shared, order)
    assert (confirmed.state, confirmed.version) == ("CONFIRMED", 2)
    placed, told_last = await told(shared, order.id)
    assert isinstance(placed.event, OrderPlaced)
    assert told_last.event == OrderConfirmed(
        order_id=order.id,
        customer_id=order.customer_id,
        lines=order.lines,
        total=order.total,
        shipping_address=order.shipping_address,
    )
    assert (placed.aggregate_version, told_last.aggregate_version) == (1, 2)
    assert await timeline(shared, order.id) == [
        ("order.placed", {"state": "PENDING"}),
        ("stock.reserved", {}),
        ("order.confirmed", {"state": "CONFIRMED"}),
    ]


async def test_a_pending_order_is_rejected_when_its_stock_is_short(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    refusal = rejected(order)
    await hear(shared, refusal)
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
        ("order.rejected", {"state": "REJECTED", "shortages": shortages}),
    ]


async def test_what_follows_from_an_event_names_it_as_the_cause(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    message = enveloped(reserved(order))
    await consumer(shared).handle([record(message)])
    placed, confirmed = await told(shared, order.id)
    assert (placed.cause, confirmed.cause) == (None, str(message.id))
    assert confirmed.time > placed.time


async def test_an_answer_after_the_cancellation_changes_nothing(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    cancelled = await cancel(commit, order)
    await hear(shared, reserved(order))
    assert await read(shared, order) == cancelled
    assert [type(event) for event in await events(shared, order.id)] == [OrderPlaced, OrderCancelled]
    assert [kind for kind, _ in await timeline(shared, order.id)] == [
        "order.placed",
        "order.cancelled",
        "stock.reserved",
        "saga.answer_ignored",
    ]


async def test_an_answer_counts_once_however_often_it_comes(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    answer = record(enveloped(reserved(order)))
    await consumer(shared).handle([answer, answer])
    await consumer(shared).handle([answer])
    assert [type(event) for event in await events(shared, order.id)] == [OrderPlaced, OrderConfirmed]
    assert len(await timeline(shared, order.id)) == 3


async def test_the_first_of_two_contradicting_answers_counts(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await hear(shared, rejected(order), reserved(order))
    assert (await read(shared, order)).state == "REJECTED"
    assert [type(event) for event in await events(shared, order.id)] == [OrderPlaced, OrderRejected]


async def test_many_orders_are_answered_in_one_batch(shared: Postgres, commit: Commit) -> None:
    orders = [await pending(commit) for _ in range(6)]
    await hear(shared, *(reserved(o) if n % 2 else rejected(o) for n, o in enumerate(orders)))
    states = [(await read(shared, order)).state for order in orders]
    assert states == ["REJECTED", "CONFIRMED"] * 3


async def test_an_answer_for_an_order_that_was_never_stored_is_set_aside(shared: Postgres) -> None:
    nobodys = uuid7()
    await hear(shared, StockReserved(order_id=nobodys, lines=()))
    async with shared.reading() as connection:
        query = sa.select(dead_letters).where(dead_letters.c.key == str(nobodys).encode())
        [letter] = (await connection.execute(query)).all()
    assert (letter.state, letter.reason) == ("dead", "handler_failed")
    assert await timeline(shared, nobodys) == []


async def test_a_created_product_can_be_ordered_in_each_variant(shared: Postgres) -> None:
    skus = [f"SKU-{uuid7()}" for _ in range(2)]
    variants = tuple(Variant(sku=s, price=Money(amount=7, currency="EUR")) for s in skus)
    product_id = uuid7()
    await hear(shared, ProductCreated(product_id=product_id, name="Mug", variants=variants))
    assert [await known(shared, sku) for sku in skus] == [
        Product(sku, product_id, "Mug", Money(amount=7, currency="EUR"), 1) for sku in skus
    ]


async def test_our_copy_of_a_product_only_grows_newer(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    for version, amount in ((2, 200), (1, 100), (3, 300), (2, 200)):
        await consumer(shared).handle([record(created(sku, version, amount))])
    copy = await known(shared, sku)
    assert copy is not None
    assert (copy.version, copy.price.amount) == (3, 300)


async def test_our_copy_only_grows_newer_within_one_batch(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    await consumer(shared).handle([record(created(sku, version, version * 100)) for version in (2, 3, 1)])
    copy = await known(shared, sku)
    assert copy is not None
    assert (copy.version, copy.price.amount) == (3, 300)


async def test_a_changed_product_is_known_by_its_new_name_prices_and_variants(shared: Postgres) -> None:
    mug, cup = f"SKU-{uuid7()}", f"SKU-{uuid7()}"
    for message in (created(mug, 1), changed(2, offer(mug, 9), offer(cup, for_sale=False))):
        await consumer(shared).handle([record(message)])
    assert [await known(shared, sku) for sku in (mug, cup)] == [
        Product(mug, PRODUCT, "Jug", Money(amount=9, currency="EUR"), 2),
        Product(cup, PRODUCT, "Jug", Money(amount=7, currency="EUR"), 2, for_sale=False),
    ]


async def test_a_change_that_comes_before_an_older_one_stays(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    late = [changed(3, offer(sku, for_sale=False)), changed(2, offer(sku)), created(sku, 1)]
    await consumer(shared).handle([record(message) for message in late])
    copy = await known(shared, sku)
    assert copy is not None
    assert (copy.version, copy.for_sale) == (3, False)


async def test_drafts_are_not_known_until_they_are_active(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    drafted = enveloped(ProductDrafted(product_id=PRODUCT, name="Jug"))
    draft = changed(2, offer(sku, for_sale=False), status="draft")
    await consumer(shared).handle([record(drafted), record(draft)])
    assert await known(shared, sku) is None
    await consumer(shared).handle([record(changed(3, offer(sku)))])
    assert await known(shared, sku) is not None


async def test_a_release_enters_the_timeline_and_nothing_else(shared: Postgres, commit: Commit) -> None:
    order = await cancel(commit, await pending(commit))
    at = order.changed_at + timedelta(seconds=3)
    await consumer(shared).handle([record(enveloped(StockReleased(order_id=order.id, lines=()), at=at))])
    assert (await timeline(shared, order.id))[-1] == ("stock.released", {})
    assert await read(shared, order) == order
    assert len(await events(shared, order.id)) == 2


async def test_what_only_an_amendment_needed_enters_the_timeline_with_its_revision(shared: Postgres) -> None:
    order_id = uuid7()
    await hear(shared, StockReleased(order_id=order_id, lines=(), revision=2))
    assert await timeline(shared, order_id) == [("stock.released", {"revision": 2})]


async def test_what_left_the_house_and_what_came_back_enter_the_timeline(shared: Postgres) -> None:
    order_id, lines = uuid7(), (Line(sku="MUG", quantity=1),)
    gone = StockCommitted(order_id=order_id, shipment_id=uuid7(), lines=lines)
    await hear(shared, gone, StockReturned(order_id=order_id, return_id=uuid7(), lines=lines))
    assert await timeline(shared, order_id) == [("stock.committed", {}), ("stock.returned", {})]


async def test_mails_about_an_order_enter_its_timeline(shared: Postgres) -> None:
    order_id, (first, second, third) = uuid7(), (uuid7() for _ in range(3))
    about = {"customer_id": uuid7(), "order_id": order_id}
    sent = MailSent(mail_id=first, template="receipt", **about)
    failed = MailFailed(mail_id=second, template="cancelled", reason="550 no", **about)
    await hear(shared, sent, failed, MailSent(mail_id=third, template="receipt", resend_of=first, **about))
    assert await timeline(shared, order_id) == [
        ("notification.mail_sent", {"template": "receipt", "mail_id": str(first)}),
        ("notification.mail_failed", {"template": "cancelled", "mail_id": str(second)}),
        ("notification.mail_sent", {"template": "receipt", "mail_id": str(third), "resend_of": str(first)}),
    ]


async def test_a_mail_about_no_order_enters_no_timeline(shared: Postgres) -> None:
    mail_id = uuid7()
    await hear(shared, MailSent(mail_id=mail_id, template="welcome", customer_id=uuid7()))
    async with shared.reading() as connection:
        assert (
            await connection.scalar(sa.select(dead_letters).where(dead_letters.c.key == str(mail_id).encode()))
            is None
        )


async def test_events_that_are_not_ours_are_passed_over(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    others = [
        StockAdjusted(sku="MUG", delta=1, reason="count", on_hand=1, reserved=0),
        CustomerRegistered(customer_id=order.customer_id, email="a@b.example", name="Ada"),
    ]
    await hear(shared, *others, reserved(order))
    assert (await read(shared, order)).state == "CONFIRMED"


async def test_an_older_event_of_a_newer_writer_is_read_with_what_is_known(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    message = created(sku, 1)
    value = message.value.replace(b'"name"', b'"brand":"Acme","name"')
    await consumer(shared).handle([record(Message(message.id, message.topic, message.key, message.headers, value))])
    assert await known(shared, sku) is not None
