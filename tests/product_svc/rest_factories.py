"""Products, categories and stock for tests, created and changed over REST."""

from typing import Any

import httpx

from chassis.testing import bearer

STAFF = bearer(role="staff")
ANY_VERSION = {**STAFF, "If-Match": "*"}
API = httpx.AsyncClient
PRICE = {"amount": 1250, "currency": "EUR"}


def matching(version: int) -> dict[str, str]:
    return {**STAFF, "If-Match": f'"{version}"'}


def product_body(*skus: str, **fields: Any) -> dict[str, Any]:
    return {"name": "Mug", "variants": [{"sku": sku, "price": PRICE} for sku in skus]} | fields


def as_written(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the catalogue without its stock and its times: what the response to a change is."""
    stock, times = ("availability", "available"), ("created_at", "updated_at")
    variants = [{name: value for name, value in one.items() if name not in stock} for one in entry["variants"]]
    return {**{name: value for name, value in entry.items() if name not in times}, "variants": variants}


async def added(api: API, *skus: str, **fields: Any) -> dict[str, Any]:
    response = await api.post("/v1/products", json=product_body(*skus, **fields), headers=STAFF)
    assert response.status_code == 201, response.text
    product: dict[str, Any] = response.json()
    return product


async def adjust(api: API, sku: str, delta: int, reason: str = "delivery") -> httpx.Response:
    return await api.post(f"/v1/stock/{sku}/adjustments", json={"delta": delta, "reason": reason}, headers=STAFF)


async def category(api: API, **fields: Any) -> dict[str, Any]:
    response = await api.post("/v1/categories", json={"name": "Kitchen"} | fields, headers=STAFF)
    assert (response.status_code, response.headers["etag"]) == (201, '"1"'), response.text
    made: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/categories/{made['id']}"
    return made


async def amended(api: API, path: str, version: int, **changes: Any) -> httpx.Response:
    response = await api.patch(path, json=changes, headers=matching(version))
    assert response.status_code == 200, response.text
    return response


async def removed(api: API, category: dict[str, Any], version: int) -> httpx.Response:
    return await api.delete(f"/v1/categories/{category['id']}", headers=matching(version))


async def variant_put(api: API, product: dict[str, Any], sku: str, version: int, body: Any) -> httpx.Response:
    path = f"/v1/products/{product['id']}/variants/{sku}"
    return await api.put(path, json=body, headers=matching(version))
