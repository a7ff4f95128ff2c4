"""Rebuilding the customers of notifier_svc: the staff stay, and no mail is written or sent."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from notifier_svc.handlers import HANDLERS, REPLICAS
from notifier_svc.replicas.commands import RegisterStaff
from notifier_svc.replicas.domain import staff_recipient
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import STAFF, CustomerErased, CustomerRegistered, ProfileChanged
from tests.databases import committing
from tests.rebuilds import Rebuilding, keys, rebuilding
from tests.servers import Servers

SECRET = "ada@example.com"


@pytest.fixture
async def shop(postgres_url: str, servers: Servers) -> AsyncIterator[Rebuilding]:
    opened = rebuilding(postgres_url, servers.kafka, "notifier_svc", HANDLERS, NotifierUnitOfWork, REPLICAS)
    async with opened as one:
        async with committing(one.database, NotifierUnitOfWork) as commit:
            await commit(RegisterStaff(staff_recipient("staff@example.com", "en")))
        yield one


def registered(customer: UUID, email: str = SECRET) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer, email=email, name="Ada")


def renamed(customer: UUID, name: str) -> ProfileChanged:
    return ProfileChanged(customer_id=customer, name=name, locale="de", order_updates=False, marketing=False)


async def test_wrong_missing_and_surplus_customers_are_repaired_and_the_staff_stay(shop: Rebuilding) -> None:
    wrong, missing = uuid7(), uuid7()
    for one in (wrong, missing):
        await shop.live((1, registered(one)), (2, renamed(one, "Ada L.")))
    right, mails = await shop.rows("customers"), await shop.sql("SELECT * FROM mails")
    await shop.sql("UPDATE customers SET email = 'other@example.com', locale = NULL WHERE id = :id", id=wrong)
    await shop.sql("DELETE FROM customers WHERE id = :id", id=missing)
    surplus = uuid7()
    await shop.sql("INSERT INTO customers (id, email, name, version) VALUES (:id, 'x', 'x', 1)", id=surplus)
    job = await shop.rebuilt("customers")
    assert (keys(job, "only_live"), keys(job, "only_rebuilt")) == ([str(surplus)], [str(missing)])
    assert job.progress["difference"]["differs"] == [[str(wrong), ["email", "locale"]]]
    await shop.change(job, "swap")
    assert await shop.rows("customers") == right
    assert STAFF in {row.id for row in right}
    assert await shop.sql("SELECT * FROM mails") == mails


async def test_a_customer_who_was_erased_never_appears(shop: Rebuilding) -> None:
    erased, other = uuid7(), uuid7()
    await shop.live((1, registered(erased)), (1, registered(other, "other@example.com")))
    await shop.sql("UPDATE customers SET locale = 'fr' WHERE id <> :staff", staff=STAFF)
    job = await shop.rebuilt("customers")
    assert f"rebuild_{job.id.hex}.customers" in await shop.everything(SECRET)
    await shop.change(job, "swap")
    await shop.live((2, CustomerErased(customer_id=erased)))
    await shop.sql("DELETE FROM mails WHERE template = 'account_erased'")  # once it was sent
    assert [table for table in await shop.everything(SECRET) if table.startswith("rebuild")] == []
    undone = await shop.change(job, "undo")
    assert undone.progress["undone"] == {"restored": 1, "newer": 0}
    again = await shop.rebuilt("customers")
    assert keys(again, "differs") == [str(other)]
    assert [table for table in await shop.everything(SECRET) if table != "public.outbox"] == []


async def test_an_event_that_its_handler_refuses_leaves_the_customer_out(shop: Rebuilding) -> None:
    """The profile of a customer whose registration is not on the topic: live has a dead letter."""
    unknown, other = uuid7(), uuid7()
    await shop.live((1, registered(other)))
    await shop.live((2, renamed(unknown, "Ada L.")))
    job = await shop.rebuilt("customers")
    assert job.progress["unreadable"] == [str(unknown)]
    assert job.progress["difference"]["counts"] == {"only_live": 0, "only_rebuilt": 0, "differs": 0}
