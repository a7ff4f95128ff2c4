"""Every service removes the data of an erased customer."""

from typing import Any

from tests.addresses import shown
from tests.journeys.timelines import timeline_with_mail
from tests.stack import ADDRESS, CUSTOMER_PASSWORD, STAFF, Stack, eventually


async def test_an_erasure_reaches_every_service(shop: Stack) -> None:
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=2)
    location = (await shop.order(customer, {sku: 1})).headers["location"]
    await timeline_with_mail(shop, location, customer)
    body = {"password": CUSTOMER_PASSWORD}
    erasure = await shop.http.post(f"{shop.urls['customer']}/v1/erasures", json=body, headers=customer)
    assert erasure.status_code == 202, erasure.text

    async def done() -> bool:
        progress = await shop.read("customer", erasure.headers["location"], {})
        return bool(progress["state"] == "done")

    await eventually(done, 30, "every service to acknowledge the erasure")
    staff = await shop.log_in(*STAFF)
    order: dict[str, Any] = await shop.read("order", location, staff)
    anonymised = dict.fromkeys(("name", "street", "city"), "-") | {"postal_code": None}
    # The address is anonymised.
    assert (order["state"], order["shipping_address"]) == ("CANCELLED", shown(ADDRESS | anonymised))

    async def released() -> bool:
        return await shop.stock(sku) == (2, 0)

    await eventually(released, 20, "the reserved stock to be released")
    found = await shop.read("customer", f"/v1/customers?q={email}", staff)
    assert found["items"] == []
