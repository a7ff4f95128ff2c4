"""Answers that wait until an order's stock is answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, records
from order_svc import SERVICE, watch
from order_svc.api.waiting import patience
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
from schemas import Shortage, StockRejected, StockReserved
from tests.answers import malformed_at
from tests.order_svc.orders import product
from tests.order_svc.test_api import API, body
from tests.stack import eventually

Commit = GroupCommit[OrderBook]


@pytest.fixture
async def sku(commit: Commit) -> str:
    return await product(commit)


async def placed_by(api: API, who: dict[str, str]) -> UUID:
    """The id of somebody's order, once it is there."""

    async def listed() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await api.get("/v1/orders", headers=who)).json()["items"]
        return items

    return UUID((await eventually(listed, 10, "the order"))[0]["id"])


async def answer_stock(database: Postgres, order_id: UUID, sku: str | None = None) -> None:
    short = sku and StockRejected(
        order_id=order_id, shortages=(Shortage(sku=sku, requested=1, available=0, reason="short"),)
    )
    told = records([short or StockReserved(order_id=order_id, lines=())])
    await Consumer(database, SERVICE, OrderBook, HANDLERS).handle(told)


@pytest.mark.parametrize(
    ("headers", "query", "applied"),
    [
        ({"Prefer": "wait=20"}, "", "wait=20"),
        ({"Prefer": "respond-async, WAIT=999"}, "", "wait=30"),
        ({}, "?wait=9s", None),
    ],
    ids=["preferred", "at most", "asked"],
)
async def test_who_waits_is_answered_with_the_order_as_its_stock_was_answered(
    api: API, shared: Postgres, sku: str, headers: dict[str, str], query: str, applied: str | None
) -> None:
    who = bearer()
    waiting = asyncio.create_task(api.post(f"/v1/orders{query}", json=body(**{sku: 1}), headers=who | headers))
    order_id = await placed_by(api, who)
    assert not waiting.done()
    await answer_stock(shared, order_id)
    answer = await waiting
    assert (answer.status_code, answer.json()["state"]) == (201, "CONFIRMED")
    assert answer.headers.get("preference-applied") == applied
    assert answer.headers["location"] == f"/v1/orders/{order_id}"
    read = await api.get(f"/v1/orders/{order_id}", headers=who)
    assert (read.content, read.headers["etag"]) == (answer.content, answer.headers["etag"])


async def test_a_rejection_ends_the_waiting_and_says_what_was_short(api: API, shared: Postgres, sku: str) -> None:
    who = bearer()
    waiting = asyncio.create_task(api.post("/v1/orders?wait=20s", json=body(**{sku: 1}), headers=who))
    await answer_stock(shared, await placed_by(api, who), sku)
    answer = (await waiting).json()
    assert (answer["state"], answer["shortages"][0]["sku"]) == ("REJECTED", sku)


async def test_who_waits_in_vain_gets_the_order_as_it_is(api: API, sku: str) -> None:
    answer = await api.post("/v1/orders", json=body(**{sku: 1}), headers=bearer() | {"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["state"]) == (202, "PENDING")
    assert answer.headers["preference-applied"] == "wait=1"


async def test_a_repeated_request_that_waits_gets_the_order_as_it_is(api: API, shared: Postgres, sku: str) -> None:
    headers, asked = bearer() | {"Idempotency-Key": "k"}, json.dumps(body(**{sku: 1}))
    headers["Content-Type"] = "application/json"
    first = await api.post("/v1/orders", content=asked, headers=headers)
    await answer_stock(shared, UUID(first.json()["id"]))
    again = await api.post("/v1/orders?wait=5s", content=asked, headers=headers)
    assert (again.status_code, again.json()["state"], again.headers["etag"]) == (201, "CONFIRMED", '"2"')
    assert again.headers["idempotency-replayed"] == "true"
    at_once = await api.post("/v1/orders", content=asked, headers=headers)
    assert (at_once.status_code, at_once.content, at_once.headers["etag"]) == (202, first.content, '"1"')


async def test_who_cannot_be_waited_for_is_answered_at_once(
    api: API, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_EACH", 0)
    answer = await api.post("/v1/orders?wait=20s", json=body(**{sku: 1}), headers=bearer() | {"Prefer": "wait=9"})
    assert (answer.status_code, answer.json()["state"]) == (202, "PENDING")
    assert "preference-applied" not in answer.headers


async def test_who_waits_is_let_go_when_the_process_is_to_end(
    app: FastAPI, api: API, sku: str, letting_go: None
) -> None:
    who = bearer()
    waiting = asyncio.create_task(api.post("/v1/orders?wait=20s", json=body(**{sku: 1}), headers=who))
    await placed_by(api, who)
    app.state.on_shutdown()
    assert (await asyncio.wait_for(waiting, 5)).status_code == 202


@pytest.fixture
async def letting_go(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.container.watch.ended = False


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
def test_a_preference_that_is_none_is_passed_over(prefer: list[str], seconds: int) -> None:
    found = patience(prefer, None)
    assert (found.seconds if found else 0) == seconds


def test_what_the_address_asks_for_stands_over_the_header() -> None:
    found = patience(["wait=5"], "2s")
    assert found is not None
    assert (found.seconds, found.applied) == (2, {})
    assert patience(["wait=5"], "0s") is None


@pytest.mark.parametrize("wait", ["", "2", "s", "-1s", "1.5s", "2S", "99999s", "%00", "2s%0a", "x", "٣s"])
async def test_a_wait_that_is_none_is_malformed(api: API, sku: str, wait: str) -> None:
    answer = await api.post(f"/v1/orders?wait={wait}", json=body(**{sku: 1}), headers=bearer())
    assert malformed_at(answer) == {"query/wait"}


async def test_any_preference_at_all_is_taken(api: API, sku: str) -> None:
    for odd in (b"\xff", b"wait", b"wait=-1", b"x" * 8000, b'"'):
        headers = [(name.encode(), value.encode()) for name, value in bearer().items()] + [(b"prefer", odd)]
        answer = await api.post("/v1/orders", json=body(**{sku: 1}), headers=headers)
        assert answer.status_code == 202
