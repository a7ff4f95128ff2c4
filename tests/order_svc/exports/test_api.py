"""Orders of whoever takes everything along."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.store import OrderBook
from schemas import StockReserved
from tests.answers import malformed_at, refused
from tests.order_svc.orders import product
from tests.order_svc.test_api import hear, order

API = httpx.AsyncClient
Commit = GroupCommit[OrderBook]
EXPORT = "/v1/exports/orders"


async def page(api: API, who: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = await api.get(EXPORT, params=query, headers=who)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_ones_orders_come_with_their_timelines_and_nobody_elses(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku, who = await product(commit), bearer()
    placed = [(await order(api, sku, who=who))["id"] for _ in range(2)]
    await order(api, sku)
    await hear(shared, StockReserved(order_id=UUID(placed[0]), lines=()))
    told = await page(api, who)
    assert ([one["id"] for one in told["items"]], told["next"]) == (placed[::-1], None)
    for one in told["items"]:
        path, entries = f"/v1/orders/{one['id']}", one.pop("timeline")
        assert one == (await api.get(path, headers=who)).json()
        assert entries == (await api.get(f"{path}/timeline", headers=who)).json()["entries"]
    assert await page(api, bearer()) == {"items": [], "next": None}


async def test_they_come_page_by_page(api: API, commit: Commit) -> None:
    sku, who = await product(commit), bearer()
    placed = [(await order(api, sku, who=who))["id"] for _ in range(5)]
    found, query = [], {"limit": 2}
    while True:
        told = await page(api, who, **query)
        assert all(len(one["timeline"]) == 1 for one in told["items"])
        found += [one["id"] for one in told["items"]]
        if told["next"] is None:
            break
        query["before"] = told["next"]
    assert found == placed[::-1]


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_it_is_for_customers_alone(api: API, role: Any) -> None:
    refused(await api.get(EXPORT, headers=bearer(role=role)), 403, "forbidden")


async def test_a_page_is_not_longer_than_can_be_borne(api: API) -> None:
    assert malformed_at(await api.get(EXPORT, params={"limit": 101}, headers=bearer(uuid7()))) == {"query/limit"}
