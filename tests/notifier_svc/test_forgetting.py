"""An erased customer's mails: the ledger says that there were some, and no more."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.sql import Postgres
from chassis.testing import enveloped, record
from notifier_svc import SERVICE
from notifier_svc.domain import NOWHERE, Customer, compose
from notifier_svc.letters import Letters
from notifier_svc.store import mails
from schemas import CustomerErased, MailsAnonymised, answer_id
from tests.notifier_svc.ledger import all_mails, confirmed, consumer, hear, registered
from tests.notifier_svc.test_handlers import known, mails_of
from tests.outbox import events


async def forget(database: Postgres, customer_id: object, version: int = 2) -> None:
    erased = CustomerErased.model_validate({"customer_id": customer_id})
    await consumer(database).handle([record(enveloped(erased, version))])


async def test_neither_address_nor_contents_nor_what_servers_said_stays(shared: Postgres) -> None:
    customer_id, other = uuid7(), uuid7()
    await hear(shared, registered(customer_id, "ada@example.com", "Ada"), confirmed(customer_id, uuid7()))
    await hear(shared, confirmed(other, uuid7()))
    async with shared.reading() as connection:
        said = sa.update(mails).where(mails.c.customer_id == customer_id).values(error="550 no ada@example.com")
        await connection.execute(said)
    await forget(shared, customer_id)
    assert await known(shared, customer_id) == Customer(customer_id, NOWHERE, "", 2)
    [mail] = await mails_of(shared, customer_id)
    assert (mail.context, mail.error, mail.state) == ({}, "forgotten", "queued")
    [untouched] = [one for one in await all_mails(shared) if one.customer_id == other]
    assert untouched.context != {}


async def test_it_is_told_once_however_often_it_is_heard(shared: Postgres) -> None:
    customer_id = uuid7()
    for _ in range(2):
        await forget(shared, customer_id)
    key = answer_id(SERVICE, customer_id)
    assert await events(shared, key) == [MailsAnonymised(answer_id=key, customer_id=customer_id)]


async def test_what_is_heard_late_brings_nothing_back(shared: Postgres) -> None:
    customer_id = uuid7()
    await forget(shared, customer_id)
    await hear(shared, registered(customer_id, "ada@example.com", "Ada"))
    assert await known(shared, customer_id) == Customer(customer_id, NOWHERE, "", 2)


def test_no_letter_can_be_written_to_nowhere(letters: Letters) -> None:
    order, now = confirmed(uuid7(), uuid7()), datetime.now(UTC)
    mail = compose("receipt", order.customer_id, "x", order.order_id, order.model_dump(mode="json"), now)
    with pytest.raises(ValueError, match="no address"):
        letters.write(mail, Customer(order.customer_id, NOWHERE, "", 2), now)
