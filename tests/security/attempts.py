"""Requests for the routes of the guards table (tests/contracts/guards.py), by somebody who should not be able to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import httpx

from chassis.testing import bearer
from tests.contracts.apps import described
from tests.contracts.guards import GUARDS, SHARED, Who
from tests.contracts.shop import Belongings, Shop, filled

ROUTES = [(service, route) for service, routes in GUARDS.items() for route in routes]
"""Every route of every service: ``("order", "GET /v1/orders")``."""
CHANGING = ("PUT", "PATCH", "DELETE")


def names(cases: Sequence[tuple[str, ...]]) -> list[str]:
    """The names of parametrised tests."""
    return [" ".join(case) for case in cases]


def operation(service: str, route: str) -> dict[str, Any]:
    """What the OpenAPI document says about a route."""
    method, path = route.split(" ")
    found: dict[str, Any] = described()[service]["paths"][path][method.lower()]
    return found


def token_for(who: Who, customer: Belongings) -> Mapping[str, str]:
    """The header of somebody who may use a route, where the customer is the owner of what it is about."""
    if who == "anybody":
        return {}
    return customer.owner.headers if who in SHARED else bearer(role="ops" if who == "ops" else "staff")


async def attempt(
    rest: Shop,
    service: str,
    route: str,
    who: Mapping[str, str],
    ids: Mapping[str, str],
    *,
    path: str = "",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> httpx.Response:
    """Send a request that is valid but for what is given here; ``ids`` are those in the path and the body."""
    method, template = route.split(" ")
    sent = {"If-Match": "*"} if method in CHANGING else {}
    for one in operation(service, route).get("parameters", []):
        if one["required"] and one["name"] == "Idempotency-Key":
            sent["Idempotency-Key"] = str(uuid4())
    url = (path or template).format(**ids) + (f"?{httpx.QueryParams(query)}" if query else "")
    given = filled(GUARDS[service][route].body, ids) if body is None else body
    return await rest.request(service, method, url, who, json=given, headers={**sent, **(headers or {})})


def seen_of(customer: Belongings, response: httpx.Response) -> list[str]:
    """The data of a customer that a response shows."""
    kinds = ("customer_id", "address_id", "order_id", "notification_id", "latest_order_id")
    known = [customer.owner.email, *(customer.ids[kind] for kind in kinds), *customer.stages.values()]
    return [one for one in known if one in response.text]
