"""From POST to receipt: the rate that the platform sustains on one machine, its latencies, and its CPU time."""

import asyncio
import random
import statistics
import time
from datetime import datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bench.load import Load
from bench.shop import Shop, shop
from tests.stack import STAFF

WARM_ORDERS = 500
BURST_SECONDS = 10.0
SUSTAINED_SECONDS = 60.0
STEP_SECONDS = 20.0
SHARES = (0.25, 0.5, 0.8)
SAMPLE = 300
DRAIN_SECONDS = 300.0
RECEIPTS = {"template": "receipt", "outcome": "sent"}


async def end_to_end() -> dict[str, Any]:
    """The sustained rate with CPU time by process, and latencies at fractions of it."""
    async with shop() as running:
        await drained(running, await _burst(running, count=WARM_ORDERS))
        echo = running.load("echo")
        took = await echo.closed_loop(64, seconds=5.0)
        echo_rate = len(echo.seconds) / took
        rate = await _capacity(running)
        while not (sustained := await _sustained(running, rate))["kept_up"]:
            rate *= 0.85
        steps = [await _step(running, rate, share) for share in SHARES]
        return {"echo_rate": echo_rate, **sustained, "ratio": sustained["rate"] / echo_rate, "steps": steps}


async def _burst(running: Shop, **bounds: Any) -> Load:
    load = running.load()
    await load.closed_loop(64, **bounds)
    return load


async def _capacity(running: Shop) -> float:
    """A first estimate: the rate at which orders that arrive as fast as possible are completed."""
    started = time.perf_counter()
    load = await _burst(running, seconds=BURST_SECONDS)
    await drained(running, load)
    return len(load.placed) / (time.perf_counter() - started)


async def _sustained(running: Shop, rate: float) -> dict[str, Any]:
    mails, before, started = await mailed(running), running.cpu(), time.perf_counter()
    load = running.load()
    await load.open_loop(rate, seconds=SUSTAINED_SECONDS)
    # If more orders are in progress than arrive in two seconds, the platform falls behind.
    behind = len(load.placed) - (await mailed(running) - mails)
    await drained(running, load)
    took, cpu = time.perf_counter() - started, running.cpu() - before
    done = len(load.placed)
    return {
        "rate": done / took,
        "target_rate": rate,
        "kept_up": behind <= 2 * rate,
        "cpu_ms_per_order": {name: micros / done / 1000 for name, micros in cpu.most_common()},
        "cpu_ms_total": sum(cpu.values()) / done / 1000,
    }


async def _step(running: Shop, rate: float, share: float) -> dict[str, Any]:
    return {"share": share, "rate": rate * share, **await latencies(running, rate * share, STEP_SECONDS, SAMPLE)}


async def latencies(running: Shop, rate: float, seconds: float, sample: int) -> dict[str, Any]:
    """Place orders at a rate; percentiles of the times until they were confirmed and mailed, in milliseconds."""
    load = running.load()
    await load.open_loop(rate, seconds=seconds)
    await drained(running, load)
    chosen = random.Random(1).sample(list(load.placed.values()), min(sample, len(load.placed)))
    staff = await running.stack.log_in(*STAFF)
    confirmed, receipts = [], []
    for order in chosen:
        timeline = await running.stack.read("order", f"/v1/orders/{order}/timeline", staff)
        at = {entry["type"]: datetime.fromisoformat(entry["at"]).timestamp() for entry in timeline["entries"]}
        confirmed.append((at["order.confirmed"] - at["order.placed"]) * 1000)
        receipts.append((at["notification.mail_sent"] - at["order.placed"]) * 1000)
    return {"confirmed_ms": _percentiles(confirmed), "mailed_ms": _percentiles(receipts)}


async def drained(running: Shop, load: Load, template: str = "receipt") -> None:
    """Wait until every order's mail of this kind is sent and in its timeline."""
    deadline = time.monotonic() + DRAIN_SECONDS
    last = list(load.placed.values())[-200:]
    staff = await running.stack.log_in(*STAFF)
    while last:
        timeline = await running.stack.read("order", f"/v1/orders/{last[-1]}/timeline", staff)
        if any(entry["detail"].get("template") == template for entry in timeline["entries"]):
            last.pop()
            continue
        if time.monotonic() > deadline:
            raise RuntimeError(f"an order without the mail {template} after {DRAIN_SECONDS:g} s: {timeline}")
        await asyncio.sleep(0.1)


async def mailed(running: Shop) -> int:
    """The number of receipts that the mail server has accepted so far."""
    metrics = (await running.stack.http.get(f"{running.stack.urls['notifier-worker']}/metrics")).text
    return sum(
        int(one.value)
        for family in text_string_to_metric_families(metrics)
        for one in family.samples
        if one.name == "shop_mails_total" and RECEIPTS.items() <= one.labels.items()
    )


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}
