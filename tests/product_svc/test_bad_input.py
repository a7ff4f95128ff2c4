"""Invalid and malicious requests to create products and adjust stock."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer
from tests import bad_inputs
from tests.product_svc.rest_factories import API, STAFF, added, product_body
from tests.responses import accepted_bodies, accepted_tokens, accepted_values, assert_problem, malformed_fields

PRODUCTS, SKU = "/v1/products", "SKU-of-this-module"
ADJUSTMENTS = f"/v1/stock/{SKU}/adjustments"
ADJUSTMENT: dict[str, Any] = {"delta": 5, "reason": "count"}
PRODUCT = product_body("MUG-BLUE", attributes={"material": "stoneware"})
POSTS = pytest.mark.parametrize(
    ("path", "good"), [(PRODUCTS, PRODUCT), (ADJUSTMENTS, ADJUSTMENT)], ids=["product", "adjustment"]
)


@pytest.fixture(scope="module", autouse=True)
async def product(api: API) -> None:
    await added(api, SKU)


@pytest.fixture(autouse=True)
async def nothing_is_stored(shared: Mongo, product: None) -> AsyncIterator[None]:
    async def stored() -> list[int]:
        return [await shared.db[name].count_documents({}) for name in ("products", "stock", "movements", "outbox")]

    before = await stored()
    yield
    assert await stored() == before


@POSTS
async def test_a_body_that_is_not_a_json_object_is_malformed(api: API, path: str, good: dict[str, Any]) -> None:
    assert await accepted_bodies(api, path, bad_inputs.NOT_AN_OBJECT.items(), STAFF) == []


@POSTS
async def test_a_body_with_one_invalid_value_is_malformed(api: API, path: str, good: dict[str, Any]) -> None:
    fixed = {key: value for key, value in good.items() if key != "attributes"}
    bodies = [(name, content) for name, content, _ in bad_inputs.invalid_bodies(fixed)]
    assert len(bodies) > 30
    assert await accepted_bodies(api, path, bodies, STAFF) == []


@POSTS
async def test_a_body_with_a_missing_field_is_malformed_there(api: API, path: str, good: dict[str, Any]) -> None:
    for name, content, place in bad_inputs.without_each(good, optional=("material",)):
        response = await api.post(path, content=content, headers={**bad_inputs.JSON, **STAFF})
        assert malformed_fields(response) == {"/".join(map(str, ("body", *place)))}, name


@pytest.mark.parametrize("amount", [0, -1, 1_000_000_001, 2**63, 10**4299])
async def test_a_price_out_of_bounds_is_malformed(api: API, amount: int) -> None:
    variants = [{"sku": "A", "price": {"amount": amount, "currency": "EUR"}}]
    response = await api.post(PRODUCTS, json=product_body() | {"variants": variants}, headers=STAFF)
    assert malformed_fields(response) == {"body/variants/0/price/amount"}


@pytest.mark.parametrize("delta", [1_000_001, -1_000_001, 2**63, 10**4299])
async def test_an_adjustment_out_of_bounds_is_malformed(api: API, delta: int) -> None:
    response = await api.post(ADJUSTMENTS, json=ADJUSTMENT | {"delta": delta}, headers=STAFF)
    assert malformed_fields(response) == {"body/delta"}


async def test_a_product_without_variants_is_malformed(api: API) -> None:
    assert malformed_fields(await api.post(PRODUCTS, json=product_body(), headers=STAFF)) == {"body/variants"}


@POSTS
async def test_a_body_too_large_is_refused_even_without_a_content_length(
    api: API, path: str, good: dict[str, Any]
) -> None:
    content = bad_inputs.chunked(bad_inputs.oversized())
    assert_problem(await api.post(path, content=content, headers={**bad_inputs.JSON, **STAFF}), 413, "body_too_large")


@POSTS
@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "multipart/form-data"])
async def test_a_body_of_another_type_is_refused(api: API, path: str, good: dict[str, Any], kind: str) -> None:
    headers = {**STAFF, "Content-Type": kind}
    response = await api.post(path, content=json.dumps(good), headers=headers)
    assert_problem(response, 415, "unsupported_media_type")


@POSTS
async def test_an_invalid_token_is_refused(api: API, path: str, good: dict[str, Any]) -> None:
    assert await accepted_tokens(api, "POST", path, bad_inputs.bad_tokens("staff"), good) == []
    assert_problem(await api.post(path, json=good), 401, "unauthenticated")


async def test_a_customers_token_with_forged_claims_is_refused(api: API) -> None:
    head, _, signature = bearer()["Authorization"].split(".")
    _, claims, _ = STAFF["Authorization"].split(".")
    forged = {"Authorization": f"{head}.{claims}.{signature}"}
    assert_problem(await api.post(PRODUCTS, json=PRODUCT, headers=forged), 401, "unauthenticated")


async def test_an_id_that_is_not_a_uuid_is_malformed(api: API) -> None:
    assert await accepted_values(api, "GET", f"{PRODUCTS}/{{}}", bad_inputs.NOT_A_UUID) == []


async def test_an_invalid_sku_is_malformed(api: API) -> None:
    odd = ["%00", "a%00", "%ED%A0%80", "%ff", "-a", "a" * 65, "a%0a", "a%20b", "%C3%A4", "..%2f..", "a" * 50_000]
    assert await accepted_values(api, "GET", "/v1/stock/{}", odd) == []
    for sku in odd:
        response = await api.post(f"/v1/stock/{sku}/adjustments", json=ADJUSTMENT, headers=STAFF)
        assert response.status_code in (404, 422), sku


@pytest.mark.parametrize(
    "query",
    [f"limit={limit}" for limit in ("0", "-1", "201", "1.5", "", "%00", "x", "9" * 5000)]
    + [f"cursor={cursor}" for cursor in ("", "x", "%ff", "null", "0")]
    + ["sku=", "sku=%00", "sku=a&sku=", "sku=" + "a" * 65, "&".join(f"sku=a{n}" for n in range(101))],
    ids=lambda query: query[:20],
)
async def test_an_invalid_cursor_limit_or_sku_is_malformed(api: API, query: str) -> None:
    malformed_fields(await api.get(f"{PRODUCTS}?{query}"))


async def test_query_operators_of_mongodb_are_no_parameters(api: API) -> None:
    response = await api.get(f"{PRODUCTS}?sku[$ne]=x&after[$gt]=&limit=1")
    assert malformed_fields(response) == {"query/sku[$ne]", "query/after[$gt]"}
