"""An adjustment of stock that is sent again with its Idempotency-Key."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer
from product_svc.main import build
from schemas import StockAdjusted
from tests.outbox import events
from tests.product_svc.apps import settings
from tests.product_svc.factories import Commit, numbers, stocked
from tests.responses import assert_problem, checked_client, malformed_fields

API = httpx.AsyncClient
TEN = {"delta": 10, "reason": "delivery", "note": "note 4711"}


async def adjust(
    api: API, sku: str, who: dict[str, str], key: str | None = "key-1", body: Any = TEN
) -> httpx.Response:
    headers = {**who, "Idempotency-Key": key} if key else who
    return await api.post(f"/v1/stock/{sku}/adjustments", json=body, headers=headers)


def clerk() -> dict[str, str]:
    return bearer(uuid7(), role="staff")


async def test_a_repeated_adjustment_gets_its_first_response_and_changes_nothing(
    api: API, shared: Mongo, commit: Commit
) -> None:
    sku, who = await stocked(commit, 1), clerk()
    first = await adjust(api, sku, who)
    await adjust(api, sku, who, key=None)
    again = await adjust(api, sku, who)
    assert (first.status_code, first.json()["on_hand"]) == (201, 11)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await numbers(shared, sku) == (21, 0)
    assert [event.delta for event in await events(shared, sku) if isinstance(event, StockAdjusted)] == [1, 10, 10]
    ledger = (await api.get(f"/v1/stock/{sku}/movements", headers=who)).json()["items"]
    assert [movement["delta"] for movement in ledger] == [10, 10, 1]


async def test_without_a_key_every_request_adjusts(api: API, shared: Mongo, commit: Commit) -> None:
    sku, who = await stocked(commit, 0), clerk()
    for _ in range(2):
        await adjust(api, sku, who, key=None)
    assert await numbers(shared, sku) == (20, 0)


async def test_another_body_under_the_same_key_is_refused(api: API, shared: Mongo, commit: Commit) -> None:
    sku, who = await stocked(commit, 0), clerk()
    await adjust(api, sku, who)
    assert_problem(await adjust(api, sku, who, body=TEN | {"delta": 11}), 422, "idempotency_key_reused")
    assert await numbers(shared, sku) == (10, 0)


async def test_the_same_key_of_another_staff_member_or_sku_is_another_key(
    api: API, shared: Mongo, commit: Commit
) -> None:
    mug, cup, who = await stocked(commit, 0), await stocked(commit, 0), clerk()
    for sku, one in ((mug, who), (mug, clerk()), (cup, who)):
        assert "idempotency-replayed" not in (await adjust(api, sku, one)).headers
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(20, 0), (10, 0)]


async def test_a_refused_adjustment_does_not_use_its_key(api: API, shared: Mongo, commit: Commit) -> None:
    sku, who, less = await stocked(commit, 0), clerk(), {"delta": -1, "reason": "damage"}
    assert_problem(await adjust(api, sku, who, body=less), 409, "insufficient_stock")
    await adjust(api, sku, who, key=None)
    assert (await adjust(api, sku, who, body=less)).json()["on_hand"] == 9


@pytest.mark.parametrize("key", [" ", "a b", "x" * 256])
async def test_a_key_that_is_not_visible_ascii_is_malformed(api: API, key: str) -> None:
    assert malformed_fields(await adjust(api, "MUG", clerk(), key)) == {"header/idempotency-key"}


async def test_a_key_used_concurrently_in_two_processes_adjusts_once(
    api: API, shared: Mongo, shared_url: str, commit: Commit
) -> None:
    sku, who = await stocked(commit, 0), clerk()
    async with checked_client(build(settings(shared_url))) as other:
        responses = await asyncio.gather(*(adjust(one, sku, who) for _ in range(8) for one in (api, other)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert [response.headers.get("idempotency-replayed") for response in responses].count(None) == 1
    assert await numbers(shared, sku) == (10, 0)


async def test_a_response_is_kept_as_long_as_configured_and_the_database_deletes_it(
    api: API, shared: Mongo, commit: Commit
) -> None:
    sku, who = await stocked(commit, 0), clerk()
    before = {document["_id"] async for document in shared.db.idempotency_keys.find()}
    await adjust(api, sku, who)
    [kept] = [one async for one in shared.db.idempotency_keys.find() if one["_id"] not in before]
    assert abs(kept["until"] - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    indexes = await shared.db.idempotency_keys.index_information()
    assert indexes["until_1"]["expireAfterSeconds"] == 0
