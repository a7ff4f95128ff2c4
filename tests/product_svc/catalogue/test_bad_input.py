"""The REST API of the catalogue with malformed and malicious requests."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from tests import bad_inputs
from tests.product_svc.rest_factories import API, STAFF, added, category, matching
from tests.responses import accepted_bodies, accepted_tokens, accepted_values, assert_problem, malformed_fields

SKU = "SKU-of-this-module"
ANYTHING = {**STAFF, "If-Match": "*"}
PRICE = {"amount": 5, "currency": "EUR"}
RULE: dict[str, Any] = {
    **{"type": "string", "enum": ["S", "M"], "minLength": 1, "pattern": "^[SM]$", "minimum": 1, "uniqueItems": True},
    "items": {"type": "string", "maxLength": 3},
}
SCHEMA = {"type": "object", "properties": {"size": RULE}, "required": ["size"], "additionalProperties": False}
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "products/{product}": ("PATCH", {"name": "Jug", "images": ["https://x.example/a"], "status": "active"}),
    "products/{product}/variants/SKU-of-this-module": ("PUT", {"price": PRICE, "images": ["https://x.example/a"]}),
    "categories": ("POST", {"name": "Mugs", "attributes_schema": SCHEMA}),
    "categories/{category}": ("PATCH", {"name": "Cups", "attributes_schema": SCHEMA}),
}
CHANGES = pytest.mark.parametrize("route", list(BODIES))
FREE = ("size", "enum", "required")


@pytest.fixture(scope="module")
async def ids(api: API) -> dict[str, str]:
    shelf = await category(api)
    return {"product": (await added(api, SKU))["id"], "category": shelf["id"]}


@pytest.fixture(autouse=True)
async def nothing_is_stored(shared: Mongo, ids: dict[str, str]) -> AsyncIterator[None]:
    async def stored() -> list[Any]:
        names = ("products", "categories", "stock", "outbox")
        return [await shared.db[name].find().sort("_id").to_list() for name in names]

    before = await stored()
    yield
    assert await stored() == before


@CHANGES
async def test_a_body_that_is_not_a_json_object_is_malformed(api: API, ids: dict[str, str], route: str) -> None:
    method, path = BODIES[route][0], f"/v1/{route.format(**ids)}"
    assert await accepted_bodies(api, path, bad_inputs.NOT_AN_OBJECT.items(), ANYTHING, method) == []


@CHANGES
async def test_a_body_with_one_invalid_value_is_malformed(api: API, ids: dict[str, str], route: str) -> None:
    (method, good), path = BODIES[route], f"/v1/{route.format(**ids)}"
    bodies = [
        (name, content) for name, content, place in bad_inputs.invalid_bodies(good) if not _is_good(place, content)
    ]
    assert len(bodies) > 30
    assert await accepted_bodies(api, path, bodies, ANYTHING, method) == []


def _is_good(place: tuple[str | int, ...], content: bytes) -> bool:
    """Other values that the place may have."""
    if place[-1] in {"additionalProperties", "uniqueItems"}:
        return b'": true' in content or b'": false' in content
    if "properties" in place and place[-1] == "unknown":
        return False
    return place[-1] == "minimum" or (len(place) > 1 and place[-2] == "enum") or place[-1] in {"pattern"}


@pytest.mark.parametrize(
    "spoiled",
    [
        {"type": "array"},
        {"type": "object", "$ref": "#"},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"type": "null"}}},
        {"type": "object", "properties": {"a": {"type": ["string"]}}},
        {"type": "object", "properties": {"a": {"type": "string", "format": "uuid"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)"}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "number"}}}},
        {"type": "object", "properties": {"$a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "number", "minimum": 2**53}}},
        {"type": "object", "properties": {"a": {"type": "number", "minimum": "1"}}},
        {"type": "object", "required": [""]},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ],
    ids=str,
)
async def test_a_schema_with_an_unsupported_part_is_malformed(api: API, spoiled: Any) -> None:
    response = await api.post("/v1/categories", json={"name": "x", "attributes_schema": spoiled}, headers=STAFF)
    assert all(place.startswith("body/attributes_schema") for place in malformed_fields(response))


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x.example/", "javascript:alert(1)", "https://", "https://x example/", "//x", "https://é/"]
)
async def test_an_invalid_image_url_is_malformed(api: API, ids: dict[str, str], url: str) -> None:
    response = await api.patch(f"/v1/products/{ids['product']}", json={"images": [url]}, headers=ANYTHING)
    assert malformed_fields(response) == {"body/images/0"}


@CHANGES
async def test_an_invalid_token_is_refused(api: API, ids: dict[str, str], route: str) -> None:
    (method, good), path = BODIES[route], f"/v1/{route.format(**ids)}"
    assert await accepted_tokens(api, method, path, bad_inputs.bad_tokens("staff"), good) == []


@pytest.mark.parametrize("path", ["products/{}", "categories/{}"])
async def test_an_id_that_is_not_a_uuid_is_malformed(api: API, path: str) -> None:
    assert await accepted_values(api, "GET", f"/v1/{path}", bad_inputs.NOT_A_UUID) == []


async def test_a_category_id_that_is_not_a_uuid_is_malformed(api: API, ids: dict[str, str]) -> None:
    odds: list[Any] = [1, 1.5, True, [], {}, "", "x", "\x00", "null", "0" * 40]
    for odd in odds:
        response = await api.patch(f"/v1/products/{ids['product']}", json={"category_id": odd}, headers=ANYTHING)
        assert malformed_fields(response) == {"body/category_id"}
        response = await api.post("/v1/categories", json={"name": "x", "parent_id": odd}, headers=STAFF)
        assert malformed_fields(response) == {"body/parent_id"}


@pytest.mark.parametrize("name", ["", "1st", "a b", "x" * 65, "é"])
async def test_an_invalid_attribute_name_is_malformed_and_the_openapi_says_so(
    api: API, ids: dict[str, str], name: str
) -> None:
    body, schemas = {"attributes": {name: "steel"}}, (await api.get("/openapi.json")).json()["components"]["schemas"]
    response = await api.patch(f"/v1/products/{ids['product']}", json=body, headers=ANYTHING)
    assert malformed_fields(response) == {f"body/attributes/{name}/[key]"}
    for said in (
        schemas["ProductPatch"]["properties"]["attributes"],
        schemas["AttributesSchema"]["properties"]["properties"],
    ):
        assert not any(re.search(pattern, name) for pattern in said["patternProperties"])
        assert said["additionalProperties"] is False


@pytest.mark.parametrize("tag", ['"', '"x', "\xff", "W/", ",", '"x", ' * 2000, "**"])
async def test_an_invalid_condition_never_holds(api: API, ids: dict[str, str], tag: str) -> None:
    headers = [(name, value.encode()) for name, value in STAFF.items()] + [("If-Match", tag.encode("latin-1"))]
    response = await api.patch(f"/v1/products/{ids['product']}", json={"name": "Jug"}, headers=headers)  # type: ignore[arg-type]
    assert_problem(response, 412, "precondition_failed")


async def test_an_invalid_sku_is_malformed(api: API, ids: dict[str, str]) -> None:
    for sku in ("%00", "-a", "a" * 65, "a%20b", "%C3%A4"):
        path = f"/v1/products/{ids['product']}/variants/{sku}"
        response = await api.put(path, json={"price": PRICE}, headers=matching(1))
        assert malformed_fields(response) == {"path/sku"}


async def test_the_product_is_looked_up_before_the_category(api: API, ids: dict[str, str]) -> None:
    response = await api.patch(f"/v1/products/{uuid7()}", json={"category_id": ids["product"]}, headers=ANYTHING)
    assert_problem(response, 404, "product_not_found")


@pytest.mark.parametrize("code", ["ZZZ", "XAU", "HRK"])
async def test_a_currency_that_is_not_in_use_is_refused(api: API, ids: dict[str, str], code: str) -> None:
    price = {"amount": 5, "currency": code}
    product = {"name": "Jug", "variants": [{"sku": "SKU-unpriced", "price": price}]}
    variant = f"/v1/products/{ids['product']}/variants/{SKU}"
    for response in (
        await api.post("/v1/products", json=product, headers=STAFF),
        await api.put(variant, json={"price": price}, headers=ANYTHING),
        await api.get(f"/v1/products?currency={code}"),
    ):
        [error] = assert_problem(response, 422, "malformed_request")["errors"]
        assert (error["where"].rpartition("/")[2], error["type"]) == ("currency", "unknown_currency")
