"""The REST API of the catalogue: the responses to valid requests."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer
from schemas import Money, ProductChanged, ProductCreated, ProductDrafted
from schemas.values import Offer, Variant
from tests.outbox import envelopes, events
from tests.product_svc.factories import PRICE, new_sku
from tests.product_svc.rest_factories import added, adjust, amended, as_written, category, matching, variant_put
from tests.responses import assert_problem, malformed_fields, version_tag

API = httpx.AsyncClient
STAFF = bearer(role="staff")
SIZES: dict[str, Any] = {
    "type": "object",
    "properties": {"size": {"type": "string", "enum": ["S", "M"]}, "ml": {"type": "integer", "minimum": 1}},
    "required": ["size"],
}
DEAR = {"price": {"amount": 2000, "currency": "EUR"}, "attributes": {"size": "S"}, "images": [], "status": "active"}

ANY_ID = "019b7c61-0000-7000-8000-000000000001"


async def read(api: API, path: str, **headers: str) -> dict[str, Any]:
    response = await api.get(path, headers=headers)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert "version" not in body or version_tag(response) == f'"{body["version"]}"'
    return body


async def test_a_product_with_every_field_reads_as_it_was_sent(api: API) -> None:
    shelf = await category(api)
    sku = new_sku()
    body = {
        "name": "Mug",
        "description": "Holds tea.",
        "category_id": shelf["id"],
        "attributes": {"material": "stoneware"},
        "images": ["https://img.example/mug.jpg"],
        "status": "active",
        "variants": [{"sku": sku, **DEAR}],
    }
    response = await api.post("/v1/products", json=body, headers=STAFF)
    product = response.json()
    assert (response.status_code, response.headers["etag"]) == (201, '"1"')
    assert product == {"id": product["id"], **body, "version": 1}
    assert as_written(await read(api, f"/v1/products/{product['id']}")) == product


async def test_a_draft_is_seen_by_staff_only_until_it_is_active(api: API, shared: Mongo) -> None:
    sku = new_sku()
    draft = await added(api, sku, status="draft")
    path = f"/v1/products/{draft['id']}"
    for headers in ({}, bearer()):
        assert_problem(await api.get(path, headers=headers), 404, "product_not_found")
        assert (await api.get("/v1/products", params={"sku": sku}, headers=headers)).json()["items"] == []
    seen = await read(api, path, **STAFF)
    assert as_written(seen) == draft
    assert (await api.get("/v1/products", params={"sku": sku}, headers=STAFF)).json()["items"] == [seen]
    await amended(api, path, 1, status="active")
    assert (await read(api, path))["status"] == "active"
    offers = (Offer(sku=sku, price=PRICE, for_sale=True),)
    assert await events(shared, draft["id"]) == [
        ProductDrafted(product_id=UUID(draft["id"]), name="Mug"),
        ProductChanged(product_id=UUID(draft["id"]), name="Mug", status="active", offers=offers),
    ]


async def test_a_change_replaces_the_fields_that_are_sent_and_no_others(api: API, shared: Mongo) -> None:
    sku = new_sku()
    product = await added(api, sku, attributes={"a": 1})
    path = f"/v1/products/{product['id']}"
    changed = (await amended(api, path, 1, name="Jug", images=["http://x.example/"])).json()
    assert changed == product | {"name": "Jug", "images": ["http://x.example/"], "version": 2}
    assert as_written(await read(api, path)) == changed
    assert (await amended(api, path, 2, attributes={"b": True})).json()["attributes"] == {"b": True}
    history = await envelopes(shared, product["id"])
    assert [type(envelope.event) for envelope in history] == [ProductCreated, ProductChanged, ProductChanged]
    assert [envelope.aggregate_version for envelope in history] == [1, 2, 3]


async def test_a_change_without_a_difference_changes_nothing(api: API, shared: Mongo) -> None:
    product = await added(api, new_sku())
    response = await amended(api, f"/v1/products/{product['id']}", 1, name="Mug", status="active")
    assert (response.json(), response.headers["etag"]) == (product, '"1"')
    assert len(await events(shared, product["id"])) == 1


async def test_a_change_of_another_version_than_was_read_is_refused(api: API) -> None:
    product = await added(api, new_sku())
    path = f"/v1/products/{product['id']}"
    await amended(api, path, 1, name="Jug")
    for tag in ('"1"', 'W/"2"', "2", '""', '"3", "4"', "nonsense"):
        response = await api.patch(path, json={"name": "Cup"}, headers={**STAFF, "If-Match": tag})
        assert_problem(response, 412, "precondition_failed")
    assert_problem(await api.patch(path, json={"name": "Cup"}, headers=STAFF), 428, "precondition_required")
    assert (await read(api, path))["name"] == "Jug"
    for number, tag in enumerate(('"9", "2"', "*")):
        response = await api.patch(path, json={"name": f"Cup {number}"}, headers={**STAFF, "If-Match": tag})
        assert response.status_code == 200


async def test_of_concurrent_changes_one_succeeds(api: API) -> None:
    product = await added(api, new_sku())
    path, tag = f"/v1/products/{product['id']}", {**STAFF, "If-Match": '"1"'}
    responses = await asyncio.gather(*(api.patch(path, json={"name": f"N{n}"}, headers=tag) for n in range(8)))
    assert sorted(response.status_code for response in responses) == [200] + [412] * 7


async def test_a_status_transition_that_is_not_allowed_is_refused(api: API) -> None:
    product = await added(api, new_sku())
    response = await api.patch(f"/v1/products/{product['id']}", json={"status": "draft"}, headers=matching(1))
    problem = assert_problem(response, 409, "transition_not_allowed")
    assert (problem["current"], problem["allowed"]) == ("active", ["discontinued"])


async def test_a_variant_is_added_then_replaced_then_discontinued(api: API, shared: Mongo) -> None:
    mug, cup = new_sku(), new_sku()
    product = await added(api, mug)
    made = await variant_put(api, product, cup, 1, DEAR)
    assert (made.status_code, made.headers["etag"]) == (201, '"2"')
    assert made.json()["variants"] == [*product["variants"], {"sku": cup, **DEAR}]
    assert (await read(api, f"/v1/stock/{cup}"))["on_hand"] == 0
    cheap = DEAR | {"price": {"amount": 5, "currency": "EUR"}}
    again = await variant_put(api, product, cup, 2, cheap)
    assert (again.status_code, again.json()["variants"][1]) == (200, {"sku": cup, **cheap})
    gone = await variant_put(api, product, cup, 3, cheap | {"status": "discontinued"})
    assert gone.json()["variants"][1]["status"] == "discontinued"
    offers = (
        Offer(sku=mug, price=PRICE, for_sale=True),
        Offer(sku=cup, price=Money(amount=5, currency="EUR"), for_sale=False),
    )
    created, *_, last = await events(shared, product["id"])
    product_id, variants = UUID(product["id"]), (Variant(sku=mug, price=PRICE),)
    assert created == ProductCreated(product_id=product_id, name="Mug", variants=variants)
    assert last == ProductChanged(product_id=product_id, name="Mug", status="active", offers=offers)


async def test_a_sku_of_another_product_cannot_be_added(api: API) -> None:
    theirs, ours = new_sku(), new_sku()
    await added(api, theirs)
    product = await added(api, ours)
    assert assert_problem(await variant_put(api, product, theirs, 1, DEAR), 409, "sku_taken")["skus"] == [theirs]
    assert (await read(api, f"/v1/products/{product['id']}"))["version"] == 1


async def test_more_variants_than_a_product_may_have_are_refused(api: API) -> None:
    product = await added(api, *(new_sku() for _ in range(100)))
    assert_problem(await variant_put(api, product, new_sku(), 1, DEAR), 409, "too_many_variants")


async def test_a_product_that_would_grow_too_large_is_refused(api: API) -> None:
    large = DEAR | {"attributes": {f"a{n}": ["🔐" * 600] * 1 for n in range(90)}}
    product = await added(api, new_sku(), attributes=large["attributes"])
    version = 1
    while (response := await variant_put(api, product, new_sku(), version, large)).status_code == 201:
        version += 1
    assert_problem(response, 409, "product_too_large")
    assert version > 10
    assert (await read(api, f"/v1/products/{product['id']}"))["version"] == version


async def test_a_discontinued_product_is_still_found_by_its_sku(api: API) -> None:
    sku = new_sku()
    product = await added(api, sku)
    await amended(api, f"/v1/products/{product['id']}", 1, status="discontinued")
    [found] = (await api.get("/v1/products", params={"sku": sku})).json()["items"]
    assert found["status"] == "discontinued"


async def test_attributes_have_to_match_the_schema_of_the_category(api: API) -> None:
    shelf = await category(api, attributes_schema=SIZES)
    assert (await read(api, f"/v1/categories/{shelf['id']}"))["attributes_schema"] == SIZES
    sku = new_sku()
    body = {"name": "Mug", "category_id": shelf["id"], "variants": [{"sku": sku, "price": PRICE.model_dump()}]}
    wrong = await api.post("/v1/products", json=body | {"attributes": {"ml": 0}}, headers=STAFF)
    faults = assert_problem(wrong, 409, "invalid_attributes")["faults"]
    assert faults == [f"{sku}: size: is required", f"{sku}: ml: must have minimum 1"]
    made = await api.post("/v1/products", json=body | {"attributes": {"ml": 1, "size": "S"}}, headers=STAFF)
    product = made.json()
    path = f"/v1/products/{product['id']}"
    response = await api.patch(path, json={"attributes": {"size": "XXL"}}, headers=matching(1))
    assert_problem(response, 409, "invalid_attributes")
    odd = DEAR | {"attributes": {"size": 3}}
    assert_problem(await variant_put(api, product, new_sku(), 1, odd), 409, "invalid_attributes")
    assert (await read(api, path))["version"] == 1
    # The variant's own attributes stand over the product's.
    assert (await variant_put(api, product, new_sku(), 1, DEAR)).status_code == 201
    await amended(api, path, 2, category_id=None, attributes={"size": "XXL"})


async def test_a_product_that_no_longer_matches_the_schema_can_still_be_discontinued(api: API) -> None:
    shelf = await category(api)
    product = await added(api, new_sku(), category_id=shelf["id"])
    await amended(api, f"/v1/categories/{shelf['id']}", 1, attributes_schema=SIZES)
    path = f"/v1/products/{product['id']}"
    await amended(api, path, 1, status="discontinued")
    assert_problem(
        await api.patch(path, json={"attributes": {"ml": 1}}, headers=matching(2)), 409, "invalid_attributes"
    )


async def test_a_category_that_does_not_exist_cannot_be_referred_to(api: API) -> None:
    nowhere = str(uuid7())
    body = {"name": "Mug", "category_id": nowhere, "variants": [{"sku": new_sku(), "price": PRICE.model_dump()}]}
    assert_problem(await api.post("/v1/products", json=body, headers=STAFF), 409, "no_such_category")
    product = await added(api, new_sku())
    path = f"/v1/products/{product['id']}"
    assert_problem(await api.patch(path, json={"category_id": nowhere}, headers=matching(1)), 409, "no_such_category")
    sub = {"name": "Sub", "parent_id": nowhere}
    assert_problem(await api.post("/v1/categories", json=sub, headers=STAFF), 409, "no_such_category")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", f"/v1/products/{ANY_ID}"),
        ("PUT", f"/v1/products/{ANY_ID}/variants/MUG"),
        ("POST", "/v1/categories"),
        ("PATCH", f"/v1/categories/{ANY_ID}"),
        ("DELETE", f"/v1/categories/{ANY_ID}"),
    ],
)
@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_only_staff_can_change_the_catalogue(api: API, method: str, path: str, role: Any) -> None:
    body = {"PUT": DEAR}.get(method, {"name": "x"})
    given = {} if method == "DELETE" else {"json": body}
    assert_problem(await api.request(method, path, headers=bearer(role=role), **given), 403, "forbidden")  # type: ignore[arg-type]
    assert_problem(await api.request(method, path, **given), 401, "unauthenticated")  # type: ignore[arg-type]


async def test_an_unknown_product_or_category_cannot_be_changed(api: API) -> None:
    for path in (f"/v1/products/{uuid7()}", f"/v1/categories/{uuid7()}"):
        response = await api.patch(path, json={"name": "x"}, headers=matching(1))
        assert response.status_code == 404
    assert_problem(await variant_put(api, {"id": str(uuid7())}, "MUG", 1, DEAR), 404, "product_not_found")


async def test_an_invalid_token_is_refused_even_where_none_is_needed(api: API) -> None:
    response = await api.get("/v1/products", headers={"Authorization": "Bearer x.y.z"})
    assert_problem(response, 401, "unauthenticated")


async def test_a_change_without_fields_is_malformed(api: API) -> None:
    for path in (f"/v1/products/{uuid7()}", f"/v1/categories/{uuid7()}"):
        assert malformed_fields(await api.patch(path, json={}, headers=matching(1))) == {"body"}


async def test_a_description_keeps_its_lines(api: API) -> None:
    variants = [{"sku": new_sku(), "price": {"amount": 5, "currency": "EUR"}}]
    wanted = {"name": " Mug ", "description": "Holds tea.\r\n\r\nNot coffee.", "variants": variants}
    made = (await api.post("/v1/products", json=wanted, headers=STAFF)).json()
    assert (made["name"], made["description"]) == ("Mug", "Holds tea.\n\nNot coffee.")
    response = await api.patch(
        f"/v1/products/{made['id']}", json={"name": " \u200b"}, headers={**STAFF, "If-Match": "*"}
    )
    [error] = assert_problem(response, 422, "malformed_request")["errors"]
    assert (error["where"], error["type"]) == ("body/name", "blank")


async def test_a_client_that_revalidates_sees_a_change_of_the_stock_and_can_still_change_the_product(
    api: API,
) -> None:
    sku = new_sku()
    product = await added(api, sku)
    path, search = f"/v1/products/{product['id']}", f"/v1/products?sku={sku}"
    tags = {one: (await api.get(one)).headers["etag"] for one in (path, search)}
    assert tags[path].startswith('"1.')
    for one, tag in tags.items():
        assert (await api.get(one, headers={"If-None-Match": tag})).status_code == 304
    assert (await adjust(api, sku, 5)).status_code == 201
    for one, tag in tags.items():
        assert (await api.get(one, headers={"If-None-Match": tag})).status_code == 200
    # The version is the same: nobody else has changed the product.
    changed = await api.patch(path, json={"name": "Cup"}, headers={**STAFF, "If-Match": tags[path]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
