"""What becomes of the parcels of an order, over the REST API."""

from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.orders.queries import find_order
from schemas import (
    OrderDelivered,
    OrderUndelivered,
    ParcelDelivered,
    ParcelFailed,
    ParcelReturned,
    RemainderCancelled,
    TrackingCorrected,
)
from tests.order_svc.rest import API, confirmed, lines
from tests.order_svc.scenarios import Commit, product
from tests.outbox import events
from tests.responses import assert_problem

STAFF = bearer(role="staff")
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}
OTHER = {"carrier": "UPS", "tracking_number": "1Z99"}


async def act(api: API, one: dict[str, Any], action: str, body: Any = None, **headers: str) -> httpx.Response:
    sent = {**STAFF, "If-Match": f'"{one["version"]}"', **headers}
    method = "PUT" if action.endswith("tracking") else "POST"
    return await api.request(method, f"/v1/orders/{one['id']}/{action}", json=body, headers=sent)


async def done(api: API, one: dict[str, Any], action: str, body: Any = None) -> dict[str, Any]:
    response = await act(api, one, action, body)
    assert response.status_code in (200, 201), response.text
    after: dict[str, Any] = response.json()
    assert response.headers["etag"] == f'"{after["version"]}"'
    return after


def parcel(one: dict[str, Any], nth: int = 0) -> str:
    return f"shipments/{one['shipments'][nth]['id']}"


async def in_two_parcels(api: API, database: Postgres, sku: str) -> dict[str, Any]:
    """An order of three pieces, shipped as one and two."""
    one = await confirmed(api, database, sku, bearer(), 3)
    one = await done(api, one, "shipments", {**PARCEL, **lines(**{sku: 1})})
    return await done(api, one, "shipments", PARCEL)


async def test_an_order_is_delivered_with_its_last_parcel(api: API, shared: Postgres, commit: Commit) -> None:
    one = await in_two_parcels(api, shared, await product(commit))
    one = await done(api, one, f"{parcel(one)}/deliver")
    assert (one["state"], [each["status"] for each in one["shipments"]]) == ("SHIPPED", ["delivered", "in_transit"])
    one = await done(api, one, f"{parcel(one, 1)}/deliver")
    assert (one["state"], [each["status"] for each in one["shipments"]]) == ("DELIVERED", ["delivered"] * 2)
    last = (await events(shared, one["id"]))[-3:]
    assert [type(event) for event in last] == [ParcelDelivered, ParcelDelivered, OrderDelivered]
    assert isinstance(last[2], OrderDelivered)
    assert last[2].complete


async def test_an_order_is_not_delivered_before_all_of_it_is_shipped(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer(), 3)
    one = await done(api, one, "shipments", {**PARCEL, **lines(**{sku: 1})})
    one = await done(api, one, f"{parcel(one)}/deliver")
    assert one["state"] == "SHIPPED"
    one = await done(api, one, "cancel-remainder")
    assert (one["state"], one["lines"][0]["quantity"]) == ("DELIVERED", 1)
    kinds = [type(event) for event in await events(shared, one["id"])]
    assert kinds[-2:] == [RemainderCancelled, OrderDelivered]


async def test_a_lost_parcel_is_refunded_and_the_rest_delivered(api: API, shared: Postgres, commit: Commit) -> None:
    sku = await product(commit, 1000)
    one = await in_two_parcels(api, shared, sku)
    one = await done(api, one, f"{parcel(one)}/fail", {"reason": "lost"})
    failed = one["shipments"][0]
    assert (one["state"], failed["status"], failed["failure_reason"]) == ("SHIPPED", "failed", "lost")
    assert failed["refund"] == {"amount": 1000, "currency": "EUR"}
    one = await done(api, one, "deliver")
    assert (one["state"], [each["status"] for each in one["shipments"]]) == ("DELIVERED", ["failed", "delivered"])
    failure, delivered = (await events(shared, one["id"]))[-2:]
    assert isinstance(failure, ParcelFailed)
    assert (failure.reason, failure.refund.amount, failure.lines[0].name) == ("lost", 1000, "Mug")
    assert isinstance(delivered, OrderDelivered)
    assert not delivered.complete
    # Only what arrived can be returned.
    too_much = await act(api, one, "returns", lines(**{sku: 3}))
    assert assert_problem(too_much, 409, "quantity_exceeded")["left"] == {sku: 2}


async def test_an_order_none_of_which_arrives_ends_undelivered_and_what_comes_back_is_restocked_once(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await in_two_parcels(api, shared, sku)
    early = await act(api, one, f"{parcel(one)}/return")
    assert_problem(early, 409, "transition_not_allowed")
    one = await done(api, one, f"{parcel(one)}/fail", {"reason": "undeliverable"})
    one = await done(api, one, f"{parcel(one, 1)}/fail", {"reason": "refused"})
    assert (one["state"], one["returns"]) == ("UNDELIVERED", [])
    too_much = {"scrapped": [{"sku": sku, "quantity": 3}]}
    assert_problem(await act(api, one, f"{parcel(one, 1)}/return", too_much), 409, "quantity_exceeded")
    one = await done(api, one, f"{parcel(one, 1)}/return", {"scrapped": [{"sku": sku, "quantity": 1}]})
    assert (one["state"], [each["status"] for each in one["shipments"]]) == ("UNDELIVERED", ["failed", "came_back"])
    [back] = one["returns"]
    assert (back["shipment_id"], back["scrapped"]) == (one["shipments"][1]["id"], [{"sku": sku, "quantity": 1}])
    assert back["refund"]["amount"] == 0, "it was refunded when it failed"
    assert_problem(await act(api, one, f"{parcel(one, 1)}/return"), 409, "transition_not_allowed")
    failed, ended, returned = (await events(shared, one["id"]))[-3:]
    assert [type(event) for event in (failed, ended, returned)] == [ParcelFailed, OrderUndelivered, ParcelReturned]
    assert isinstance(returned, ParcelReturned)
    assert (str(returned.return_id), returned.lines[0].quantity) == (back["id"], 2)
    timeline = (await api.get(f"/v1/orders/{one['id']}/timeline", headers=STAFF)).json()["entries"]
    assert [entry["type"] for entry in timeline[-3:]] == [
        *("order.parcel_failed", "order.undelivered", "order.parcel_returned")
    ]
    assert timeline[-3]["detail"]["reason"] == "refused"


async def test_the_tracking_of_a_parcel_in_transit_is_corrected(api: API, shared: Postgres, commit: Commit) -> None:
    one = await in_two_parcels(api, shared, await product(commit))
    one = await done(api, one, f"{parcel(one, 1)}/tracking", OTHER)
    found = [(each["carrier"], each["tracking_number"]) for each in one["shipments"]]
    assert found == [("DHL", "4711"), ("UPS", "1Z99")]
    corrected = (await events(shared, one["id"]))[-1]
    assert isinstance(corrected, TrackingCorrected)
    assert (corrected.carrier, corrected.tracking_number, corrected.lines[0].quantity) == ("UPS", "1Z99", 2)
    again = await done(api, one, f"{parcel(one, 1)}/tracking", OTHER)
    assert (again["version"], (await events(shared, one["id"]))[-1]) == (one["version"], corrected)
    one = await done(api, one, f"{parcel(one, 1)}/deliver")
    refused = await act(api, one, f"{parcel(one, 1)}/tracking", PARCEL)
    assert "The parcel is delivered." in assert_problem(refused, 409, "transition_not_allowed")["detail"]
    lost = await act(api, one, f"shipments/{uuid7()}/tracking", OTHER)
    assert_problem(lost, 404, "shipment_not_found")


@pytest.mark.parametrize("action", ["tracking", "deliver", "fail", "return"])
async def test_only_staff_change_parcels_that_exist_and_that_they_have_read(
    api: API, shared: Postgres, commit: Commit, action: str
) -> None:
    one = await in_two_parcels(api, shared, await product(commit))
    if action == "return":
        one = await done(api, one, f"{parcel(one)}/fail", {"reason": "lost"})
    body = {"tracking": OTHER, "fail": {"reason": "lost"}}.get(action)
    path = f"{parcel(one)}/{action}"
    assert_problem(await act(api, one, f"shipments/{uuid7()}/{action}", body), 404, "shipment_not_found")
    assert_problem(await act(api, one, path, body, **{"If-Match": '"1"'}), 412, "precondition_failed")
    for role in ("customer", "ops"):
        assert_problem(await act(api, one, path, body, **bearer(role=role)), 403, "forbidden")


async def test_parcels_from_before_they_had_a_status_arrived_with_their_order(
    api: API, shared: Postgres, commit: Commit
) -> None:
    one = await in_two_parcels(api, shared, await product(commit))
    other = await in_two_parcels(api, shared, await product(commit))
    one = await done(api, one, "deliver")
    older = (
        "UPDATE orders SET shipments = (SELECT jsonb_agg(parcel - 'status' - 'changed_at' - 'refund')"
        " FROM jsonb_array_elements(shipments) AS parcel)"
    )
    async with shared.engine.begin() as connection:
        await connection.execute(
            sa.text(f"{older} WHERE id IN (:one, :other)"), {"one": one["id"], "other": other["id"]}
        )
    found = [await find_order(shared, UUID(each["id"]), None) for each in (one, other)]
    assert [{parcel.status for parcel in order.shipments} for order in found] == [{"delivered"}, {"in_transit"}]
