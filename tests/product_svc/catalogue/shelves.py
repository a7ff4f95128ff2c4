"""Products and categories of a test, put in and changed over REST."""

from typing import Any

import httpx

from chassis.testing import bearer

STAFF = bearer(role="staff")
API = httpx.AsyncClient
PRICE = {"amount": 1250, "currency": "EUR"}


def matching(version: int) -> dict[str, str]:
    return {**STAFF, "If-Match": f'"{version}"'}


async def added(api: API, *skus: str, **fields: Any) -> dict[str, Any]:
    variants = [{"sku": sku, "price": PRICE} for sku in skus]
    answer = await api.post("/v1/products", json={"name": "Mug", "variants": variants} | fields, headers=STAFF)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


async def category(api: API, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/v1/categories", json={"name": "Shelf"} | fields, headers=STAFF)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"'), answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/categories/{made['id']}"
    return made


async def amended(api: API, path: str, version: int, **changes: Any) -> httpx.Response:
    answer = await api.patch(path, json=changes, headers=matching(version))
    assert answer.status_code == 200, answer.text
    return answer


async def removed(api: API, category: dict[str, Any], version: int) -> httpx.Response:
    return await api.delete(f"/v1/categories/{category['id']}", headers=matching(version))


async def variant_put(api: API, product: dict[str, Any], sku: str, version: int, body: Any) -> httpx.Response:
    path = f"/v1/products/{product['id']}/variants/{sku}"
    return await api.put(path, json=body, headers=matching(version))
