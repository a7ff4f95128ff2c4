"""A load of customers who place orders, each with an Idempotency-Key, and retry requests that get no response.

Limited in number or time, on loopback. Measures the platform, and keeps it busy while tests break it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from bench.http import Connection, Response

TIMEOUT_SECONDS = 15.0
"""A request without a response after this time is retried."""
RETRY_SECONDS = (0.05, 0.3)
"""Pause before a request is retried."""

ADDRESS = {
    "name": "Ada Lovelace",
    "street": "St James's Square 12",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}

Basket = Callable[[random.Random], Mapping[str, int]]
"""Chooses what to order: SKU → quantity."""
Path = Callable[[random.Random], str]
"""Chooses what to read."""


def two_of(skus: Sequence[str], most: int = 3) -> Basket:
    """Two lines with different SKUs and random quantities."""
    return lambda rng: {sku: rng.randint(1, most) for sku in rng.sample(skus, 2)}


@dataclass
class Load:
    """Orders for the REST process at ``url``, by the customers with these access ``tokens``."""

    url: str
    tokens: Sequence[str]
    basket: Basket
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    retry: bool = True
    """Retry with the same key, for as long as necessary, if there is no response or a 5xx."""
    placed: dict[str, str] = field(default_factory=dict)
    """Idempotency-Key → the order's id."""
    statuses: Counter[int] = field(default_factory=Counter)
    """How often each status was received; 0 means no response."""
    seconds: list[float] = field(default_factory=list)
    """For each placed order, the time from the first attempt to the response."""

    async def closed_loop(self, clients: int, *, count: int | None = None, seconds: float = 3600.0) -> float:
        """Run clients that each place the next order after the response to the last; return the seconds taken."""
        left, started = iter(range(count if count is not None else 2**62)), time.perf_counter()

        async def client(number: int) -> None:
            async with _connected(self.url) as connection:
                while time.perf_counter() - started < seconds and next(left, None) is not None:
                    await self._place(connection, self.tokens[number % len(self.tokens)])

        await asyncio.gather(*(client(number) for number in range(clients)))
        return time.perf_counter() - started

    async def open_loop(self, rate: float, *, seconds: float, clients: int = 64) -> float:
        """Place orders at a rate, whether or not earlier ones have a response; return the seconds taken."""
        queue: asyncio.Queue[float | None] = asyncio.Queue()
        started = time.perf_counter()

        async def client(number: int) -> None:
            async with _connected(self.url) as connection:
                while (moment := await queue.get()) is not None:
                    # Measured from when it was due, so that a stall is not hidden by the orders that it delays.
                    await self._place(connection, self.tokens[number % len(self.tokens)], due=moment)

        running = asyncio.gather(*(client(number) for number in range(clients)))
        for nth in range(int(rate * seconds)):
            moment = started + nth / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            queue.put_nowait(moment)
        for _ in range(clients):
            queue.put_nowait(None)
        await running
        return time.perf_counter() - started

    async def _place(self, connection: "_Reconnecting", token: str, due: float | None = None) -> None:
        due, key = due or time.perf_counter(), uuid4().hex
        request = order_request(token, key, self.basket(self.rng))
        while True:
            response = await connection.send(request)
            self.statuses[response.status if response else 0] += 1
            if response and response.status < 500:
                break
            if not self.retry:
                return
            await asyncio.sleep(self.rng.uniform(*RETRY_SECONDS))
        if response.status == 202:
            self.seconds.append(time.perf_counter() - due)
            self.placed[key] = str(response.header("location")).rpartition("/")[2]


def order_request(token: str, key: str, lines: Mapping[str, int]) -> bytes:
    """The bytes of ``POST /v1/orders``."""
    body = {"lines": [{"sku": s, "quantity": q} for s, q in lines.items()], "shipping_address": ADDRESS}
    return post("/v1/orders", orjson.dumps(body), f"Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n")


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """The bytes of a POST of JSON; ``headers`` are whole lines."""
    return request("POST", path, body, headers)


def request(method: str, path: str, body: bytes, headers: str) -> bytes:
    """The bytes of a request with JSON; ``headers`` are whole lines."""
    head = f"{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def send_all(url: str, requests: Iterable[bytes], clients: int) -> Counter[int]:
    """Send each request once, with this many clients; return how often each status came, 0 for no response."""
    left, statuses = iter(requests), Counter[int]()

    async def client() -> None:
        async with _connected(url) as connection:
            for request in left:
                response = await connection.send(request)
                statuses[response.status if response else 0] += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return statuses


async def measured_gets(url: str, path: Path, clients: int, seconds: float, headers: str = "") -> dict[str, Any]:
    """Percentiles, rate and statuses of GETs by clients that each send the next one after the response to the last.

    ``path`` chooses what to read; ``headers`` are whole lines.
    """
    took, statuses = list[float](), Counter[int]()
    until = time.perf_counter() + seconds

    async def client(number: int) -> None:
        rng = random.Random(f"{number}/{seconds}")
        async with _connected(url) as connection:
            while (began := time.perf_counter()) < until:
                response = await connection.send(request("GET", path(rng), b"", headers))
                took.append(time.perf_counter() - began)
                statuses[response.status if response else 0] += 1

    await asyncio.gather(*(client(number) for number in range(clients)))
    return {**_percentiles(took), "rate": len(took) / seconds, "statuses": statuses}


async def measured_echo(load: Load, clients: int, seconds: float) -> dict[str, Any]:
    """Percentiles and rate of the yardstick."""
    took = await load.closed_loop(clients, seconds=seconds)
    return {**_percentiles(load.seconds), "rate": len(load.seconds) / took}


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    ms = sorted(one * 1000 for one in seconds)
    return {"p50_ms": ms[len(ms) // 2], "p99_ms": ms[len(ms) * 99 // 100]}


class _Reconnecting:
    """A client's connection, which is opened again after it broke."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connection: Connection | None = None

    async def send(self, request: bytes) -> Response | None:
        """Send a request; return the response, or None if there is none."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                self._connection = self._connection or await Connection.open(self._host, self._port)
                return await self._connection.send(request)
        except (OSError, TimeoutError):
            self.close()
            return None

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._connection:
            self._connection.close()
        self._connection = None


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[_Reconnecting]:
    connection = _Reconnecting(url)
    try:
        yield connection
    finally:
        connection.close()
