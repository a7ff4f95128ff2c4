"""What an order costs after its receipt: one amendment and one complete shipment, each from request to mail."""

import random
from dataclasses import replace
from typing import Any

import orjson

from bench.endtoend import drained
from bench.load import request, send_all
from bench.shop import Shop, shop
from tests.stack import STAFF

WARM_ORDERS = 300
ORDERS = 2000
CLIENTS = 64
QUANTITY = 4
"""More than any order has of one SKU, so that every order is changed."""
PARCEL = orjson.dumps({"carrier": "DHL", "tracking_number": "00340434161094042557"})


async def amend_and_ship() -> dict[str, Any]:
    """CPU time of an amendment and of a shipment, by process."""
    async with shop() as running:
        staff = (await running.stack.log_in(*STAFF))["Authorization"]
        await _round(running, staff, WARM_ORDERS)
        return {"orders": ORDERS, **await _round(running, staff, ORDERS)}


async def _round(running: Shop, staff: str, count: int) -> dict[str, Any]:
    # All orders are of one customer, who amends them.
    load = replace(running.load(), tokens=running.tokens[:1])
    await load.closed_loop(CLIENTS, count=count)
    await drained(running, load)
    rng, orders = random.Random(1), list(load.placed.values())
    by_customer, by_staff = _headers(f"Bearer {load.tokens[0]}"), _headers(staff)
    amendments = [request("PATCH", f"/v1/orders/{one}", _lines(running, rng), by_customer) for one in orders]
    shipments = [request("POST", f"/v1/orders/{one}/shipments", PARCEL, by_staff) for one in orders]
    cost: dict[str, Any] = {}
    for name, requests, status, mail in (
        ("amended", amendments, 202, "order_amended"),
        ("shipped", shipments, 201, "shipped"),
    ):
        before = running.cpu()
        statuses = await send_all(load.url, requests, CLIENTS)
        if statuses.keys() != {status}:
            raise RuntimeError(f"not all orders were {name}: {dict(statuses)}")
        await drained(running, load, mail)
        micros = running.cpu() - before
        cost[name] = {process: used / len(requests) / 1000 for process, used in micros.most_common()}
    return cost


def _headers(authorization: str) -> str:
    return f"Authorization: {authorization}\r\nIf-Match: *\r\n"


def _lines(running: Shop, rng: random.Random) -> bytes:
    return orjson.dumps({"lines": [{"sku": sku, "quantity": QUANTITY} for sku in rng.sample(running.skus, 2)]})
