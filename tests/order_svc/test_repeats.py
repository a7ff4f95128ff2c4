"""Events that order_svc handles again change nothing."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from order_svc.handlers import HANDLERS
from order_svc.orders.domain import Order
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import (
    AddressesChanged,
    CustomerDeactivated,
    CustomerErased,
    CustomerReactivated,
    CustomerRegistered,
    Envelope,
    Event,
    Line,
    MailFailed,
    MailSent,
    ProductChanged,
    ProductCreated,
    ProfileChanged,
    StockCommitted,
    StockReleased,
    StockReturned,
    golden,
)
from tests.databases import committing
from tests.order_svc.factories import ADDRESS
from tests.order_svc.scenarios import Commit, pending, reserved, timeline
from tests.repeats import Repeating, assert_repeats_change_nothing, contents, happened

LINES = (Line(sku="MUG", quantity=1),)


@pytest.fixture
async def commit(postgres: Postgres) -> AsyncIterator[Commit]:
    async with committing(postgres, OrderUnitOfWork) as commit:
        yield commit


@pytest.fixture
def service(postgres: Postgres) -> Repeating[OrderUnitOfWork]:
    return Repeating(postgres, OrderUnitOfWork, HANDLERS)


def replicas(customer_id: UUID) -> list[Envelope[Event]]:
    product_id = uuid7()
    return [
        happened(CustomerRegistered(customer_id=customer_id, email="ada@example.com", name="Ada")),
        happened(CustomerDeactivated(customer_id=customer_id, by="staff"), 2),
        happened(CustomerReactivated(customer_id=customer_id, by="staff"), 3),
        happened(AddressesChanged(customer_id=customer_id, shipping=ADDRESS, billing=None), 4),
        happened(golden.example(ProfileChanged).model_copy(update={"customer_id": customer_id}), 5),
        happened(golden.example(ProductCreated).model_copy(update={"product_id": product_id})),
        happened(golden.example(ProductChanged).model_copy(update={"product_id": product_id}), 2),
    ]


def reports(order_id: UUID, customer_id: UUID) -> list[Envelope[Event]]:
    """What other services publish about an order."""
    about = {"customer_id": customer_id, "order_id": order_id}
    first, second = uuid7(), uuid7()
    return [
        happened(MailSent(mail_id=first, template="receipt", **about)),
        happened(MailSent(mail_id=second, template="receipt", resend_of=first, **about)),
        happened(MailFailed(mail_id=uuid7(), template="shipped", reason="550", **about)),
        happened(StockCommitted(order_id=order_id, shipment_id=uuid7(), lines=LINES)),
        happened(StockReturned(order_id=order_id, return_id=uuid7(), lines=LINES)),
        happened(StockReleased(order_id=order_id, lines=LINES, revision=2)),
        happened(StockReleased(order_id=order_id, lines=LINES, remainder=True)),
        happened(StockReleased(order_id=order_id, lines=LINES)),
    ]


def history(order: Order) -> Sequence[Envelope[Event]]:
    """Everything that can happen to a customer with one order, who is erased in the end."""
    return [
        *replicas(order.customer_id),
        happened(reserved(order)),
        *reports(order.id, order.customer_id),
        happened(MailSent(mail_id=uuid7(), template="welcome", customer_id=order.customer_id)),
        happened(CustomerErased(customer_id=order.customer_id), 5),
        # Late, after the erasure.
        happened(AddressesChanged(customer_id=order.customer_id, shipping=None, billing=None), 6),
        *reports(order.id, order.customer_id)[:1],
    ]


async def test_everything_that_happens_to_a_customer_with_an_order(
    service: Repeating[OrderUnitOfWork], commit: Commit
) -> None:
    await assert_repeats_change_nothing(service, history(await pending(commit)))


async def test_older_events_that_were_never_handled_do_not_undo_newer_ones(
    service: Repeating[OrderUnitOfWork], commit: Commit
) -> None:
    order = await pending(commit)
    events = [one for one in history(order) if one.event.topic in ("customer.events", "product.events")]
    await service.handle(*events[1:])
    before = await contents(service.database)
    await service.repeat(events[0])
    assert await contents(service.database) == before


async def test_events_in_timelines_from_before_entries_had_event_ids(
    service: Repeating[OrderUnitOfWork], postgres: Postgres
) -> None:
    order_id = uuid7()
    known = reports(order_id, uuid7())
    await service.handle(*known)
    async with postgres.reading() as connection:
        await connection.execute(sa.text("UPDATE timeline SET event_id = NULL"))
    before = await timeline(postgres, order_id)
    await service.repeat(*known)
    assert await timeline(postgres, order_id) == before
    # What the timeline does not have yet is added, once.
    await service.repeat(*known, missed := happened(StockReleased(order_id=order_id, lines=LINES)))
    await service.repeat(missed)
    assert await timeline(postgres, order_id) == [*before, ("stock.released", {})]


async def test_two_mails_of_the_same_moment_are_two_entries(
    service: Repeating[OrderUnitOfWork], postgres: Postgres
) -> None:
    order_id, at = uuid7(), happened(StockReleased(order_id=uuid7(), lines=())).time
    about = {"customer_id": uuid7(), "order_id": order_id}
    events = [MailSent(mail_id=uuid7(), template=name, **about) for name in ("receipt", "shipped")]
    both = [Envelope(uuid7(), event.source, at, 1, event) for event in events]
    await service.handle(*both)
    await service.repeat(*both)
    assert [detail["template"] for _, detail in await timeline(postgres, order_id)] == ["receipt", "shipped"]
