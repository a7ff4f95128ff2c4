"""The replica of customers: kept by the events of customer_svc."""

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from notifier_svc.replicas.domain import ERASED_ADDRESS, Customer
from schemas import CustomerErased, CustomerRegistered, ProfileChanged
from tests.notifier_svc.factories import cancelled, registered
from tests.notifier_svc.ledger import consumer, handle_events, mails_of, read_customer


def profile_changed(customer_id: UUID, name: str = "Ada King", locale: str = "de") -> ProfileChanged:
    return ProfileChanged(customer_id=customer_id, name=name, locale=locale, marketing=False, order_updates=True)


async def test_the_replica_has_the_address_of_a_registered_customer(shared: Postgres) -> None:
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id, "ada@example.com", "Ada"))
    assert await read_customer(shared, customer_id) == Customer(customer_id, "ada@example.com", "Ada", 1)
    assert await mails_of(shared, customer_id) == []


async def test_an_older_event_does_not_change_the_replica(shared: Postgres) -> None:
    customer_id = uuid7()
    for version in (2, 1, 3, 2):
        message = enveloped(registered(customer_id, f"v{version}@example.com"), version)
        await consumer(shared).handle([record(message)])
    assert await read_customer(shared, customer_id) == Customer(customer_id, "v3@example.com", "Ada Lovelace", 3)


async def test_a_changed_profile_changes_the_replica(shared: Postgres) -> None:
    customer_id = uuid7()
    event = CustomerRegistered(customer_id=customer_id, email="a@example.com", name="Ada", locale="en")
    await handle_events(shared, event)
    assert await read_customer(shared, customer_id) == Customer(customer_id, "a@example.com", "Ada", 1, "en")
    await consumer(shared).handle([record(enveloped(profile_changed(customer_id), 2))])
    assert await read_customer(shared, customer_id) == Customer(customer_id, "a@example.com", "Ada King", 2, "de")


async def test_an_older_profile_changes_nothing(shared: Postgres) -> None:
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id, "a@example.com"))
    for version in (3, 2):
        await consumer(shared).handle([record(enveloped(profile_changed(customer_id, f"v{version}"), version))])
    assert await read_customer(shared, customer_id) == Customer(customer_id, "a@example.com", "v3", 3, "de")


async def test_a_changed_profile_does_not_restore_an_erased_customer(shared: Postgres) -> None:
    customer_id = uuid7()
    await handle_events(shared, registered(customer_id))
    erased, changed = CustomerErased(customer_id=customer_id), profile_changed(customer_id)
    await consumer(shared).handle([record(enveloped(erased, 3)), record(enveloped(changed, 4))])
    assert await read_customer(shared, customer_id) == Customer(customer_id, ERASED_ADDRESS, "", 3)


@pytest.mark.parametrize("customer_first", [True, False])
async def test_events_about_customer_and_order_can_arrive_in_any_order(
    shared: Postgres, customer_first: bool
) -> None:
    customer_id, order_id = uuid7(), uuid7()
    events = [registered(customer_id), cancelled(customer_id, order_id)]
    await handle_events(shared, *(events if customer_first else reversed(events)))
    [mail] = await mails_of(shared, customer_id)
    assert mail.state == "queued"
    assert await read_customer(shared, customer_id) is not None
