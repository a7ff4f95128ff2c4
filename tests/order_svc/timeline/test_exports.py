"""The export of a customer's orders."""

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from schemas import StockReserved
from tests.order_svc.rest import API, place
from tests.order_svc.scenarios import Commit, consume, product
from tests.responses import assert_problem, malformed_fields

EXPORT = "/v1/exports/orders"


async def page(api: API, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    response = await api.get(EXPORT, params=query, headers=headers)
    assert response.status_code == 200, response.text
    exported: dict[str, Any] = response.json()
    return exported


async def test_a_customer_exports_their_own_orders_with_timelines(api: API, shared: Postgres, commit: Commit) -> None:
    sku, headers = await product(commit), bearer()
    placed = [(await place(api, sku, headers=headers))["id"] for _ in range(2)]
    await place(api, sku)
    await consume(shared, StockReserved(order_id=UUID(placed[0]), lines=()))
    exported = await page(api, headers)
    assert ([one["id"] for one in exported["items"]], exported["next"]) == (placed[::-1], None)
    for one in exported["items"]:
        path, entries = f"/v1/orders/{one['id']}", one.pop("timeline")
        assert one == (await api.get(path, headers=headers)).json()
        assert entries == (await api.get(f"{path}/timeline", headers=headers)).json()["entries"]
    assert await page(api, bearer()) == {"items": [], "next": None}


async def test_orders_are_exported_page_by_page(api: API, commit: Commit) -> None:
    sku, headers = await product(commit), bearer()
    placed = [(await place(api, sku, headers=headers))["id"] for _ in range(5)]
    found, query = [], {"limit": 2}
    while True:
        exported = await page(api, headers, **query)
        assert all(len(one["timeline"]) == 1 for one in exported["items"])
        found += [one["id"] for one in exported["items"]]
        if exported["next"] is None:
            break
        query["cursor"] = exported["next"]
    assert found == placed[::-1]


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_only_customers_export_orders(api: API, role: Any) -> None:
    assert_problem(await api.get(EXPORT, headers=bearer(role=role)), 403, "forbidden")


async def test_the_size_of_a_page_is_limited(api: API) -> None:
    assert malformed_fields(await api.get(EXPORT, params={"limit": 101}, headers=bearer(uuid7()))) == {"query/limit"}
