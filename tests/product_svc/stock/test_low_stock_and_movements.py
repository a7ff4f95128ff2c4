"""Thresholds, what is low, and the ledger of movements, over REST and by orders."""

import asyncio
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer, enveloped, record
from product_svc.catalogue.commands import UpdateProduct
from schemas import StockAdjusted, StockLow
from tests import bad_inputs
from tests.databases import Connecting
from tests.outbox import envelopes, events
from tests.product_svc.factories import Commit, cancelled, consumer, create, handle, new_sku, placed, stocked
from tests.responses import accepted_bodies, accepted_tokens, assert_problem, malformed_fields, version_tag

API = httpx.AsyncClient
STAFF = bearer(role="staff")
ANY = {**STAFF, "If-Match": "*"}


async def put_threshold(api: API, sku: str, threshold: int | None) -> httpx.Response:
    return await api.put(f"/v1/stock/{sku}/threshold", json={"threshold": threshold}, headers=ANY)


async def watch(api: API, sku: str, threshold: int | None) -> dict[str, Any]:
    response = await put_threshold(api, sku, threshold)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def adjust(api: API, sku: str, delta: int, **more: Any) -> None:
    body = {"delta": delta, "reason": "count"} | more
    assert (await api.post(f"/v1/stock/{sku}/adjustments", json=body, headers=STAFF)).status_code == 201


async def low(database: Mongo, sku: str) -> list[int]:
    """The available quantities that were published as low."""
    return [event.available for event in await events(database, sku) if isinstance(event, StockLow)]


async def test_a_threshold_is_set_read_and_removed(api: API, commit: Commit) -> None:
    sku = await stocked(commit, 10)
    path = f"/v1/stock/{sku}/threshold"
    read = await api.get(path, headers=STAFF)
    assert (read.json(), version_tag(read)) == ({"sku": sku, "threshold": None, "low": False}, '"unset"')
    put = await api.put(path, json={"threshold": 5}, headers={**STAFF, "If-Match": read.headers["etag"]})
    assert (put.status_code, put.json()) == (200, {"sku": sku, "threshold": 5, "low": False})
    assert_problem(await api.put(path, json={"threshold": 6}, headers=STAFF), 428, "precondition_required")
    stale = {**STAFF, "If-Match": read.headers["etag"]}
    assert_problem(await api.put(path, json={"threshold": 6}, headers=stale), 412, "precondition_failed")
    await adjust(api, sku, -1)
    # Orders and adjustments are no change of the threshold.
    again = await api.put(path, json={"threshold": None}, headers={**STAFF, "If-Match": put.headers["etag"]})
    assert (again.json()["threshold"], again.headers["etag"]) == (None, version_tag(read))
    old = {**STAFF, "If-Match": '"None"'}
    assert_problem(await api.put(path, json={"threshold": 6}, headers=old), 412, "precondition_failed")


async def test_low_stock_is_published_once_each_time_it_falls_to_the_threshold(
    api: API, shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 10)
    await watch(api, sku, 5)
    for delta in (-4, -1, -1, -2, +2, +2, -1, -1, +100):
        await adjust(api, sku, delta)
    assert await low(shared, sku) == [5, 5]
    history = await envelopes(shared, sku)
    assert [envelope.aggregate_version for envelope in history] == list(range(1, len(history) + 1))
    assert [envelope.time for envelope in history] == sorted({envelope.time for envelope in history})
    assert isinstance(history[2].event, StockAdjusted)
    assert history[3].event == StockLow(sku=sku, available=5, threshold=5, on_hand=5, reserved=0, product_name="Mug")


async def test_orders_make_stock_low_and_after_a_cancellation_again(api: API, shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 10)
    await watch(api, sku, 4)
    first, second, third = placed({sku: 6}), placed({sku: 1}), placed({sku: 7})
    await handle(shared, first)
    await handle(shared, second)
    assert await low(shared, sku) == [4]
    await handle(shared, cancelled(first))
    await handle(shared, third)
    assert await low(shared, sku) == [4, 2]
    assert (await api.get(f"/v1/stock/{sku}/threshold", headers=STAFF)).json()["low"] is True


async def test_low_stock_is_published_once_however_often_the_order_arrives(
    api: API, shared: Mongo, commit: Commit
) -> None:
    sku = await stocked(commit, 3)
    await watch(api, sku, 1)
    order = record(enveloped(placed({sku: 2})))
    await consumer(shared).handle([order, order])
    await consumer(shared).handle([order])
    [*_, last] = await envelopes(shared, sku)
    assert last.cause is None
    assert last.event == StockLow(sku=sku, available=1, threshold=1, on_hand=3, reserved=2, product_name="Mug")
    assert await low(shared, sku) == [1]


async def test_low_stock_is_published_with_the_name_that_the_product_has_then(
    api: API, shared: Mongo, commit: Commit
) -> None:
    product = await create(commit, sku := new_sku())
    await adjust(api, sku, 5)
    await watch(api, sku, 1)
    await commit(UpdateProduct(product.id, "*", {"name": "Enamel mug"}))
    await adjust(api, sku, -4)
    [*_, last] = await envelopes(shared, sku)
    assert isinstance(last.event, StockLow)
    assert last.event.product_name == "Enamel mug"


async def test_concurrent_orders_make_stock_low_once(
    api: API, shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = await stocked(commit, 10)
    await watch(api, sku, 5)
    async with connecting() as one, connecting() as other:
        orders = [placed({sku: 1}) for _ in range(10)]
        await asyncio.gather(*(handle((one, other)[n % 2], order) for n, order in enumerate(orders)))
    assert len(await low(shared, sku)) == 1
    history = await envelopes(shared, sku)
    assert [envelope.aggregate_version for envelope in history] == [1, 2]


async def test_a_threshold_above_the_stock_makes_it_low_at_once(api: API, shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 3)
    assert (await watch(api, sku, 3))["low"] is True
    assert (await watch(api, sku, 8))["low"] is True
    assert (await watch(api, sku, None))["low"] is False
    await watch(api, sku, 2)
    assert await low(shared, sku) == [3]


async def test_concurrent_changes_of_a_threshold_each_return_their_own(api: API, commit: Commit) -> None:
    sku = await stocked(commit, 10)
    thresholds = [*range(6, 14), None]
    responses = await asyncio.gather(*(put_threshold(api, sku, threshold) for threshold in thresholds))
    results = [(one.json()["threshold"], one.json()["low"], one.headers["etag"]) for one in responses]
    assert results == [(n, n is not None and n >= 10, f'"{"unset" if n is None else n}"') for n in thresholds]


async def test_the_stock_of_a_draft_is_seen_by_staff_only_until_it_is_active(api: API) -> None:
    sku = new_sku()
    variants = [{"sku": sku, "price": {"amount": 1250, "currency": "EUR"}}]
    body = {"name": "Mug", "status": "draft", "variants": variants}
    draft = (await api.post("/v1/products", json=body, headers=STAFF)).json()
    path = f"/v1/stock/{sku}"
    for headers in ({}, bearer(), bearer(role="ops")):
        assert_problem(await api.get(path, headers=headers), 404, "sku_not_found")
    assert (await api.get(path, headers=STAFF)).json() == {"sku": sku, "on_hand": 0, "reserved": 0, "available": 0}
    for status in ("active", "discontinued"):
        changed = await api.patch(f"/v1/products/{draft['id']}", json={"status": status}, headers=ANY)
        assert changed.status_code == 200
        assert (await api.get(path)).json() == {"sku": sku, "on_hand": 0, "reserved": 0, "available": 0}


async def test_an_invalid_token_is_refused_where_none_is_needed(api: API, commit: Commit) -> None:
    path = f"/v1/stock/{await stocked(commit, 1)}"
    assert await accepted_tokens(api, "GET", path, bad_inputs.bad_tokens("staff")) == []


async def test_low_stock_is_listed_page_by_page(api: API, commit: Commit) -> None:
    skus = sorted([await stocked(commit, 2) for _ in range(3)])
    for sku in skus:
        await watch(api, sku, 2)
    rows = [{"sku": s, "on_hand": 2, "reserved": 0, "available": 2, "threshold": 2} for s in skus]
    before = f"{skus[0][:-1]}-"
    one = (await api.get("/v1/stock", params={"cursor": before, "limit": 2}, headers=STAFF)).json()
    assert (one["items"], one["next"]) == (rows[:2], skus[1])
    await adjust(api, skus[2], 1)
    assert (await api.get("/v1/stock", params={"cursor": skus[1]}, headers=STAFF)).json()["items"] == []


async def test_the_stock_of_many_skus_is_read_at_once(api: API, shared: Mongo, commit: Commit) -> None:
    watched, ordered, other = skus = [await stocked(commit, 5) for _ in range(3)]
    await watch(api, watched, 9)
    await handle(shared, placed({ordered: 2}))
    rows = [(watched, 5, 0, 5, 9), (ordered, 5, 2, 3, None), (other, 5, 0, 5, None)]
    names = ("sku", "on_hand", "reserved", "available", "threshold")
    expected = [dict(zip(names, row, strict=True)) for row in sorted(rows)]
    page = await api.get("/v1/stock", params={"sku": [other, "NONE", watched, ordered, other]}, headers=STAFF)
    assert page.json() == {"items": expected, "next": None}
    first = (await api.get("/v1/stock", params={"sku": skus, "limit": 2}, headers=STAFF)).json()
    rest = (await api.get("/v1/stock", params={"sku": skus, "cursor": first["next"]}, headers=STAFF)).json()
    assert (first["items"], rest) == (expected[:2], {"items": expected[2:], "next": None})


async def test_the_stock_of_a_hundred_skus_is_read_at_once_and_no_more(api: API) -> None:
    skus = [f"A{n}" for n in range(101)]
    assert malformed_fields(await api.get("/v1/stock", params={"sku": skus}, headers=STAFF)) == {"query/sku"}
    assert (await api.get("/v1/stock", params={"sku": skus[1:]}, headers=STAFF)).json()["items"] == []


async def test_movements_are_listed_newest_first(api: API, commit: Commit) -> None:
    sku, who = await stocked(commit, 0), uuid7()
    clerk = bearer(who, role="staff")
    path = f"/v1/stock/{sku}/movements"
    for delta, reason, note in ((10, "delivery", "note 4711"), (-1, "damage", ""), (2, "count", "shelf Ü")):
        body = {"delta": delta, "reason": reason, "note": note}
        await api.post(f"/v1/stock/{sku}/adjustments", json=body, headers=clerk)
    page = (await api.get(path, params={"limit": 2}, headers=STAFF)).json()
    assert [(m["delta"], m["reason"], m["on_hand"], m["note"], m["by"]) for m in page["items"]] == [
        (2, "count", 11, "shelf Ü", str(who)),
        (-1, "damage", 9, "", str(who)),
    ]
    await adjust(api, sku, 5)
    rest = (await api.get(path, params={"limit": 2, "cursor": page["next"]}, headers=STAFF)).json()
    assert [(m["delta"], m["note"]) for m in rest["items"]] == [(10, "note 4711")]
    assert rest["next"] is None


async def test_movements_of_the_first_release_can_be_read(api: API, shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 0)
    await shared.db.movements.insert_one({"_id": uuid7(), "sku": sku, "delta": 0, "reason": "count", "at": 0})
    [movement] = (await api.get(f"/v1/stock/{sku}/movements", headers=STAFF)).json()["items"]
    assert (movement["on_hand"], movement["by"], movement["note"]) == (None, None, "")


PATHS = ["/v1/stock", "/v1/stock/MUG/threshold", "/v1/stock/MUG/movements"]


@pytest.mark.parametrize("path", PATHS)
async def test_only_staff_can_read_thresholds_and_movements(api: API, path: str) -> None:
    assert_problem(await api.get(path), 401, "unauthenticated")
    for role in ("customer", "ops"):
        assert_problem(await api.get(path, headers=bearer(role=role)), 403, "forbidden")
    assert await accepted_tokens(api, "GET", path, bad_inputs.bad_tokens("staff")) == []


async def test_only_staff_can_set_thresholds(api: API) -> None:
    body = {"threshold": 1}
    response = await api.put("/v1/stock/MUG/threshold", json=body, headers={**bearer(), "If-Match": "*"})
    assert_problem(response, 403, "forbidden")


async def test_an_unknown_sku_has_neither_threshold_nor_movements(api: API) -> None:
    for path in PATHS[1:]:
        assert_problem(await api.get(path.replace("MUG", "NONE"), headers=STAFF), 404, "sku_not_found")
    response = await api.put("/v1/stock/NONE/threshold", json={"threshold": 1}, headers=ANY)
    assert_problem(response, 404, "sku_not_found")


async def test_an_invalid_threshold_is_malformed(api: API, shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 1)
    path = f"/v1/stock/{sku}/threshold"
    bodies = [(name, body) for name, body, _ in bad_inputs.invalid_bodies({"threshold": 3}) if "None" not in name]
    assert await accepted_bodies(api, path, [*bodies, *bad_inputs.NOT_AN_OBJECT.items()], ANY, "PUT") == []
    for number in (-1, 1_000_001, 2**63):
        response = await api.put(path, json={"threshold": number}, headers=ANY)
        assert malformed_fields(response) == {"body/threshold"}
    assert malformed_fields(await api.put(path, json={}, headers=ANY)) == {"body/threshold"}
    assert await low(shared, sku) == []


@pytest.mark.parametrize("note", [None, 1, "\x00", "a\x0bb", "x" * 501])
async def test_an_invalid_note_is_malformed(api: API, note: Any) -> None:
    body = {"delta": 1, "reason": "count", "note": note}
    response = await api.post("/v1/stock/MUG/adjustments", json=body, headers=STAFF)
    assert malformed_fields(response) == {"body/note"}


@pytest.mark.parametrize(
    "query",
    [
        *("/movements?cursor=x", "/movements?cursor=", "/movements?limit=0", "/movements?limit=201"),
        *("?cursor=%00", "?cursor=", "?limit=x", "?limit=0", "?sku=", "?sku=%00"),
    ],
)
async def test_an_invalid_page_is_malformed(api: API, query: str) -> None:
    path = f"/v1/stock{'/MUG' if query.startswith('/') else ''}{query}"
    assert malformed_fields(await api.get(path, headers=STAFF))
