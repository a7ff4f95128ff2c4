"""What the metrics say about mails that are not sent yet, and about those of orders that are."""

import asyncio
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from notifier_svc.delivery import gauges
from notifier_svc.delivery.gauges import MailGauges
from notifier_svc.mails.domain import mail_id
from tests.alerting import fired, scrape
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import confirmed, registered
from tests.notifier_svc.ledger import handle_events, queue_due_mail, update_mail, wait_for_states
from tests.notifier_svc.smtp_server import smtp_server


def value(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0


async def test_mails_are_counted_until_they_are_sent(
    postgres: Postgres, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, measured = 1000.0, MailGauges(postgres)
    monkeypatch.setattr(gauges, "time", SimpleNamespace(monotonic=lambda: now))
    await measured.refresh()
    assert (value("shop_mails_unsent"), value("shop_mail_oldest_unsent_seconds")) == (0, 0)
    first = await queue_due_mail(postgres)
    await measured.refresh()
    now += 30
    await queue_due_mail(postgres)
    await measured.refresh()
    assert (value("shop_mails_unsent"), value("shop_mail_oldest_unsent_seconds")) == (2, 30)
    await update_mail(postgres, first, "state = 'failed'")
    now += 10
    await measured.refresh()
    assert (value("shop_mails_unsent"), value("shop_mail_oldest_unsent_seconds")) == (1, 10)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["failed", "sent"])
    await measured.refresh()
    assert (value("shop_mails_unsent"), value("shop_mail_oldest_unsent_seconds")) == (0, 0)


async def test_mails_that_nobody_sends_are_alerted(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    now, measured = 1000.0, MailGauges(postgres)
    monkeypatch.setattr(gauges, "time", SimpleNamespace(monotonic=lambda: now))
    await measured.refresh()
    before = scrape("notifier_svc")
    await queue_due_mail(postgres)
    await measured.refresh()
    now += 1801
    await measured.refresh()
    assert fired("MailsNotSent", before, scrape("notifier_svc")) == [{"service": "notifier_svc"}]


async def test_a_receipt_is_timed_when_it_is_sent_for_the_first_time(postgres: Postgres, sending: Sending) -> None:
    before, customer_id, order_id = value("shop_order_mailed_seconds_count"), uuid7(), uuid7()
    await handle_events(postgres, registered(customer_id), confirmed(customer_id, order_id))
    receipt = mail_id("receipt", customer_id, str(order_id))
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
        # Staff may send it again years later.
        await update_mail(postgres, receipt, f"state = 'queued', claim = NULL, resend_of = '{uuid7()}'")
        async with asyncio.timeout(10):
            while len(server.messages) < 2:
                await asyncio.sleep(0.01)
        await wait_for_states(postgres, ["sent"])
    assert value("shop_order_mailed_seconds_count") == before + 1


async def test_what_was_sent_long_ago_is_not_read_to_count_what_is_not(postgres: Postgres) -> None:
    async with postgres.engine.begin() as connection:
        await connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await connection.execute(sa.text(f"EXPLAIN {gauges.UNSENT_MAILS.text}"))).scalars())
    assert "mails_due" in plan
    assert "mails_claimed" in plan
    assert "Seq Scan" not in plan
