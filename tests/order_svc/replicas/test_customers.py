"""What order_svc knows of customers, and what follows from it for their orders; in a real database."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from order_svc import SERVICE
from order_svc.commands import place_order, want_basket
from order_svc.customer import Customer
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
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
from tests.answers import refused
from tests.databases import waits_for_a_lock
from tests.order_svc.orders import ADDRESS, basket, product, read
from tests.outbox import events
from tests.stack import eventually

API = httpx.AsyncClient
Commit = GroupCommit[OrderBook]
AT = datetime(2026, 1, 1, tzinfo=UTC)
HOME = Address(name="Ada", street="12 Square", city="Paris", postal_code="75001", country="FR")
NOWHERE = {"name": "-", "street": "-", "city": "-", "postal_code": "-", "country": "GB"}


async def hear(database: Postgres, version: int, event: Event) -> None:
    await Consumer(database, SERVICE, OrderBook, HANDLERS).handle([record(enveloped(event, version))])


async def known(commit: Commit, customer_id: UUID) -> Customer | None:
    return await commit(
        lambda book: book.customers.get(customer_id), wants=lambda book: book.customers.prefetch(customer_id)
    )


def registered(who: UUID) -> CustomerRegistered:
    return CustomerRegistered(customer_id=who, email="ada@example.com", name="Ada")


def moved(who: UUID, shipping: Address | None = HOME, billing: Address | None = None) -> AddressesChanged:
    return AddressesChanged(customer_id=who, shipping=shipping, billing=billing)


async def ask(api: API, who: UUID, sku: str, **more: Any) -> httpx.Response:
    body = {"lines": [{"sku": sku, "quantity": 1}], **more}
    return await api.post("/v1/orders", json=body, headers=bearer(who))


async def test_an_order_without_an_address_goes_to_the_customers_default(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, sku = uuid7(), await product(commit)
    await hear(shared, 1, registered(who))
    await hear(shared, 2, moved(who, HOME, ADDRESS))
    placed = (await ask(api, who, sku)).json()
    assert (placed["shipping_address"], placed["billing_address"]) == (HOME.model_dump(), ADDRESS.model_dump())
    [event] = await events(shared, placed["id"])
    assert isinstance(event, OrderPlaced)
    assert (event.shipping_address, event.billing_address) == (HOME, ADDRESS)
    told = (await ask(api, who, sku, shipping_address=ADDRESS.model_dump())).json()
    assert told["shipping_address"] == ADDRESS.model_dump(), "what the order says stands over the default"


async def test_an_order_that_nobody_knows_the_address_of_is_refused(
    api: API, shared: Postgres, commit: Commit
) -> None:
    unheard, homeless, sku = uuid7(), uuid7(), await product(commit)
    await hear(shared, 1, registered(homeless))
    await hear(shared, 2, moved(homeless))
    await hear(shared, 3, moved(homeless, None))
    for who in (unheard, homeless):
        refused(await ask(api, who, sku), 409, "no_shipping_address")
        refused(await ask(api, who, sku, shipping_address=None), 409, "no_shipping_address")
        answer = await ask(api, who, sku, shipping_address=ADDRESS.model_dump())
        assert answer.status_code == 202, "events may be late: whoever is not known may order"


async def test_who_is_deactivated_cannot_order_until_reactivated(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = uuid7(), await product(commit)
    await hear(shared, 1, registered(who))
    await hear(shared, 2, moved(who))
    await hear(shared, 3, CustomerDeactivated(customer_id=who, by="staff"))
    refused(await ask(api, who, sku), 409, "account_deactivated")
    refused(await ask(api, who, "NO-SUCH-SKU"), 409, "account_deactivated")
    await hear(shared, 4, CustomerReactivated(customer_id=who, by="staff"))
    assert (await ask(api, who, sku)).json()["shipping_address"] == HOME.model_dump()


async def test_who_is_erased_cannot_order_whatever_comes_late(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = uuid7(), await product(commit)
    await hear(shared, 1, registered(who))
    await hear(shared, 2, moved(who))
    await hear(shared, 5, CustomerErased(customer_id=who))
    await hear(shared, 4, moved(who))
    await hear(shared, 3, CustomerReactivated(customer_id=who, by="customer"))
    assert await known(commit, who) == Customer(who, "erased", 5, addresses_version=5)
    refused(await ask(api, who, sku, shipping_address=ADDRESS.model_dump()), 409, "account_erased")


async def test_our_copy_of_a_customer_only_grows_newer_each_half_for_itself(shared: Postgres, commit: Commit) -> None:
    who = uuid7()
    for version, event in (
        (4, moved(who, HOME, ADDRESS)),
        (3, CustomerDeactivated(customer_id=who, by="customer")),
        (2, moved(who, ADDRESS)),
        (1, registered(who)),
    ):
        await hear(shared, version, event)
    assert await known(commit, who) == Customer(who, "deactivated", 3, HOME, ADDRESS, 4)


async def test_a_copy_that_was_read_before_a_newer_one_came_does_not_replace_it(
    shared: Postgres, commit: Commit
) -> None:
    # Copies are read without a lock: between our read and our write another process may have learnt more.
    who, book = uuid7(), OrderBook(AT)
    book.customers.prefetch(who)
    async with shared.transaction() as tx:
        await book.load(tx)
        await hear(shared, 3, CustomerDeactivated(customer_id=who, by="staff"))
        book.customers.set(who, Customer(who, "active", 2, HOME, None, 2))
        await book.save(tx)
    assert await known(commit, who) == Customer(who, "deactivated", 3, HOME, None, 2)


async def test_an_order_that_is_placed_during_an_erasure_keeps_no_address(shared: Postgres, commit: Commit) -> None:
    asked, book = basket({await product(commit): 1}), OrderBook(AT)
    want_basket(book, asked)
    async with shared.transaction() as tx:
        await book.load(tx)
        # It has looked whether the customer may order, and has not stored the order yet.
        erasing = asyncio.create_task(hear(shared, 2, CustomerErased(customer_id=asked.customer_id)))
        await eventually(lambda: waits_for_a_lock(shared), 10, "the erasure to wait for the order")
        order = place_order(book, asked)
        await book.save(tx)
    await erasing
    assert (await read(shared, order)).shipping_address.model_dump() == NOWHERE


async def test_a_repeated_request_gets_its_answer_though_the_account_is_out_of_use(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, sku = uuid7(), await product(commit)
    await hear(shared, 2, moved(who))
    headers = {**bearer(who), "Idempotency-Key": "k"}
    body = {"lines": [{"sku": sku, "quantity": 1}]}
    first = await api.post("/v1/orders", json=body, headers=headers)
    await hear(shared, 3, CustomerDeactivated(customer_id=who, by="customer"))
    again = await api.post("/v1/orders", json=body, headers=headers)
    assert (again.status_code, again.content) == (202, first.content)
