"""Every route, walked by everybody: what is not yours does not exist, and what is not for you is refused."""

from collections.abc import Mapping

import httpx
import pytest

from chassis.apipage import FILES
from chassis.testing import bearer
from tests.answers import problem
from tests.contracts.fronts import Fronts
from tests.contracts.guards import GUARDS, Who
from tests.contracts.shop import Belongings, Person, Shop

ABOUT_ITSELF = {"/docs", "/metrics", "/openapi.json", *(f"/docs/{name}" for name in FILES)}
PAGES = {"customer": {"/verify-email", "/reset-password", "/pages/link.js", "/pages/link.css"}}
"""For people, who come with a link of a mail and no token."""
CASES = [(service, route) for service, routes in GUARDS.items() for route in routes]
STAFF: Mapping[str, Mapping[str, str]] = {"staff": bearer(role="staff"), "ops": bearer(role="ops")}
NAMES = [f"{service} {route}" for service, route in CASES]

ANSWERS: Mapping[Who, Mapping[str, int | None]] = {
    "anybody": {"nobody": None, "stranger": None, "staff": None, "ops": None},
    "oneself": {"nobody": 401, "stranger": None, "staff": None, "ops": None},
    "customers": {"nobody": 401, "stranger": None, "staff": 403, "ops": 403},
    # Staff may do some of it too, and would change what the owner is then to find.
    "owner": {"nobody": 401, "stranger": 404},
    "staff": {"nobody": 401, "stranger": 403, "ops": 403, "staff": None},
    "ops": {"nobody": 401, "stranger": 403, "staff": 403, "ops": None},
}
"""How everybody is answered who asks; None: let in, whatever then becomes of the request."""


@pytest.fixture(scope="module")
async def stranger(shop: Shop) -> Person:
    """Another customer."""
    return await shop.register()


@pytest.mark.parametrize("service", GUARDS)
def test_every_route_has_a_guard_in_the_table(fronts: Fronts, service: str) -> None:
    app = fronts.apps[service]
    described, hidden = app.openapi()["paths"], ABOUT_ITSELF | PAGES.get(service, set())
    routes = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert routes ^ GUARDS[service].keys() == set(), "a new route needs an entry in tests/contracts/guards.py"
    assert {route.path for route in app.routes if hasattr(route, "path")} - described.keys() == hidden


@pytest.mark.parametrize(("service", "route"), CASES, ids=NAMES)
async def test_only_those_use_a_route_who_may(
    shop: Shop, belongings: Belongings, stranger: Person, service: str, route: str
) -> None:
    guard = GUARDS[service][route]
    asking = {"nobody": {}, "stranger": stranger.headers, **STAFF}
    for role, expected in ANSWERS[guard.who].items():
        who = asking[role]
        answer = await _ask(shop, service, route, who, belongings)
        assert answer.status_code == expected if expected else answer.status_code not in (401, 403), role
        if role in ("nobody", "stranger") and guard.who != "anybody":
            assert [one for one in _personal(belongings) if one in answer.text] == [], role
    if guard.who == "owner":
        # Last, for it may change something; and or else a route that is closed to everybody would do.
        owners = await _ask(shop, service, route, belongings.owner.headers, belongings)
        assert owners.status_code < 300, f"{owners.status_code} for the owner"


async def _ask(
    shop: Shop, service: str, route: str, who: Mapping[str, str], belongings: Belongings
) -> httpx.Response:
    """A request that would be right; where it is refused, by a whole problem."""
    (method, path), guard = route.split(" "), GUARDS[service][route]
    headers = {"If-Match": "*"} if method in ("PUT", "PATCH", "DELETE") else {}
    path = path.format(**belongings.ids)
    answer = await shop.ask(service, method, path, who, json=guard.body, headers=headers)
    if answer.status_code >= 400:
        problem(answer)
    return answer


def _personal(belongings: Belongings) -> list[str]:
    names = ("customer_id", "address_id", "order_id", "notification_id")
    return [belongings.owner.email, *(belongings.ids[name] for name in names)]
