"""The staff of the settings in the replica."""

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc.replicas.domain import staff_recipient
from notifier_svc.replicas.staff import register_staff
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import STAFF, StockLow, golden
from tests.databases import committing
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.ledger import consumer, read_customer, wait_for_states
from tests.notifier_svc.smtp_server import smtp_server


async def test_mails_to_staff_go_to_the_address_of_the_latest_settings(postgres: Postgres, sending: Sending) -> None:
    await consumer(postgres).handle([record(enveloped(golden.example(StockLow)))])
    async with committing(postgres, NotifierUnitOfWork) as commit:
        for address, locale in (("old@example.com", "en"), ("Lager@Example.com", "de"), ("lager@example.com", "de")):
            await register_staff(commit, staff_recipient(address, locale))
    staff = await read_customer(postgres, STAFF)
    assert staff
    assert (staff.email, staff.locale, staff.version) == ("lager@example.com", "de", 2)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"])
    assert server.recipients == ["lager@example.com"]
    assert server.messages[0]["Subject"] == "MUG-1 geht zur Neige"
