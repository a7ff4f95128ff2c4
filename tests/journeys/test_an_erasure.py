"""A customer who wants to be forgotten is, by every service."""

from typing import Any

from tests.journeys.test_an_order import told
from tests.stack import ADDRESS, STAFF, Stack, eventually


async def test_an_erased_customer_is_forgotten_by_every_service(shop: Stack) -> None:
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=2)
    location = (await shop.order(customer, {sku: 1})).headers["location"]
    await told(shop, location, customer)
    body = {"password": "a customer's password"}
    erasure = await shop.http.post(f"{shop.urls['customer']}/v1/erasures", json=body, headers=customer)
    assert erasure.status_code == 202, erasure.text

    async def done() -> bool:
        progress = await shop.read("customer", erasure.headers["location"], {})
        return bool(progress["state"] == "done")

    await eventually(done, 30, "every service to have forgotten the customer")
    staff = await shop.log_in(*STAFF)
    order: dict[str, Any] = await shop.read("order", location, staff)
    gone = dict.fromkeys(("name", "street", "city", "postal_code"), "-")
    # Nobody knows any more where it was to go.
    assert (order["state"], order["shipping_address"]) == ("CANCELLED", ADDRESS | gone)

    async def released() -> bool:
        return await shop.stock(sku) == (2, 0)

    await eventually(released, 20, "what it held to be for sale again")
    found = await shop.read("customer", f"/v1/customers?q={email}", staff)
    assert found["items"] == []
