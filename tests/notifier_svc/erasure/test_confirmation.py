"""The mail that confirms an erasure: it goes to the erased address, which leaves with it."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc.erasure.commands import EraseCustomer
from notifier_svc.mails.domain import Mail, mail_id
from notifier_svc.mails.store import mails
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import CustomerErased, Envelope
from tests.databases import committing
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import link, registered
from tests.notifier_svc.ledger import (
    add_suppression,
    all_mails,
    consumer,
    erase_customer,
    handle_events,
    mails_of,
    wait_for_states,
)
from tests.notifier_svc.smtp_server import smtp_server


async def erased(database: Postgres, locale: str = "de") -> UUID:
    """The id of a customer who was erased."""
    customer_id = uuid7()
    await handle_events(database, registered(customer_id, "ada@example.com", "Ada", locale=locale))
    await erase_customer(database, customer_id)
    return customer_id


async def confirmation(database: Postgres, customer_id: UUID) -> Mail | None:
    wanted = mail_id("account_erased", customer_id, "")
    return next((one for one in await all_mails(database) if one.id == wanted), None)


async def rows_with_the_address(database: Postgres) -> int:
    """How many rows of mails and customers have the address anywhere."""
    count = "SELECT (SELECT count(*) FROM mails m WHERE m::text LIKE :it) + (SELECT count(*) FROM customers c"
    async with database.reading() as connection:
        query = sa.text(f"{count} WHERE c::text LIKE :it)")
        return int(await connection.scalar(query, {"it": "%ada@example.com%"}) or 0)


async def test_an_erasure_is_confirmed_to_the_address_which_is_gone_then(
    postgres: Postgres, sending: Sending
) -> None:
    customer_id = await erased(postgres)
    queued = await confirmation(postgres, customer_id)
    assert queued
    assert (queued.state, queued.recipient) == ("queued", "ada@example.com")
    async with smtp_server() as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert (sent.id, sent.context, sent.recipient) == (queued.id, {}, None)
    assert await rows_with_the_address(postgres) == 0
    [message] = server.messages
    assert (message["To"], message["Content-Language"]) == ("ada@example.com", "de")
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert read["Subject"] == "Ihr Konto wurde gelöscht"
    assert "Ada" not in message.as_string()


async def test_an_address_that_takes_no_mail_is_gone_all_the_same(postgres: Postgres, sending: Sending) -> None:
    await erased(postgres)
    async with smtp_server("refuse recipient permanently") as server, sending(server.url):
        [failed] = await wait_for_states(postgres, ["failed"])
    assert (failed.context, failed.recipient) == ({}, None)
    assert await rows_with_the_address(postgres) == 0


async def overdue_confirmation(database: Postgres) -> None:
    await erased(database)
    late = {"locale": "de", "expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
    async with database.reading() as connection:
        await connection.execute(sa.update(mails).values(context=late))


async def test_a_confirmation_that_cannot_be_sent_in_time_is_not_sent(postgres: Postgres, sending: Sending) -> None:
    await overdue_confirmation(postgres)
    async with smtp_server() as server, sending(server.url):
        [failed] = await wait_for_states(postgres, ["failed"])
    assert "not sent in time" in str(failed.error)
    assert (server.messages, await rows_with_the_address(postgres)) == ([], 0)


async def test_the_address_is_gone_in_time_also_while_no_mail_server_answers(
    postgres: Postgres, sending: Sending
) -> None:
    await overdue_confirmation(postgres)
    async with smtp_server() as server:
        url = server.url
    async with sending(url):
        [failed] = await wait_for_states(postgres, ["failed"])
    assert str(failed.error).startswith("not sent in time: cannot connect")
    assert await rows_with_the_address(postgres) == 0


async def test_a_customer_who_was_not_known_gets_no_confirmation(shared: Postgres) -> None:
    customer_id = uuid7()
    await erase_customer(shared, customer_id)
    assert await confirmation(shared, customer_id) is None


async def test_the_same_erasure_again_confirms_nothing(shared: Postgres) -> None:
    customer_id = await erased(shared)
    before = await confirmation(shared, customer_id)
    again = CustomerErased(customer_id=customer_id)
    await consumer(shared).handle([record(enveloped(again, 3))])
    assert await confirmation(shared, customer_id) == before


async def test_a_replay_that_withholds_mails_keeps_no_address(postgres: Postgres) -> None:
    customer_id = uuid7()
    await handle_events(postgres, registered(customer_id, "ada@example.com", "Ada"))
    event = CustomerErased(customer_id=customer_id)
    command = EraseCustomer(Envelope(uuid7(), "/shopstream/customer_svc", datetime.now(UTC), 2, event))

    def withholding(now: datetime) -> NotifierUnitOfWork:
        return NotifierUnitOfWork(now, withhold_mails=True)

    async with committing(postgres, withholding) as commit:
        await commit(command)
    withheld = await confirmation(postgres, customer_id)
    assert withheld
    assert (withheld.state, withheld.recipient, withheld.context) == ("withheld", None, {})
    assert await rows_with_the_address(postgres) == 0


async def test_nothing_is_sent_to_an_address_that_does_not_exist(shared: Postgres) -> None:
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id, "gone@example.com", "Ada"))
    await add_suppression(shared, "gone@example.com")
    await erase_customer(shared, customer_id)
    assert await confirmation(shared, customer_id) is None


async def test_an_erasure_that_the_customer_did_not_request_is_not_confirmed(shared: Postgres) -> None:
    # Nobody had proved the address to be theirs, and it is another account's now.
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id, "ada@example.com", "Ada", link()))
    event = CustomerErased(customer_id=customer_id, requested=False)
    await consumer(shared).handle([record(enveloped(event, 2))])
    assert await confirmation(shared, customer_id) is None
    [welcome] = await mails_of(shared, customer_id)
    assert (welcome.state, welcome.context) == ("failed", {})
