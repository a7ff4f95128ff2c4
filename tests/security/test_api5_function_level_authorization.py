"""API5:2023, broken function level authorization: routes of staff and ops, used by those who are neither.

Every route that the guards table gives to staff or to ops (about a hundred and thirty) is tried without a token, as a
customer, and as ops or staff in each other's place, each time plainly, and as a customer once with all the tricks by
which proxies and frameworks have been talked into another route or role (a method or a path in a header, a role in a
header, a query or a cookie) and twice with a path that is spelt another way. None may succeed. What the tricks must
not do by themselves is tried once more with a route that the customer may use.
"""

from collections.abc import Mapping

import pytest

from chassis.runtime.telemetry import SECURITY_EVENTS
from chassis.testing import bearer
from tests.contracts.guards import GUARDS, Who
from tests.contracts.shop import Belongings, Shop
from tests.responses import assert_problem
from tests.security.attempts import ROUTES, attempt, names

CLOSED = [(service, route) for service, route in ROUTES if GUARDS[service][route].who in ("staff", "ops")]
OTHERS: Mapping[Who, Mapping[str, str]] = {"staff": bearer(role="ops"), "ops": bearer(role="staff")}
"""Somebody with rights, and not these."""
TRICKS: Mapping[str, Mapping[str, str]] = {
    "a role in a header": {"X-Role": "ops", "X-User-Role": "staff", "X-Admin": "true", "X-Forwarded-User": "ops"},
    "a method in a header": {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET", "X-Method-Override": "GET"},
    "a path in a header": {"X-Original-URL": "/health/live", "X-Rewrite-URL": "/health/live"},
    "an address in a header": {
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
    },
    "a cookie": {"Cookie": "role=ops; access_token=x; admin=1"},
}
SPELLINGS = ("{}/", "/{}", "{}%20", "{};x=1", "{}/.", "/v1/..{}", "{}%00", "{}.json")
"""Other ways to write a path."""


def test_the_routes_come_from_the_guards_table() -> None:
    assert len(CLOSED) > 100


@pytest.mark.parametrize(("service", "route"), CLOSED, ids=names(CLOSED))
async def test_a_route_of_staff_or_ops_is_closed_to_all_others(
    rest: Shop, owner: Belongings, service: str, route: str
) -> None:
    before = roles_exceeded()
    for who, status, code in (
        ({}, 401, "unauthenticated"),
        (owner.owner.headers, 403, "forbidden"),
        (OTHERS[GUARDS[service][route].who], 403, "forbidden"),
    ):
        assert_problem(await attempt(rest, service, route, who, owner.ids), status, code)
    assert roles_exceeded() == before + 2, "an alert is about many of them"


def roles_exceeded() -> float:
    """How many requests were refused because of a role, in any service, as Prometheus counts them."""
    samples = [sample for metric in SECURITY_EVENTS.collect() for sample in metric.samples]
    return sum(one.value for one in samples if one.name.endswith("_total") and one.labels["reason"] == "forbidden")


@pytest.mark.parametrize(("service", "route"), CLOSED, ids=names(CLOSED))
async def test_no_trick_opens_a_route_of_staff_or_ops(
    rest: Shop, owner: Belongings, service: str, route: str
) -> None:
    who, path = owner.owner.headers, route.split(" ")[1]
    # All at once: one that worked would do so beside the others.
    headers = {name: value for trick in TRICKS.values() for name, value in trick.items()}
    query = {"role": "ops", "admin": "1", "_method": "GET"}
    assert (await attempt(rest, service, route, who, owner.ids, headers=headers, query=query)).status_code == 403
    for number in range(2):
        spelling = SPELLINGS[(CLOSED.index((service, route)) * 2 + number) % len(SPELLINGS)]
        response = await attempt(rest, service, route, who, owner.ids, path=spelling.format(path))
        assert response.status_code in (400, 403, 404, 405, 422), spelling


@pytest.mark.parametrize("name", TRICKS)
async def test_a_trick_makes_nobody_somebody_else(rest: Shop, owner: Belongings, name: str) -> None:
    me = await attempt(rest, "customer", "GET /v1/customers/me", owner.owner.headers, owner.ids, headers=TRICKS[name])
    assert me.json()["id"] == owner.ids["customer_id"]
    nobody = await attempt(rest, "customer", "GET /v1/customers/me", {}, owner.ids, headers=TRICKS[name])
    assert_problem(nobody, 401, "unauthenticated")
