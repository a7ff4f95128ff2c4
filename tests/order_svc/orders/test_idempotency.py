"""Requests that are repeated with their Idempotency-Key, over the REST API."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.main import build
from tests.order_svc.apps import settings
from tests.order_svc.product_stub import ProductStub
from tests.order_svc.rest import API, body
from tests.order_svc.scenarios import Commit, product
from tests.outbox import events
from tests.responses import assert_problem, checked_client, malformed_fields


def keyed(headers: dict[str, str], key: str = "key-1") -> dict[str, str]:
    return {**headers, "Idempotency-Key": key, "Content-Type": "application/json"}


async def send(api: API, order: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return await api.post("/v1/orders", content=json.dumps(order), headers=headers)


async def orders_of(api: API, headers: dict[str, str]) -> list[str]:
    page = (await api.get("/v1/orders", params={"limit": 200}, headers=headers)).json()
    return [one["id"] for one in page["items"]]


async def test_a_repeated_request_gets_its_first_response_byte_for_byte(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, order = bearer(), body(**{await product(commit): 2})
    first = await send(api, order, keyed(headers))
    again = await send(api, order, keyed(headers))
    assert (again.status_code, again.content) == (202, first.content)
    assert [again.headers[name] for name in ("location", "etag")] == [first.headers[n] for n in ("location", "etag")]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await orders_of(api, headers) == [first.json()["id"]]
    assert len(await events(shared, first.json()["id"])) == 1


async def test_the_first_response_is_repeated_whatever_happened_to_the_order(api: API, commit: Commit) -> None:
    headers, order = bearer(), body(**{await product(commit): 2})
    first = await send(api, order, keyed(headers))
    await api.post(f"{first.headers['location']}/cancel", headers=headers)
    assert (await send(api, order, keyed(headers))).content == first.content


async def test_another_spelling_of_the_same_body_is_the_same_body(api: API, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    order = body(**{sku: 2})
    first = await send(api, order, keyed(headers))
    spaced = json.dumps(dict(reversed(order.items())), indent=4)
    again = await api.post("/v1/orders", content=spaced, headers=keyed(headers))
    assert again.content == first.content


async def test_another_body_under_the_same_key_is_refused(api: API, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    await send(api, body(**{sku: 2}), keyed(headers))
    assert_problem(await send(api, body(**{sku: 3}), keyed(headers)), 422, "idempotency_key_reused")
    assert len(await orders_of(api, headers)) == 1


async def test_the_same_key_of_another_customer_is_another_key(api: API, commit: Commit) -> None:
    order = body(**{await product(commit): 2})
    ids = {(await send(api, order, keyed(bearer()))).json()["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_another_key_places_another_order(api: API, commit: Commit) -> None:
    headers, order = bearer(), body(**{await product(commit): 2})
    ids = {(await send(api, order, keyed(headers, f"key-{n}"))).json()["id"] for n in range(2)}
    assert len(ids) == 2


async def test_without_a_key_every_request_places_an_order(api: API, commit: Commit) -> None:
    headers, order = bearer(), body(**{await product(commit): 2})
    for _ in range(2):
        assert (await api.post("/v1/orders", json=order, headers=headers)).status_code == 202
    assert len(await orders_of(api, headers)) == 2


async def test_the_id_of_an_order_cannot_be_used_as_its_key(api: API, commit: Commit) -> None:
    headers, order = bearer(), body(**{await product(commit): 2})
    first = (await api.post("/v1/orders", json=order, headers=headers)).json()
    # Internally, a request without a key uses the id of its order.
    again = await send(api, order, keyed(bearer(), first["id"]))
    assert again.json()["id"] != first["id"]


async def test_a_refused_order_does_not_use_its_key(api: API, product_stub: ProductStub) -> None:
    headers, sku = bearer(), f"SKU-{uuid7()}"
    assert_problem(await send(api, body(**{sku: 1}), keyed(headers)), 409, "sku_not_found")
    product_stub.prices[sku] = 100
    accepted = await send(api, body(**{sku: 1}), keyed(headers))
    assert accepted.status_code == 202
    assert "idempotency-replayed" not in accepted.headers


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"\x00", b"\xff\xfe", "schlüssel".encode(), b"x" * 256, b"a\tb"])
async def test_a_key_that_is_not_visible_ascii_is_malformed(api: API, commit: Commit, key: bytes) -> None:
    headers = [(name.encode(), value.encode()) for name, value in bearer().items()] + [(b"idempotency-key", key)]
    response = await api.post("/v1/orders", json=body(**{await product(commit): 1}), headers=headers)
    assert malformed_fields(response) == {"header/idempotency-key"}


async def test_a_key_of_any_visible_ascii_is_accepted(api: API, commit: Commit) -> None:
    order, key = body(**{await product(commit): 1}), "".join(map(chr, range(0x21, 0x7F))) + "x" * 161
    assert (await send(api, order, keyed(bearer(), key))).status_code == 202


async def test_concurrent_uses_of_a_key_through_two_processes_place_one_order(
    api: API, shared: Postgres, shared_url: str, product_stub: ProductStub
) -> None:
    headers, sku = bearer(), product_stub.sell()
    async with checked_client(build(settings(shared_url, product_stub.url))) as other:
        tries = [send(one, body(**{sku: 2}), keyed(headers)) for _ in range(12) for one in (api, other)]
        responses = await asyncio.gather(*tries)
    assert {response.status_code for response in responses} == {202}
    assert len({response.content for response in responses}) == 1
    replayed = [response.headers.get("idempotency-replayed") for response in responses]
    assert replayed.count(None) == 1
    [order_id] = await orders_of(api, headers)
    assert len(await events(shared, UUID(order_id))) == 1


async def test_of_two_bodies_that_use_a_key_concurrently_one_is_refused(
    api: API, shared_url: str, product_stub: ProductStub, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit)
    async with checked_client(build(settings(shared_url, product_stub.url))) as other:
        tries = [send(one, body(**{sku: n + 1}), keyed(headers)) for n, one in enumerate((api, other))]
        responses = await asyncio.gather(*tries)
    assert sorted(response.status_code for response in responses) == [202, 422]
    assert len(await orders_of(api, headers)) == 1
