"""Orders by way of the REST API, as its clients see them."""

from typing import Any
from uuid import UUID

import httpx

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from schemas import StockReserved
from tests.order_svc.scenarios import consume
from tests.responses import version_tag

API = httpx.AsyncClient
Headers = dict[str, str]
ADDRESS = {"name": "Ada", "street": "1 St", "city": "London", "postal_code": "SW1Y", "country": "GB"}


def lines(**quantities: int) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]}


def body(**quantities: int) -> dict[str, Any]:
    return {**lines(**quantities), "shipping_address": ADDRESS}


async def place(api: API, sku: str, quantity: int = 2, headers: Headers | None = None) -> dict[str, Any]:
    response = await api.post("/v1/orders", json=body(**{sku: quantity}), headers=headers or bearer())
    assert response.status_code == 202, response.text
    placed: dict[str, Any] = response.json()
    return placed


async def confirmed(api: API, database: Postgres, sku: str, headers: Headers, quantity: int = 2) -> dict[str, Any]:
    placed = await place(api, sku, quantity, headers)
    await consume(database, StockReserved(order_id=UUID(placed["id"]), lines=()))
    return await read(api, placed, headers)


async def read(api: API, order: dict[str, Any], headers: Headers) -> dict[str, Any]:
    response = await api.get(f"/v1/orders/{order['id']}", headers=headers)
    found: dict[str, Any] = response.json()
    assert version_tag(response) == f'"{found["version"]}"'
    return found


async def amend(
    api: API, order: dict[str, Any], headers: Headers, changes: dict[str, Any], etag: str | None = None
) -> httpx.Response:
    condition = {"If-Match": etag or f'"{order["version"]}"'}
    return await api.patch(f"/v1/orders/{order['id']}", json=changes, headers=headers | condition)
