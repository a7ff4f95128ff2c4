"""What an order costs after its receipt: amended once, and shipped whole, each from request to mail."""

import random
from dataclasses import replace
from typing import Any

import orjson

from bench.endtoend import drained
from bench.load import ask_all, request
from bench.shop import Shop, shop
from tests.stack import STAFF

WARM_ORDERS = 300
ORDERS = 2000
CLIENTS = 64
QUANTITY = 4
"""More than any order has of anything, so that each is changed."""
PARCEL = orjson.dumps({"carrier": "DHL", "tracking_number": "00340434161094042557"})


async def amend_and_ship() -> dict[str, Any]:
    """CPU by process, of an amendment and of a shipment."""
    async with shop() as running:
        staff = (await running.stack.log_in(*STAFF))["Authorization"]
        await _round(running, staff, WARM_ORDERS)
        return {"orders": ORDERS, **await _round(running, staff, ORDERS)}


async def _round(running: Shop, staff: str, count: int) -> dict[str, Any]:
    # All of one customer, who amends them.
    load = replace(running.load(), tokens=running.tokens[:1])
    await load.closed(CLIENTS, count=count)
    await drained(running, load)
    chance, orders = random.Random(1), list(load.placed.values())
    by_customer, by_staff = _by(f"Bearer {load.tokens[0]}"), _by(staff)
    amendments = [request("PATCH", f"/v1/orders/{one}", _lines(running, chance), by_customer) for one in orders]
    shipments = [request("POST", f"/v1/orders/{one}/shipments", PARCEL, by_staff) for one in orders]
    spent: dict[str, Any] = {}
    for name, requests, status, mail in (
        ("amended", amendments, 202, "order_amended"),
        ("shipped", shipments, 201, "shipped"),
    ):
        before = running.spent()
        answers = await ask_all(load.url, requests, CLIENTS)
        if answers.keys() != {status}:
            raise RuntimeError(f"not all orders are {name}: {dict(answers)}")
        await drained(running, load, mail)
        micros = running.spent() - before
        spent[name] = {process: used / len(requests) / 1000 for process, used in micros.most_common()}
    return spent


def _by(whom: str) -> str:
    return f"Authorization: {whom}\r\nIf-Match: *\r\n"


def _lines(running: Shop, chance: random.Random) -> bytes:
    return orjson.dumps({"lines": [{"sku": sku, "quantity": QUANTITY} for sku in chance.sample(running.skus, 2)]})
