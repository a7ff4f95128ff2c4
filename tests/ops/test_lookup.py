"""POST /v1/ops/lookup: what became of events, by their ids, in every service."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from schemas import StockReserved
from tests.ops.world import World, ops
from tests.responses import assert_problem

SERVICES = ["customer", "product", "order", "notifier"]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def test_handled_events_dead_letters_and_unknown_ones_differ(world: World, http: httpx.AsyncClient) -> None:
    await world.confirmed()
    reserved = next(one for one in reversed(world.sent) if one.headers["ce_type"] == "stock.reserved")
    # A reply about an order that does not exist cannot be handled, nor can what follows it.
    nowhere = uuid7()
    dead, parked = (enveloped(StockReserved(order_id=nowhere, lines=())) for _ in range(2))
    await world.consume(dead, parked)
    nobody = uuid7()
    found = await lookup(world, http, "order", [nobody, dead.id, reserved.id, parked.id, dead.id])
    assert list(found) == [str(nobody), str(dead.id), str(reserved.id), str(parked.id)]
    assert [verdict for verdict, _ in found.values()] == ["unknown", "dead", "handled", "parked"]
    assert [at is not None for _, at in found.values()] == [False, True, False, True]
    assert await lookup(world, http, "customer", [reserved.id]) == {str(reserved.id): ("unknown", None)}


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_has_the_route_with_its_limits(
    world: World, http: httpx.AsyncClient, service: str
) -> None:
    many = [uuid7() for _ in range(1000)]
    assert {verdict for verdict, _ in (await lookup(world, http, service, many)).values()} == {"unknown"}
    for ids in ([], [*many, uuid7()], ["not an id"]):
        body = {"event_ids": list(map(str, ids))}
        response = await http.post(f"{world.urls[service]}/v1/ops/lookup", json=body, headers=await ops())
        assert_problem(response, 422, "malformed_request")


async def lookup(
    world: World, http: httpx.AsyncClient, service: str, ids: Sequence[UUID]
) -> dict[str, tuple[str, str | None]]:
    """Id → verdict and time."""
    body = {"event_ids": list(map(str, ids))}
    response = await http.post(f"{world.urls[service]}/v1/ops/lookup", json=body, headers=await ops())
    assert response.status_code == 200
    return {item["event_id"]: (item["verdict"], item["at"]) for item in response.json()["items"]}
