"""What the metrics say about mails that are not sent yet, and about those of orders that are."""

from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from chassis.persistence.postgres.database import Postgres
from notifier_svc.delivery import gauges
from notifier_svc.delivery.gauges import MailGauges
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.ledger import queue_due_mail, update_mail, wait_for_states
from tests.notifier_svc.smtp_server import smtp_server


def value(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0


async def test_mails_are_counted_until_they_are_sent(
    postgres: Postgres, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, measured, receipts = 1000.0, MailGauges(postgres), value("shop_order_mailed_seconds_count")
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
    assert value("shop_order_mailed_seconds_count") in (receipts, receipts + 1)
