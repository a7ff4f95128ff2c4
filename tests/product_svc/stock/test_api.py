"""The REST API of stock."""

import asyncio

from chassis.persistence.mongo.database import Mongo
from schemas import StockAdjusted
from tests.outbox import events
from tests.product_svc.factories import handle, new_sku, placed
from tests.product_svc.rest_factories import API, added, adjust
from tests.responses import assert_problem


async def test_the_stock_of_a_product_starts_at_zero(api: API) -> None:
    sku = new_sku()
    await added(api, sku)
    stock = (await api.get(f"/v1/stock/{sku}")).json()
    assert stock == {"sku": sku, "on_hand": 0, "reserved": 0, "available": 0}


async def test_stock_is_adjusted_and_published(api: API, shared: Mongo) -> None:
    sku = new_sku()
    await added(api, sku)
    response = await adjust(api, sku, 10)
    assert response.status_code == 201
    assert response.json() == {"sku": sku, "on_hand": 10, "reserved": 0, "available": 10}
    assert (await adjust(api, sku, -3, "damage")).json()["on_hand"] == 7
    assert (await api.get(f"/v1/stock/{sku}")).json()["on_hand"] == 7
    assert await events(shared, sku) == [
        StockAdjusted(sku=sku, delta=10, reason="delivery", on_hand=10, reserved=0),
        StockAdjusted(sku=sku, delta=-3, reason="damage", on_hand=7, reserved=0),
    ]


async def test_reserved_units_are_shown_and_cannot_be_taken_away(api: API, shared: Mongo) -> None:
    sku = new_sku()
    await added(api, sku)
    await adjust(api, sku, 5)
    await handle(shared, placed({sku: 3}))
    stock = (await api.get(f"/v1/stock/{sku}")).json()
    assert stock == {"sku": sku, "on_hand": 5, "reserved": 3, "available": 2}
    assert assert_problem(await adjust(api, sku, -3, "damage"), 409, "insufficient_stock")["available"] == 2
    assert (await api.get(f"/v1/stock/{sku}")).json() == stock


async def test_concurrent_adjustments_all_count(api: API) -> None:
    sku = new_sku()
    await added(api, sku)
    responses = await asyncio.gather(*(adjust(api, sku, 1) for _ in range(20)))
    assert {response.status_code for response in responses} == {201}
    assert sorted(response.json()["on_hand"] for response in responses) == list(range(1, 21))
