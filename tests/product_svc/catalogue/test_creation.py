"""Creating products over REST: which are accepted, and how they are stored."""

import asyncio
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer
from schemas import ProductCreated
from tests.outbox import events
from tests.product_svc.factories import new_sku
from tests.product_svc.rest_factories import API, STAFF, added, adjust, as_written, product_body
from tests.responses import assert_problem, malformed_fields

MATERIAL = {"material": "stoneware"}


async def test_a_product_is_created_and_reads_as_in_the_response(api: API, shared: Mongo) -> None:
    mug, cup = new_sku(), new_sku()
    response = await api.post("/v1/products", json=product_body(mug, cup, attributes=MATERIAL), headers=STAFF)
    product = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/products/{product['id']}"
    rest: dict[str, Any] = {"description": "", "category_id": None, "images": [], "status": "active", "version": 1}
    plain: dict[str, Any] = {"attributes": {}, "images": [], "status": "active"}
    variants = [plain | variant for variant in product_body(mug, cup)["variants"]]
    assert product == {"id": product["id"], **product_body(attributes=MATERIAL), **rest, "variants": variants}
    assert as_written((await api.get(response.headers["location"])).json()) == product
    [event] = await events(shared, product["id"])
    assert isinstance(event, ProductCreated)
    assert [variant.sku for variant in event.variants] == [mug, cup]


async def test_attributes_may_be_left_out(api: API) -> None:
    assert (await added(api, new_sku()))["attributes"] == {}


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
async def test_an_attribute_is_returned_as_it_was_sent(api: API, value: Any) -> None:
    product = await added(api, new_sku(), attributes={"odd": value})
    read = (await api.get(f"/v1/products/{product['id']}")).json()["attributes"]["odd"]
    assert repr(read) == repr(product["attributes"]["odd"]) == repr(value)


@pytest.mark.parametrize(
    "value",
    [None, {}, {"a": 1}, [1], [None], [["a"]], ["a"] * 101, "x" * 2001, 2**53, -(2**53), 10**30, "a\nb"],
    ids=lambda value: repr(value)[:30],
)
async def test_any_other_attribute_is_malformed(api: API, value: Any) -> None:
    response = await api.post("/v1/products", json=product_body(new_sku(), attributes={"odd": value}), headers=STAFF)
    assert all(place.startswith("body/attributes/odd") for place in malformed_fields(response))


@pytest.mark.parametrize("name", ["", "1a", "_id", "$a", "a.b", "a b", "é", "a" * 65, "a\x00"])
async def test_an_attributes_name_is_plain(api: API, name: str) -> None:
    response = await api.post("/v1/products", json=product_body(new_sku(), attributes={name: 1}), headers=STAFF)
    assert malformed_fields(response)


async def test_a_hundred_attributes_and_variants_are_accepted_and_no_more(api: API) -> None:
    attributes = {f"a{n}": n for n in range(100)}
    skus = [new_sku() for _ in range(100)]
    assert len((await added(api, *skus, attributes=attributes))["variants"]) == 100
    more = await api.post("/v1/products", json=product_body(*skus, new_sku()), headers=STAFF)
    assert malformed_fields(more) == {"body/variants"}
    more = await api.post(
        "/v1/products", json=product_body(new_sku(), attributes=attributes | {"b": 1}), headers=STAFF
    )
    assert malformed_fields(more) == {"body/attributes"}


async def test_a_sku_is_taken_once(api: API) -> None:
    taken, free = new_sku(), new_sku()
    await added(api, taken)
    response = await api.post("/v1/products", json=product_body(free, taken), headers=STAFF)
    assert assert_problem(response, 409, "sku_taken")["skus"] == [taken]
    assert_problem(await api.get(f"/v1/stock/{free}"), 404, "sku_not_found")


async def test_a_sku_is_taken_once_by_concurrent_requests(api: API) -> None:
    sku = new_sku()
    responses = await asyncio.gather(
        *(api.post("/v1/products", json=product_body(sku), headers=STAFF) for _ in range(12))
    )
    assert sorted(response.status_code for response in responses) == [201] + [409] * 11
    assert len((await api.get("/v1/products", params={"sku": sku})).json()["items"]) == 1


async def test_one_product_has_each_sku_once(api: API) -> None:
    sku = new_sku()
    assert malformed_fields(await api.post("/v1/products", json=product_body(sku, sku), headers=STAFF)) == {"body"}


async def test_an_unknown_product_or_sku_is_not_found(api: API) -> None:
    assert_problem(await api.get(f"/v1/products/{uuid7()}"), 404, "product_not_found")
    assert_problem(await api.get("/v1/stock/NONE"), 404, "sku_not_found")
    assert_problem(await adjust(api, "NONE", 1), 404, "sku_not_found")


@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_only_staff_can_change_the_catalogue_and_the_stock(api: API, role: Any) -> None:
    sku, who = new_sku(), bearer(role=role)
    assert_problem(await api.post("/v1/products", json=product_body(sku), headers=who), 403, "forbidden")
    adjustment = {"delta": 1, "reason": "count"}
    assert_problem(await api.post(f"/v1/stock/{sku}/adjustments", json=adjustment, headers=who), 403, "forbidden")
