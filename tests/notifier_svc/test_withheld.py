"""Mails that are not sent: to addresses that do not exist, and to customers who do not want them."""

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc.domain import mail_id, staff
from notifier_svc.staff import introduced
from notifier_svc.store import Ledger
from schemas import STAFF, MailFailed, OrderDelivered, OrderShipped, ProfileChanged, StockLow, golden
from tests.databases import committing
from tests.notifier_svc.conftest import Sending
from tests.notifier_svc.ledger import cancelled, consumer, due_mail, hear, mail, registered, suppressed, until
from tests.notifier_svc.postoffice import Behaviour, post_office
from tests.notifier_svc.test_handlers import known
from tests.outbox import told


async def test_an_address_that_does_not_exist_is_not_tried_again(postgres: Postgres, sending: Sending) -> None:
    customer_id, orders = uuid7(), [uuid7(), uuid7()]
    first, second = (mail_id("cancelled", customer_id, str(order_id)) for order_id in orders)
    await hear(postgres, registered(customer_id), cancelled(customer_id, orders[0]))
    async with post_office("no such address") as office, sending(office.url):
        await until(postgres, ["failed"])
        [entry] = await suppressed(postgres)
        await hear(postgres, cancelled(customer_id, orders[1]))
        await due_mail(postgres, "grace@example.com")
        await until(postgres, ["failed", "suppressed", "sent"])
    assert (entry.email, entry.mail_id, entry.reason) == ("ada@example.com", first, "550 5.1.1 no such mailbox")
    assert office.recipients == ["grace@example.com"]
    assert (await mail(postgres, second)).error == "suppressed: 550 5.1.1 no such mailbox"
    [envelope] = await told(postgres, second)
    assert (envelope.aggregate_version, envelope.event) == (
        1,
        MailFailed(
            mail_id=second,
            template="cancelled",
            customer_id=customer_id,
            order_id=orders[1],
            reason="suppressed: 550 5.1.1 no such mailbox",
        ),
    )


@pytest.mark.parametrize("behaviour", ["refuse recipient for good", "no such sender", "refuse message for good"])
async def test_other_refusals_suppress_nothing(postgres: Postgres, sending: Sending, behaviour: Behaviour) -> None:
    await due_mail(postgres)
    async with post_office(behaviour) as office, sending(office.url):
        await until(postgres, ["failed"])
    assert await suppressed(postgres) == []


async def test_who_wants_no_news_of_the_way_gets_none_of_it_and_everything_else(
    postgres: Postgres, sending: Sending
) -> None:
    customer_id, order_id = uuid7(), uuid7()
    ids = {"customer_id": customer_id, "order_id": order_id}
    wishes = ProfileChanged(customer_id=customer_id, name="Ada", locale="de", marketing=True, order_updates=False)
    await hear(postgres, registered(customer_id))
    await consumer(postgres).handle([record(enveloped(wishes, 2))])
    news = [golden.example(cls).model_copy(update=ids) for cls in (OrderShipped, OrderDelivered)]
    await hear(postgres, *news, cancelled(customer_id, order_id))
    async with post_office() as office, sending(office.url):
        found = await until(postgres, ["unwanted", "unwanted", "sent"])
    assert {one.template: one.state for one in found} == {
        "shipped": "unwanted",
        "delivered": "unwanted",
        "cancelled": "sent",
    }
    [letter] = office.copies
    assert letter["Subject"] == f"Ihre Bestellung {str(order_id)[-12:]} ist storniert"
    for one in found:
        assert len(await told(postgres, one.id)) == (one.state == "sent")


async def test_staff_are_written_to_where_the_settings_say(postgres: Postgres, sending: Sending) -> None:
    """And where they say now, after another start."""
    await consumer(postgres).handle([record(enveloped(golden.example(StockLow)))])
    begun = []

    async def loop() -> None:
        begun.append(True)

    async with committing(postgres, Ledger) as commit:
        for address, locale in (("old@example.com", "en"), ("Lager@Example.com", "de"), ("lager@example.com", "de")):
            await introduced(commit, staff(address, locale), loop)()
    assert len(begun) == 3
    appointed = await known(postgres, STAFF)
    assert appointed
    assert (appointed.email, appointed.locale, appointed.version) == ("lager@example.com", "de", 2)
    async with post_office() as office, sending(office.url):
        await until(postgres, ["sent"])
    assert office.recipients == ["lager@example.com"]
    assert office.copies[0]["Subject"] == "MUG-1 geht zur Neige"
