"""Mails that events of orders and stock enter in the ledger, in a real database."""

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record, records
from notifier_svc.mails.domain import mail_id
from notifier_svc.rendering.domain import OrderTemplate
from schemas import (
    STAFF,
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    OrderDelivered,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    ParcelFailed,
    RemainderCancelled,
    ReturnApproved,
    ReturnDeclined,
    ReturnRequested,
    Shortage,
    StockLow,
    TrackingCorrected,
    golden,
)
from tests.notifier_svc.factories import cancelled, confirmed
from tests.notifier_svc.ledger import consumer, handle_events, mails_of
from tests.outbox import events


async def test_a_confirmed_order_queues_a_receipt_with_the_content_of_the_event(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await handle_events(shared, order)
    [mail] = await mails_of(shared, order.customer_id)
    assert mail.id == mail_id("receipt", order.customer_id, str(order.order_id))
    assert (mail.template, mail.order_id, mail.state) == ("receipt", order.order_id, "queued")
    assert (mail.attempts, mail.doubts, mail.claim, mail.error) == (0, 0, None, None)
    assert mail.context == order.model_dump(mode="json")
    assert await events(shared, mail.id) == []


async def test_a_rejected_and_a_cancelled_order_each_queue_a_mail(shared: Postgres) -> None:
    customer_id = uuid7()
    example = golden.example(OrderRejected)
    assert isinstance(example, OrderRejected)
    short = Shortage(sku="MUG-1", requested=2, available=1, reason="short")
    rejected = example.model_copy(update={"customer_id": customer_id, "order_id": uuid7(), "shortages": (short,)})
    await handle_events(shared, rejected, cancelled(customer_id, uuid7()))
    assert sorted(mail.template for mail in await mails_of(shared, customer_id)) == ["cancelled", "rejected"]


async def test_an_event_that_is_delivered_again_queues_no_second_mail(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    message = record(enveloped(order))
    await consumer(shared).handle([message, message])
    await consumer(shared).handle([message])
    assert len(await mails_of(shared, order.customer_id)) == 1


async def test_the_same_fact_under_another_event_id_queues_no_second_mail(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await consumer(shared).handle(records([order, order]))
    await handle_events(shared, order)
    assert len(await mails_of(shared, order.customer_id)) == 1


async def test_a_receipt_and_a_cancellation_of_one_order_are_two_mails(shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await handle_events(shared, order, cancelled(order.customer_id, order.order_id))
    assert sorted(mail.template for mail in await mails_of(shared, order.customer_id)) == ["cancelled", "receipt"]


ORDER_EVENTS: list[tuple[type[Event], OrderTemplate, str]] = [
    (AmendmentAccepted, "order_amended", "{order_id} 2"),
    (AmendmentRefused, "amendment_refused", "{order_id} 2"),
    (OrderShipped, "shipped", "{shipment_id}"),
    (OrderDelivered, "delivered", "{order_id}"),
    (OrderReturned, "return_received", "{return_id}"),
    (ReturnRequested, "return_requested", "{request_id}"),
    (ReturnApproved, "return_approved", "{request_id}"),
    (ReturnDeclined, "return_declined", "{request_id}"),
    (RemainderCancelled, "remainder_cancelled", "{order_id}"),
    (TrackingCorrected, "tracking_corrected", "{correction_id}"),
    (ParcelFailed, "parcel_failed", "{shipment_id}"),
]


@pytest.mark.parametrize(("event_class", "template", "key"), ORDER_EVENTS, ids=lambda one: str(one)[:20])
async def test_each_event_of_an_order_queues_one_mail_with_its_content(
    shared: Postgres, event_class: type[Event], template: OrderTemplate, key: str
) -> None:
    customer_id = uuid7()
    event = golden.example(event_class).model_copy(update={"customer_id": customer_id, "order_id": uuid7()})
    await handle_events(shared, event, event)
    [mail] = await mails_of(shared, customer_id)
    assert mail.id == mail_id(template, customer_id, key.format(**event.model_dump()))
    assert (mail.template, mail.order_id, mail.state) == (template, event.order_id, "queued")
    assert mail.context == event.model_dump(mode="json")


async def test_each_shipment_of_an_order_queues_a_mail(shared: Postgres) -> None:
    first = golden.example(OrderShipped).model_copy(update={"customer_id": uuid7(), "order_id": uuid7()})
    second = first.model_copy(update={"shipment_id": uuid7()})
    await handle_events(shared, first, second, first)
    assert [mail.template for mail in await mails_of(shared, first.customer_id)] == ["shipped", "shipped"]


async def test_each_low_stock_event_queues_a_mail_to_staff(shared: Postgres) -> None:
    low = golden.example(StockLow)
    again = [record(enveloped(low, version)) for version in (1, 2)]
    await consumer(shared).handle([*again, again[0]])
    await consumer(shared).handle(again)
    found = await mails_of(shared, STAFF)
    assert [(mail.template, mail.order_id, mail.context) for mail in found] == [
        ("low_stock", None, low.model_dump(mode="json"))
    ] * 2
