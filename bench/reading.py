"""How long reads take with a million orders: a customer's history, the lists and searches of staff, a timeline."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg

from bench.growth import MANY, insert_history
from bench.load import Path, measured_echo, measured_gets
from bench.shop import Shop, shop
from tests.stack import STAFF

CLIENTS, SECONDS, WARM_UP = 4, 8.0, 1.0
OWN = 1_000
"""Orders of the customer whose history is read."""
SAMPLE = 10_000
_OWN = (
    "UPDATE orders SET customer_id = %s WHERE id IN"
    f" (SELECT id FROM orders TABLESAMPLE BERNOULLI ({100 * OWN / MANY}))"
)
_SAMPLE = f"SELECT id FROM orders TABLESAMPLE BERNOULLI ({100 * SAMPLE / MANY})"


async def reading() -> dict[str, Any]:
    """For each kind of request p50, p99 (ms) and rate, beside those of an echo."""
    async with shop("customer", "product", "order", skus=2) as running:
        await insert_history(running, MANY)
        customer = {"Authorization": f"Bearer {running.tokens[0]}"}
        profile = await running.stack.read("customer", "/v1/customers/me", customer)
        orders = await asyncio.to_thread(_prepare, running, profile["id"])
        rows, url = {}, running.stack.urls["order"]
        for name, (path, who) in _kinds(orders, customer, await running.stack.log_in(*STAFF)).items():
            headers = f"Authorization: {who['Authorization']}\r\n"
            await measured_gets(url, path, CLIENTS, WARM_UP, headers)
            rows[name] = await measured_gets(url, path, CLIENTS, SECONDS, headers)
        echo = await measured_echo(running.load("echo"), CLIENTS, SECONDS)
        return {"orders": MANY, "own": OWN, "clients": CLIENTS, "echo": echo, "rows": rows}


def _prepare(running: Shop, customer: str) -> Sequence[UUID]:
    """Give a customer a history among all orders; return some orders."""
    with psycopg.connect(running.stack.commands["order"].env["POSTGRES_URL"], autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute(_OWN, [customer])
        connection.execute("VACUUM ANALYZE orders")
        return [row[0] for row in connection.execute(_SAMPLE).fetchall()]


def _kinds(
    orders: Sequence[UUID], customer: Mapping[str, str], staff: Mapping[str, str]
) -> Mapping[str, tuple[Path, Mapping[str, str]]]:
    """Kind of request → a path of that kind, and who sends it."""
    path = "/v1/orders"
    return {
        "a customer's history, first page": (lambda _: path, customer),
        "a customer's history, any page": (lambda rng: f"{path}?cursor={rng.choice(orders)}", customer),
        "staff: list, first page": (lambda _: path, staff),
        "staff: list, any page": (lambda rng: f"{path}?cursor={rng.choice(orders)}", staff),
        "staff: in a state that few are in": (lambda rng: f"{path}?state=SHIPPED&cursor={rng.choice(orders)}", staff),
        "staff: search, many match": (lambda rng: f"{path}?q=mug&cursor={rng.choice(orders)}", staff),
        "staff: search, none match": (lambda rng: f"{path}?q=kettle&cursor={rng.choice(orders)}", staff),
        "an order": (lambda rng: f"{path}/{rng.choice(orders)}", staff),
        "a timeline": (lambda rng: f"{path}/{rng.choice(orders)}/timeline", staff),
    }
