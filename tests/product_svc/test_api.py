"""The REST API of product_svc: what it answers to requests as they should be."""

import asyncio
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer
from schemas import ProductCreated, StockAdjusted
from tests.answers import malformed_at, refused
from tests.outbox import events
from tests.product_svc.goods import hear, new_sku, placed

API = httpx.AsyncClient
STAFF = bearer(role="staff")


def body(*skus: str, **changes: Any) -> dict[str, Any]:
    variants = [{"sku": sku, "price": {"amount": 1250, "currency": "EUR"}} for sku in skus]
    return {"name": "Mug", "attributes": {"material": "stoneware"}, "variants": variants} | changes


async def added(api: API, *skus: str, **changes: Any) -> dict[str, Any]:
    answer = await api.post("/v1/products", json=body(*skus, **changes), headers=STAFF)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


async def adjust(api: API, sku: str, delta: int, reason: str = "delivery") -> httpx.Response:
    return await api.post(
        f"/v1/stock/{sku}/adjustments", json={"delta": delta, "reason": reason}, headers=bearer(role="staff")
    )


async def test_a_product_is_added_and_reads_as_it_was_answered(api: API, shared: Mongo) -> None:
    mug, cup = new_sku(), new_sku()
    answer = await api.post("/v1/products", json=body(mug, cup), headers=STAFF)
    product = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/products/{product['id']}"
    rest: dict[str, Any] = {"description": "", "category_id": None, "images": [], "status": "active", "version": 1}
    plain: dict[str, Any] = {"attributes": {}, "images": [], "status": "active"}
    variants = [plain | variant for variant in body(mug, cup)["variants"]]
    assert product == {"id": product["id"], **body(), **rest, "variants": variants}
    assert (await api.get(answer.headers["location"])).json() == product
    [event] = await events(shared, product["id"])
    assert isinstance(event, ProductCreated)
    assert [variant.sku for variant in event.variants] == [mug, cup]


async def test_a_products_stock_starts_at_nothing(api: API) -> None:
    sku = new_sku()
    await added(api, sku)
    stock = (await api.get(f"/v1/stock/{sku}")).json()
    assert stock == {"sku": sku, "on_hand": 0, "reserved": 0, "available": 0}


async def test_attributes_may_be_left_out(api: API) -> None:
    asked = body(new_sku())
    del asked["attributes"]
    answer = await api.post("/v1/products", json=asked, headers=STAFF)
    assert answer.json()["attributes"] == {}


NUMBERS = (0, 1, 1.0, 1.5, -0.0, 5e-324, 1.7976931348623157e308, 2**53 - 1, 1 - 2**53)
OTHERS: tuple[Any, ...] = (
    True,
    False,
    "",
    "Ü🔐",
    "x" * 2000,
    "<script>",
    "$where",
    "null",
    [],
    ["a", "b"],
    ["a"] * 100,
)


@pytest.mark.parametrize("value", [*NUMBERS, *OTHERS], ids=lambda value: repr(value)[:30])
async def test_an_attribute_comes_back_as_it_went(api: API, value: Any) -> None:
    product = await added(api, new_sku(), attributes={"odd": value})
    read = (await api.get(f"/v1/products/{product['id']}")).json()["attributes"]["odd"]
    assert repr(read) == repr(product["attributes"]["odd"]) == repr(value)


@pytest.mark.parametrize(
    "value",
    [None, {}, {"a": 1}, [1], [None], [["a"]], ["a"] * 101, "x" * 2001, 2**53, -(2**53), 10**30, "a\nb"],
    ids=lambda value: repr(value)[:30],
)
async def test_any_other_attribute_is_malformed(api: API, value: Any) -> None:
    answer = await api.post("/v1/products", json=body(new_sku(), attributes={"odd": value}), headers=STAFF)
    assert all(place.startswith("body/attributes/odd") for place in malformed_at(answer))


@pytest.mark.parametrize("name", ["", "1a", "_id", "$a", "a.b", "a b", "é", "a" * 65, "a\x00"])
async def test_an_attributes_name_is_plain(api: API, name: str) -> None:
    answer = await api.post("/v1/products", json=body(new_sku(), attributes={name: 1}), headers=STAFF)
    assert malformed_at(answer)


async def test_a_hundred_attributes_and_variants_are_taken_and_no_more(api: API) -> None:
    attributes = {f"a{n}": n for n in range(100)}
    skus = [new_sku() for _ in range(100)]
    assert len((await added(api, *skus, attributes=attributes))["variants"]) == 100
    more = await api.post("/v1/products", json=body(*skus, new_sku()), headers=STAFF)
    assert malformed_at(more) == {"body/variants"}
    more = await api.post("/v1/products", json=body(new_sku(), attributes=attributes | {"b": 1}), headers=STAFF)
    assert malformed_at(more) == {"body/attributes"}


async def test_a_sku_is_taken_once(api: API) -> None:
    taken, free = new_sku(), new_sku()
    await added(api, taken)
    answer = await api.post("/v1/products", json=body(free, taken), headers=STAFF)
    assert refused(answer, 409, "sku_taken")["skus"] == [taken]
    refused(await api.get(f"/v1/stock/{free}"), 404, "sku_unknown")


async def test_a_sku_raced_for_is_taken_once(api: API) -> None:
    sku = new_sku()
    answers = await asyncio.gather(*(api.post("/v1/products", json=body(sku), headers=STAFF) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    assert len((await api.get("/v1/products", params={"sku": sku})).json()["items"]) == 1


async def test_one_product_has_each_sku_once(api: API) -> None:
    sku = new_sku()
    assert malformed_at(await api.post("/v1/products", json=body(sku, sku), headers=STAFF)) == {"body"}


async def test_products_are_listed_in_the_order_of_their_making_page_by_page(api: API) -> None:
    first, *made = [(await added(api, new_sku()))["id"] for _ in range(5)]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "after": first}
    while len(found) < 4:
        page = (await api.get("/v1/products", params=query)).json()
        found += [product["id"] for product in page["items"]]
        await added(api, new_sku())
        query["after"] = page["next"]
    assert found == made


async def test_products_are_found_by_sku(api: API) -> None:
    mug, cup, jug = new_sku(), new_sku(), new_sku()
    first, second = await added(api, mug, cup), await added(api, jug)
    page = (await api.get("/v1/products", params={"sku": [cup, jug, "NONE"]})).json()
    assert page == {"items": [first, second], "next": None}


async def test_an_unknown_product_or_sku_is_not_found(api: API) -> None:
    refused(await api.get(f"/v1/products/{uuid7()}"), 404, "product_unknown")
    refused(await api.get("/v1/stock/NONE"), 404, "sku_unknown")
    refused(await adjust(api, "NONE", 1), 404, "sku_unknown")


async def test_stock_is_adjusted_and_told(api: API, shared: Mongo) -> None:
    sku = new_sku()
    await added(api, sku)
    answer = await adjust(api, sku, 10)
    assert answer.status_code == 201
    assert answer.json() == {"sku": sku, "on_hand": 10, "reserved": 0, "available": 10}
    assert (await adjust(api, sku, -3, "damage")).json()["on_hand"] == 7
    assert (await api.get(f"/v1/stock/{sku}")).json()["on_hand"] == 7
    assert await events(shared, sku) == [
        StockAdjusted(sku=sku, delta=10, reason="delivery", on_hand=10, reserved=0),
        StockAdjusted(sku=sku, delta=-3, reason="damage", on_hand=7, reserved=0),
    ]


async def test_what_is_reserved_shows_and_cannot_be_taken_away(api: API, shared: Mongo) -> None:
    sku = new_sku()
    await added(api, sku)
    await adjust(api, sku, 5)
    await hear(shared, placed({sku: 3}))
    stock = (await api.get(f"/v1/stock/{sku}")).json()
    assert stock == {"sku": sku, "on_hand": 5, "reserved": 3, "available": 2}
    assert refused(await adjust(api, sku, -3, "damage"), 409, "stock_too_low")["available"] == 2
    assert (await api.get(f"/v1/stock/{sku}")).json() == stock


async def test_adjustments_at_once_all_count(api: API) -> None:
    sku = new_sku()
    await added(api, sku)
    answers = await asyncio.gather(*(adjust(api, sku, 1) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["on_hand"] for answer in answers) == list(range(1, 21))


@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_only_staff_keeps_the_catalogue_and_the_stock(api: API, role: Any) -> None:
    sku, who = new_sku(), bearer(role=role)
    refused(await api.post("/v1/products", json=body(sku), headers=who), 403, "forbidden")
    adjustment = {"delta": 1, "reason": "count"}
    refused(await api.post(f"/v1/stock/{sku}/adjustments", json=adjustment, headers=who), 403, "forbidden")


async def test_everybody_may_browse(api: API) -> None:
    assert (await api.get("/v1/products")).status_code == 200
