"""The REST API of order_svc with malformed and malicious requests."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.orders.store import orders
from tests import bad_inputs
from tests.order_svc.rest import ADDRESS, API
from tests.responses import accepted_bodies, accepted_tokens, accepted_values, assert_problem, malformed_fields

GOOD: dict[str, Any] = {"lines": [{"sku": "MUG", "quantity": 2}], "shipping_address": ADDRESS}
ORDERS = "/v1/orders"
ONE = f"{ORDERS}/019b7c61-0000-7000-8000-000000000001"
SAGA = "/v1/sagas/019b7c61-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
async def nothing_is_stored(shared: Postgres) -> AsyncIterator[None]:
    async def stored() -> int:
        async with shared.reading() as connection:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(orders)) or 0)

    before = await stored()
    yield
    assert await stored() == before


@pytest.fixture
async def customer(api: API) -> dict[str, str]:
    return bearer()


async def send(api: API, changed: dict[str, Any]) -> httpx.Response:
    return await api.post(ORDERS, json=GOOD | changed, headers=bearer())


async def test_a_body_that_is_not_a_json_object_is_malformed(api: API, customer: dict[str, str]) -> None:
    assert await accepted_bodies(api, ORDERS, bad_inputs.NOT_AN_OBJECT.items(), customer) == []


async def test_a_body_with_a_bad_value_at_any_place_is_malformed(api: API, customer: dict[str, str]) -> None:
    bodies = [(name, content) for name, content, _ in bad_inputs.invalid_bodies(GOOD)]
    assert len(bodies) > 150
    assert await accepted_bodies(api, ORDERS, bodies, customer) == []


async def test_a_body_that_lacks_a_field_is_malformed_there(api: API, customer: dict[str, str]) -> None:
    for name, content, place in bad_inputs.without_each(GOOD):
        response = await api.post(ORDERS, content=content, headers={**bad_inputs.JSON, **customer})
        assert malformed_fields(response) == {"/".join(map(str, ("body", *place)))}, name


@pytest.mark.parametrize("quantity", [0, -1, 10_001, 2**31, 2**63, 10**4299])
async def test_a_quantity_out_of_bounds_is_malformed(api: API, quantity: int) -> None:
    response = await send(api, {"lines": [{"sku": "MUG", "quantity": quantity}]})
    assert malformed_fields(response) == {"body/lines/0/quantity"}


async def test_an_order_has_from_one_to_a_hundred_lines(api: API) -> None:
    assert malformed_fields(await send(api, {"lines": []})) == {"body/lines"}
    many = [{"sku": f"SKU-{n}", "quantity": 1} for n in range(101)]
    assert malformed_fields(await send(api, {"lines": many})) == {"body/lines"}


async def test_a_price_from_the_client_is_refused(api: API) -> None:
    line = {"sku": "MUG", "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}}
    assert malformed_fields(await send(api, {"lines": [line]})) == {"body/lines/0/unit_price"}


@pytest.mark.parametrize("country", ["gb", "GBR", "G", "G1", "ÅÄ"])
async def test_a_country_is_two_capitals(api: API, country: str) -> None:
    response = await send(api, {"shipping_address": {**ADDRESS, "country": country}})
    assert malformed_fields(response) == {"body/shipping_address/country"}


async def test_a_malformed_body_is_not_echoed(api: API, customer: dict[str, str]) -> None:
    secret = "s3cret-value-nobody-should-see"
    response = await api.post(
        ORDERS, json={**GOOD, "lines": [{"sku": f" {secret}", "quantity": secret}]}, headers=customer
    )
    assert secret not in response.text


@pytest.mark.parametrize("sent", [bytes, bad_inputs.chunked], ids=["with length", "without length"])
async def test_a_body_too_large_is_refused(api: API, customer: dict[str, str], sent: Any) -> None:
    headers = {**bad_inputs.JSON, **customer, "X-Request-Id": "mine"}
    response = await api.post(ORDERS, content=sent(bad_inputs.oversized()), headers=headers)
    assert assert_problem(response, 413, "body_too_large")["limit"] == 262_144
    assert response.headers["x-request-id"] == response.json()["request_id"] == "mine"


async def test_a_length_without_end_is_too_large(api: API, customer: dict[str, str]) -> None:
    headers = {**bad_inputs.JSON, **customer, "Content-Length": "9" * 5_000}
    assert_problem(await api.post(ORDERS, content=b"{}", headers=headers), 413, "body_too_large")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "\x00"]
)
async def test_a_body_of_another_type_is_refused(api: API, customer: dict[str, str], kind: str) -> None:
    headers = {**customer, "Content-Type": kind}
    response = await api.post(ORDERS, content=json.dumps(GOOD), headers=headers)
    assert assert_problem(response, 415, "unsupported_media_type")["accepted"] == "application/json"
    assert response.headers["accept"] == "application/json"
    assert "accept-encoding" not in response.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", ORDERS), ("GET", ORDERS), ("GET", ONE), ("GET", f"{ONE}/timeline"), ("POST", f"{ONE}/cancel")),
        *(("PATCH", ONE), ("POST", f"{ONE}/shipments"), ("POST", f"{ONE}/deliver"), ("POST", f"{ONE}/returns")),
        *(("GET", "/v1/sagas"), ("POST", f"{SAGA}/resolve")),
        ("GET", f"{ONE}/timeline/stream"),
    ],
)
async def test_an_invalid_token_is_refused_everywhere(api: API, method: str, path: str) -> None:
    json_body = GOOD if path == ORDERS and method == "POST" else None
    assert await accepted_tokens(api, method, path, bad_inputs.bad_tokens(), json_body) == []
    assert_problem(await api.request(method, path, json=json_body), 401, "unauthenticated")


@pytest.mark.parametrize(
    "header", [b"", b"Bearer", b"Bearer ", b"Basic YTpi", b"Token x", b"\xff", b"Bearer \xff\xfe", b"Bearer a b"]
)
async def test_any_other_authorization_is_refused(api: API, header: bytes) -> None:
    assert_problem(await api.get(ORDERS, headers=[(b"authorization", header)]), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{ORDERS}/{{}}"),
        ("PATCH", f"{ORDERS}/{{}}"),
        ("GET", f"{ORDERS}/{{}}/timeline"),
        ("GET", f"{ORDERS}/{{}}/timeline/stream"),
        ("POST", f"{ORDERS}/{{}}/cancel"),
    ],
)
async def test_an_id_that_is_not_a_uuid_is_malformed(
    api: API, customer: dict[str, str], method: str, path: str
) -> None:
    api.headers.update(customer)
    assert await accepted_values(api, method, path, bad_inputs.NOT_A_UUID) == []
    del api.headers["authorization"]


LIMITS = ("0", "-1", "201", "1.5", "1e1", "", "%00", "x", "9" * 5000, "5&limit=0")
CURSORS = ("", "x", "%ff", "%00", "null", "0")


@pytest.mark.parametrize("query", [f"limit={limit}" for limit in LIMITS] + [f"cursor={cursor}" for cursor in CURSORS])
async def test_a_malformed_cursor_or_limit_is_refused(api: API, customer: dict[str, str], query: str) -> None:
    malformed_fields(await api.get(f"{ORDERS}?{query}", headers=customer))


async def test_a_cursor_need_not_be_the_id_of_an_order(api: API, customer: dict[str, str]) -> None:
    for cursor in ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", str(uuid7())):
        assert (await api.get(f"{ORDERS}?cursor={cursor}", headers=customer)).json() == {"items": [], "next": None}


LINES = {"lines": [{"sku": "MUG", "quantity": 2}]}
BODIES: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "amend": ("PATCH", ONE, "customer", {**LINES, "shipping_address": ADDRESS, "billing_address": ADDRESS}),
    "ship": ("POST", f"{ONE}/shipments", "staff", {**LINES, "carrier": "DHL", "tracking_number": "1"}),
    "return": ("POST", f"{ONE}/returns", "staff", {**LINES, "reason": "Broken."}),
    "cancel": ("POST", f"{ONE}/cancel", "customer", {"note": "Twice by mistake."}),
    "resolve": (
        "POST",
        "/v1/sagas/019b7c61-0000-7000-8000-000000000001/resolve",
        "ops",
        {"action": "retry", "why": "A bug."},
    ),
}
MAY_BE_NULL = {"billing_address", "lines", "reason", "note"}


@pytest.mark.parametrize("which", BODIES)
async def test_an_update_with_a_bad_value_at_any_place_is_malformed(api: API, which: str) -> None:
    method, path, role, body = BODIES[which]
    headers = {**bad_inputs.JSON, **bearer(role=role), "If-Match": "*", "Idempotency-Key": "1"}
    taken = []
    for name, content, place in bad_inputs.invalid_bodies(body):
        response = await api.request(method, path, content=content, headers=headers)
        null = len(place) == 1 and place[0] in MAY_BE_NULL - ({"lines"} if which != "ship" else set())
        if response.status_code != 422 and not (null and b"null" in content):
            taken.append((name, response.status_code))
    assert taken == []
    assert_problem(await api.request(method, path, json=body, headers=headers), 404, "order_not_found")


async def test_an_empty_amendment_is_malformed(api: API, customer: dict[str, str]) -> None:
    nothing: list[dict[str, Any]] = [{}, {"lines": []}, {"lines": None}, {"shipping_address": None}]
    for body in nothing:
        malformed_fields(await api.patch(ONE, json=body, headers={**customer, "If-Match": "*"}))


@pytest.mark.parametrize("state", ["", "done", "STUCK", "%00"])
async def test_an_unknown_state_of_sagas_is_malformed(api: API, state: str) -> None:
    malformed_fields(await api.get(f"/v1/sagas?state={state}", headers=bearer(role="ops")))


async def test_another_method_is_not_allowed(api: API, customer: dict[str, str]) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert_problem(await api.request(method, ORDERS, headers=customer), 405, "method_not_allowed")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nothing", 404), ("PUT", ORDERS, 405)])
async def test_an_unknown_route_is_refused_with_the_request_id(api: API, method: str, path: str, status: int) -> None:
    response = await api.request(method, path, headers={"X-Request-Id": "mine"})
    code = {404: "not_found", 405: "method_not_allowed"}[status]
    assert assert_problem(response, status, code)["request_id"] == "mine"
