"""From POST to receipt: the rate that the platform sustains on one machine, its latencies, and its CPU time."""

import asyncio
import math
import random
import statistics
import time
from datetime import datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bench.load import Load
from bench.shop import Shop, shop
from tests.stack import STAFF

WARM_SECONDS = 60.0
"""As long as it measures: a JVM takes a while to compile what it does often."""
SUSTAINED_SECONDS = 60.0
TRIAL_SECONDS, TRIALS, NARROW = 20.0, 6, 1.08
"""The search for the sustained rate ends where the next rate that is too high is so close."""
STEP_SECONDS = 20.0
SHARES = (0.25, 0.5, 0.8)
SAMPLE = 300
QUIET_SECONDS, TWENTY_SECONDS = 60.0, 30.0
DRAIN_SECONDS = 300.0
RECEIPTS = {"template": "receipt", "outcome": "sent"}


async def end_to_end() -> dict[str, Any]:
    """The sustained rate with CPU time by process, and latencies at fractions of it and when it is quiet."""
    async with shop() as running:
        estimate = await _warm(running)
        echo_rate, echo_ms = await _echo(running)
        rate = await _search(running, estimate)
        while not (sustained := await _trial(running, rate, SUSTAINED_SECONDS))["kept_up"]:
            rate *= 0.93
        return {
            "echo_rate": echo_rate,
            "echo_cpu_ms": echo_ms,
            **sustained,
            "ratio": sustained["rate"] / echo_rate,
            "cpu_ratio": sustained["cpu_ms_total"] / echo_ms,
            "steps": [await _step(running, rate, share) for share in SHARES],
            "latency_at_one": await latencies(running, 1.0, QUIET_SECONDS, SAMPLE),
            "cpu_at_twenty": await _cores(running, 20.0, TWENTY_SECONDS),
        }


async def _warm(running: Shop) -> float:
    """Orders as fast as they are accepted; the rate at which they are completed: a first estimate."""
    started, load = time.perf_counter(), running.load()
    await load.closed_loop(64, seconds=WARM_SECONDS)
    await drained(running, load)
    return len(load.placed) / (time.perf_counter() - started)


async def _echo(running: Shop) -> tuple[float, float]:
    """Requests per second of the echo, and its CPU time for each, with the client's, in milliseconds."""
    echo, before = running.load("echo"), running.cpu()
    took = await echo.closed_loop(64, seconds=5.0)
    cpu = running.cpu() - before
    return len(echo.seconds) / took, (cpu["echo"] + cpu["bench"]) / len(echo.seconds) / 1000


async def _search(running: Shop, rate: float) -> float:
    """About the highest rate that the platform keeps up with, found by short trials."""
    low, high = 0.0, math.inf
    for _ in range(TRIALS):
        if (await _trial(running, rate, TRIAL_SECONDS))["kept_up"]:
            low = rate
        else:
            high = rate
        if low and high <= low * NARROW:
            break
        rate = low * 1.25 if high == math.inf else (low + high) / 2 if low else high * 0.8
    return low or rate


async def _trial(running: Shop, rate: float, seconds: float) -> dict[str, Any]:
    mails, before, started = await mailed(running), running.cpu(), time.perf_counter()
    load = running.load()
    await load.open_loop(rate, seconds=seconds)
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


async def _cores(running: Shop, rate: float, seconds: float) -> dict[str, Any]:
    """How many cores everything takes, the load generator apart, at a rate that is far from the limit."""
    load, before = running.load(), running.cpu()
    took = await load.open_loop(rate, seconds=seconds)
    cpu = running.cpu() - before
    del cpu["bench"]
    await drained(running, load)
    seconds = sum(cpu.values()) / 1e6
    return {"rate": rate, "cores": seconds / took, "ms_per_order": seconds * 1000 / len(load.placed)}


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
