"""What notifier_svc does with the events of others, in a real database."""

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record, records
from notifier_svc.domain import Customer, Mail, OrderTemplate, mail_id
from notifier_svc.store import customers
from schemas import (
    STAFF,
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    OrderDelivered,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    Shortage,
    StockLow,
    golden,
)
from tests.notifier_svc.ledger import all_mails, cancelled, confirmed, consumer, hear, registered
from tests.outbox import events


async def mails_of(database: Postgres, customer_id: object) -> list[Mail]:
    return [one for one in await all_mails(database) if one.customer_id == customer_id]


async def known(database: Postgres, customer_id: object) -> Customer | None:
    async with database.reading() as connection:
        query = sa.select(customers).where(customers.c.id == customer_id)
        row = (await connection.execute(query)).one_or_none()
    return Customer(**row._mapping) if row else None


async def test_a_registered_customer_has_an_address(shared: Postgres) -> None:
    customer_id = uuid7()
    await hear(shared, registered(customer_id, "ada@example.com", "Ada"))
    assert await known(shared, customer_id) == Customer(customer_id, "ada@example.com", "Ada", 1)
    assert await mails_of(shared, customer_id) == []


async def test_our_copy_of_a_customer_only_grows_newer(shared: Postgres) -> None:
    customer_id = uuid7()
    for version in (2, 1, 3, 2):
        message = enveloped(registered(customer_id, f"v{version}@example.com"), version)
        await consumer(shared).handle([record(message)])
    assert await known(shared, customer_id) == Customer(customer_id, "v3@example.com", "Ada Lovelace", 3)


async def test_a_confirmed_order_queues_a_receipt_with_all_that_it_says(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await hear(shared, order)
    [mail] = await mails_of(shared, order.customer_id)
    assert mail.id == mail_id("receipt", order.customer_id, str(order.order_id))
    assert (mail.template, mail.order_id, mail.state) == ("receipt", order.order_id, "queued")
    assert (mail.attempts, mail.doubts, mail.claim, mail.error) == (0, 0, None, None)
    assert mail.context == order.model_dump(mode="json")
    assert await events(shared, mail.id) == []


async def test_a_rejected_and_a_cancelled_order_queue_mails_of_their_own(shared: Postgres) -> None:
    customer_id = uuid7()
    example = golden.example(OrderRejected)
    assert isinstance(example, OrderRejected)
    short = Shortage(sku="MUG-1", requested=2, available=1, reason="short")
    rejected = example.model_copy(update={"customer_id": customer_id, "order_id": uuid7(), "shortages": (short,)})
    await hear(shared, rejected, cancelled(customer_id, uuid7()))
    assert sorted(mail.template for mail in await mails_of(shared, customer_id)) == ["cancelled", "rejected"]


async def test_an_event_that_comes_again_queues_no_second_mail(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    message = record(enveloped(order))
    await consumer(shared).handle([message, message])
    await consumer(shared).handle([message])
    assert len(await mails_of(shared, order.customer_id)) == 1


async def test_the_same_fact_under_another_event_id_queues_no_second_mail(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await consumer(shared).handle(records([order, order]))
    await hear(shared, order)
    assert len(await mails_of(shared, order.customer_id)) == 1


async def test_a_receipt_and_a_cancellation_of_one_order_are_two_mails(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await hear(shared, order, cancelled(order.customer_id, order.order_id))
    assert sorted(mail.template for mail in await mails_of(shared, order.customer_id)) == ["cancelled", "receipt"]


HAPPENING: list[tuple[type[Event], OrderTemplate, str]] = [
    (AmendmentAccepted, "order_amended", "{order_id} 2"),
    (AmendmentRefused, "amendment_refused", "{order_id} 2"),
    (OrderShipped, "shipped", "{shipment_id}"),
    (OrderDelivered, "delivered", "{order_id}"),
    (OrderReturned, "return_received", "{return_id}"),
]


@pytest.mark.parametrize(("event_class", "template", "about"), HAPPENING, ids=lambda one: str(one)[:20])
async def test_whatever_happens_to_an_order_queues_one_mail_with_all_that_it_says(
    shared: Postgres, event_class: type[Event], template: OrderTemplate, about: str
) -> None:
    customer_id = uuid7()
    event = golden.example(event_class).model_copy(update={"customer_id": customer_id, "order_id": uuid7()})
    await hear(shared, event, event)
    [mail] = await mails_of(shared, customer_id)
    assert mail.id == mail_id(template, customer_id, about.format(**event.model_dump()))
    assert (mail.template, mail.order_id, mail.state) == (template, event.order_id, "queued")
    assert mail.context == event.model_dump(mode="json")


async def test_each_shipment_of_an_order_is_mailed_about(shared: Postgres) -> None:
    first = golden.example(OrderShipped).model_copy(update={"customer_id": uuid7(), "order_id": uuid7()})
    second = first.model_copy(update={"shipment_id": uuid7()})
    await hear(shared, first, second, first)
    assert [mail.template for mail in await mails_of(shared, first.customer_id)] == ["shipped", "shipped"]


async def test_staff_are_mailed_each_time_that_stock_falls_low(shared: Postgres) -> None:
    low = golden.example(StockLow)
    again = [record(enveloped(low, version)) for version in (1, 2)]
    await consumer(shared).handle([*again, again[0]])
    await consumer(shared).handle(again)
    found = await mails_of(shared, STAFF)
    assert [(mail.template, mail.order_id, mail.context) for mail in found] == [
        ("low_stock", None, low.model_dump(mode="json"))
    ] * 2


@pytest.mark.parametrize("customer_first", [True, False])
async def test_customer_and_order_may_be_heard_of_in_any_order(shared: Postgres, customer_first: bool) -> None:
    customer_id, order_id = uuid7(), uuid7()
    heard = [registered(customer_id), cancelled(customer_id, order_id)]
    await hear(shared, *(heard if customer_first else reversed(heard)))
    [mail] = await mails_of(shared, customer_id)
    assert mail.state == "queued"
    assert await known(shared, customer_id) is not None
