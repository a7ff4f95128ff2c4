"""The REST API of order_svc: what it answers to requests as they should be."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, records
from order_svc import SERVICE
from order_svc.domain import Product
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
from schemas import Event, Money, OrderCancelled, OrderPlaced, Shortage, StockRejected, StockReserved
from tests.answers import refused
from tests.order_svc.orders import learn, product
from tests.order_svc.shopfront import Mood, Shopfront
from tests.outbox import events

API = httpx.AsyncClient
Commit = GroupCommit[OrderBook]
ADDRESS = {"name": "Ada", "street": "1 St", "city": "London", "postal_code": "SW1Y", "country": "GB"}


def body(**quantities: int) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
    return {"lines": lines, "shipping_address": ADDRESS}


async def order(api: API, sku: str, quantity: int = 2, who: dict[str, str] | None = None) -> dict[str, Any]:
    answer = await api.post("/v1/orders", json=body(**{sku: quantity}), headers=who or bearer())
    assert answer.status_code == 202, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


async def hear(database: Postgres, *heard: Event) -> None:
    await Consumer(database, SERVICE, OrderBook, HANDLERS).handle(records(heard))


async def test_an_order_is_accepted_at_the_catalogues_price(api: API, shared: Postgres, commit: Commit) -> None:
    sku, customer = await product(commit, 1250), uuid7()
    answer = await api.post("/v1/orders", json=body(**{sku: 2}), headers=bearer(customer))
    assert answer.status_code == 202
    placed = answer.json()
    assert answer.headers["location"] == f"/v1/orders/{placed['id']}"
    assert "idempotency-replayed" not in answer.headers
    times = placed.pop("placed_at"), placed.pop("changed_at")
    assert times[0] == times[1]
    assert placed == {
        "id": placed["id"],
        "state": "PENDING",
        "lines": [{"sku": sku, "quantity": 2, "name": "Mug", "unit_price": {"amount": 1250, "currency": "EUR"}}],
        "total": {"amount": 2500, "currency": "EUR"},
        "shipping_address": ADDRESS,
        "billing_address": None,
        "notes": None,
        "shortages": [],
        "reason": None,
        "note": None,
        "revision": 1,
        "amendment": None,
        "shipments": [],
        "returns": [],
        "version": 1,
    }
    [event] = await events(shared, placed["id"])
    assert isinstance(event, OrderPlaced)
    assert (event.customer_id, event.total.amount) == (customer, 2500)


async def test_an_order_reads_as_it_was_answered(api: API, commit: Commit) -> None:
    who = bearer()
    placed = await order(api, await product(commit), who=who)
    assert (await api.get(f"/v1/orders/{placed['id']}", headers=who)).json() == placed


async def test_lines_of_the_same_sku_are_added_up(api: API, commit: Commit) -> None:
    mug, cup = await product(commit, 100), await product(commit, 10)
    lines = [{"sku": sku, "quantity": n} for sku, n in ((mug, 1), (cup, 2), (mug, 3))]
    answer = await api.post("/v1/orders", json={**body(), "lines": lines}, headers=bearer())
    placed = answer.json()
    assert [(line["sku"], line["quantity"]) for line in placed["lines"]] == [(mug, 4), (cup, 2)]
    assert placed["total"]["amount"] == 420


async def test_a_hundred_lines_of_ten_thousand_are_taken(api: API, commit: Commit) -> None:
    skus = [await product(commit, 1) for _ in range(100)]
    answer = await api.post("/v1/orders", json=body(**dict.fromkeys(skus, 10_000)), headers=bearer())
    assert answer.status_code == 202
    assert len(answer.json()["lines"]) == 100


async def test_products_in_two_currencies_are_refused(api: API, commit: Commit) -> None:
    skus = {await product(commit): 1, await product(commit, currency="USD"): 1}
    answer = await api.post("/v1/orders", json=body(**skus), headers=bearer())
    assert refused(answer, 409, "mixed_currencies")["currencies"] == ["EUR", "USD"]


async def test_an_order_in_a_currency_is_refused_where_its_products_have_another(api: API, commit: Commit) -> None:
    wish, customer = body(**{await product(commit, 1250): 1}), uuid7()
    answer = await api.post("/v1/orders", json=wish | {"currency": "USD"}, headers=bearer(customer))
    assert refused(answer, 409, "other_currency")["currency"] == "EUR"
    assert (await api.get("/v1/orders", headers=bearer(customer))).json()["items"] == []
    answer = await api.post("/v1/orders", json=wish | {"currency": "EUR"}, headers=bearer(customer))
    assert answer.status_code == 202


async def test_a_total_beyond_what_can_be_booked_is_refused(api: API, commit: Commit) -> None:
    answer = await api.post("/v1/orders", json=body(**{await product(commit, 10**15): 2}), headers=bearer())
    refused(answer, 409, "order_too_large")


async def test_a_product_we_have_not_heard_of_is_asked_for(api: API, shopfront: Shopfront, commit: Commit) -> None:
    new, known = shopfront.sell(700), await product(commit, 100)
    answer = await api.post("/v1/orders", json=body(**{known: 1, new: 1}), headers=bearer())
    assert answer.json()["total"]["amount"] == 800
    assert shopfront.asked[-1] == [new]
    asked = len(shopfront.asked)
    await order(api, new)
    assert len(shopfront.asked) == asked, "what was learnt is kept"


async def test_a_sku_that_no_product_has_is_refused_and_named(api: API, shopfront: Shopfront, commit: Commit) -> None:
    known = await product(commit)
    skus = {known: 1, "NONE-1": 1, shopfront.sell(): 1, "NONE-2": 1}
    answer = await api.post("/v1/orders", json=body(**skus), headers=bearer())
    assert refused(answer, 409, "sku_unknown")["skus"] == ["NONE-1", "NONE-2"]


async def test_what_is_for_sale_no_longer_is_refused(api: API, shopfront: Shopfront, commit: Commit) -> None:
    known, gone, unheard = await product(commit), f"SKU-{uuid7()}", shopfront.sell()
    price = Money(amount=5, currency="EUR")
    await learn(commit, Product(gone, uuid7(), "Jug", price, 2, for_sale=False))
    answer = await api.post("/v1/orders", json=body(**{known: 1, gone: 1}), headers=bearer())
    assert refused(answer, 409, "not_for_sale")["skus"] == [gone]
    shopfront.discontinued.add(unheard)
    answer = await api.post("/v1/orders", json=body(**{unheard: 1}), headers=bearer())
    assert refused(answer, 409, "not_for_sale")["skus"] == [unheard]


@pytest.mark.parametrize("mood", ["broken", "babbling", "hanging", "hanging up", "strange"])
async def test_a_catalogue_that_does_not_answer_well_is_unavailable(
    api: API, shopfront: Shopfront, mood: Mood
) -> None:
    shopfront.mood, sku = mood, shopfront.sell()
    answer = await api.post("/v1/orders", json=body(**{sku: 1}), headers=bearer())
    shopfront.mood = "well"
    assert refused(answer, 503, "catalogue_unavailable")["skus"] == [sku]
    assert answer.headers["retry-after"] == "1"
    await order(api, sku)


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_only_customers_place_orders(api: API, commit: Commit, role: Any) -> None:
    answer = await api.post("/v1/orders", json=body(**{await product(commit): 1}), headers=bearer(role=role))
    refused(answer, 403, "forbidden")


async def test_somebody_elses_order_is_not_found_and_staff_sees_all(api: API, commit: Commit) -> None:
    placed = await order(api, await product(commit))
    for path in (f"/v1/orders/{placed['id']}", f"/v1/orders/{placed['id']}/timeline"):
        for stranger in (bearer(), bearer(role="ops")):
            refused(await api.get(path, headers=stranger), 404, "order_unknown")
        assert (await api.get(path, headers=bearer(role="staff"))).status_code == 200
    refused(await api.get(f"/v1/orders/{uuid7()}", headers=bearer(role="staff")), 404, "order_unknown")


async def test_ones_orders_are_listed_newest_first_page_by_page(api: API, commit: Commit) -> None:
    sku, who = await product(commit), bearer()
    placed = [await order(api, sku, who=who) for _ in range(5)]
    await order(api, sku)
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.get("/v1/orders", params=query, headers=who)).json()
        found += page["items"]
        if not page["next"]:
            break
        await order(api, sku, who=who)
        query["before"] = page["next"]
    assert found == placed[::-1]


async def test_staff_lists_everybodys_orders(api: API, commit: Commit) -> None:
    sku = await product(commit)
    placed = [(await order(api, sku))["id"] for _ in range(2)]
    page = (await api.get("/v1/orders", params={"limit": 2}, headers=bearer(role="staff"))).json()
    assert [one["id"] for one in page["items"]] == placed[::-1]


async def test_one_without_orders_has_an_empty_page(api: API) -> None:
    assert (await api.get("/v1/orders", headers=bearer())).json() == {"items": [], "next": None}


async def test_the_timeline_fills_up_by_itself(api: API, shared: Postgres, commit: Commit) -> None:
    who = bearer()
    placed = await order(api, await product(commit), who=who)
    path = f"/v1/orders/{placed['id']}/timeline"
    first = (await api.get(path, headers=who)).json()
    assert (first["order_id"], first["state"]) == (placed["id"], "PENDING")
    assert first["entries"] == [{"at": placed["placed_at"], "type": "order.placed", "detail": {"state": "PENDING"}}]
    await hear(shared, StockReserved(order_id=UUID(placed["id"]), lines=()))
    then = (await api.get(path, headers=who)).json()
    assert then["state"] == "CONFIRMED"
    assert [entry["type"] for entry in then["entries"]] == ["order.placed", "stock.reserved", "order.confirmed"]


async def test_a_rejected_order_says_what_was_short(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    placed = await order(api, sku, 5, who)
    short = Shortage(sku=sku, requested=5, available=2, reason="short")
    await hear(shared, StockRejected(order_id=UUID(placed["id"]), shortages=(short,)))
    read = (await api.get(f"/v1/orders/{placed['id']}", headers=who)).json()
    assert (read["state"], read["shortages"]) == ("REJECTED", [short.model_dump()])


async def test_a_customer_cancels_and_cannot_again(api: API, shared: Postgres, commit: Commit) -> None:
    who = bearer()
    placed = await order(api, await product(commit), who=who)
    answer = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=who)
    assert answer.status_code == 200
    changed = {"state": "CANCELLED", "reason": "customer", "version": 2, "changed_at": answer.json()["changed_at"]}
    assert answer.json() == placed | changed
    assert (await api.get(f"/v1/orders/{placed['id']}", headers=who)).json() == answer.json()
    assert isinstance((await events(shared, placed["id"]))[-1], OrderCancelled)
    again = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=who)
    problem = refused(again, 409, "not_possible_now")
    assert (problem["state"], problem["allowed"]) == ("CANCELLED", [])


async def test_staff_cancels_a_confirmed_order(api: API, shared: Postgres, commit: Commit) -> None:
    placed = await order(api, await product(commit))
    await hear(shared, StockReserved(order_id=UUID(placed["id"]), lines=()))
    answer = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=bearer(role="staff"))
    assert (answer.json()["state"], answer.json()["reason"]) == ("CANCELLED", "staff")


@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_nobody_else_cancels_it(api: API, commit: Commit, role: Any) -> None:
    placed = await order(api, await product(commit))
    answer = await api.post(f"/v1/orders/{placed['id']}/cancel", headers=bearer(role=role))
    refused(answer, 404, "order_unknown")
