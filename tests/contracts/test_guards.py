"""Every route, requested with every role: data of others do not exist (404), routes for others are refused (403)."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.http.api_page import FILES
from chassis.http.auth import Role
from chassis.testing import bearer
from tests.bad_inputs import bad_tokens
from tests.contracts.apps import described
from tests.contracts.guards import DEACTIVATES, ENDS_SESSIONS, GUARDS, LEFT, PAGES, SHARED, WITH_LINKS, Who
from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import Belongings, Person, Shop, filled
from tests.responses import assert_problem, problem

UNDOCUMENTED = {"/docs", "/openapi.json", *(f"/docs/{name}" for name in FILES)}
CASES = [(service, route) for service, routes in GUARDS.items() for route in routes]
STAFF: Mapping[str, Mapping[str, str]] = {"staff": bearer(role="staff"), "ops": bearer(role="ops")}
NAMES = [f"{service} {route}" for service, route in CASES]
CLOSED = [(service, route) for service, route in CASES if GUARDS[service][route].who != "anybody"]
OWNED = [(service, route, name) for service, route in CASES for name in GUARDS[service][route].owned]

STATUSES: Mapping[Who, Mapping[str, int | None]] = {
    "anybody": {"nobody": None, "stranger": None, "staff": None, "ops": None},
    "oneself": {"nobody": 401, "stranger": None, "staff": None, "ops": None},
    "customers": {"nobody": 401, "stranger": None, "staff": 403, "ops": 403},
    "owner": {"nobody": 401, "stranger": 404, "staff": 403, "ops": 403},
    "owner or staff": {"nobody": 401, "stranger": 404, "ops": 404, "staff": None},
    "staff": {"nobody": 401, "stranger": 403, "ops": 403, "staff": None},
    "ops": {"nobody": 401, "stranger": 403, "staff": 403, "ops": None},
}
"""The status for each client; None if the client may use the route, whatever the response is then."""
FORGED = ("expired", "of another key", "of another issuer", "for another audience", "alg none")
"""The bad tokens that are tried on each route; the tests of the services try all of them."""
MAY_SEE_ALL: Mapping[Who, tuple[str, ...]] = {"ops": ("ops",)}
"""The role that may see the data of all customers, if it is not staff."""
KEPT = "public, max-age=5"
"""The ``Cache-Control`` of the public catalogue."""
NEVER = {"If-Match": '"987654321"'}
"""A version that nothing has: clients that may change a resource get a 412, and change nothing."""


@pytest.fixture(scope="module")
async def stranger(shop: Shop) -> Person:
    """Another customer."""
    return await shop.register()


@pytest.fixture(scope="module")
async def erased(shop: Shop) -> Belongings:
    """The data of a customer who was erased; the services have read that the access token was revoked."""
    data = await shop.create_data()
    await shop.erase(data.owner)
    for service, path in (("order", "/v1/orders"), ("notifier", "/v1/notifications")):
        async with asyncio.timeout(30):
            while (await shop.request(service, "GET", path, data.owner.headers)).status_code != 401:
                await asyncio.sleep(0.05)
    return data


@pytest.fixture(scope="module")
async def deactivated(shop: Shop) -> Belongings:
    """The data of a customer who was deactivated."""
    data = await shop.create_data()
    await shop.deactivate(data.owner)
    return data


@pytest.mark.parametrize("service", GUARDS)
def test_every_route_has_a_guard_in_the_table(apis: RestApis, service: str) -> None:
    app = apis.apps[service]
    described, hidden = app.openapi()["paths"], UNDOCUMENTED | PAGES.get(service, set())
    routes = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert routes ^ GUARDS[service].keys() == set(), "a new route needs an entry in tests/contracts/guards.py"
    assert {route.path for route in app.routes if hasattr(route, "path")} - described.keys() == hidden


@pytest.mark.parametrize("service", GUARDS)
def test_every_parameter_is_in_the_table(service: str) -> None:
    unknown = [
        f"{route}: {parameter['name']}"
        for route, guard in GUARDS[service].items()
        for parameter in _operation(service, route).get("parameters", [])
        if parameter["in"] != "path"
        and (
            parameter["name"] not in guard.parameters
            # Ids name data of customers, whatever the name of the parameter.
            or (guard.who in SHARED and parameter["name"] not in guard.owned and _ids(service, parameter["schema"]))
        )
    ]
    assert unknown == [], "a new parameter needs a place in tests/contracts/guards.py"


@pytest.mark.parametrize("service", GUARDS)
def test_no_customer_names_things_by_id_in_a_body(service: str) -> None:
    bodies = {
        route: _operation(service, route).get("requestBody", {}).get("content", {})
        for route, guard in GUARDS[service].items()
        if guard.who in (*SHARED, "anybody")
    }
    found = {route: [_ids(service, body["schema"]) for body in content.values()] for route, content in bodies.items()}
    assert {route: ids for route, ids in found.items() if any(ids)} == {}, "test it as the parameters are tested"


def test_an_id_in_a_body_would_be_found() -> None:
    body = _operation("product", "PATCH /v1/products/{product_id}")["requestBody"]["content"]["application/json"]
    assert _ids("product", body["schema"]) == {"category_id"}


@pytest.mark.parametrize(("service", "route"), CASES, ids=NAMES)
async def test_a_route_refuses_all_who_may_not_use_it(
    shop: Shop, belongings: Belongings, stranger: Person, service: str, route: str
) -> None:
    guard = GUARDS[service][route]
    if route in ENDS_SESSIONS:
        stranger = await shop.register()
    if route == DEACTIVATES:
        # Somebody else: the owner is needed for other tests.
        belongings = replace(belongings, ids={**belongings.ids, "customer_id": str((await shop.register()).id)})
    clients = {"nobody": {}, "stranger": stranger.headers, **STAFF}
    for role, expected in STATUSES[guard.who].items():
        response = await _request(
            shop, service, route, clients[role], belongings, careful=guard.who == "owner or staff"
        )
        if expected:
            assert response.status_code == expected, role
        else:
            assert not _refused(response), role
        if guard.who == "owner or staff" and role == "staff":
            assert response.status_code in (200, 412), "staff can find it"
        if guard.who != "anybody" and role not in MAY_SEE_ALL.get(guard.who, ("staff",)):
            assert _personal(belongings, response) == [], role
    if guard.who in ("owner", "owner or staff"):
        # Last, because it may change something. Otherwise a route that refuses everyone would pass.
        owners = await _request(shop, service, route, belongings.owner.headers, belongings)
        assert owners.status_code < 300, f"{owners.status_code} for the owner"


@pytest.mark.parametrize(("service", "route", "name"), OWNED, ids=map(" ".join, OWNED))
async def test_a_parameter_with_data_of_another_customer_reveals_nothing(
    shop: Shop, belongings: Belongings, stranger: Person, service: str, route: str, name: str
) -> None:
    value = {name: belongings.ids[GUARDS[service][route].owned[name]]}
    for who in (stranger.headers, STAFF["ops"]):
        response = await _request(shop, service, route, who, belongings, parameters=value)
        assert _personal(belongings, response) == []
    owners = await _request(shop, service, route, belongings.owner.headers, belongings, parameters=value)
    assert owners.is_success
    assert _personal(belongings, owners) != [], "the test would notice"


@pytest.mark.parametrize(("service", "route"), CASES, ids=NAMES)
async def test_only_the_catalogue_may_be_kept_and_only_by_those_without_a_token(
    shop: Shop, belongings: Belongings, stranger: Person, service: str, route: str
) -> None:
    """Requests of all other tests of this file look at these headers, too: see ``_request``."""
    if route == "GET /v1/categories/{category_id}":
        # Another test removes the category.
        made = await shop.create("product", "/v1/categories", STAFF["staff"], {"name": "Cups"})
        belongings = replace(belongings, ids={**belongings.ids, "category_id": made["id"]})
    anonymous = await _request(shop, service, route, {}, belongings)
    kept = anonymous.headers["cache-control"] != "no-store"
    assert kept == GUARDS[service][route].cacheable
    if kept:
        with_token = await _request(shop, service, route, stranger.headers, belongings)
        assert (with_token.status_code, with_token.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("service", GUARDS)
async def test_of_what_is_no_route_of_the_api_the_public_files_may_be_kept_for_minutes(
    shop: Shop, service: str
) -> None:
    for path in UNDOCUMENTED | PAGES.get(service, set()):
        response = await shop.request(service, "GET", path, {})
        assert (response.status_code, response.headers["x-content-type-options"]) == (200, "nosniff"), path
        assert response.headers["cache-control"] == ("no-store" if path in WITH_LINKS else "public, max-age=300"), (
            path
        )
    for method, path, status in (("GET", "/nowhere", 404), ("DELETE", "/docs", 405), ("GET", "/metrics", 404)):
        response = await shop.request(service, method, path, {})
        assert (response.status_code, response.headers["x-content-type-options"]) == (status, "nosniff"), path
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("service", "route"), CLOSED, ids=map(" ".join, CLOSED))
async def test_a_bad_token_is_refused(shop: Shop, belongings: Belongings, service: str, route: str) -> None:
    roles: Mapping[str, Role] = {"staff": "staff", "ops": "ops"}
    tokens = bad_tokens(roles.get(GUARDS[service][route].who, "customer"))
    for token in (*(tokens[name] for name in FORGED), belongings.owner.refresh_token):
        response = await _request(shop, service, route, {"Authorization": f"Bearer {token}"}, belongings)
        assert_problem(response, 401, "unauthenticated")


@pytest.mark.parametrize("service", GUARDS)
def test_every_route_of_customers_has_a_status_for_deactivated_ones(service: str) -> None:
    routes = {route for route, guard in GUARDS[service].items() if guard.who in SHARED}
    assert routes ^ LEFT.get(service, {}).keys() == set()


@pytest.mark.parametrize(("service", "route"), [(one, route) for one, routes in LEFT.items() for route in routes])
async def test_erased_and_deactivated_customers_get_the_statuses_of_the_table(
    shop: Shop, erased: Belongings, deactivated: Belongings, service: str, route: str
) -> None:
    response = await _request(shop, service, route, erased.owner.headers, erased)
    assert_problem(response, 401, "unauthenticated")
    owner = await shop.log_in(deactivated.owner)
    response = await _request(shop, service, route, owner.headers, deactivated)
    assert response.status_code == LEFT[service][route]
    if route == "POST /v1/customers/me/reactivate":
        await shop.deactivate(owner)


async def _request(
    shop: Shop,
    service: str,
    route: str,
    who: Mapping[str, str],
    belongings: Belongings,
    *,
    careful: bool = False,
    parameters: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Make a valid request; if it is refused, check that the problem is complete."""
    (method, path), guard = route.split(" "), GUARDS[service][route]
    conditions = NEVER if careful and method != "GET" else {"If-Match": "*"}
    operation = _operation(service, route)
    conditional = any(one["name"] == "If-Match" for one in operation.get("parameters", []))
    headers = dict(conditions) if careful or conditional else {}
    if any(one["required"] for one in operation.get("parameters", []) if one["name"] == "Idempotency-Key"):
        headers["Idempotency-Key"] = str(uuid4())
    places = {one["name"]: one["in"] for one in operation.get("parameters", [])}
    headers = {**headers, **{name: value for name, value in (parameters or {}).items() if places[name] == "header"}}
    query = httpx.QueryParams({name: value for name, value in (parameters or {}).items() if places[name] == "query"})
    ids = dict(belongings.ids)
    if guard.who in ("owner", "owner or staff"):
        ids["order_id"] = belongings.stages.get(route, ids.get("order_id", ""))
    path, body = path.format(**ids), filled(guard.body, ids)
    response = await shop.request(service, method, f"{path}?{query}", who, json=body, headers=headers)
    assert response.headers["x-content-type-options"] == "nosniff"
    cacheable = guard.cacheable and not who and response.is_success
    assert response.headers.get_list("cache-control") == [KEPT if cacheable else "no-store"]
    if response.status_code >= 400:
        problem(response)
    return response


def _refused(response: httpx.Response) -> bool:
    return response.status_code in (401, 403) and response.json()["code"] in ("unauthenticated", "forbidden")


def _personal(belongings: Belongings, response: httpx.Response) -> list[str]:
    """The data of the owner in a response."""
    names = ("customer_id", "address_id", "order_id", "notification_id")
    known = [belongings.owner.email, *(belongings.ids[name] for name in names), *belongings.stages.values()]
    return [one for one in known if one in response.text]


def _operation(service: str, route: str) -> dict[str, Any]:
    method, path = route.split(" ")
    operation: dict[str, Any] = described()[service]["paths"][path][method.lower()]
    return operation


def _ids(service: str, schema: Any, name: str = "it", seen: tuple[str, ...] = ()) -> set[str]:
    """The names of the ids in a schema, by format or name."""
    if isinstance(schema, list):
        return {found for one in schema for found in _ids(service, one, name, seen)}
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        kind = schema["$ref"].rpartition("/")[2]
        named = described()[service]["components"]["schemas"][kind]
        return set() if kind in seen else _ids(service, named, name, (*seen, kind))
    found = {name} if schema.get("format") == "uuid" or name.endswith("_id") else set()
    for part in ("anyOf", "oneOf", "allOf", "items"):
        found |= _ids(service, schema.get(part), name, seen)
    return found.union(*(_ids(service, of, one, seen) for one, of in schema.get("properties", {}).items()))
