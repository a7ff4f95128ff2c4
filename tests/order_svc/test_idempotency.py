"""An order that is sent again with its Idempotency-Key."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.main import build
from order_svc.store import OrderBook
from tests.answers import malformed_at, refused, watched
from tests.order_svc.conftest import settings
from tests.order_svc.orders import product
from tests.order_svc.shopfront import Shopfront
from tests.order_svc.test_api import API, body
from tests.outbox import events

Commit = GroupCommit[OrderBook]


def keyed(who: dict[str, str], key: str = "key-1") -> dict[str, str]:
    return {**who, "Idempotency-Key": key, "Content-Type": "application/json"}


async def send(api: API, asked: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return await api.post("/v1/orders", content=json.dumps(asked), headers=headers)


async def orders_of(api: API, who: dict[str, str]) -> list[str]:
    page = (await api.get("/v1/orders", params={"limit": 200}, headers=who)).json()
    return [order["id"] for order in page["items"]]


async def test_a_repeated_request_gets_its_first_answer_byte_for_byte(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, asked = bearer(), body(**{await product(commit): 2})
    first = await send(api, asked, keyed(who))
    again = await send(api, asked, keyed(who))
    assert (again.status_code, again.content) == (202, first.content)
    assert [again.headers[name] for name in ("location", "etag")] == [first.headers[n] for n in ("location", "etag")]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await orders_of(api, who) == [first.json()["id"]]
    assert len(await events(shared, first.json()["id"])) == 1


async def test_the_first_answer_comes_again_whatever_became_of_the_order(api: API, commit: Commit) -> None:
    who, asked = bearer(), body(**{await product(commit): 2})
    first = await send(api, asked, keyed(who))
    await api.post(f"{first.headers['location']}/cancel", headers=who)
    assert (await send(api, asked, keyed(who))).content == first.content


async def test_another_spelling_of_the_same_body_is_the_same_body(api: API, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    asked = body(**{sku: 2})
    first = await send(api, asked, keyed(who))
    spaced = json.dumps(dict(reversed(asked.items())), indent=4)
    again = await api.post("/v1/orders", content=spaced, headers=keyed(who))
    assert again.content == first.content


async def test_another_body_under_the_same_key_is_refused(api: API, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    await send(api, body(**{sku: 2}), keyed(who))
    refused(await send(api, body(**{sku: 3}), keyed(who)), 422, "idempotency_key_reused")
    assert len(await orders_of(api, who)) == 1


async def test_the_same_key_of_another_customer_is_another_key(api: API, commit: Commit) -> None:
    asked = body(**{await product(commit): 2})
    ids = {(await send(api, asked, keyed(bearer()))).json()["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_another_key_makes_another_order(api: API, commit: Commit) -> None:
    who, asked = bearer(), body(**{await product(commit): 2})
    ids = {(await send(api, asked, keyed(who, f"key-{n}"))).json()["id"] for n in range(2)}
    assert len(ids) == 2


async def test_without_a_key_every_request_makes_an_order(api: API, commit: Commit) -> None:
    who, asked = bearer(), body(**{await product(commit): 2})
    for _ in range(2):
        assert (await api.post("/v1/orders", json=asked, headers=who)).status_code == 202
    assert len(await orders_of(api, who)) == 2


async def test_the_id_of_an_order_is_no_key_to_it(api: API, commit: Commit) -> None:
    who, asked = bearer(), body(**{await product(commit): 2})
    first = (await api.post("/v1/orders", json=asked, headers=who)).json()
    # Within the service an order without a key is kept under its id.
    again = await send(api, asked, keyed(bearer(), first["id"]))
    assert again.json()["id"] != first["id"]


async def test_a_refused_order_leaves_its_key_free(api: API, shopfront: Shopfront) -> None:
    who, sku = bearer(), f"SKU-{uuid7()}"
    refused(await send(api, body(**{sku: 1}), keyed(who)), 409, "sku_unknown")
    shopfront.prices[sku] = 100
    accepted = await send(api, body(**{sku: 1}), keyed(who))
    assert accepted.status_code == 202
    assert "idempotency-replayed" not in accepted.headers


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"\x00", b"\xff\xfe", "schlüssel".encode(), b"x" * 256, b"a\tb"])
async def test_a_key_that_is_no_visible_ascii_is_malformed(api: API, commit: Commit, key: bytes) -> None:
    headers = [(name.encode(), value.encode()) for name, value in bearer().items()] + [(b"idempotency-key", key)]
    answer = await api.post("/v1/orders", json=body(**{await product(commit): 1}), headers=headers)
    assert malformed_at(answer) == {"header/idempotency-key"}


async def test_a_key_of_any_visible_ascii_is_taken(api: API, commit: Commit) -> None:
    asked, key = body(**{await product(commit): 1}), "".join(map(chr, range(0x21, 0x7F))) + "x" * 161
    assert (await send(api, asked, keyed(bearer(), key))).status_code == 202


async def test_a_key_raced_for_through_two_processes_makes_one_order(
    api: API, shared: Postgres, shared_url: str, shopfront: Shopfront
) -> None:
    who, sku = bearer(), shopfront.sell()
    async with watched(build(settings(shared_url, shopfront.url))) as other:
        tries = [send(one, body(**{sku: 2}), keyed(who)) for _ in range(12) for one in (api, other)]
        answers = await asyncio.gather(*tries)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert replayed.count(None) == 1
    [order_id] = await orders_of(api, who)
    assert len(await events(shared, UUID(order_id))) == 1


async def test_of_two_bodies_that_race_for_a_key_one_is_refused(
    api: API, shared_url: str, shopfront: Shopfront, commit: Commit
) -> None:
    who, sku = bearer(), await product(commit)
    async with watched(build(settings(shared_url, shopfront.url))) as other:
        tries = [send(one, body(**{sku: n + 1}), keyed(who)) for n, one in enumerate((api, other))]
        answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [202, 422]
    assert len(await orders_of(api, who)) == 1
