"""Every route, walked by everybody: what is not yours does not exist, and what is not for you is refused."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from chassis.http.api_page import FILES
from chassis.http.auth import Role
from chassis.testing import bearer
from tests.answers import problem, refused
from tests.contracts.apps import described
from tests.contracts.fronts import Fronts
from tests.contracts.guards import GUARDS, LEFT, SHARED, Who
from tests.contracts.shop import ADDRESS, Belongings, Person, Shop, filled
from tests.hostile import bad_tokens

ABOUT_ITSELF = {"/docs", "/metrics", "/openapi.json", *(f"/docs/{name}" for name in FILES)}
PAGES = {"customer": {"/verify-email", "/reset-password", "/pages/link.js", "/pages/link.css"}}
"""For people, who come with a link of a mail and no token."""
CASES = [(service, route) for service, routes in GUARDS.items() for route in routes]
STAFF: Mapping[str, Mapping[str, str]] = {"staff": bearer(role="staff"), "ops": bearer(role="ops")}
NAMES = [f"{service} {route}" for service, route in CASES]
CLOSED = [(service, route) for service, route in CASES if GUARDS[service][route].who != "anybody"]
ASKED = [(service, route, name) for service, route in CASES for name in GUARDS[service][route].asks]

ANSWERS: Mapping[Who, Mapping[str, int | None]] = {
    "anybody": {"nobody": None, "stranger": None, "staff": None, "ops": None},
    "oneself": {"nobody": 401, "stranger": None, "staff": None, "ops": None},
    "customers": {"nobody": 401, "stranger": None, "staff": 403, "ops": 403},
    "owner": {"nobody": 401, "stranger": 404, "staff": 403, "ops": 403},
    "owner or staff": {"nobody": 401, "stranger": 404, "ops": 404, "staff": None},
    "staff": {"nobody": 401, "stranger": 403, "ops": 403, "staff": None},
    "ops": {"nobody": 401, "stranger": 403, "staff": 403, "ops": None},
}
"""How everybody is answered who asks; None: let in, whatever then becomes of the request."""
FORGED = ("expired", "of another key", "of another issuer", "for another audience", "alg none")
"""Of the tokens that must not be believed, those that each route is shown: all are in the tests of the services."""
SEE: Mapping[Who, tuple[str, ...]] = {"ops": ("ops",)}
"""Who is told of everybody, where it is not staff."""
NEVER = {"If-Match": '"987654321"'}
"""A version that nothing has: whoever may change a thing is told so, and changes nothing."""


@pytest.fixture(scope="module")
async def stranger(shop: Shop) -> Person:
    """Another customer."""
    return await shop.register()


@pytest.fixture(scope="module")
async def erased(shop: Shop) -> Belongings:
    """What a customer had who is erased, and whose token is good for some minutes."""
    left = await shop.furnish()
    await shop.erase(left.owner)
    return left


@pytest.fixture(scope="module")
async def deactivated(shop: Shop) -> Belongings:
    """What a customer has who has left for a while."""
    left = await shop.furnish()
    await shop.deactivate(left.owner)
    return left


@pytest.mark.parametrize("service", GUARDS)
def test_every_route_has_a_guard_in_the_table(fronts: Fronts, service: str) -> None:
    app = fronts.apps[service]
    described, hidden = app.openapi()["paths"], ABOUT_ITSELF | PAGES.get(service, set())
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
            # Ids are somebody's, whatever they are called.
            or (guard.who in SHARED and parameter["name"] not in guard.asks and _ids(service, parameter["schema"]))
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
    assert {route: ids for route, ids in found.items() if any(ids)} == {}, "walk it as test_guards walks parameters"


def test_it_would_be_seen_that_a_body_names_things_by_id() -> None:
    body = _operation("product", "PATCH /v1/products/{product_id}")["requestBody"]["content"]["application/json"]
    assert _ids("product", body["schema"]) == {"category_id"}


@pytest.mark.parametrize(("service", "route"), CASES, ids=NAMES)
async def test_only_those_use_a_route_who_may(
    shop: Shop, belongings: Belongings, stranger: Person, service: str, route: str
) -> None:
    guard = GUARDS[service][route]
    asking = {"nobody": {}, "stranger": stranger.headers, **STAFF}
    for role, expected in ANSWERS[guard.who].items():
        answer = await _ask(shop, service, route, asking[role], belongings, careful=guard.who == "owner or staff")
        if expected:
            assert answer.status_code == expected, role
        else:
            assert not _refused(answer), role
        if guard.who == "owner or staff" and role == "staff":
            assert answer.status_code in (200, 412), "there is such a thing, for staff"
        if guard.who != "anybody" and role not in SEE.get(guard.who, ("staff",)):
            assert _personal(belongings, answer) == [], role
    if guard.who in ("owner", "owner or staff"):
        # Last, for it may change something; and or else a route that is closed to everybody would do.
        owners = await _ask(shop, service, route, belongings.owner.headers, belongings)
        assert owners.status_code < 300, f"{owners.status_code} for the owner"


@pytest.mark.parametrize(("service", "route", "name"), ASKED, ids=map(" ".join, ASKED))
async def test_whoever_asks_with_what_is_anothers_gets_nothing_of_theirs(
    shop: Shop, belongings: Belongings, stranger: Person, service: str, route: str, name: str
) -> None:
    value = {name: belongings.ids[GUARDS[service][route].asks[name]]}
    for who in (stranger.headers, STAFF["ops"]):
        answer = await _ask(shop, service, route, who, belongings, asked=value)
        assert _personal(belongings, answer) == []
    owners = await _ask(shop, service, route, belongings.owner.headers, belongings, asked=value)
    assert owners.is_success
    assert _personal(belongings, owners) != [], "it would be seen"


@pytest.mark.parametrize(("service", "route"), CLOSED, ids=map(" ".join, CLOSED))
async def test_a_token_that_is_none_of_ours_opens_nothing(
    shop: Shop, belongings: Belongings, service: str, route: str
) -> None:
    roles: Mapping[str, Role] = {"staff": "staff", "ops": "ops"}
    tokens = bad_tokens(roles.get(GUARDS[service][route].who, "customer"))
    for token in (*(tokens[name] for name in FORGED), belongings.owner.refresh_token):
        answer = await _ask(shop, service, route, {"Authorization": f"Bearer {token}"}, belongings)
        refused(answer, 401, "unauthenticated")


@pytest.mark.parametrize("service", GUARDS)
def test_every_route_of_customers_says_what_it_is_to_those_who_have_left(service: str) -> None:
    routes = {route for route, guard in GUARDS[service].items() if guard.who in SHARED}
    assert routes ^ LEFT.get(service, {}).keys() == set()


@pytest.mark.parametrize(("service", "route"), [(one, route) for one, routes in LEFT.items() for route in routes])
async def test_those_who_have_left_are_answered_as_the_table_says(
    shop: Shop, erased: Belongings, deactivated: Belongings, service: str, route: str
) -> None:
    gone, resting = LEFT[service][route]
    answer = await _ask(shop, service, route, erased.owner.headers, erased)
    assert answer.status_code == gone
    if not route.endswith("/stream"):
        known = {erased.owner.email, *ADDRESS.values()} - {ADDRESS["country"]}
        assert [one for one in known if f'"{one}"' in answer.text] == []
    answer = await _ask(shop, service, route, deactivated.owner.headers, deactivated)
    assert answer.status_code == resting
    if route == "POST /v1/customers/me/reactivate":
        await shop.deactivate(deactivated.owner)


async def _ask(
    shop: Shop,
    service: str,
    route: str,
    who: Mapping[str, str],
    belongings: Belongings,
    *,
    careful: bool = False,
    asked: Mapping[str, str] | None = None,
) -> httpx.Response:
    """A request that would be right; where it is refused, by a whole problem."""
    (method, path), guard = route.split(" "), GUARDS[service][route]
    conditions = NEVER if careful and method != "GET" else {"If-Match": "*"}
    headers = conditions if careful or method in ("PUT", "PATCH", "DELETE") else {}
    places = {one["name"]: one["in"] for one in _operation(service, route).get("parameters", [])}
    headers = {**headers, **{name: value for name, value in (asked or {}).items() if places[name] == "header"}}
    query = httpx.QueryParams({name: value for name, value in (asked or {}).items() if places[name] == "query"})
    path, body = path.format(**belongings.ids), filled(guard.body, belongings.ids)
    answer = await shop.ask(service, method, f"{path}?{query}", who, json=body, headers=headers)
    if answer.status_code >= 400:
        problem(answer)
    return answer


def _refused(answer: httpx.Response) -> bool:
    return answer.status_code in (401, 403) and answer.json()["code"] in ("unauthenticated", "forbidden")


def _personal(belongings: Belongings, answer: httpx.Response) -> list[str]:
    """What an answer says of the owner's things."""
    names = ("customer_id", "address_id", "order_id", "notification_id")
    known = [belongings.owner.email, *(belongings.ids[name] for name in names), *belongings.stages.values()]
    return [one for one in known if one in answer.text]


def _operation(service: str, route: str) -> dict[str, Any]:
    method, path = route.split(" ")
    operation: dict[str, Any] = described()[service]["paths"][path][method.lower()]
    return operation


def _ids(service: str, schema: Any, name: str = "it", seen: tuple[str, ...] = ()) -> set[str]:
    """The names of what are ids in a schema, by their form or their name."""
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
