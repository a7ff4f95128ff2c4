"""A customer orders without saying where to, waits for the answer, and follows the order until all is done."""

from typing import Any

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
        # The address is on its way to order_svc.
        headers = {**customer, "Prefer": "wait=20"}
        answer = await shop.http.post(f"{shop.urls['order']}/v1/orders", json=body, headers=headers)
        return answer if answer.status_code != 409 else None

    answer = await eventually(placed, 30, "order_svc to know the address")
    order = answer.json()
    assert (answer.status_code, order["state"], order["shipping_address"]) == (201, "CONFIRMED", ADDRESS)
    found = await shop.read("order", f"/v1/orders?status=CONFIRMED&q={sku}", customer)
    assert [one["id"] for one in found["items"]] == [order["id"]]
    async with following(shop.http, order["id"], customer, base=shop.urls["order"]) as stream:
        happened = await stream.rest()
    assert [sent.data["type"] for sent in happened[:-1]] == [
        *("order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent"),
    ]
    assert (happened[-1].kind, happened[-1].data) == ("end", {"state": "CONFIRMED"})
