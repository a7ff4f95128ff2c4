"""An order that is amended, goes out in two parts, arrives, and comes back in part: over the running platform."""

from typing import Any

from tests.stack import STAFF, Stack, eventually

PARCEL = {"carrier": "DHL", "tracking_number": "00340434161094042557"}


async def test_an_order_is_amended_shipped_in_parts_delivered_and_returned(shop: Stack) -> None:
    mug, cup = await shop.product(on_hand=10), await shop.product(on_hand=10)
    (_, who), staff = await shop.customer(), await shop.log_in(*STAFF)
    order_id = (await shop.order(who, {mug: 4})).json()["id"]
    path = f"/v1/orders/{order_id}"

    async def until(**told: Any) -> dict[str, Any]:
        async def so() -> dict[str, Any] | None:
            order = await shop.read("order", path, who)
            return order if told.items() <= order.items() else None

        found: dict[str, Any] = await eventually(so, 30, f"the order to be {told}")
        return found

    async def act(order: dict[str, Any], step: str, body: Any, by: dict[str, str] = staff) -> dict[str, Any]:
        headers = {**by, "If-Match": f'"{order["version"]}"'}
        method, place = ("PATCH", path) if step == "amend" else ("POST", f"{path}/{step}")
        answer = await shop.http.request(method, shop.urls["order"] + place, json=body, headers=headers)
        assert answer.status_code in (200, 201, 202), answer.text
        after: dict[str, Any] = answer.json()
        return after

    async def stock(mugs: tuple[int, int], cups: tuple[int, int]) -> None:
        async def so() -> bool:
            return [await shop.stock(mug), await shop.stock(cup)] == [mugs, cups]

        await eventually(so, 30, f"the stock to be {mugs} and {cups}")

    order = await until(state="CONFIRMED")
    await act(order, "amend", {"lines": [{"sku": mug, "quantity": 2}, {"sku": cup, "quantity": 3}]}, who)
    order = await until(state="CONFIRMED", revision=2, amendment=None)
    await stock((10, 2), (10, 3))

    order = await act(order, "shipments", {**PARCEL, "lines": [{"sku": mug, "quantity": 2}]})
    await stock((8, 0), (10, 3))
    order = await act(order, "shipments", PARCEL)
    await stock((8, 0), (7, 0))
    order = await act(order, "deliver", None)
    order = await act(order, "returns", {"lines": [{"sku": cup, "quantity": 1}], "reason": "Broken on arrival."})
    await stock((8, 0), (8, 0))
    assert (order["state"], len(order["shipments"]), order["returns"][0]["refund"]["amount"]) == (
        "DELIVERED",
        2,
        1250,
    )

    async def whole() -> bool:
        entries = (await shop.read("order", f"{path}/timeline", who))["entries"]
        types = [entry["type"] for entry in entries if not entry["type"].startswith("notification.")]
        return sorted(types) == sorted(TIMELINE)

    await eventually(whole, 30, "the timeline to be whole")


TIMELINE = [
    *("order.placed", "stock.reserved", "order.confirmed"),
    *("order.amended", "stock.reserved", "order.amendment_accepted", "stock.released"),
    *("order.shipped", "stock.committed", "order.shipped", "stock.committed", "order.delivered"),
    *("order.returned", "stock.returned"),
]
