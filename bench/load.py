"""The load: customers who place orders, each under an Idempotency-Key, and repeat what was not answered.

Bounded in count or time, on loopback. Used to measure the platform, and to keep it busy while things go wrong.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from bench.http import Answer, Connection

ANSWER_SECONDS = 15.0
"""A request without an answer by then is given up, and repeated."""
AGAIN_SECONDS = (0.05, 0.3)
"""Pause before a request is repeated."""

ADDRESS = {
    "name": "Ada Lovelace",
    "street": "St James's Square 12",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}

Basket = Callable[[random.Random], Mapping[str, int]]
"""Chooses what to order: SKU → quantity."""


def two_of(skus: Sequence[str], most: int = 3) -> Basket:
    """Two lines of different SKUs, some pieces of each."""
    return lambda chance: {sku: chance.randint(1, most) for sku in chance.sample(skus, 2)}


@dataclass
class Load:
    """Orders for the REST front at ``url``, in the names of the customers whose access ``tokens`` these are."""

    url: str
    tokens: Sequence[str]
    basket: Basket
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    insist: bool = True
    """Repeat, under the same key, what got no answer or a 5xx, for as long as it takes."""
    placed: dict[str, str] = field(default_factory=dict)
    """Idempotency-Key → the order's id."""
    answers: Counter[int] = field(default_factory=Counter)
    """How often each status came; 0 stands for no answer."""
    seconds: list[float] = field(default_factory=list)
    """Of every placed order, from the first try to the answer."""

    async def closed(self, clients: int, *, count: int | None = None, seconds: float = 3600.0) -> float:
        """So many clients, each placing its next order when the last was answered; return the seconds it took."""
        left, began = iter(range(count if count is not None else 2**62)), time.perf_counter()

        async def client(number: int) -> None:
            async with _kept(self.url) as line:
                while time.perf_counter() - began < seconds and next(left, None) is not None:
                    await self._place(line, self.tokens[number % len(self.tokens)])

        await asyncio.gather(*(client(number) for number in range(clients)))
        return time.perf_counter() - began

    async def paced(self, rate: float, *, seconds: float, clients: int = 64) -> float:
        """So many orders a second, whether the ones before were answered or not; return the seconds it took."""
        due: asyncio.Queue[float | None] = asyncio.Queue()
        began = time.perf_counter()

        async def client(number: int) -> None:
            async with _kept(self.url) as line:
                while (moment := await due.get()) is not None:
                    # Counted from when it was due, so that a stall is not hidden by the orders it held up.
                    await self._place(line, self.tokens[number % len(self.tokens)], began=moment)

        clients_running = asyncio.gather(*(client(number) for number in range(clients)))
        for nth in range(int(rate * seconds)):
            moment = began + nth / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            due.put_nowait(moment)
        for _ in range(clients):
            due.put_nowait(None)
        await clients_running
        return time.perf_counter() - began

    async def _place(self, line: "_Line", token: str, began: float | None = None) -> None:
        began, key = began or time.perf_counter(), uuid4().hex
        request = order_request(token, key, self.basket(self.chance))
        while True:
            answer = await line.ask(request)
            self.answers[answer.status if answer else 0] += 1
            if answer and answer.status < 500:
                break
            if not self.insist:
                return
            await asyncio.sleep(self.chance.uniform(*AGAIN_SECONDS))
        if answer.status == 202:
            self.seconds.append(time.perf_counter() - began)
            self.placed[key] = str(answer.header("location")).rpartition("/")[2]


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


async def ask_all(url: str, requests: Iterable[bytes], clients: int) -> Counter[int]:
    """Send each request once, so many at the same time; how often each status came, 0 for no answer."""
    left, answers = iter(requests), Counter[int]()

    async def client() -> None:
        async with _kept(url) as line:
            for asked in left:
                answer = await line.ask(asked)
                answers[answer.status if answer else 0] += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


class _Line:
    """A client's connection, made again where it broke."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connection: Connection | None = None

    async def ask(self, request: bytes) -> Answer | None:
        """The answer to a request; None where there was none."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._connection = self._connection or await Connection.open(self._host, self._port)
                return await self._connection.send(request)
        except (OSError, TimeoutError):
            self.close()
            return None

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection.close()
        self._connection = None


@asynccontextmanager
async def _kept(url: str) -> AsyncIterator[_Line]:
    line = _Line(url)
    try:
        yield line
    finally:
        line.close()
