"""Mails that are not sent: to suppressed addresses, and to customers who have switched them off."""

from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc.mails.domain import mail_id
from schemas import MailFailed, OrderDelivered, OrderShipped, ProfileChanged, golden
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import cancelled, registered
from tests.notifier_svc.ledger import (
    all_suppressions,
    consumer,
    handle_events,
    queue_due_mail,
    read_mail,
    wait_for_states,
)
from tests.notifier_svc.smtp_server import smtp_server
from tests.outbox import envelopes


async def test_nothing_more_is_sent_to_an_address_that_does_not_exist(postgres: Postgres, sending: Sending) -> None:
    customer_id, orders = uuid7(), [uuid7(), uuid7()]
    first, second = (mail_id("cancelled", customer_id, str(order_id)) for order_id in orders)
    await handle_events(postgres, registered(customer_id), cancelled(customer_id, orders[0]))
    async with smtp_server("no such address") as server, sending(server.url):
        await wait_for_states(postgres, ["failed"])
        [suppression] = await all_suppressions(postgres)
        await handle_events(postgres, cancelled(customer_id, orders[1]))
        await queue_due_mail(postgres, "grace@example.com")
        await wait_for_states(postgres, ["failed", "suppressed", "sent"])
    assert (suppression.email, suppression.mail_id, suppression.reason) == (
        "ada@example.com",
        first,
        "550 5.1.1 no such mailbox",
    )
    assert server.recipients == ["grace@example.com"]
    assert (await read_mail(postgres, second)).error == "suppressed: 550 5.1.1 no such mailbox"
    [envelope] = await envelopes(postgres, second)
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


async def test_a_customer_who_switches_off_shipping_updates_gets_all_other_mails(
    postgres: Postgres, sending: Sending
) -> None:
    customer_id, order_id = uuid7(), uuid7()
    ids = {"customer_id": customer_id, "order_id": order_id}
    changed = ProfileChanged(customer_id=customer_id, name="Ada", locale="de", marketing=True, order_updates=False)
    await handle_events(postgres, registered(customer_id))
    await consumer(postgres).handle([record(enveloped(changed, 2))])
    updates = [golden.example(cls).model_copy(update=ids) for cls in (OrderShipped, OrderDelivered)]
    await handle_events(postgres, *updates, cancelled(customer_id, order_id))
    async with smtp_server() as server, sending(server.url):
        found = await wait_for_states(postgres, ["unwanted", "unwanted", "sent"])
    assert {one.template: one.state for one in found} == {
        "shipped": "unwanted",
        "delivered": "unwanted",
        "cancelled": "sent",
    }
    [message] = server.messages
    assert message["Subject"] == f"Ihre Bestellung {str(order_id)[-12:]} wurde storniert"
    for one in found:
        assert len(await envelopes(postgres, one.id)) == (one.state == "sent")


async def test_an_address_is_suppressed_in_every_spelling(postgres: Postgres, sending: Sending) -> None:
    await queue_due_mail(postgres, "U@xn--mnchen-3ya.de")
    async with smtp_server("no such address") as server, sending(server.url):
        await wait_for_states(postgres, ["failed"])
        await queue_due_mail(postgres, "u@m\u00fcnchen.de")
        await wait_for_states(postgres, ["failed", "suppressed"])
    assert [one.email for one in await all_suppressions(postgres)] == ["u@m\u00fcnchen.de"]
