"""The export of a customer's mails."""

from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from tests.notifier_svc.factories import cancelled, confirmed, link, registered
from tests.notifier_svc.ledger import handle_events
from tests.responses import assert_problem, malformed_fields

API = httpx.AsyncClient
EXPORT = "/v1/exports/notifications"


async def page(api: API, who: dict[str, str], **query: Any) -> dict[str, Any]:
    response = await api.get(EXPORT, params=query, headers=who)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_an_export_has_the_clients_own_mails_as_they_are_shown(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    welcome, who = registered(order.customer_id, verify=link()), bearer(order.customer_id)
    await handle_events(
        shared, welcome, order, registered(uuid7(), "eve@example.com", "Eve"), confirmed(uuid7(), uuid7())
    )
    body = await page(api, who)
    assert ([one["template"] for one in body["items"]], body["next"]) == (["receipt", "welcome"], None)
    for one in body["items"]:
        assert one == (await api.get(f"/v1/notifications/{one['id']}", headers=who)).json()
    assert [one["text"] is None for one in body["items"]] == [False, True], "mails with links have no text"
    assert await page(api, bearer()) == {"items": [], "next": None}


async def test_an_export_has_pages(api: API, shared: Postgres) -> None:
    customer_id = uuid7()
    orders = [uuid7() for _ in range(5)]
    await handle_events(shared, *(cancelled(customer_id, order_id) for order_id in orders))
    found, query = [], {"limit": 2}
    while True:
        body = await page(api, bearer(customer_id), **query)
        found += [one["order_id"] for one in body["items"]]
        if body["next"] is None:
            break
        query["cursor"] = body["next"]
    assert found == [str(order_id) for order_id in reversed(orders)]


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_only_customers_can_export(api: API, role: Any) -> None:
    assert_problem(await api.get(EXPORT, headers=bearer(role=role)), 403, "forbidden")


async def test_the_size_of_a_page_is_limited(api: API) -> None:
    assert malformed_fields(await api.get(EXPORT, params={"limit": 101}, headers=bearer())) == {"query/limit"}
