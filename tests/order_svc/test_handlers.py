"""What order_svc does with the events of others, in a real database."""

from uuid_utils.compat import uuid7

from chassis.consumer import Consumer
from chassis.sql import Postgres
from chassis.testing import records
from order_svc import SERVICE, queries
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
from schemas import MailSent


async def test_mail_enters_the_timeline(postgres: Postgres) -> None:
    order_id = uuid7()
    consumer = Consumer(postgres, SERVICE, OrderBook, HANDLERS)
    await consumer.handle(records([MailSent(mail_id=uuid7(), template="receipt", customer_id=uuid7(), order_id=order_id)]))
    entries = await queries.order_timeline(postgres, order_id)
    assert [(e.type, e.detail) for e in entries] == [("notification.mail_sent", {"template": "receipt"})]
