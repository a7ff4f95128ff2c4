"""Orders that are shipped, delivered and returned, over the REST API."""

from typing import Any

import httpx
import pytest

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.store import OrderBook
from schemas import (
    OrderConfirmed,
    OrderDelivered,
    OrderPlaced,
    OrderReturned,
    OrderShipped,
)
from tests.answers import refused
from tests.order_svc.orders import product
from tests.order_svc.test_amending import amend, confirmed, lines, read
from tests.order_svc.test_api import ADDRESS, API, order
from tests.outbox import events

Commit = GroupCommit[OrderBook]
STAFF = bearer(role="staff")
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}


async def act(api: API, one: dict[str, Any], step: str, told: Any = None, **headers: str) -> httpx.Response:
    sent = {**STAFF, "If-Match": f'"{one["version"]}"', **headers}
    return await api.post(f"/v1/orders/{one['id']}/{step}", json=told, headers=sent)


async def done(api: API, one: dict[str, Any], step: str, told: Any = None) -> dict[str, Any]:
    answer = await act(api, one, step, told)
    assert answer.status_code == (200 if step == "deliver" else 201), answer.text
    after: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == f'"{after["version"]}"'
    return after


async def test_an_order_goes_out_in_parts_arrives_and_comes_back(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit, 1000)
    one = await confirmed(api, shared, sku, who, 5)
    one = await done(api, one, "shipments", {**PARCEL, **lines(**{sku: 2})})
    assert one["state"] == "SHIPPED"
    problem = refused(await act(api, one, "deliver"), 409, "not_possible_now")
    assert (problem["state"], problem["allowed"]) == ("SHIPPED", ["ship"])
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
    assert await read(api, one, who) == one
    told = await events(shared, one["id"])
    kinds = [OrderPlaced, OrderConfirmed, OrderShipped, OrderShipped, OrderDelivered, OrderReturned]
    assert [type(event) for event in told] == kinds
    parcels = [event for event in told if isinstance(event, OrderShipped)]
    assert [(p.complete, p.lines[0].quantity, str(p.shipment_id)) for p in parcels] == [
        (False, 2, one["shipments"][0]["id"]),
        (True, 3, one["shipments"][1]["id"]),
    ]
    assert parcels[0].shipping_address.model_dump() == ADDRESS
    assert (parcels[0].carrier, parcels[0].tracking_number, parcels[0].revision) == ("DHL", "4711", 1)
    timeline = (await api.get(f"/v1/orders/{one['id']}/timeline", headers=who)).json()["entries"]
    assert timeline[-1]["detail"] == {"state": "DELIVERED", "lines": [{"sku": sku, "quantity": 4}]}
    assert timeline[3]["detail"]["tracking_number"] == "4711"


async def test_no_more_is_sent_than_is_left_and_no_more_comes_back_than_was_sent(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer(), 3)
    one = await done(api, one, "shipments", {**PARCEL, **lines(**{sku: 2})})
    for wanted in ({sku: 2}, {sku: 1, "OTHER": 1}):
        answer = await act(api, one, "shipments", {**PARCEL, **lines(**wanted)})
        problem = refused(answer, 409, "more_than_left")
        assert (problem["left"], problem["allowed"]) == ({sku: 1}, ["ship"])
    one = await done(api, await done(api, one, "shipments", PARCEL), "deliver")
    one = await done(api, one, "returns", lines(**{sku: 2}))
    assert refused(await act(api, one, "returns", lines(**{sku: 2})), 409, "more_than_left")["left"] == {sku: 1}
    one = await done(api, one, "returns", lines(**{sku: 1}))
    assert refused(await act(api, one, "returns", lines(**{sku: 1})), 409, "not_possible_now")["allowed"] == []


@pytest.mark.parametrize("step", ["shipments", "deliver", "returns"])
async def test_what_an_order_cannot_do_yet_is_refused_with_what_it_can(api: API, commit: Commit, step: str) -> None:
    sku = await product(commit)
    one = await order(api, sku)
    told = {"shipments": PARCEL, "deliver": None, "returns": lines(**{sku: 1})}[step]
    assert refused(await act(api, one, step, told), 409, "not_possible_now")["allowed"] == ["amend", "cancel"]
    refused(await act(api, one, step, told, **{"If-Match": '"9"'}), 412, "precondition_failed")
    missing = await api.post(f"/v1/orders/{one['id']}/{step}", json=told, headers=STAFF)
    refused(missing, 428, "precondition_required")
    for role in ("customer", "ops"):
        refused(await act(api, one, step, told, **bearer(role=role)), 403, "forbidden")


async def test_what_is_to_be_shipped_must_be_known(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    one = await confirmed(api, shared, sku, who)
    one = (await amend(api, one, who, lines(**{sku: 1}))).json()
    assert refused(await act(api, one, "shipments", PARCEL), 409, "not_possible_now")["allowed"] == ["cancel"]


async def test_what_is_shipped_is_neither_amended_nor_cancelled(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    one = await done(api, await confirmed(api, shared, sku, who), "shipments", PARCEL)
    refused(await amend(api, one, who, lines(**{sku: 1})), 409, "not_possible_now")
    answer = await api.post(f"/v1/orders/{one['id']}/cancel", headers=who)
    assert refused(answer, 409, "not_possible_now")["allowed"] == ["deliver"]
