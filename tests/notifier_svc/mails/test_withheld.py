"""Mails that a replay withholds, and how many there would be."""

from functools import partial

import httpx
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from notifier_svc.handlers import HANDLERS
from notifier_svc.mails.domain import mail_id
from notifier_svc.mails.queries import MailCounts, count_mails
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import (
    CustomerErased,
    MailsAnonymised,
    OrderPlaced,
    OrderShipped,
    PasswordChanged,
    ProfileChanged,
    StockLow,
    golden,
)
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import cancelled, confirmed, link, registered
from tests.notifier_svc.ledger import all_mails, handle_events, mails_of, wait_for_states
from tests.notifier_svc.smtp_server import smtp_server
from tests.outbox import events
from tests.repeats import Repeating, happened

STAFF = bearer(role="staff")


def withholding(database: Postgres) -> Repeating[NotifierUnitOfWork]:
    return Repeating(database, partial(NotifierUnitOfWork, withhold_mails=True), HANDLERS)


def counted(template: str) -> float:
    return REGISTRY.get_sample_value("shop_mails_total", {"template": template, "outcome": "withheld"}) or 0.0


async def test_withheld_mails_are_not_sent_and_nothing_is_published(postgres: Postgres, sending: Sending) -> None:
    customer_id, order_id = uuid7(), uuid7()
    before = counted("cancelled")
    await handle_events(postgres, registered(customer_id))
    await withholding(postgres).handle(happened(cancelled(customer_id, order_id)))
    await handle_events(postgres, confirmed(customer_id, order_id))
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["withheld", "sent"])
    assert [message["Subject"] for message in server.messages] == [f"Your order {str(order_id)[-12:]} is confirmed"]
    assert await events(postgres, mail_id("cancelled", customer_id, str(order_id))) == []
    assert counted("cancelled") == before + 1


async def test_mails_that_are_known_stay_as_they_are(postgres: Postgres) -> None:
    cancellation = happened(cancelled(uuid7(), uuid7()))
    await handle_events(postgres, cancellation.event)
    [queued] = await all_mails(postgres)
    await withholding(postgres).repeat(cancellation)
    assert await all_mails(postgres) == [queued]
    assert queued.state == "queued"


async def test_staff_find_withheld_mails_and_send_them_again(
    postgres: Postgres, sending: Sending, postgres_api: httpx.AsyncClient
) -> None:
    customer_id = uuid7()
    await handle_events(postgres, registered(customer_id))
    await withholding(postgres).handle(happened(cancelled(customer_id, uuid7())))
    found = (await postgres_api.get("/v1/notifications?state=withheld", headers=STAFF)).json()["items"]
    assert [one["state"] for one in found] == ["withheld"]
    path = f"/v1/notifications/{found[0]['id']}/resend"
    response = await postgres_api.post(path, headers={**STAFF, "Idempotency-Key": "k"})
    assert (response.status_code, response.json()["resend_of"]) == (202, found[0]["id"])
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["withheld", "sent"])
    assert server.recipients == ["ada@example.com"]


async def test_a_withheld_mail_to_an_erased_customer_says_nothing(postgres: Postgres) -> None:
    erased, late = uuid7(), uuid7()
    service, order_id = withholding(postgres), uuid7()
    await service.handle(
        *(happened(registered(customer_id)) for customer_id in (erased, late)),
        # One mail is withheld before the erasure, the other after it.
        happened(cancelled(erased, order_id)),
        *(happened(CustomerErased(customer_id=customer_id), 2) for customer_id in (erased, late)),
        happened(cancelled(late, order_id)),
    )
    for customer_id in (erased, late):
        [mail] = await mails_of(postgres, customer_id)
        assert (mail.state, mail.context, mail.recipient, mail.error) == ("withheld", {}, None, None)
    assert {type(event) for event in await events(postgres)} == {MailsAnonymised}


async def test_the_mails_of_events_are_counted(postgres: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    order = {"customer_id": customer_id, "order_id": order_id}
    profile = ProfileChanged(customer_id=customer_id, name="A", locale="de", marketing=True, order_updates=True)
    known = [happened(registered(customer_id, verify=link())), happened(cancelled(customer_id, order_id))]
    new = [
        happened(confirmed(customer_id, order_id)),
        *(happened(PasswordChanged(customer_id=customer_id, how="reset"), 2) for _ in range(2)),
        happened(golden.example(StockLow)),
        happened(golden.example(OrderShipped).model_copy(update=order)),
    ]
    without_mail = [
        happened(registered(uuid7())),
        happened(profile, 3),
        happened(golden.example(OrderPlaced).model_copy(update=order)),
    ]
    service = Repeating(postgres, NotifierUnitOfWork, HANDLERS)
    await service.handle(*known)
    before = await all_mails(postgres)
    # The same mail under another event id is one mail.
    again = happened(cancelled(customer_id, order_id))
    assert await count_mails(postgres, [*known, again, *new, *without_mail]) == MailCounts(new=5, known=2)
    assert await all_mails(postgres) == before
    await service.handle(*new)
    assert await count_mails(postgres, [*known, *new]) == MailCounts(new=0, known=7)
    assert await count_mails(postgres, without_mail) == await count_mails(postgres, []) == MailCounts(0, 0)


async def test_a_thousand_events_are_counted_with_one_query(postgres: Postgres) -> None:
    envelopes = [happened(cancelled(uuid7(), uuid7())) for _ in range(1000)]
    await Repeating(postgres, NotifierUnitOfWork, HANDLERS).repeat(*envelopes[:400])
    assert await count_mails(postgres, envelopes) == MailCounts(new=600, known=400)
