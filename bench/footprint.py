"""What each process uses: memory and CPU when idle, memory after a load, and the time until it is ready."""

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
    """One row per process; MiB are resident and unshared (USS)."""
    async with shop() as running:
        stack = running.stack
        await asyncio.sleep(3)
        idle = {name: _mib(stack.child(name).pid) for name in NAMES}
        before, started = running.cpu(), time.perf_counter()
        await asyncio.sleep(IDLE_SECONDS)
        cpu, took = running.cpu() - before, time.perf_counter() - started
        load = running.load()
        await load.closed_loop(16, seconds=LOAD_SECONDS)
        await drained(running, load)
        loaded = {name: _mib(stack.child(name).pid) for name in NAMES}
        ready = {name: await _restarted(running.stack, name) for name in NAMES}
        return [
            {
                "process": name,
                "idle_mib": idle[name],
                "loaded_mib": loaded[name],
                "idle_cpu_percent": cpu[name] / took / 1e4,
                "ready_seconds": ready[name],
            }
            for name in NAMES
        ]


async def _restarted(stack: Any, name: str) -> float:
    await stack.kill(name)
    started = time.perf_counter()
    await stack.start(name)
    return time.perf_counter() - started


def _mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().uss) / 2**20
