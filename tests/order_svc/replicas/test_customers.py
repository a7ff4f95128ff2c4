"""The replica of customers, and what it decides about their orders; in a real database."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from order_svc.replicas.domain import Customer
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import (
    Address,
    AddressesChanged,
    CustomerDeactivated,
    CustomerErased,
    CustomerReactivated,
    CustomerRegistered,
    Event,
    OrderPlaced,
)
from tests.addresses import shown
from tests.databases import waits_for_a_lock
from tests.order_svc.factories import ADDRESS
from tests.order_svc.rest import API
from tests.order_svc.scenarios import Commit, consumer, place_order, product, read
from tests.outbox import events
from tests.responses import assert_problem
from tests.stack import eventually

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOME = Address(name="Ada", street="12 Square", city="Paris", postal_code="75001", country="FR")
NOWHERE = {"name": "-", "street": "-", "city": "-", "postal_code": "-", "country": "GB"}


async def consume(database: Postgres, version: int, event: Event) -> None:
    await consumer(database).handle([record(enveloped(event, version))])


async def stored(database: Postgres, customer_id: UUID) -> Customer | None:
    uow = OrderUnitOfWork(AT)
    uow.customers.prefetch(customer_id)
    async with database.transaction() as tx:
        await uow.load(tx)
    return uow.customers.get(customer_id)


def registered(customer: UUID) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer, email="ada@example.com", name="Ada")


def moved(customer: UUID, shipping: Address | None = HOME, billing: Address | None = None) -> AddressesChanged:
    return AddressesChanged(customer_id=customer, shipping=shipping, billing=billing)


async def order(api: API, customer: UUID, sku: str, **more: Any) -> httpx.Response:
    body = {"lines": [{"sku": sku, "quantity": 1}], **more}
    return await api.post("/v1/orders", json=body, headers=bearer(customer))


async def test_an_order_without_an_address_goes_to_the_default_address(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer, sku = uuid7(), await product(commit)
    await consume(shared, 1, registered(customer))
    await consume(shared, 2, moved(customer, HOME, ADDRESS))
    placed = (await order(api, customer, sku)).json()
    addresses = [shown(one.model_dump()) for one in (HOME, ADDRESS)]
    assert [placed["shipping_address"], placed["billing_address"]] == addresses
    [event] = await events(shared, placed["id"])
    assert isinstance(event, OrderPlaced)
    assert (event.shipping_address, event.billing_address) == (HOME, ADDRESS)
    given = (await order(api, customer, sku, shipping_address=ADDRESS.model_dump())).json()
    assert given["shipping_address"] == shown(ADDRESS.model_dump()), "the address of the order takes precedence"


async def test_an_order_without_any_address_is_refused(api: API, shared: Postgres, commit: Commit) -> None:
    unknown, without_address, sku = uuid7(), uuid7(), await product(commit)
    await consume(shared, 1, registered(without_address))
    await consume(shared, 2, moved(without_address))
    await consume(shared, 3, moved(without_address, None))
    for customer in (unknown, without_address):
        assert_problem(await order(api, customer, sku), 409, "no_shipping_address")
        assert_problem(await order(api, customer, sku, shipping_address=None), 409, "no_shipping_address")
        response = await order(api, customer, sku, shipping_address=ADDRESS.model_dump())
        assert response.status_code == 202, "events may be late: an unknown customer may order"


async def test_a_deactivated_customer_cannot_order_until_reactivated(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer, sku = uuid7(), await product(commit)
    await consume(shared, 1, registered(customer))
    await consume(shared, 2, moved(customer))
    await consume(shared, 3, CustomerDeactivated(customer_id=customer, by="staff"))
    assert_problem(await order(api, customer, sku), 409, "account_deactivated")
    assert_problem(await order(api, customer, "NO-SUCH-SKU"), 409, "account_deactivated")
    await consume(shared, 4, CustomerReactivated(customer_id=customer, by="staff"))
    assert (await order(api, customer, sku)).json()["shipping_address"] == shown(HOME.model_dump())


async def test_an_erased_customer_cannot_order_whatever_arrives_later(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer, sku = uuid7(), await product(commit)
    await consume(shared, 1, registered(customer))
    await consume(shared, 2, moved(customer))
    await consume(shared, 5, CustomerErased(customer_id=customer))
    await consume(shared, 4, moved(customer))
    await consume(shared, 3, CustomerReactivated(customer_id=customer, by="customer"))
    assert await stored(shared, customer) == Customer(customer, "erased", 5, addresses_version=5, name_version=5)
    assert_problem(await order(api, customer, sku, shipping_address=ADDRESS.model_dump()), 409, "account_erased")


async def test_status_and_addresses_are_only_replaced_by_newer_ones_independently(
    shared: Postgres, commit: Commit
) -> None:
    customer = uuid7()
    for version, event in (
        (4, moved(customer, HOME, ADDRESS)),
        (3, CustomerDeactivated(customer_id=customer, by="customer")),
        (2, moved(customer, ADDRESS)),
        (1, registered(customer)),
    ):
        await consume(shared, version, event)
    assert await stored(shared, customer) == Customer(customer, "deactivated", 3, HOME, ADDRESS, 4, "Ada", 1)


async def test_a_customer_does_not_replace_newer_values_that_were_saved_since_the_read(shared: Postgres) -> None:
    # Replicas are read without a lock: another process may save a newer version between our read and our write.
    customer, uow = uuid7(), OrderUnitOfWork(AT)
    uow.customers.prefetch(customer)
    async with shared.transaction() as tx:
        await uow.load(tx)
        # Not a deactivation, which waits for all other transactions about customers.
        await consume(shared, 3, CustomerReactivated(customer_id=customer, by="staff"))
        uow.customers.set(customer, Customer(customer, "deactivated", 2, HOME, None, 2))
        await uow.save(tx)
    assert await stored(shared, customer) == Customer(customer, "active", 3, HOME, None, 2)


async def test_an_order_that_is_placed_during_an_erasure_is_anonymised(shared: Postgres, commit: Commit) -> None:
    command, uow = place_order({await product(commit): 1}), OrderUnitOfWork(AT)
    command.prefetch(uow)
    async with shared.transaction() as tx:
        await uow.load(tx)
        # The customer has been read, and the order is not saved yet.
        erasing = asyncio.create_task(consume(shared, 2, CustomerErased(customer_id=command.customer_id)))
        await eventually(lambda: waits_for_a_lock(shared), 10, "the erasure to wait for the order")
        placed = command.execute(uow)
        await uow.save(tx)
    await erasing
    assert (await read(shared, placed)).shipping_address.model_dump() == NOWHERE


async def test_a_repeated_request_gets_its_response_although_the_account_is_deactivated(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer, sku = uuid7(), await product(commit)
    await consume(shared, 2, moved(customer))
    headers = {**bearer(customer), "Idempotency-Key": "k"}
    body = {"lines": [{"sku": sku, "quantity": 1}]}
    first = await api.post("/v1/orders", json=body, headers=headers)
    await consume(shared, 3, CustomerDeactivated(customer_id=customer, by="customer"))
    again = await api.post("/v1/orders", json=body, headers=headers)
    assert (again.status_code, again.content) == (202, first.content)
