"""What each process takes: memory and CPU when idle, memory after a load, and how long it takes to be ready."""

import asyncio
import time
from typing import Any

import psutil

from bench.endtoend import drained
from bench.shop import shop

IDLE_SECONDS = 20.0
LOAD_SECONDS = 15.0
NAMES = tuple(
    f"{service}{kind}" for service in ("customer", "product", "order", "notifier") for kind in ("", "-worker")
)


async def footprint() -> list[dict[str, Any]]:
    """A row a process; MiB are resident and not shared (USS)."""
    async with shop() as running:
        stack = running.stack
        await asyncio.sleep(3)
        idle = {name: _mib(stack.child(name).pid) for name in NAMES}
        before, began = running.spent(), time.perf_counter()
        await asyncio.sleep(IDLE_SECONDS)
        spent, took = running.spent() - before, time.perf_counter() - began
        load = running.load()
        await load.closed(16, seconds=LOAD_SECONDS)
        await drained(running, load)
        loaded = {name: _mib(stack.child(name).pid) for name in NAMES}
        ready = {name: await _restarted(running.stack, name) for name in NAMES}
        return [
            {
                "process": name,
                "idle_mib": idle[name],
                "loaded_mib": loaded[name],
                "idle_cpu_percent": spent[name] / took / 1e4,
                "ready_seconds": ready[name],
            }
            for name in NAMES
        ]


async def _restarted(stack: Any, name: str) -> float:
    await stack.kill(name)
    began = time.perf_counter()
    await stack.start(name)
    return time.perf_counter() - began


def _mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().uss) / 2**20
