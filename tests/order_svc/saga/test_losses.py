"""Pieces of orders that were reserved and are lost in the warehouse: staff and ops decide what follows."""

from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from order_svc.saga.gauges import SagaGauges
from schemas import Line, MissingRequested, StockLost, StockReserved
from tests.order_svc.rest import API, amend, confirmed, lines, place, read
from tests.order_svc.scenarios import Commit, consume, consumer, product, timeline
from tests.outbox import events
from tests.responses import assert_problem

OPS, STAFF = bearer(role="ops"), bearer(role="staff")
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}


def loss(one: dict[str, Any], sku: str, quantity: int, revision: int = 1) -> StockLost:
    missing = (Line(sku=sku, quantity=quantity),) if quantity else ()
    return StockLost(order_id=UUID(one["id"]), lines=missing, revision=revision)


async def lose(
    database: Postgres, one: dict[str, Any], sku: str, quantity: int, version: int = 2, revision: int = 1
) -> None:
    """What product_svc says is missing, as a version of the reservation."""
    await consumer(database).handle([record(enveloped(loss(one, sku, quantity, revision), version=version))])


async def ship(api: API, one: dict[str, Any], **quantities: int) -> Any:
    body = PARCEL | (lines(**quantities) if quantities else {})
    return await api.post(f"/v1/orders/{one['id']}/shipments", json=body, headers={**STAFF, "If-Match": "*"})


async def resolve(api: API, one: dict[str, Any], action: str = "retry") -> Any:
    headers = {**OPS, "Idempotency-Key": str(uuid7())}
    body = {"action": action, "why": "new mugs have arrived"}
    return await api.post(f"/v1/sagas/{one['id']}/resolve", json=body, headers=headers)


async def stuck(api: API, one: dict[str, Any]) -> list[dict[str, Any]]:
    before = UUID(int=UUID(one["id"]).int - 1)
    found = await api.get("/v1/sagas", params={"state": "stuck", "after": str(before), "limit": 1}, headers=OPS)
    return [saga for saga in found.json()["items"] if saga["order_id"] == one["id"]]


async def missing(api: API, one: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await read(api, one, STAFF))["missing"]
    return found


async def test_what_is_missing_cannot_be_shipped_and_the_order_is_stuck(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer(), 3)
    assert await stuck(api, one) == []
    await lose(shared, one, sku, 2)
    assert await missing(api, one) == [{"sku": sku, "quantity": 2}]
    [saga] = await stuck(api, one)
    assert (saga["step"], saga["order_state"], saga["missing"]) == (
        "lost",
        "CONFIRMED",
        [{"sku": sku, "quantity": 2}],
    )
    assert assert_problem(await ship(api, one, **{sku: 2}), 409, "quantity_exceeded")["left"] == {sku: 1}
    # What is left goes, and the order is still stuck.
    assert (await ship(api, one)).json()["shipments"][0]["lines"] == [{"sku": sku, "quantity": 1}]
    refused = assert_problem(await ship(api, one), 409, "transition_not_allowed")
    assert "lost in the warehouse" in refused["detail"]
    assert "cancel_remainder" in refused["allowed"]
    assert [saga["order_state"] for saga in await stuck(api, one)] == ["SHIPPED"]
    assert ("stock.lost", {"lines": [{"sku": sku, "quantity": 2}]}) in await timeline(shared, UUID(one["id"]))


async def test_the_gauge_counts_orders_that_miss_pieces(api: API, shared: Postgres, commit: Commit) -> None:
    sku, gauges = await product(commit), SagaGauges(shared, 3600)
    await gauges.refresh()
    before = REGISTRY.get_sample_value("shop_sagas_stuck") or 0
    await lose(shared, await confirmed(api, shared, sku, bearer()), sku, 1)
    await gauges.refresh()
    assert REGISTRY.get_sample_value("shop_sagas_stuck") == before + 1


async def test_staff_cancel_an_order_that_misses_pieces(api: API, shared: Postgres, commit: Commit) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer())
    await lose(shared, one, sku, 1)
    assert (await api.post(f"/v1/orders/{one['id']}/cancel", headers=STAFF)).status_code == 200
    # A loss whose event is read late changes nothing.
    await lose(shared, one, sku, 2, version=3)
    assert (await missing(api, one), await stuck(api, one)) == ([], [])


async def test_staff_cancel_what_is_left_with_the_missing_pieces(api: API, shared: Postgres, commit: Commit) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer(), 4)
    await ship(api, one, **{sku: 1})
    await lose(shared, one, sku, 2)
    after = (await api.post(f"/v1/orders/{one['id']}/cancel-remainder", headers=STAFF)).json()
    assert (after["lines"][0]["quantity"], after["cancelled_remainder"]["lines"][0]["quantity"]) == (1, 3)
    await lose(shared, one, sku, 3, version=3)
    assert (await missing(api, one), await stuck(api, one)) == ([], [])


async def test_ops_request_the_missing_pieces_again(api: API, shared: Postgres, commit: Commit) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer())
    assert_problem(await resolve(api, one), 409, "transition_not_allowed")
    await lose(shared, one, sku, 1)
    assert_problem(await resolve(api, one, "cancel"), 409, "transition_not_allowed")
    assert (await resolve(api, one)).status_code == 200
    request = (await events(shared, one["id"]))[-1]
    assert isinstance(request, MissingRequested)
    assert (request.order_id, request.revision) == (UUID(one["id"]), 1)
    await lose(shared, one, sku, 1, version=3)
    assert len(await stuck(api, one)) == 1
    await lose(shared, one, sku, 0, version=4)
    assert (await missing(api, one), await stuck(api, one)) == ([], [])
    assert (await ship(api, one)).json()["shipments"][0]["lines"] == [{"sku": sku, "quantity": 2}]


async def test_an_older_message_about_what_is_missing_does_not_count(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer())
    await lose(shared, one, sku, 0, version=3)
    await lose(shared, one, sku, 2, version=2)
    assert await missing(api, one) == []


async def test_what_was_shipped_before_the_loss_was_known_is_not_missing(
    api: API, shared: Postgres, commit: Commit
) -> None:
    sku = await product(commit)
    one = await confirmed(api, shared, sku, bearer(), 3)
    await ship(api, one, **{sku: 2})
    await lose(shared, one, sku, 3)
    assert await missing(api, one) == [{"sku": sku, "quantity": 1}]
    whole = await confirmed(api, shared, sku, bearer())
    await ship(api, whole)
    await lose(shared, whole, sku, 1)
    assert (await missing(api, whole), await stuck(api, whole)) == ([], [])


async def test_a_loss_may_be_read_before_the_confirmation(api: API, shared: Postgres, commit: Commit) -> None:
    sku = await product(commit)
    one = await place(api, sku)
    await lose(shared, one, sku, 1)
    assert await stuck(api, one) == []
    await consume(shared, StockReserved(order_id=UUID(one["id"]), lines=()))
    assert await missing(api, one) == [{"sku": sku, "quantity": 1}]
    assert len(await stuck(api, one)) == 1


@pytest.mark.parametrize("accepted", [True, False])
async def test_each_revision_misses_its_own_pieces(
    api: API, shared: Postgres, commit: Commit, accepted: bool
) -> None:
    headers, sku = bearer(), await product(commit)
    one = await confirmed(api, shared, sku, headers, 3)
    await lose(shared, one, sku, 2)
    assert (await amend(api, one, headers, lines(**{sku: 1}))).status_code == 202
    await lose(shared, one, sku, 3, version=4)
    await lose(shared, one, sku, 1, version=5, revision=2)
    await lose(shared, one, sku, 9, version=6, revision=7)
    assert_problem(await ship(api, one), 409, "transition_not_allowed")
    if accepted:
        await consume(shared, StockReserved(order_id=UUID(one["id"]), lines=(), revision=2))
    else:
        await api.post(
            f"/v1/sagas/{one['id']}/resolve",
            json={"action": "cancel", "why": "no mugs"},
            headers={**OPS, "Idempotency-Key": str(uuid7())},
        )
    assert await missing(api, one) == [{"sku": sku, "quantity": 1 if accepted else 3}]
