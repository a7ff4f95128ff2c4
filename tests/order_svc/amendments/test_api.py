"""Orders that are amended and cancelled, over the REST API."""

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.domain import Product
from order_svc.store import OrderBook
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    CustomerErased,
    Money,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    Shortage,
    StockRejected,
    StockReserved,
)
from tests.answers import refused
from tests.order_svc.orders import learn, product
from tests.order_svc.shopfront import Shopfront
from tests.order_svc.test_api import ADDRESS, API, body, hear, order
from tests.outbox import events

Commit = GroupCommit[OrderBook]
Who = dict[str, str]
ELSEWHERE = {**ADDRESS, "city": "Paris", "country": "FR"}


def lines(**quantities: int) -> dict[str, Any]:
    return {"lines": body(**quantities)["lines"]}


async def amend(api: API, one: dict[str, Any], who: Who, told: dict[str, Any], version: str | None = None) -> Any:
    headers = {**who, "If-Match": version or f'"{one["version"]}"'}
    return await api.patch(f"/v1/orders/{one['id']}", json=told, headers=headers)


async def confirmed(api: API, database: Postgres, sku: str, who: Who, quantity: int = 2) -> dict[str, Any]:
    placed = await order(api, sku, quantity, who)
    await hear(database, StockReserved(order_id=UUID(placed["id"]), lines=()))
    return await read(api, placed, who)


async def read(api: API, one: dict[str, Any], who: Who) -> dict[str, Any]:
    answer = await api.get(f"/v1/orders/{one['id']}", headers=who)
    found: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == f'"{found["version"]}"'
    return found


async def test_an_order_stays_what_it_is_until_its_amendment_is_reserved(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, mug, cup = bearer(), await product(commit, 1000), await product(commit, 300, name="Cup")
    one = await confirmed(api, shared, mug, who)
    answer = await amend(api, one, who, {**lines(**{mug: 1, cup: 2}), "shipping_address": ELSEWHERE})
    assert answer.status_code == 202
    waiting = answer.json()
    assert answer.headers["etag"] == '"3"'
    assert (waiting["state"], waiting["revision"], waiting["lines"]) == ("CONFIRMED", 1, one["lines"])
    assert waiting["amendment"]["revision"] == 2
    assert waiting["amendment"]["total"]["amount"] == 1600
    await hear(shared, StockReserved(order_id=UUID(one["id"]), lines=(), revision=2))
    now = await read(api, one, who)
    assert (now["revision"], now["amendment"], now["total"]["amount"]) == (2, None, 1600)
    assert (now["shipping_address"], now["version"]) == (ELSEWHERE, 4)
    told = await events(shared, one["id"])
    assert [type(event) for event in told] == [OrderPlaced, OrderConfirmed, OrderAmended, AmendmentAccepted]
    assert isinstance(told[2], OrderAmended)
    assert (told[2].revision, told[2].replaces, told[2].shipping_address.city) == (2, 1, "Paris")


async def test_a_refused_amendment_says_what_was_short_and_the_next_is_another_revision(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, mug = bearer(), await product(commit)
    one = await confirmed(api, shared, mug, who)
    await amend(api, one, who, lines(**{mug: 9}))
    short = Shortage(sku=mug, requested=9, available=4, reason="short")
    await hear(shared, StockRejected(order_id=UUID(one["id"]), shortages=(short,), revision=2))
    now = await read(api, one, who)
    assert (now["revision"], now["lines"], now["amendment"]) == (1, one["lines"], None)
    assert now["shortages"] == [short.model_dump()]
    assert isinstance((await events(shared, one["id"]))[-1], AmendmentRefused)
    again = (await amend(api, now, who, lines(**{mug: 4}))).json()
    assert (again["amendment"]["revision"], again["shortages"]) == (3, [])


async def test_what_is_not_more_keeps_its_price_and_the_rest_costs_what_it_costs_today(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, mug, cup = bearer(), await product(commit, 1000), await product(commit, 300)
    answer = await api.post("/v1/orders", json=body(**{mug: 2, cup: 2}), headers=who)
    for sku in (mug, cup):
        await learn(commit, Product(sku, uuid7(), "New", Money(amount=1, currency="EUR"), 2))
    amendment = (await amend(api, answer.json(), who, lines(**{mug: 2, cup: 3}))).json()["amendment"]
    assert [(line["name"], line["unit_price"]["amount"]) for line in amendment["lines"]] == [
        ("Mug", 1000),
        ("New", 1),
    ]


async def test_what_is_for_sale_no_longer_can_be_kept_and_not_be_more(
    api: API, shared: Postgres, commit: Commit, shopfront: Shopfront
) -> None:
    who, mug = bearer(), await product(commit)
    one = await order(api, mug, 3, who)
    await learn(commit, Product(mug, uuid7(), "Mug", Money(amount=1, currency="EUR"), 2, for_sale=False))
    assert refused(await amend(api, one, who, lines(**{mug: 4})), 409, "not_for_sale")["skus"] == [mug]
    assert refused(await amend(api, one, who, lines(**{"NONE": 1})), 409, "sku_unknown")["skus"] == ["NONE"]
    assert (await amend(api, one, who, lines(**{mug: 2, shopfront.sell(): 1}))).status_code == 202


async def test_only_an_address_may_change_and_that_of_the_bill_may_go(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, sku = bearer(), await product(commit)
    placed = {**body(**{sku: 2}), "billing_address": ELSEWHERE, "notes": "Ring twice."}
    one = (await api.post("/v1/orders", json=placed, headers=who)).json()
    assert (one["billing_address"], one["notes"]) == (ELSEWHERE, "Ring twice.")
    amendment = (await amend(api, one, who, {"billing_address": None})).json()["amendment"]
    assert (amendment["lines"], amendment["billing_address"]) == (one["lines"], None)
    assert amendment["shipping_address"] == ADDRESS


async def test_what_an_order_is_already_is_no_amendment(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    one = await order(api, sku, 2, who)
    answer = await amend(api, one, who, {**lines(**{sku: 2}), "shipping_address": ADDRESS, "billing_address": None})
    assert (answer.status_code, answer.json()) == (202, one)
    assert len(await events(shared, one["id"])) == 1


async def test_one_amendment_waits_at_a_time(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    one = await order(api, sku, 2, who)
    waiting = (await amend(api, one, who, lines(**{sku: 3}))).json()
    problem = refused(await amend(api, waiting, who, lines(**{sku: 4})), 409, "not_possible_now")
    assert (problem["state"], problem["allowed"]) == ("PENDING", ["cancel"])


async def test_an_amendment_of_what_has_changed_since_is_refused(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    one = await order(api, sku, 2, who)
    refused(await amend(api, one, who, lines(**{sku: 3}), '"7"'), 412, "precondition_failed")
    missing = await api.patch(f"/v1/orders/{one['id']}", json=lines(**{sku: 3}), headers=who)
    refused(missing, 428, "precondition_required")


async def test_an_order_is_amended_by_its_customer_only(api: API, shared: Postgres, commit: Commit) -> None:
    one = await order(api, await product(commit))
    refused(await amend(api, one, bearer(), lines(MUG=1)), 404, "order_unknown")
    for role in ("staff", "ops"):
        refused(await amend(api, one, bearer(role=role), lines(MUG=1)), 403, "forbidden")


async def test_an_order_that_waits_for_two_answers_is_cancelled_with_a_note(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, sku = bearer(), await product(commit)
    one = await order(api, sku, 2, who)
    await amend(api, one, who, lines(**{sku: 3}))
    path = f"/v1/orders/{one['id']}/cancel"
    refused(await api.post(path, headers={**who, "If-Match": '"1"'}), 412, "precondition_failed")
    answer = await api.post(path, json={"note": "By mistake."}, headers={**who, "If-Match": '"2"'})
    ended = answer.json()
    assert (ended["state"], ended["reason"], ended["note"]) == ("CANCELLED", "customer", "By mistake.")
    assert ended["amendment"] is None
    event = (await events(shared, one["id"]))[-1]
    assert isinstance(event, OrderCancelled)
    assert event.note == "By mistake."


@pytest.mark.parametrize("content", [b'{"a": \xff', b'{"a": 1}', b"[]"], ids=["no json", "unknown", "no object"])
async def test_a_cancellation_with_a_strange_body_is_malformed(api: API, commit: Commit, content: bytes) -> None:
    who = bearer()
    one = await order(api, await product(commit), who=who)
    headers = {**who, "Content-Type": "application/json"}
    answer = await api.post(f"/v1/orders/{one['id']}/cancel", content=content, headers=headers)
    refused(answer, 422, "malformed_request")


async def test_who_was_erased_since_amends_nothing(api: API, shared: Postgres, commit: Commit) -> None:
    sku, customer = await product(commit, 1000), uuid7()
    who = bearer(customer)
    one = await confirmed(api, shared, sku, who)
    await hear(shared, CustomerErased(customer_id=customer))
    refused(await amend(api, one, who, {"shipping_address": ELSEWHERE}), 409, "account_erased")
    assert (await read(api, one, who))["shipping_address"]["city"] == "-"
