"""A thousand open timeline streams: what they cost while nothing happens, and how soon a change arrives."""

import asyncio
import signal
import time
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.shop import Shop, shop

ACCOUNTS, OF_ACCOUNT = 100, 10
IDLE_SECONDS = 15.0
CANCELLED, PAUSE_SECONDS = 250, 0.05
EVENT_SECONDS = 30.0
CANCELLATION = b"order.cancelled"


async def streams() -> dict[str, Any]:
    """CPU (% of a core) and MiB of the REST process without and with streams, and ms from a change to its event."""
    async with shop() as running:
        accounts = [(await running.stack.customer())[1] for _ in range(ACCOUNTS)]
        # The stream of an order ends when nothing more is to come: these all wait for their stock.
        await running.stack.kill("product-worker", signal.SIGTERM)
        load = running.load()
        for who in accounts:
            load.tokens = [who["Authorization"].split()[1]]
            await load.closed_loop(1, count=OF_ACCOUNT)
        orders = [(order, who) for who in accounts for order in await _orders(running, who)]
        without = await _idle(running)
        began = time.perf_counter()
        opened = [await _Stream.open(running.stack.urls["order"], order, who) for order, who in orders]
        opening = time.perf_counter() - began
        with_streams = await _idle(running)
        delays = sorted([await _cancelled(running, stream) for stream in opened[:: len(opened) // CANCELLED]])
        for stream in opened:
            stream.writer.close()
        return {
            "streams": len(opened),
            "opened_per_second": len(opened) / opening,
            "without": without,
            "with": with_streams,
            "delay_p50_ms": delays[len(delays) // 2],
            "delay_p99_ms": delays[len(delays) * 99 // 100],
        }


class _Stream:
    """An open stream of one order."""

    def __init__(self, order: str, who: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.order, self.who, self.reader, self.writer = order, who, reader, writer

    @classmethod
    async def open(cls, url: str, order: str, who: dict[str, str]) -> "_Stream":
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        headers = f"Host: shop\r\nAuthorization: {who['Authorization']}\r\nAccept: text/event-stream\r\n"
        writer.write(f"GET /v1/orders/{order}/timeline/stream HTTP/1.1\r\n{headers}\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"a stream was refused: {status.decode()}")
        return cls(order, who, reader, writer)

    async def until(self, event: bytes) -> None:
        """Read until this event."""
        async with asyncio.timeout(EVENT_SECONDS):
            while event not in (line := await self.reader.readline()):
                if not line:
                    raise RuntimeError(f"a stream ended before {event.decode()}")


async def _orders(running: Shop, who: dict[str, str]) -> list[str]:
    page = await running.stack.read("order", f"/v1/orders?limit={OF_ACCOUNT}", who)
    return [order["id"] for order in page["items"]]


async def _idle(running: Shop) -> dict[str, float]:
    process = psutil.Process(running.stack.child("order").pid)
    before = running.cpu()["order"]
    await asyncio.sleep(IDLE_SECONDS)
    used = running.cpu()["order"] - before
    return {"cpu_percent": used / IDLE_SECONDS / 1e4, "mib": process.memory_full_info().uss / 2**20}


async def _cancelled(running: Shop, stream: _Stream) -> float:
    """Cancel an order; milliseconds until the event is in its stream, with the request itself."""
    await asyncio.sleep(PAUSE_SECONDS)
    began = time.perf_counter()
    url = f"{running.stack.urls['order']}/v1/orders/{stream.order}/cancel"
    cancelling = asyncio.create_task(running.stack.http.post(url, headers=stream.who))
    await stream.until(CANCELLATION)
    took = time.perf_counter() - began
    (await cancelling).raise_for_status()
    return took * 1000
