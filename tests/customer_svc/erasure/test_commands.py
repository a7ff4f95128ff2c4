"""What customer_svc does with the acknowledgements of the other services."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.postgres.database import Postgres
from chassis.testing import records
from customer_svc import SERVICE
from customer_svc.erasure.domain import Erasure
from customer_svc.erasure.queries import erasure_by_id
from customer_svc.erasure.store import erasures
from customer_svc.handlers import HANDLERS
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import Event, MailsAnonymised, OrdersAnonymised, answer_id


@pytest.fixture
async def erasure(shared: Postgres) -> Erasure:
    erasure = Erasure(uuid7(), uuid4(), 2, datetime.now(UTC))
    row = {column.name: getattr(erasure, column.name) for column in erasures.c}
    async with shared.reading() as connection:
        await connection.execute(sa.insert(erasures), row)
    return erasure


def orders(customer_id: UUID) -> OrdersAnonymised:
    return OrdersAnonymised(answer_id=answer_id("order_svc", customer_id), customer_id=customer_id)


def mails(customer_id: UUID) -> MailsAnonymised:
    return MailsAnonymised(answer_id=answer_id("notifier_svc", customer_id), customer_id=customer_id)


async def handle(database: Postgres, *events: Event) -> None:
    await Consumer(database, SERVICE, CustomerUnitOfWork, HANDLERS).handle(records(events))


async def test_an_erasure_is_done_when_every_service_has_acknowledged(shared: Postgres, erasure: Erasure) -> None:
    await handle(shared, orders(erasure.customer_id))
    half = await erasure_by_id(shared, erasure.id)
    assert (half.orders_anonymised_at is not None, half.mails_anonymised_at, half.done) == (True, None, False)
    await handle(shared, mails(erasure.customer_id))
    assert (await erasure_by_id(shared, erasure.id)).done


@pytest.mark.parametrize("acknowledgements", [(mails, orders), (orders, mails, orders, mails)])
async def test_acknowledgements_come_in_any_order_and_each_counts_once(
    shared: Postgres, erasure: Erasure, acknowledgements: Sequence[object]
) -> None:
    await handle(shared, *(event(erasure.customer_id) for event in acknowledgements if callable(event)))
    done = await erasure_by_id(shared, erasure.id)
    assert done.done
    await handle(shared, orders(erasure.customer_id))
    assert await erasure_by_id(shared, erasure.id) == done


async def test_an_acknowledgement_of_no_erasure_becomes_a_dead_letter(shared: Postgres) -> None:
    await handle(shared, orders(uuid7()))
    async with shared.snapshot() as snapshot:
        assert (await snapshot.dead_letters_by_state())["dead"] == 1


def test_each_service_has_one_acknowledgement_for_a_customer() -> None:
    customer_id = uuid7()
    assert orders(customer_id).key == orders(customer_id).key != mails(customer_id).key
    assert orders(customer_id).key != orders(uuid7()).key
