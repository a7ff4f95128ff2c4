"""Orders over the REST API: placing, reading, listing and cancelling."""

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.replicas.domain import Product
from schemas import Money, OrderCancelled, OrderPlaced, Shortage, StockRejected, StockReserved
from tests.addresses import shown
from tests.order_svc.product_stub import Mode, ProductStub
from tests.order_svc.rest import ADDRESS, API, body, place
from tests.order_svc.scenarios import Commit, consume, product, upsert
from tests.outbox import events
from tests.responses import assert_problem


async def test_an_order_is_accepted_at_the_catalogues_price(api: API, shared: Postgres, commit: Commit) -> None:
    sku, customer = await product(commit, 1250), uuid7()
    response = await api.post("/v1/orders", json=body(**{sku: 2}), headers=bearer(customer))
    assert response.status_code == 202
    placed = response.json()
    assert response.headers["location"] == f"/v1/orders/{placed['id']}"
    assert "idempotency-replayed" not in response.headers
    times = placed.pop("placed_at"), placed.pop("changed_at")
    assert times[0] == times[1]
    assert placed == {
        "id": placed["id"],
        "state": "PENDING",
        "lines": [{"sku": sku, "quantity": 2, "name": "Mug", "unit_price": {"amount": 1250, "currency": "EUR"}}],
        "total": {"amount": 2500, "currency": "EUR"},
        "shipping_address": shown(ADDRESS),
        "billing_address": None,
        "notes": None,
        "shortages": [],
        "reason": None,
        "note": None,
        "revision": 1,
        "amendment": None,
        "shipments": [],
        "returns": [],
        "return_requests": [],
        "missing": [],
        "cancelled_remainder": None,
        "customer_id": None,
        "customer_name": None,
        "version": 1,
    }
    [event] = await events(shared, placed["id"])
    assert isinstance(event, OrderPlaced)
    assert (event.customer_id, event.total.amount) == (customer, 2500)


async def test_an_order_is_read_as_it_was_returned(api: API, commit: Commit) -> None:
    headers = bearer()
    placed = await place(api, await product(commit), headers=headers)
    assert (await api.get(f"/v1/orders/{placed['id']}", headers=headers)).json() == placed


async def test_lines_of_the_same_sku_are_added_up(api: API, commit: Commit) -> None:
    mug, cup = await product(commit, 100), await product(commit, 10)
    repeated = [{"sku": sku, "quantity": n} for sku, n in ((mug, 1), (cup, 2), (mug, 3))]
    response = await api.post("/v1/orders", json={**body(), "lines": repeated}, headers=bearer())
    placed = response.json()
    assert [(line["sku"], line["quantity"]) for line in placed["lines"]] == [(mug, 4), (cup, 2)]
    assert placed["total"]["amount"] == 420


async def test_a_hundred_lines_of_ten_thousand_are_accepted(api: API, commit: Commit) -> None:
    skus = [await product(commit, 1) for _ in range(100)]
    response = await api.post("/v1/orders", json=body(**dict.fromkeys(skus, 10_000)), headers=bearer())
    assert response.status_code == 202
    assert len(response.json()["lines"]) == 100


async def test_products_in_two_currencies_are_refused(api: API, commit: Commit) -> None:
    skus = {await product(commit): 1, await product(commit, currency="USD"): 1}
    response = await api.post("/v1/orders", json=body(**skus), headers=bearer())
    assert assert_problem(response, 409, "mixed_currencies")["currencies"] == ["EUR", "USD"]


async def test_an_order_is_refused_where_its_products_have_another_currency(api: API, commit: Commit) -> None:
    wanted, customer = body(**{await product(commit, 1250): 1}), uuid7()
    response = await api.post("/v1/orders", json=wanted | {"currency": "USD"}, headers=bearer(customer))
    assert assert_problem(response, 409, "currency_mismatch")["currency"] == "EUR"
    assert (await api.get("/v1/orders", headers=bearer(customer))).json()["items"] == []
    response = await api.post("/v1/orders", json=wanted | {"currency": "EUR"}, headers=bearer(customer))
    assert response.status_code == 202


async def test_an_order_in_an_invented_currency_is_malformed(api: API, commit: Commit) -> None:
    wanted = body(**{await product(commit, 1250): 1}) | {"currency": "ZZZ"}
    response = await api.post("/v1/orders", json=wanted, headers=bearer())
    [error] = assert_problem(response, 422, "malformed_request")["errors"]
    assert (error["where"], error["type"]) == ("body/currency", "unknown_currency")


async def test_a_total_above_the_limit_is_refused(api: API, commit: Commit) -> None:
    response = await api.post("/v1/orders", json=body(**{await product(commit, 10**15): 2}), headers=bearer())
    assert_problem(response, 409, "order_too_large")


async def test_an_unknown_product_is_read_from_the_catalogue(
    api: API, product_stub: ProductStub, commit: Commit
) -> None:
    new, known = product_stub.sell(700), await product(commit, 100)
    response = await api.post("/v1/orders", json=body(**{known: 1, new: 1}), headers=bearer())
    assert response.json()["total"]["amount"] == 800
    assert product_stub.requests[-1] == [new]
    requests = len(product_stub.requests)
    await place(api, new)
    assert len(product_stub.requests) == requests, "the product is stored"


async def test_a_product_is_looked_up_in_the_trace_of_the_request(api: API, product_stub: ProductStub) -> None:
    trace_id = uuid7().hex
    headers = {**bearer(), "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    await api.post("/v1/orders", json=body(**{product_stub.sell(): 1}), headers=headers)
    assert [trace for trace in product_stub.traces if trace_id in trace] == [headers["traceparent"]]


async def test_unknown_skus_are_refused_and_named(api: API, product_stub: ProductStub, commit: Commit) -> None:
    known = await product(commit)
    skus = {known: 1, "NONE-1": 1, product_stub.sell(): 1, "NONE-2": 1}
    response = await api.post("/v1/orders", json=body(**skus), headers=bearer())
    assert assert_problem(response, 409, "sku_not_found")["skus"] == ["NONE-1", "NONE-2"]


async def test_a_product_that_is_no_longer_for_sale_is_refused(
    api: API, product_stub: ProductStub, commit: Commit
) -> None:
    known, ended, unknown = await product(commit), f"SKU-{uuid7()}", product_stub.sell()
    price = Money(amount=5, currency="EUR")
    await upsert(commit, Product(ended, uuid7(), "Jug", price, 2, for_sale=False))
    response = await api.post("/v1/orders", json=body(**{known: 1, ended: 1}), headers=bearer())
    assert assert_problem(response, 409, "not_for_sale")["skus"] == [ended]
    product_stub.discontinued.add(unknown)
    response = await api.post("/v1/orders", json=body(**{unknown: 1}), headers=bearer())
    assert assert_problem(response, 409, "not_for_sale")["skus"] == [unknown]


@pytest.mark.parametrize("mode", ["error", "no json", "timeout", "disconnect", "wrong schema"])
async def test_a_catalogue_that_does_not_respond_properly_is_unavailable(
    api: API, product_stub: ProductStub, mode: Mode
) -> None:
    product_stub.mode, sku = mode, product_stub.sell()
    response = await api.post("/v1/orders", json=body(**{sku: 1}), headers=bearer())
    product_stub.mode = "normal"
    assert assert_problem(response, 503, "catalogue_unavailable")["skus"] == [sku]
    assert response.headers["retry-after"] == "1"
    await place(api, sku)


async def test_an_account_whose_address_is_not_verified_places_no_order(api: API, commit: Commit) -> None:
    response = await api.post("/v1/orders", json=body(**{await product(commit): 1}), headers=bearer(verified=False))
    assert_problem(response, 403, "email_not_verified")


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_only_customers_place_orders(api: API, commit: Commit, role: Any) -> None:
    response = await api.post("/v1/orders", json=body(**{await product(commit): 1}), headers=bearer(role=role))
    assert_problem(response, 403, "forbidden")


async def test_the_order_of_another_customer_is_not_found_and_staff_read_all(api: API, commit: Commit) -> None:
    placed = await place(api, await product(commit))
    for path in (f"/v1/orders/{placed['id']}", f"/v1/orders/{placed['id']}/timeline"):
        for stranger in (bearer(), bearer(role="ops")):
            assert_problem(await api.get(path, headers=stranger), 404, "order_not_found")
        assert (await api.get(path, headers=bearer(role="staff"))).status_code == 200
    assert_problem(await api.get(f"/v1/orders/{uuid7()}", headers=bearer(role="staff")), 404, "order_not_found")


async def test_the_orders_of_a_customer_are_listed_newest_first_page_by_page(api: API, commit: Commit) -> None:
    sku, headers = await product(commit), bearer()
    placed = [await place(api, sku, headers=headers) for _ in range(5)]
    await place(api, sku)
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.get("/v1/orders", params=query, headers=headers)).json()
        found += page["items"]
        if not page["next"]:
            break
        await place(api, sku, headers=headers)
        query["cursor"] = page["next"]
    assert found == placed[::-1]


async def test_staff_list_all_orders(api: API, commit: Commit) -> None:
    sku = await product(commit)
    placed = [(await place(api, sku))["id"] for _ in range(2)]
    page = (await api.get("/v1/orders", params={"limit": 2}, headers=bearer(role="staff"))).json()
    assert [one["id"] for one in page["items"]] == placed[::-1]


async def test_a_customer_without_orders_gets_an_empty_page(api: API) -> None:
    assert (await api.get("/v1/orders", headers=bearer())).json() == {"items": [], "next": None}


async def test_the_timeline_grows_with_the_events_of_other_services(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers = bearer()
    placed = await place(api, await product(commit), headers=headers)
    path = f"/v1/orders/{placed['id']}/timeline"
    first = (await api.get(path, headers=headers)).json()
    assert (first["order_id"], first["state"]) == (placed["id"], "PENDING")
    assert first["entries"] == [{"at": placed["placed_at"], "type": "order.placed", "detail": {"state": "PENDING"}}]
    await consume(shared, StockReserved(order_id=UUID(placed["id"]), lines=()))
    then = (await api.get(path, headers=headers)).json()
    assert then["state"] == "CONFIRMED"
    assert [entry["type"] for entry in then["entries"]] == ["order.placed", "stock.reserved", "order.confirmed"]


async def test_a_rejected_order_has_its_shortages(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    placed = await place(api, sku, 5, headers)
    short = Shortage(sku=sku, requested=5, available=2, reason="short")
    await consume(shared, StockRejected(order_id=UUID(placed["id"]), shortages=(short,)))
    read = (await api.get(f"/v1/orders/{placed['id']}", headers=headers)).json()
    assert (read["state"], read["shortages"]) == ("REJECTED", [short.model_dump()])


async def test_a_customer_cancels_an_order_once(api: API, shared: Postgres, commit: Commit) -> None:
    headers = bearer()
    placed = await place(api, await product(commit), headers=headers)
    response = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=headers)
    assert response.status_code == 200
    changed = {"state": "CANCELLED", "reason": "customer", "version": 2, "changed_at": response.json()["changed_at"]}
    assert response.json() == placed | changed
    assert (await api.get(f"/v1/orders/{placed['id']}", headers=headers)).json() == response.json()
    assert isinstance((await events(shared, placed["id"]))[-1], OrderCancelled)
    again = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=headers)
    problem = assert_problem(again, 409, "transition_not_allowed")
    assert (problem["state"], problem["allowed"]) == ("CANCELLED", [])


async def test_staff_cancel_a_confirmed_order(api: API, shared: Postgres, commit: Commit) -> None:
    placed = await place(api, await product(commit))
    await consume(shared, StockReserved(order_id=UUID(placed["id"]), lines=()))
    response = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=bearer(role="staff"))
    assert (response.json()["state"], response.json()["reason"]) == ("CANCELLED", "staff")


@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_other_roles_and_customers_cannot_cancel_it(api: API, commit: Commit, role: Any) -> None:
    placed = await place(api, await product(commit))
    response = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=bearer(role=role))
    assert_problem(response, 404, "order_not_found")


async def test_notes_keep_their_lines_and_a_street_is_put_on_one(api: API, commit: Commit) -> None:
    wanted = body(**{await product(commit): 1})
    wanted["shipping_address"] = ADDRESS | {"street": "12 St James's Square\r\nFlat 3", "name": " Ada "}
    response = await api.post("/v1/orders", json=wanted | {"notes": "Ring twice.\r\nThen wait."}, headers=bearer())
    assert response.status_code == 202
    made = response.json()
    assert made["notes"] == "Ring twice.\nThen wait."
    assert made["shipping_address"]["street"] == "12 St James's Square, Flat 3"
    assert made["shipping_address"]["name"] == "Ada"


@pytest.mark.parametrize("field", ["name", "street", "city", "postal_code"])
async def test_an_address_has_no_blank_fields(api: API, commit: Commit, field: str) -> None:
    wanted = body(**{await product(commit): 1})
    wanted["shipping_address"] = ADDRESS | {field: " \u200b"}
    response = await api.post("/v1/orders", json=wanted, headers=bearer())
    [error] = assert_problem(response, 422, "malformed_request")["errors"]
    assert (error["where"], error["type"]) == (f"body/shipping_address/{field}", "blank")
