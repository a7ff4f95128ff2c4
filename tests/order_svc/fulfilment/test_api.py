"""Orders that are shipped, delivered and returned, over the REST API."""

from typing import Any

import httpx
import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from schemas import (
    OrderConfirmed,
    OrderDelivered,
    OrderPlaced,
    OrderReturned,
    OrderShipped,
)
from tests.order_svc.rest import ADDRESS, API, amend, confirmed, lines, place, read
from tests.order_svc.scenarios import Commit, product
from tests.outbox import events
from tests.responses import assert_problem

STAFF = bearer(role="staff")
IN_PART = ["cancel_remainder", "correct_tracking", "deliver_parcel", "fail_parcel", "ship"]
WHOLE = ["correct_tracking", "deliver", "deliver_parcel", "fail_parcel"]
"""What an order allows of which a part, or everything, is shipped."""
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}


async def act(api: API, one: dict[str, Any], action: str, body: Any = None, **headers: str) -> httpx.Response:
    sent = {**STAFF, "If-Match": f'"{one["version"]}"', **headers}
    return await api.post(f"/v1/orders/{one['id']}/{action}", json=body, headers=sent)


async def done(api: API, one: dict[str, Any], action: str, body: Any = None) -> dict[str, Any]:
    response = await act(api, one, action, body)
    assert response.status_code == (200 if action == "deliver" else 201), response.text
    after: dict[str, Any] = response.json()
    assert response.headers["etag"] == f'"{after["version"]}"'
    return after


async def test_an_order_is_shipped_in_parts_delivered_and_returned(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit, 1000)
    one = await confirmed(api, shared, sku, headers, 5)
    one = await done(api, one, "shipments", {**PARCEL, **lines(**{sku: 2})})
    assert one["state"] == "SHIPPED"
    problem = assert_problem(await act(api, one, "deliver"), 409, "transition_not_allowed")
    assert (problem["state"], problem["allowed"]) == ("SHIPPED", IN_PART)
    one = await done(api, one, "shipments", PARCEL)
    assert [shipment["lines"] for shipment in one["shipments"]] == [
        [{"sku": sku, "quantity": 2}],
        [{"sku": sku, "quantity": 3}],
    ]
    one = await done(api, one, "deliver")
    assert one["state"] == "DELIVERED"
    one = await done(api, one, "returns", {**lines(**{sku: 4}), "reason": "Broken."})
    [back] = one["returns"]
    assert (back["refund"], back["reason"]) == ({"amount": 4000, "currency": "EUR"}, "Broken.")
    assert await read(api, one, headers) == one
    published = await events(shared, one["id"])
    kinds = [OrderPlaced, OrderConfirmed, OrderShipped, OrderShipped, OrderDelivered, OrderReturned]
    assert [type(event) for event in published] == kinds
    parcels = [event for event in published if isinstance(event, OrderShipped)]
    assert [(p.complete, p.lines[0].quantity, str(p.shipment_id)) for p in parcels] == [
        (False, 2, one["shipments"][0]["id"]),
        (True, 3, one["shipments"][1]["id"]),
    ]
    assert parcels[0].shipping_address.model_dump() == ADDRESS
    assert (parcels[0].carrier, parcels[0].tracking_number, parcels[0].revision) == ("DHL", "4711", 1)
    timeline = (await api.get(f"/v1/orders/{one['id']}/timeline", headers=headers)).json()["entries"]
    assert timeline[-1]["detail"] == {"state": "DELIVERED", "lines": [{"sku": sku, "quantity": 4}]}
    assert timeline[3]["detail"]["tracking_number"] == "4711"


async def test_no_more_is_shipped_than_is_left_and_no_more_returned_than_was_shipped(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer(), 3)
    one = await done(api, one, "shipments", {**PARCEL, **lines(**{sku: 2})})
    for wanted in ({sku: 2}, {sku: 1, "OTHER": 1}):
        response = await act(api, one, "shipments", {**PARCEL, **lines(**wanted)})
        problem = assert_problem(response, 409, "quantity_exceeded")
        assert (problem["left"], problem["allowed"]) == ({sku: 1}, IN_PART)
    one = await done(api, await done(api, one, "shipments", PARCEL), "deliver")
    one = await done(api, one, "returns", lines(**{sku: 2}))
    assert assert_problem(await act(api, one, "returns", lines(**{sku: 2})), 409, "quantity_exceeded")["left"] == {
        sku: 1
    }
    one = await done(api, one, "returns", lines(**{sku: 1}))
    assert (
        assert_problem(await act(api, one, "returns", lines(**{sku: 1})), 409, "transition_not_allowed")["allowed"]
        == []
    )


@pytest.mark.parametrize("action", ["shipments", "deliver", "returns"])
async def test_an_action_that_is_not_allowed_yet_is_refused_with_those_that_are(
    api: API, commit: Commit, action: str
) -> None:
    sku = await product(commit)
    one = await place(api, sku)
    body = {"shipments": PARCEL, "deliver": None, "returns": lines(**{sku: 1})}[action]
    assert assert_problem(await act(api, one, action, body), 409, "transition_not_allowed")["allowed"] == [
        "amend",
        "cancel",
    ]
    assert_problem(await act(api, one, action, body, **{"If-Match": '"9"'}), 412, "precondition_failed")
    missing = await api.post(f"/v1/orders/{one['id']}/{action}", json=body, headers=STAFF)
    assert_problem(missing, 428, "precondition_required")
    for role in ("customer", "ops"):
        assert_problem(await act(api, one, action, body, **bearer(role=role)), 403, "forbidden")


async def test_nothing_is_shipped_while_an_amendment_waits(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    one = await confirmed(api, shared, sku, headers)
    one = (await amend(api, one, headers, lines(**{sku: 1}))).json()
    assert assert_problem(await act(api, one, "shipments", PARCEL), 409, "transition_not_allowed")["allowed"] == [
        "cancel"
    ]


async def test_a_shipped_order_is_neither_amended_nor_cancelled(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    one = await done(api, await confirmed(api, shared, sku, headers), "shipments", PARCEL)
    assert_problem(await amend(api, one, headers, lines(**{sku: 1})), 409, "transition_not_allowed")
    response = await api.post(f"/v1/orders/{one['id']}/cancel", headers=headers)
    assert assert_problem(response, 409, "transition_not_allowed")["allowed"] == WHOLE
