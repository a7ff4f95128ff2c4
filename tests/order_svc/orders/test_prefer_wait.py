"""Responses that wait until an order's stock is decided."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.orders.prefer_wait import wait_preference
from order_svc.timeline import feed
from schemas import Shortage, StockRejected, StockReserved
from tests.order_svc.rest import API, body
from tests.order_svc.scenarios import Commit, consume, product
from tests.responses import malformed_fields, version_tag
from tests.stack import eventually


@pytest.fixture
async def sku(commit: Commit) -> str:
    return await product(commit)


async def placed_by(api: API, headers: dict[str, str]) -> UUID:
    """The id of a customer's order, once it is placed."""

    async def listed() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await api.get("/v1/orders", headers=headers)).json()["items"]
        return items

    return UUID((await eventually(listed, 10, "the order"))[0]["id"])


async def decide_stock(database: Postgres, order_id: UUID, sku: str | None = None) -> None:
    if sku:
        short = Shortage(sku=sku, requested=1, available=0, reason="short")
        await consume(database, StockRejected(order_id=order_id, shortages=(short,)))
    else:
        await consume(database, StockReserved(order_id=order_id, lines=()))


@pytest.mark.parametrize(
    ("preference", "query", "applied"),
    [
        ({"Prefer": "wait=20"}, "", "wait=20"),
        ({"Prefer": "respond-async, WAIT=999"}, "", "wait=30"),
        ({}, "?wait=9s", None),
        ({}, "?wait=9", None),
    ],
    ids=["header", "limit", "query", "query without a unit"],
)
async def test_a_request_that_waits_gets_the_order_once_its_stock_is_decided(
    api: API, shared: Postgres, sku: str, preference: dict[str, str], query: str, applied: str | None
) -> None:
    headers = bearer()
    waiting = asyncio.create_task(api.post(f"/v1/orders{query}", json=body(**{sku: 1}), headers=headers | preference))
    order_id = await placed_by(api, headers)
    assert not waiting.done()
    await decide_stock(shared, order_id)
    response = await waiting
    assert (response.status_code, response.json()["state"]) == (201, "CONFIRMED")
    assert response.headers.get("preference-applied") == applied
    assert response.headers["location"] == f"/v1/orders/{order_id}"
    read = await api.get(f"/v1/orders/{order_id}", headers=headers)
    assert (read.content, version_tag(read)) == (response.content, response.headers["etag"])


async def test_a_rejection_ends_the_wait_and_has_the_shortages(api: API, shared: Postgres, sku: str) -> None:
    headers = bearer()
    waiting = asyncio.create_task(api.post("/v1/orders?wait=20s", json=body(**{sku: 1}), headers=headers))
    await decide_stock(shared, await placed_by(api, headers), sku)
    order = (await waiting).json()
    assert (order["state"], order["shortages"][0]["sku"]) == ("REJECTED", sku)


async def test_a_request_whose_time_is_up_gets_the_order_as_it_is(api: API, sku: str) -> None:
    response = await api.post("/v1/orders", json=body(**{sku: 1}), headers=bearer() | {"Prefer": "wait=1"})
    assert (response.status_code, response.json()["state"]) == (202, "PENDING")
    assert response.headers["preference-applied"] == "wait=1"


async def test_a_repeated_request_that_waits_gets_the_order_as_it_is(api: API, shared: Postgres, sku: str) -> None:
    headers, order = bearer() | {"Idempotency-Key": "k"}, json.dumps(body(**{sku: 1}))
    headers["Content-Type"] = "application/json"
    first = await api.post("/v1/orders", content=order, headers=headers)
    await decide_stock(shared, UUID(first.json()["id"]))
    again = await api.post("/v1/orders?wait=5s", content=order, headers=headers)
    assert (again.status_code, again.json()["state"], again.headers["etag"]) == (201, "CONFIRMED", '"2"')
    assert again.headers["idempotency-replayed"] == "true"
    at_once = await api.post("/v1/orders", content=order, headers=headers)
    assert (at_once.status_code, at_once.content, at_once.headers["etag"]) == (202, first.content, '"1"')


async def test_a_request_that_cannot_wait_is_answered_at_once(
    api: API, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MAX_FOLLOWERS_OF_ACCOUNT", 0)
    response = await api.post("/v1/orders?wait=20s", json=body(**{sku: 1}), headers=bearer() | {"Prefer": "wait=9"})
    assert (response.status_code, response.json()["state"]) == (202, "PENDING")
    assert "preference-applied" not in response.headers


async def test_a_request_that_waits_ends_when_the_process_stops(
    app: FastAPI, api: API, sku: str, restart: None
) -> None:
    headers = bearer()
    waiting = asyncio.create_task(api.post("/v1/orders?wait=20s", json=body(**{sku: 1}), headers=headers))
    await placed_by(api, headers)
    app.state.on_shutdown()
    assert (await asyncio.wait_for(waiting, 5)).status_code == 202


@pytest.fixture
async def restart(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.container.feed.stopping = False


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (["wait=5"], 5),
        (['handling=lenient; x=1, Wait = "7" ;a'], 7),
        (["respond-async", "wait=3", "wait=9"], 3),
        (["wait=31"], 30),
        (["wait=" + "9" * 9], 30),
        *(([f"wait={odd}"], 0) for odd in ("", "0", "-1", "1.5", "x", "5s", "٣", "9" * 400, "=5", '"5')),
        *(([odd], 0) for odd in ("", ",", "wait", ";wait=5", "await=5", "\xff", "x" * 5000, "," * 5000)),
        ([], 0),
    ],
)
def test_a_malformed_preference_is_ignored(prefer: list[str], seconds: int) -> None:
    found = wait_preference(prefer, None)
    assert (found.seconds if found else 0) == seconds


def test_the_query_parameter_takes_precedence_over_the_header() -> None:
    found = wait_preference(["wait=5"], "2s")
    assert found is not None
    assert (found.seconds, found.applied) == (2, {})
    assert wait_preference(["wait=5"], "0s") is None


@pytest.mark.parametrize("wait", ["", "2ms", "s", "-1s", "1.5s", "2S", "99999s", "%00", "2s%0a", "x", "٣s"])
async def test_a_malformed_wait_is_refused(api: API, sku: str, wait: str) -> None:
    response = await api.post(f"/v1/orders?wait={wait}", json=body(**{sku: 1}), headers=bearer())
    assert malformed_fields(response) == {"query/wait"}


async def test_any_preference_is_accepted(api: API, sku: str) -> None:
    for odd in (b"\xff", b"wait", b"wait=-1", b"x" * 8000, b'"'):
        headers = [(name.encode(), value.encode()) for name, value in bearer().items()] + [(b"prefer", odd)]
        response = await api.post("/v1/orders", json=body(**{sku: 1}), headers=headers)
        assert response.status_code == 202
