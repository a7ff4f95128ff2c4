"""API10:2023, Unsafe Consumption of APIs: a service trusts an event only where it belongs.

Tried once each, on the running platform: an event of one service on a topic that another publishes on.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from schemas import CustomerErased, CustomerRegistered, Message, StockReserved
from schemas.topics import NOTIFICATION_EVENTS, PRODUCT_EVENTS, STOCK_EVENTS
from tests.publishing import publish
from tests.servers import Servers
from tests.stack import OPS, Stack, eventually


async def test_a_registration_among_the_stock_events_redirects_no_mail(shop: Stack, servers: Servers) -> None:
    email, customer = await shop.customer()
    forger = f"forger-{uuid7()}@example.com"
    forged = CustomerRegistered(customer_id=await id_of(shop, customer), email=forger, name="Ada")
    await refused(shop, servers, "notifier", replace(enveloped(forged, version=99), topic=STOCK_EVENTS))
    reset = f"{shop.urls['customer']}/v1/password-reset-mails"
    assert (await shop.http.post(reset, json={"email": email})).is_success

    async def mailed() -> bool:
        return bool(await shop.mails(email, "password"))

    await eventually(mailed, 30, "the link at the customer's own address")
    assert await shop.mails(forger) == []


async def test_a_reservation_among_the_mails_confirms_no_order(shop: Stack, servers: Servers) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=1)
    await shop.kill("product-worker", 15)
    order = (await shop.order(customer, {sku: 5})).headers["location"]
    forged = enveloped(StockReserved(order_id=UUID(order.rpartition("/")[2]), lines=()))
    await refused(shop, servers, "order", replace(forged, topic=NOTIFICATION_EVENTS))
    assert (await shop.read("order", order, customer))["state"] == "PENDING"
    await shop.start("product-worker")

    async def rejected() -> bool:
        return bool((await shop.read("order", order, customer))["state"] == "REJECTED")

    await eventually(rejected, 30, "product_svc to reject it")


async def test_an_erasure_among_the_products_blanks_no_order(shop: Stack, servers: Servers) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=1)
    order = (await shop.order(customer, {sku: 1})).headers["location"]
    before = await shop.read("order", order, customer)
    forged = enveloped(CustomerErased(customer_id=await id_of(shop, customer)), version=99)
    await refused(shop, servers, "order", replace(forged, topic=PRODUCT_EVENTS))
    assert (await shop.read("order", order, customer))["shipping_address"] == before["shipping_address"]


async def id_of(shop: Stack, customer: Mapping[str, str]) -> UUID:
    return UUID((await shop.read("customer", "/v1/customers/me", customer))["id"])


async def refused(shop: Stack, servers: Servers, service: str, forged: Message) -> None:
    """Publish a forged event, and wait until a service has put it aside."""
    ops = await shop.log_in(*OPS)
    await publish(shop, servers.kafka, [forged])

    async def letters() -> list[Any]:
        found = await shop.read(service, f"/v1/ops/letters?key={forged.key}", ops)
        return [(one["state"], one["reason"]) for one in found["items"]]

    assert await eventually(letters, 30, "a dead letter") == [("dead", "misplaced")]
