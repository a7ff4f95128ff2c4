"""API3:2023, broken object property level authorization: fields that a client may not set, or should not see.

Mass assignment: every route that takes a JSON body is sent, once, a dozen of the forty fields that only the shop
itself sets (role, state, version, price …), and a role in every object within; each must be refused by name, and
nothing may change. That no schema takes unknown fields at all, and that no schema for customers has one of these, is
read from the OpenAPI documents. Exposure: every response of every GET has only the fields that are documented, and no
document shows a field that is a secret, or a person's data to anybody.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.contracts.guards import GUARDS, SHARED
from tests.contracts.shop import Belongings, Shop, filled
from tests.responses import malformed_fields
from tests.security.attempts import ROUTES, attempt, names, operation, token_for
from tests.security.schemas import JSON, instance, objects, resolved, undocumented

SET_BY_THE_SHOP = (
    *("id", "account_id", "customer_id", "order_id", "role", "roles", "scope", "is_admin", "is_staff", "verified"),
    *("verified_at", "email_verified", "epoch", "status", "state", "version", "revision", "created_at", "placed_at"),
    *(
        "updated_at",
        "price",
        "unit_price",
        "total",
        "discount",
        "paid",
        "on_hand",
        "reserved",
        "available",
        "balance",
    ),
    *("password_hash", "totp", "deactivated", "__class__", "_id", "$set"),
)
"""Fields that no customer sets; staff set some of them where the schema has them."""
TRIED_AT_ONCE = 12
FREE = {
    ("product", "POST /v1/categories"): ("/attributes_schema",),
    ("product", "PATCH /v1/categories/{category_id}"): ("/attributes_schema",),
}
"""Route → objects with a format of their own: a JSON Schema, tested in tests/product_svc/categories."""
SECRET = ("password", "hash", "secret", "token", "epoch", "recovery", "code_key", "private", "link_id", "session_id")
"""Parts of the names of fields that no response has, but for those that are about them."""
GIVEN_TO_THEIR_OWNER = {
    ("customer", "POST /v1/sessions"): {"access_token", "refresh_token", "token_type"},
    ("customer", "POST /v1/sessions/refresh"): {"access_token", "refresh_token", "token_type"},
    ("customer", "POST /v1/totp/enrolments"): {"secret"},
    ("customer", "POST /v1/totp/confirmations"): {"recovery_codes"},
}
PERSONAL = ("email", "name", "street", "phone", "customer_id", "account_id", "tracking_number", "recipient")
"""Fields that a route for anybody does not show, but for those below."""
PUBLIC_NAMES = {
    "customer": {"email"},  # of who registers, as it was sent
    "product": {"name"},  # of a product, a category, an attribute
}


def _bodies() -> Iterator[tuple[str, str]]:
    for service, route in ROUTES:
        if JSON in operation(service, route).get("requestBody", {}).get("content", {}):
            yield service, route


BODIES = list(_bodies())
READS = [(service, route) for service, route in ROUTES if route.startswith("GET")]


def _schema(service: str, route: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = operation(service, route)["requestBody"]["content"][JSON]["schema"]
    return schema


def test_no_body_takes_unknown_fields_and_none_of_a_customer_takes_what_the_shop_sets() -> None:
    open_, settable = [], []
    for service, route in BODIES:
        for place, schema in objects(service, _schema(service, route)):
            if (
                not place.startswith(FREE.get((service, route), "-"))
                and schema.get("additionalProperties") is not False
            ):
                open_.append(f"{service} {route} {place}")
            if GUARDS[service][route].who in (*SHARED, "anybody"):
                settable += [
                    f"{service} {route} {place}/{one}" for one in {*schema["properties"]} & {*SET_BY_THE_SHOP}
                ]
    assert open_ == []
    assert settable == []


@pytest.mark.parametrize(("service", "route"), BODIES, ids=names(BODIES))
async def test_every_field_that_the_shop_sets_is_refused_by_name(
    rest: Shop, owner: Belongings, service: str, route: str
) -> None:
    guard, schema = GUARDS[service][route], resolved(service, _schema(service, route))
    valid = filled(guard.body, owner.ids) if isinstance(guard.body, dict) else instance(service, schema)
    if not isinstance(valid, dict):
        valid = {}
    added, who = sorted(set(SET_BY_THE_SHOP) - _known(service, schema)), token_for(guard.who, owner)
    # A response names twenty fields at most: each route gets some, and all routes together get all.
    first = BODIES.index((service, route)) * TRIED_AT_ONCE
    some = {added[(first + number) % len(added)] for number in range(TRIED_AT_ONCE)}
    body = valid | {name: "ops" if "role" in name else 1 for name in some}
    response = await attempt(rest, service, route, who, owner.ids, body=body)
    assert malformed_fields(response) >= {f"body/{name}" for name in some}
    for place in _places(valid):
        body = copy.deepcopy(valid)
        _at(body, place)["role"] = "ops"
        response = await attempt(rest, service, route, who, owner.ids, body=body)
        assert any(one.endswith("role") for one in malformed_fields(response)), place


async def test_nothing_of_it_has_changed_an_account(rest: Shop, owner: Belongings) -> None:
    """The last of this file: a role, had it been taken, would be in the tokens from then on."""
    again = await rest.log_in(owner.owner)
    me = (await rest.request("customer", "GET", "/v1/customers/me", again.headers)).json()
    assert (me["id"], me["email"]) == (owner.ids["customer_id"], owner.owner.email)
    assert (await rest.request("product", "GET", "/v1/stock", again.headers)).status_code == 403


@pytest.mark.parametrize(("service", "route"), READS, ids=names(READS))
async def test_a_response_has_the_documented_fields_only(
    rest: Shop, owner: Belongings, service: str, route: str
) -> None:
    response = await attempt(rest, service, route, token_for(GUARDS[service][route].who, owner), owner.ids)
    documented = operation(service, route)["responses"].get(str(response.status_code), {}).get("content", {})
    if JSON in documented and response.headers["content-type"].startswith(JSON):
        assert undocumented(service, documented[JSON]["schema"], response.json()) == []
    if response.is_stream_consumed:
        assert "argon2" not in response.text


def test_no_response_shows_a_secret_and_none_shows_people_to_anybody() -> None:
    secret, personal = [], []
    for service, route in ROUTES:
        shown, given = _shown(service, route), GIVEN_TO_THEIR_OWNER.get((service, route), set())
        sounding = {name for name in shown if any(word in name.lower() for word in SECRET)}
        secret += [f"{service} {route} {name}" for name in sounding - given]
        if GUARDS[service][route].who == "anybody":
            personal += [
                f"{service} {route} {name}" for name in shown & {*PERSONAL} - PUBLIC_NAMES.get(service, set())
            ]
    assert secret == []
    assert personal == []


def _shown(service: str, route: str) -> set[str]:
    """The names of all fields in the successful responses of a route."""
    answers = [one for status, one in operation(service, route)["responses"].items() if status.startswith("2")]
    schemas = [kind["schema"] for one in answers for kind in one.get("content", {}).values() if "schema" in kind]
    return {name for schema in schemas for _, found in objects(service, schema) for name in found["properties"]}


def _known(service: str, schema: Mapping[str, Any]) -> set[str]:
    return {name for place, found in objects(service, schema) if not place for name in found["properties"]}


def _places(body: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The objects inside a body."""
    for key, inner in body.items() if isinstance(body, dict) else enumerate(body):
        if isinstance(inner, dict):
            yield (*path, key)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*path, key))


def _at(body: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        body = body[key]
    return body
