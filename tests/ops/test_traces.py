"""GET /v1/ops/traces/{key}: what each service knows of an order or a customer, without personal data."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from product_svc.stock.commands import AdjustStock
from tests.ops.world import ADDRESS, World, ops
from tests.responses import assert_problem


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def part(world: World, http: httpx.AsyncClient, service: str, key: UUID, **query: str) -> dict[str, Any]:
    """A service's part of a trace."""
    response = await http.get(f"{world.urls[service]}/v1/ops/traces/{key}", params=query, headers=await ops())
    assert response.status_code == 200
    for personal in (ADDRESS.name, ADDRESS.street, ADDRESS.city, "@"):
        assert f'"{personal}' not in response.text
    found: dict[str, Any] = response.json()
    assert found["key"] == str(key)
    return found


async def test_an_order_has_its_state_and_its_timeline(world: World, http: httpx.AsyncClient) -> None:
    order_id = await world.confirmed()
    [order] = (await part(world, http, "order", order_id))["orders"]
    assert (order["id"], order["customer_id"]) == (str(order_id), str(world.buyer))
    assert (order["state"], order["version"]) == ("CONFIRMED", 2)
    types = [entry["type"] for entry in order["timeline"]]
    assert types == ["order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent"]
    assert order["timeline"][-1]["detail"]["template"] == "receipt"


async def test_details_that_say_where_a_parcel_is_are_not_shown(world: World, http: httpx.AsyncClient) -> None:
    sku = await world.product()
    order_id = await world.confirmed(sku, 3)
    await world.fulfilled(order_id, {sku: 1})
    [order] = (await part(world, http, "order", order_id))["orders"]
    shipped = next(entry for entry in order["timeline"] if entry["type"] == "order.shipped")
    assert shipped["detail"] == {"state": "SHIPPED"}


async def test_the_orders_of_a_customer_are_the_newest_first(world: World, http: httpx.AsyncClient) -> None:
    buyer = await world.registered()
    placed = [await world.placed({await world.product(): 1}, buyer) for _ in range(3)]
    found = (await part(world, http, "order", buyer))["orders"]
    assert [order["id"] for order in found] == list(map(str, reversed(placed)))


async def test_an_order_has_its_reservation_and_its_movements(world: World, http: httpx.AsyncClient) -> None:
    sku = await world.product(10)
    order_id = await world.confirmed(sku, 3)
    held = await part(world, http, "product", order_id)
    assert held["movements"] == []
    assert (held["reservation"]["state"], held["reservation"]["version"]) == ("held", 1)
    assert held["reservation"]["held"] == [{"sku": sku, "quantity": 3}]
    await world.fulfilled(order_id, {sku: 1})
    # A note of staff is no movement of the order, whatever it says.
    await world.commits["product_svc"](AdjustStock(sku, 1, "count", note=f"order {order_id}"))
    shipped = await part(world, http, "product", order_id)
    assert (shipped["reservation"]["state"], shipped["reservation"]["held"]) == ("shipped", [])
    moved = [(one["reason"], one["delta"], one["on_hand"]) for one in shipped["movements"]]
    assert moved == [("shipment", -1, 9), ("shipment", -2, 7), ("return", 1, 8)]


async def test_the_movements_of_an_order_are_found_by_an_index(world: World) -> None:
    query = {"note": f"order {uuid7()}", "reason": {"$in": ["shipment", "return"]}}
    plan = await world.products.db.movements.find(query).explain()
    assert "note_1" in str(plan["queryPlanner"]["winningPlan"])


async def test_an_order_has_its_mails(world: World, http: httpx.AsyncClient) -> None:
    order_id = await world.confirmed()
    [mail] = (await part(world, http, "notifier", order_id))["mails"]
    assert (mail["id"], mail["template"]) == (str(world.mail("receipt", order_id)), "receipt")
    assert (mail["state"], mail["order_id"], mail["resend_of"]) == ("sent", str(order_id), None)
    assert (await part(world, http, "notifier", order_id, customer_id=str(world.buyer)))["mails"] == [mail]
    assert mail in (await part(world, http, "notifier", world.buyer))["mails"]
    assert (await part(world, http, "notifier", order_id, customer_id=str(uuid7())))["mails"] == []


async def test_a_customer_is_found_by_id_and_by_e_mail_address(world: World, http: httpx.AsyncClient) -> None:
    found = await part(world, http, "customer", world.buyer)
    assert (found["account"]["id"], found["account"]["status"]) == (str(world.buyer), "active")
    url = f"{world.urls['customer']}/v1/ops/traces"
    body = {"email": f"{world.buyer}@EXAMPLE.com"}
    with capture_logs() as logs:
        assert (await http.post(url, json=body, headers=await ops())).json() == found
    # The test would notice: requests are logged.
    assert [one["route"] for one in logs if one["event"] == "request"] == ["/v1/ops/traces"]
    assert "@" not in str(logs)
    nobody = await http.post(url, json={"email": "nobody@example.com"}, headers=await ops())
    assert nobody.json() == {"key": None, "account": None}
    assert_problem(await http.post(url, json={"email": "nobody"}, headers=await ops()), 422, "malformed_request")


@pytest.mark.parametrize("service", ["customer", "product", "order", "notifier"])
async def test_of_an_unknown_key_nothing_is_known(world: World, http: httpx.AsyncClient, service: str) -> None:
    found = await part(world, http, service, uuid7())
    assert [value for name, value in found.items() if name != "key" and value] == []
    response = await http.get(f"{world.urls[service]}/v1/ops/traces/ada@example.com", headers=await ops())
    assert_problem(response, 422, "malformed_request")
