"""API1:2023, broken object level authorization: a customer names the objects of another.

Every route of the guards table that is about one object of a customer is tried by another customer, who has objects
of the same kinds: once with the other's id, once with an id that nobody has (the two answers must be equal), and once
with each of the other's ids of another kind. The object is read before and after. Every list and export is tried
without parameters and with each parameter that can name somebody's data, holding the other's. ``tests/contracts/
test_guards.py`` tries the same routes as staff, as ops, and with forged tokens.
"""

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.contracts.guards import GUARDS, SHARED
from tests.contracts.shop import Belongings, Shop
from tests.responses import assert_problem
from tests.security.attempts import ROUTES, attempt, names, operation, seen_of

OBJECTS = [(service, route) for service, route in ROUTES if GUARDS[service][route].who.startswith("owner")]
"""The routes about one object of a customer."""
COLLECTIONS = [
    (service, route)
    for service, route in ROUTES
    if GUARDS[service][route].who in SHARED and "{" not in route and route.startswith("GET")
]
"""The routes by which customers list or export their own."""
NAMED = [(service, route, name) for service, route in ROUTES for name in GUARDS[service][route].owned]
"""Parameters that can name data of customers."""


def test_the_routes_come_from_the_guards_table() -> None:
    assert len(OBJECTS) >= 9
    assert len(COLLECTIONS) >= 6
    assert len(NAMED) >= 8


@pytest.mark.parametrize(("service", "route"), OBJECTS, ids=names(OBJECTS))
async def test_the_object_of_another_is_answered_as_one_that_nobody_has(
    rest: Shop, owner: Belongings, stranger: Belongings, service: str, route: str
) -> None:
    before, who = await _object(rest, owner, service, route), stranger.owner.headers
    answers = []
    for ids in (owner.ids, _nobodys(owner.ids, route)):
        response = await attempt(rest, service, route, who, ids)
        problem = assert_problem(response, 404, response.json()["code"])
        answers.append((problem | {"request_id": ""}, sorted(response.headers)))
    assert answers[0] == answers[1]
    assert await _object(rest, owner, service, route) == before


@pytest.mark.parametrize(("service", "route"), OBJECTS, ids=names(OBJECTS))
async def test_the_id_of_another_kind_of_object_opens_nothing(
    rest: Shop, owner: Belongings, stranger: Belongings, service: str, route: str
) -> None:
    [parameter] = _parameters(route)
    others = {value for name, value in owner.ids.items() if name.endswith("_id") and name != parameter}
    for value in others - {owner.ids["latest_order_id"]}:
        response = await attempt(rest, service, route, stranger.owner.headers, {**owner.ids, parameter: value})
        assert response.status_code == 404, f"{value}: {response.status_code}"


@pytest.mark.parametrize(("service", "route"), COLLECTIONS, ids=names(COLLECTIONS))
async def test_a_list_has_nothing_of_another(
    rest: Shop, owner: Belongings, stranger: Belongings, service: str, route: str
) -> None:
    response = await attempt(rest, service, route, stranger.owner.headers, stranger.ids)
    assert response.is_success
    assert seen_of(owner, response) == []


@pytest.mark.parametrize(("service", "route", "name"), NAMED, ids=names(NAMED))
async def test_a_parameter_that_names_data_of_another_shows_nothing_of_it(
    rest: Shop, owner: Belongings, stranger: Belongings, service: str, route: str, name: str
) -> None:
    value = {name: owner.ids[GUARDS[service][route].owned[name]]}
    places = {one["name"]: one["in"] for one in operation(service, route)["parameters"]}
    place: dict[str, Any] = {"headers" if places[name] == "header" else "query": value}
    response = await attempt(rest, service, route, stranger.owner.headers, stranger.ids, **place)
    assert seen_of(owner, response) == []


def _parameters(route: str) -> list[str]:
    return re.findall(r"{(\w+)}", route)


def _nobodys(ids: Any, route: str) -> dict[str, str]:
    return {**ids, **{name: str(uuid4()) for name in _parameters(route)}}


async def _object(rest: Shop, owner: Belongings, service: str, route: str) -> tuple[Any, str | None]:
    """What a route is about, as its owner reads it, with its version."""
    path = route.split(" ")[1]
    read = f"GET {path[: path.rindex('}') + 1]}"
    response = await attempt(rest, service, read, owner.owner.headers, owner.ids)
    assert response.status_code == 200, response.text
    return response.json(), response.headers.get("etag")
