"""A customer orders to the default address, waits for the result, and follows the order to its end."""

from typing import Any

from tests.addresses import shown
from tests.order_svc.event_streams import following
from tests.stack import ADDRESS, Stack, eventually


async def test_an_order_goes_to_the_default_address_and_is_followed_to_its_receipt(shop: Stack) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=5)
    addresses = f"{shop.urls['customer']}/v1/customers/me/addresses"
    saved = await shop.http.post(addresses, json={**ADDRESS, "default_for": ["shipping"]}, headers=customer)
    assert saved.status_code == 201, saved.text
    body: dict[str, Any] = {"lines": [{"sku": sku, "quantity": 2}]}

    async def placed() -> Any:
        # The event with the address may not have reached order_svc yet.
        headers = {**customer, "Prefer": "wait=20"}
        response = await shop.http.post(f"{shop.urls['order']}/v1/orders", json=body, headers=headers)
        return response if response.status_code != 409 else None

    response = await eventually(placed, 30, "order_svc to know the address")
    order = response.json()
    assert (response.status_code, order["state"], order["shipping_address"]) == (201, "CONFIRMED", shown(ADDRESS))
    found = await shop.read("order", f"/v1/orders?state=CONFIRMED&q={sku}", customer)
    assert [one["id"] for one in found["items"]] == [order["id"]]
    async with following(shop.http, order["id"], customer, base=shop.urls["order"]) as stream:
        happened = await stream.rest()
    assert [sent.data["type"] for sent in happened[:-1]] == [
        *("order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent"),
    ]
    assert (happened[-1].kind, happened[-1].data) == ("end", {"state": "CONFIRMED"})
