"""What customer_svc does with the answers of others."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import records
from customer_svc import SERVICE, queries
from customer_svc.domain.erasure import Erasure
from customer_svc.handlers import HANDLERS
from customer_svc.store import Accounts
from schemas import Event, MailsAnonymised, OrdersAnonymised, answer_id


@pytest.fixture
async def erasure(commit: GroupCommit[Accounts]) -> Erasure:
    made = Erasure(uuid7(), uuid4(), 2, datetime.now(UTC))

    def put(unit: Accounts) -> None:
        unit.erasures.set(made.customer_id, made)

    await commit(put, lambda unit: unit.erasures.prefetch(made.customer_id))
    return made


def orders(customer_id: UUID) -> OrdersAnonymised:
    return OrdersAnonymised(answer_id=answer_id("order_svc", customer_id), customer_id=customer_id)


def mails(customer_id: UUID) -> MailsAnonymised:
    return MailsAnonymised(answer_id=answer_id("notifier_svc", customer_id), customer_id=customer_id)


async def handle(database: Postgres, *told: Event) -> None:
    await Consumer(database, SERVICE, Accounts, HANDLERS).handle(records(told))


async def test_an_erasure_is_done_when_everybody_has_answered(shared: Postgres, erasure: Erasure) -> None:
    await handle(shared, orders(erasure.customer_id))
    half = await queries.erasure(shared, erasure.id)
    assert (half.orders_at is not None, half.mails_at, half.done) == (True, None, False)
    await handle(shared, mails(erasure.customer_id))
    assert (await queries.erasure(shared, erasure.id)).done


@pytest.mark.parametrize("answers", [(mails, orders), (orders, mails, orders, mails)])
async def test_answers_come_in_any_order_and_each_counts_once(
    shared: Postgres, erasure: Erasure, answers: Sequence[object]
) -> None:
    await handle(shared, *(answer(erasure.customer_id) for answer in answers if callable(answer)))
    done = await queries.erasure(shared, erasure.id)
    assert done.done
    await handle(shared, orders(erasure.customer_id))
    assert await queries.erasure(shared, erasure.id) == done


async def test_an_answer_to_nothing_is_set_aside(shared: Postgres) -> None:
    await handle(shared, orders(uuid7()))
    async with shared.snapshot() as snapshot:
        assert (await snapshot.dead_letters_by_state())["dead"] == 1


def test_each_service_has_one_answer_about_a_customer() -> None:
    customer_id = uuid7()
    assert orders(customer_id).key == orders(customer_id).key != mails(customer_id).key
    assert orders(customer_id).key != orders(uuid7()).key
