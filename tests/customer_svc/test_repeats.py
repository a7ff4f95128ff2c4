"""Events that customer_svc handles again change nothing."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from customer_svc.erasure.domain import Erasure
from customer_svc.erasure.store import erasures
from customer_svc.handlers import HANDLERS
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import MailsAnonymised, OrdersAnonymised, answer_id
from tests.repeats import Repeating, assert_repeats_change_nothing, happened


async def test_acknowledgements_of_erasures(postgres: Postgres) -> None:
    erasure = Erasure(uuid7(), uuid4(), 2, datetime.now(UTC))
    async with postgres.reading() as connection:
        row = {column.name: getattr(erasure, column.name) for column in erasures.c}
        await connection.execute(sa.insert(erasures), row)
    orders, mails = (answer_id(service, erasure.customer_id) for service in ("order_svc", "notifier_svc"))
    history = [
        happened(OrdersAnonymised(answer_id=orders, customer_id=erasure.customer_id)),
        happened(MailsAnonymised(answer_id=mails, customer_id=erasure.customer_id)),
    ]
    await assert_repeats_change_nothing(Repeating(postgres, CustomerUnitOfWork, HANDLERS), history)
