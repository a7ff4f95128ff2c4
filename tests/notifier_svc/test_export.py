"""Mails of whoever takes everything along."""

from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from tests.answers import malformed_at, refused
from tests.notifier_svc.ledger import cancelled, confirmed, hear, link, registered

API = httpx.AsyncClient
EXPORT = "/v1/exports/notifications"


async def page(api: API, who: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = await api.get(EXPORT, params=query, headers=who)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_ones_mails_come_as_one_reads_them_and_nobody_elses(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    welcome, who = registered(order.customer_id, verify=link()), bearer(order.customer_id)
    await hear(shared, welcome, order, registered(uuid7(), "eve@example.com", "Eve"), confirmed(uuid7(), uuid7()))
    told = await page(api, who)
    assert ([one["template"] for one in told["items"]], told["next"]) == (["receipt", "welcome"], None)
    for one in told["items"]:
        assert one == (await api.get(f"/v1/notifications/{one['id']}", headers=who)).json()
    assert [one["text"] is None for one in told["items"]] == [False, True], "links are for the mailbox alone"
    assert await page(api, bearer()) == {"items": [], "next": None}


async def test_they_come_page_by_page(api: API, shared: Postgres) -> None:
    customer_id = uuid7()
    orders = [uuid7() for _ in range(5)]
    await hear(shared, *(cancelled(customer_id, order_id) for order_id in orders))
    found, query = [], {"limit": 2}
    while True:
        told = await page(api, bearer(customer_id), **query)
        found += [one["order_id"] for one in told["items"]]
        if told["next"] is None:
            break
        query["before"] = told["next"]
    assert found == [str(order_id) for order_id in reversed(orders)]


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_it_is_for_customers_alone(api: API, role: Any) -> None:
    refused(await api.get(EXPORT, headers=bearer(role=role)), 403, "forbidden")


async def test_a_page_is_not_longer_than_can_be_borne(api: API) -> None:
    assert malformed_at(await api.get(EXPORT, params={"limit": 101}, headers=bearer())) == {"query/limit"}
