"""What is left to ship of a partly shipped order is cancelled, over the REST API."""

import asyncio
from typing import Any

import httpx
import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.orders.lines import without_prices
from schemas import OrderCancelled, OrderShipped, RemainderCancelled, StockReleased
from tests.order_svc.rest import API, Headers, confirmed, lines, place, read
from tests.order_svc.scenarios import Commit, consume, product
from tests.outbox import events
from tests.responses import assert_problem

STAFF = bearer(role="staff")
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}


async def ship(api: API, one: dict[str, Any], body: dict[str, Any] | None = None) -> httpx.Response:
    return await api.post(
        f"/v1/orders/{one['id']}/shipments", json={**PARCEL, **(body or {})}, headers={**STAFF, "If-Match": "*"}
    )


async def cancel_rest(api: API, one: dict[str, Any], who: Headers, body: Any = None) -> httpx.Response:
    return await api.post(f"/v1/orders/{one['id']}/cancel-remainder", json=body, headers=who)


async def partly_shipped(api: API, database: Postgres, sku: str, headers: Headers) -> dict[str, Any]:
    """An order of five pieces of which two are shipped."""
    one = await confirmed(api, database, sku, headers, 5)
    response = await ship(api, one, lines(**{sku: 2}))
    assert response.status_code == 201, response.text
    shipped: dict[str, Any] = response.json()
    return shipped


async def test_the_customer_cancels_what_is_left_and_the_order_can_be_delivered(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit, 1000)
    one = await partly_shipped(api, shared, sku, headers)
    assert "cancel_remainder" in (await ship(api, one, lines(**{sku: 4}))).json()["allowed"]
    response = await cancel_rest(api, one, headers, {"note": "Two are enough."})
    after = response.json()
    assert (response.status_code, response.headers["etag"]) == (200, f'"{after["version"]}"')
    assert (after["state"], after["lines"][0]["quantity"], after["total"]["amount"]) == ("SHIPPED", 2, 2000)
    remainder = after["cancelled_remainder"]
    assert (remainder["lines"][0]["quantity"], remainder["amount"]["amount"]) == (3, 3000)
    assert (remainder["reason"], remainder["note"]) == ("customer", "Two are enough.")
    assert await read(api, one, headers) == after
    event = (await events(shared, one["id"]))[-1]
    assert isinstance(event, RemainderCancelled)
    assert (event.amount.amount, event.total.amount, event.revision) == (3000, 2000, 1)
    await consume(shared, StockReleased(order_id=event.order_id, lines=without_prices(event.lines), remainder=True))
    timeline = (await api.get(f"/v1/orders/{one['id']}/timeline", headers=headers)).json()["entries"]
    assert [(entry["type"], entry["detail"]) for entry in timeline[-2:]] == [
        ("order.remainder_cancelled", {"state": "SHIPPED", "lines": [{"sku": sku, "quantity": 3}]}),
        ("stock.released", {"remainder": True}),
    ]
    delivered = await api.post(f"/v1/orders/{one['id']}/deliver", headers={**STAFF, "If-Match": "*"})
    assert (delivered.status_code, delivered.json()["state"]) == (200, "DELIVERED")


async def test_staff_cancel_what_is_left_once(api: API, shared: Postgres, commit: Commit) -> None:
    one = await partly_shipped(api, shared, await product(commit), bearer())
    stale = await cancel_rest(api, one, {**STAFF, "If-Match": '"1"'})
    assert_problem(stale, 412, "precondition_failed")
    after = (await cancel_rest(api, one, STAFF)).json()
    assert (after["cancelled_remainder"]["reason"], after["cancelled_remainder"]["note"]) == ("staff", None)
    refused = assert_problem(await cancel_rest(api, one, STAFF), 409, "transition_not_allowed")
    assert "deliver" in refused["allowed"]
    assert_problem(await ship(api, one), 409, "transition_not_allowed")
    assert [type(event) for event in await events(shared, one["id"])].count(RemainderCancelled) == 1


@pytest.mark.parametrize("state", ["PENDING", "CONFIRMED", "SHIPPED"])
async def test_there_is_no_remainder_before_a_part_is_shipped_nor_when_all_is(
    api: API, shared: Postgres, commit: Commit, state: str
) -> None:
    headers, sku = bearer(), await product(commit)
    one = await place(api, sku, 2, headers) if state == "PENDING" else await confirmed(api, shared, sku, headers)
    if state == "SHIPPED":
        one = (await ship(api, one)).json()
    assert_problem(await cancel_rest(api, one, headers), 409, "transition_not_allowed")
    assert await read(api, one, headers) == one


async def test_others_do_not_find_the_order(api: API, shared: Postgres, commit: Commit) -> None:
    one = await partly_shipped(api, shared, await product(commit), bearer())
    for who in (bearer(), bearer(role="ops")):
        assert_problem(await cancel_rest(api, one, who), 404, "order_not_found")


async def test_either_the_rest_is_shipped_or_it_is_cancelled(api: API, shared: Postgres, commit: Commit) -> None:
    """Both at the same time, in both orders of arrival: one wins, and the other is refused."""
    headers, sku = bearer(), await product(commit, 1000)
    for first in (0, 1, 0, 1):
        one = await partly_shipped(api, shared, sku, headers)
        requests = [ship(api, one), cancel_rest(api, one, headers)]
        responses = await asyncio.gather(*(requests[first:] + requests[:first]))
        assert sorted(response.status_code // 100 for response in responses) == [2, 4]
        after = await read(api, one, headers)
        whole = after["cancelled_remainder"] is None
        assert (after["lines"][0]["quantity"], len(after["shipments"])) == ((5, 2) if whole else (2, 1))
        kinds = [type(event) for event in await events(shared, one["id"])]
        assert (kinds.count(OrderShipped), kinds.count(RemainderCancelled)) == ((2, 0) if whole else (1, 1))


async def test_either_an_order_is_shipped_or_it_is_cancelled(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    for first in (0, 1, 0, 1):
        one = await confirmed(api, shared, sku, headers)
        requests = [ship(api, one), api.post(f"/v1/orders/{one['id']}/cancel", headers=headers)]
        responses = await asyncio.gather(*(requests[first:] + requests[:first]))
        assert sorted(response.status_code // 100 for response in responses) == [2, 4]
        after = await read(api, one, headers)
        kinds = [type(event) for event in await events(shared, one["id"])]
        won = (kinds.count(OrderShipped), kinds.count(OrderCancelled))
        assert won == ((1, 0) if after["state"] == "SHIPPED" else (0, 1))
