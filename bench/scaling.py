"""How the rate grows with the number of processes, where cores are there for them.

Each process of the kind that is measured gets the same small share of a core, so that it is the limit and not the
machine; all others run without a limit. Without the right to limit processes, nothing can be measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, LiteralString

import psycopg
from pymongo import AsyncMongoClient

from bench.cpu_share import can_share, shared
from bench.endtoend import drained
from bench.shop import Shop, shop

COUNTS = (1, 2, 3)
SHARE = 0.15
"""Of a core, for each process that is measured."""
ORDERS, WARM_ORDERS = 1_500, 200
CLIENTS, ACCEPT_CLIENTS, ACCEPT_SECONDS = 32, 8, 8.0
POLL_SECONDS, LIMIT_SECONDS = 0.1, 120.0
MIDDLE = (0.25, 0.75)
"""The rate is taken between these fractions of the orders."""

Done = Callable[[Shop], Awaitable[int]]


async def _reserved(running: Shop) -> int:
    client: AsyncMongoClient[Any]
    async with AsyncMongoClient(running.stack.commands["product"].env["MONGO_URL"]) as client:
        return await client.get_default_database().reservations.estimated_document_count()


async def _confirmed(running: Shop) -> int:
    return await _count(running, "order", "SELECT count(*) FROM orders WHERE state = 'CONFIRMED'")


async def _mailed(running: Shop) -> int:
    return await _count(running, "notifier", "SELECT count(*) FROM mails WHERE state = 'sent'")


async def _count(running: Shop, service: str, query: LiteralString) -> int:
    url = running.stack.commands[service].env["POSTGRES_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        row = await (await connection.execute(query)).fetchone()
    return int(row[0]) if row else 0


HANDLED: Mapping[str, Done] = {
    "product-worker": _reserved,
    "order-worker": _confirmed,
    "notifier-worker": _mailed,
}
"""Event process → how many orders it has handled."""


async def scaling() -> dict[str, Any]:
    """For each kind of process, the rate with one, two and three of them."""
    if not can_share():
        return {"skipped": "this user may not limit the CPU of processes (cgroups)", "rows": []}
    async with shop() as running:
        await drained(running, await running.place(WARM_ORDERS, CLIENTS))
        rows = [await _row(running, name, count) for name in ("order", *HANDLED) for count in COUNTS]
    return {"share": SHARE, "rows": rows}


async def _row(running: Shop, name: str, count: int) -> dict[str, Any]:
    async with AsyncExitStack() as ended:
        names = [name]
        for number in range(1, count):
            copy = await running.stack.start_another(name, f"{name}-{number}")
            ended.push_async_callback(_end, running, copy)
            names.append(copy)
        # Until the group has shared its partitions out.
        await asyncio.sleep(5)
        for one in names:
            ended.enter_context(shared(running.stack.child(one).pid, SHARE))
        rate = await (_accepted(running, names) if name == "order" else _handled(running, HANDLED[name]))
    return {"process": name, "count": count, "rate": rate}


async def _end(running: Shop, name: str) -> None:
    await running.stack.kill(name)
    del running.stack.children[name]


async def _accepted(running: Shop, names: list[str]) -> float:
    loads = [running.load(name) for name in names]
    began = time.perf_counter()
    await asyncio.gather(*(load.closed_loop(ACCEPT_CLIENTS, seconds=ACCEPT_SECONDS) for load in loads))
    took = time.perf_counter() - began
    for load in loads:
        await drained(running, load)
    return sum(len(load.placed) for load in loads) / took


async def _handled(running: Shop, done: Done) -> float:
    """Place orders faster than the processes handle them; the rate at which they do."""
    before = await done(running)
    placing, moments = asyncio.create_task(running.place(ORDERS, CLIENTS)), dict[int, float]()
    marks = [round(ORDERS * share) for share in MIDDLE]
    deadline = time.perf_counter() + LIMIT_SECONDS
    while len(moments) < len(marks):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{await done(running) - before} of {ORDERS} orders after {LIMIT_SECONDS:g} s")
        handled = await done(running) - before
        for mark in marks:
            if handled >= mark:
                moments.setdefault(mark, time.perf_counter())
        await asyncio.sleep(POLL_SECONDS)
    await drained(running, await placing)
    first, last = (moments[mark] for mark in marks)
    return (marks[1] - marks[0]) / (last - first)
