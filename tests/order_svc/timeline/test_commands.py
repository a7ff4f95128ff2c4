"""What other services report about orders, in timelines in a real database."""

from datetime import timedelta

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.tables import dead_letters
from chassis.testing import enveloped, record
from schemas import Line, MailFailed, MailSent, StockCommitted, StockReleased, StockReturned
from tests.order_svc.scenarios import Commit, cancel, consume, consumer, pending, read, timeline
from tests.outbox import events


async def test_a_release_only_adds_to_the_timeline(shared: Postgres, commit: Commit) -> None:
    order = await cancel(commit, await pending(commit))
    at = order.changed_at + timedelta(seconds=3)
    await consumer(shared).handle([record(enveloped(StockReleased(order_id=order.id, lines=()), at=at))])
    assert (await timeline(shared, order.id))[-1] == ("stock.released", {})
    assert await read(shared, order) == order
    assert len(await events(shared, order.id)) == 2


async def test_a_release_of_an_amendments_stock_names_the_revision(shared: Postgres) -> None:
    order_id = uuid7()
    await consume(shared, StockReleased(order_id=order_id, lines=(), revision=2))
    assert await timeline(shared, order_id) == [("stock.released", {"revision": 2})]


async def test_shipped_and_returned_stock_is_in_the_timeline(shared: Postgres) -> None:
    order_id, lines = uuid7(), (Line(sku="MUG", quantity=1),)
    committed = StockCommitted(order_id=order_id, shipment_id=uuid7(), lines=lines)
    await consume(shared, committed, StockReturned(order_id=order_id, return_id=uuid7(), lines=lines))
    assert await timeline(shared, order_id) == [("stock.committed", {}), ("stock.returned", {})]


async def test_mails_about_an_order_are_in_its_timeline(shared: Postgres) -> None:
    order_id, (first, second, third) = uuid7(), (uuid7() for _ in range(3))
    about = {"customer_id": uuid7(), "order_id": order_id}
    sent = MailSent(mail_id=first, template="receipt", **about)
    failed = MailFailed(mail_id=second, template="cancelled", reason="550 no", **about)
    await consume(shared, sent, failed, MailSent(mail_id=third, template="receipt", resend_of=first, **about))
    assert await timeline(shared, order_id) == [
        ("notification.mail_sent", {"template": "receipt", "mail_id": str(first)}),
        ("notification.mail_failed", {"template": "cancelled", "mail_id": str(second)}),
        ("notification.mail_sent", {"template": "receipt", "mail_id": str(third), "resend_of": str(first)}),
    ]


async def test_a_mail_without_an_order_is_in_no_timeline(shared: Postgres) -> None:
    mail_id = uuid7()
    await consume(shared, MailSent(mail_id=mail_id, template="welcome", customer_id=uuid7()))
    async with shared.reading() as connection:
        assert (
            await connection.scalar(sa.select(dead_letters).where(dead_letters.c.key == str(mail_id).encode()))
            is None
        )
