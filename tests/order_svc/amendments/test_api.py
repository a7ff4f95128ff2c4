"""Orders that are amended and cancelled, over the REST API."""

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.replicas.domain import Product
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
from tests.addresses import shown
from tests.order_svc.product_stub import ProductStub
from tests.order_svc.rest import ADDRESS, API, amend, body, confirmed, lines, place, read
from tests.order_svc.scenarios import Commit, consume, product, upsert
from tests.outbox import events
from tests.responses import assert_problem

ELSEWHERE = {**ADDRESS, "city": "Paris", "country": "FR"}


async def test_an_order_stays_as_it_is_until_its_amendment_is_reserved(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, mug, cup = bearer(), await product(commit, 1000), await product(commit, 300, name="Cup")
    one = await confirmed(api, shared, mug, headers)
    response = await amend(api, one, headers, {**lines(**{mug: 1, cup: 2}), "shipping_address": ELSEWHERE})
    assert response.status_code == 202
    waiting = response.json()
    assert response.headers["etag"] == '"3"'
    assert (waiting["state"], waiting["revision"], waiting["lines"]) == ("CONFIRMED", 1, one["lines"])
    assert waiting["amendment"]["revision"] == 2
    assert waiting["amendment"]["total"]["amount"] == 1600
    await consume(shared, StockReserved(order_id=UUID(one["id"]), lines=(), revision=2))
    now = await read(api, one, headers)
    assert (now["revision"], now["amendment"], now["total"]["amount"]) == (2, None, 1600)
    assert (now["shipping_address"], now["version"]) == (shown(ELSEWHERE), 4)
    published = await events(shared, one["id"])
    assert [type(event) for event in published] == [OrderPlaced, OrderConfirmed, OrderAmended, AmendmentAccepted]
    assert isinstance(published[2], OrderAmended)
    assert (published[2].revision, published[2].replaces, published[2].shipping_address.city) == (2, 1, "Paris")


async def test_a_refused_amendment_leaves_with_its_shortages_and_the_next_is_a_new_revision(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer_id, mug = uuid7(), await product(commit)
    headers = bearer(customer_id)
    one = await confirmed(api, shared, mug, headers)
    await amend(api, one, headers, lines(**{mug: 9}))
    short = Shortage(sku=mug, requested=9, available=4, reason="short")
    await consume(shared, StockRejected(order_id=UUID(one["id"]), shortages=(short,), revision=2))
    now = await read(api, one, headers)
    assert (now["revision"], now["lines"], now["amendment"]) == (1, one["lines"], None)
    assert now["shortages"] == []
    *_, amended, refused = await events(shared, one["id"])
    assert isinstance(amended, OrderAmended)
    assert refused == AmendmentRefused(
        order_id=UUID(one["id"]), customer_id=customer_id, revision=2, shortages=(short,), lines=amended.lines
    )
    entries = (await api.get(f"/v1/orders/{one['id']}/timeline", headers=headers)).json()["entries"]
    detail = {"state": "CONFIRMED", "revision": 2, "shortages": [short.model_dump()]}
    assert (entries[-1]["type"], entries[-1]["detail"]) == ("order.amendment_refused", detail)
    again = (await amend(api, now, headers, lines(**{mug: 4}))).json()
    assert (again["amendment"]["revision"], again["shortages"]) == (3, [])


async def test_lines_keep_their_price_unless_their_quantity_grows(api: API, shared: Postgres, commit: Commit) -> None:
    headers, mug, cup = bearer(), await product(commit, 1000), await product(commit, 300)
    response = await api.post("/v1/orders", json=body(**{mug: 2, cup: 2}), headers=headers)
    for sku in (mug, cup):
        await upsert(commit, Product(sku, uuid7(), "New", Money(amount=1, currency="EUR"), 2))
    amendment = (await amend(api, response.json(), headers, lines(**{mug: 2, cup: 3}))).json()["amendment"]
    assert [(line["name"], line["unit_price"]["amount"]) for line in amendment["lines"]] == [
        ("Mug", 1000),
        ("New", 1),
    ]


async def test_the_quantity_of_a_discontinued_product_can_shrink_and_not_grow(
    api: API, shared: Postgres, commit: Commit, product_stub: ProductStub
) -> None:
    headers, mug = bearer(), await product(commit)
    one = await place(api, mug, 3, headers)
    await upsert(commit, Product(mug, uuid7(), "Mug", Money(amount=1, currency="EUR"), 2, for_sale=False))
    assert assert_problem(await amend(api, one, headers, lines(**{mug: 4})), 409, "not_for_sale")["skus"] == [mug]
    assert assert_problem(await amend(api, one, headers, lines(**{"NONE": 1})), 409, "sku_not_found")["skus"] == [
        "NONE"
    ]
    assert (await amend(api, one, headers, lines(**{mug: 2, product_stub.sell(): 1}))).status_code == 202


async def test_only_an_address_may_change_and_the_billing_address_may_be_removed(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit)
    placed = {**body(**{sku: 2}), "billing_address": ELSEWHERE, "notes": "Ring twice."}
    one = (await api.post("/v1/orders", json=placed, headers=headers)).json()
    assert (one["billing_address"], one["notes"]) == (shown(ELSEWHERE), "Ring twice.")
    amendment = (await amend(api, one, headers, {"billing_address": None})).json()["amendment"]
    assert (amendment["lines"], amendment["billing_address"]) == (one["lines"], None)
    assert amendment["shipping_address"] == shown(ADDRESS)


async def test_an_amendment_without_a_change_does_nothing(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    one = await place(api, sku, 2, headers)
    response = await amend(
        api, one, headers, {**lines(**{sku: 2}), "shipping_address": ADDRESS, "billing_address": None}
    )
    assert (response.status_code, response.json()) == (202, one)
    assert len(await events(shared, one["id"])) == 1


async def test_one_amendment_waits_at_a_time(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    one = await place(api, sku, 2, headers)
    waiting = (await amend(api, one, headers, lines(**{sku: 3}))).json()
    problem = assert_problem(await amend(api, waiting, headers, lines(**{sku: 4})), 409, "transition_not_allowed")
    assert (problem["state"], problem["allowed"]) == ("PENDING", ["cancel"])


async def test_an_amendment_of_an_order_that_has_changed_since_is_refused(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit)
    one = await place(api, sku, 2, headers)
    assert_problem(await amend(api, one, headers, lines(**{sku: 3}), '"7"'), 412, "precondition_failed")
    missing = await api.patch(f"/v1/orders/{one['id']}", json=lines(**{sku: 3}), headers=headers)
    assert_problem(missing, 428, "precondition_required")


async def test_only_its_customer_amends_an_order(api: API, shared: Postgres, commit: Commit) -> None:
    one = await place(api, await product(commit))
    assert_problem(await amend(api, one, bearer(), lines(MUG=1)), 404, "order_not_found")
    for role in ("staff", "ops"):
        assert_problem(await amend(api, one, bearer(role=role), lines(MUG=1)), 403, "forbidden")


async def test_an_order_that_waits_for_two_replies_is_cancelled_with_a_note(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit)
    one = await place(api, sku, 2, headers)
    await amend(api, one, headers, lines(**{sku: 3}))
    path = f"/v1/orders/{one['id']}/cancel"
    assert_problem(await api.post(path, headers={**headers, "If-Match": '"1"'}), 412, "precondition_failed")
    response = await api.post(path, json={"note": "By mistake."}, headers={**headers, "If-Match": '"2"'})
    ended = response.json()
    assert (ended["state"], ended["reason"], ended["note"]) == ("CANCELLED", "customer", "By mistake.")
    assert ended["amendment"] is None
    event = (await events(shared, one["id"]))[-1]
    assert isinstance(event, OrderCancelled)
    assert event.note == "By mistake."


@pytest.mark.parametrize(
    "content", [b'{"a": \xff', b'{"a": 1}', b"[]"], ids=["not json", "unknown field", "not an object"]
)
async def test_a_cancellation_with_a_malformed_body_is_refused(api: API, commit: Commit, content: bytes) -> None:
    headers = bearer()
    one = await place(api, await product(commit), headers=headers)
    headers = {**headers, "Content-Type": "application/json"}
    response = await api.post(f"/v1/orders/{one['id']}/cancel", content=content, headers=headers)
    assert_problem(response, 422, "malformed_request")


async def test_an_erased_customer_cannot_amend(api: API, shared: Postgres, commit: Commit) -> None:
    sku, customer = await product(commit, 1000), uuid7()
    headers = bearer(customer)
    one = await confirmed(api, shared, sku, headers)
    await consume(shared, CustomerErased(customer_id=customer))
    assert_problem(await amend(api, one, headers, {"shipping_address": ELSEWHERE}), 409, "account_erased")
    assert (await read(api, one, headers))["shipping_address"]["city"] == "-"
