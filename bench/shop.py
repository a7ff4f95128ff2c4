"""The platform to measure: its processes on servers of their own, with customers, products and the echo."""

import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.load import Load, two_of
from deploy.local.ports import free_port
from deploy.local.processes import Command
from tests.databases import Databases
from tests.servers import Servers, servers
from tests.stack import Stack, stack

SKUS = 20
CUSTOMERS = 8
REST_PROCESSES = ("customer", "product", "order")
WORKERS = ("customer-worker", "product-worker", "order-worker", "notifier-worker")


@dataclass
class Shop:
    """A running platform, with the customers and products for a load."""

    stack: Stack
    servers: Servers
    skus: list[str]
    tokens: list[str]

    def load(self, to: str = "order") -> Load:
        """A load on one of the processes, without retries."""
        return Load(self.stack.urls[to], self.tokens, two_of(self.skus), retry=False)

    async def place(self, count: int, clients: int) -> Load:
        """Place so many orders; return their load."""
        load = self.load()
        await load.closed_loop(clients, count=count)
        return load

    def cpu(self) -> Counter[str]:
        """Microseconds of CPU so far, by process and server, including this program as ``bench``."""
        pids = {child.pid: name for name, child in self.stack.children.items()}
        micros: Counter[str] = Counter()
        for process in psutil.Process().children(recursive=True):
            try:
                times, name = process.cpu_times(), pids.get(process.pid) or _server(process)
            except psutil.NoSuchProcess:
                continue
            micros[name] += round((times.user + times.system) * 1e6)
        own = psutil.Process().cpu_times()
        micros["bench"] += round((own.user + own.system) * 1e6)
        return micros


def _server(process: psutil.Process) -> str:
    name = process.name()
    return {"java": "kafka", "python": "mail sink"}.get(name, name)


@asynccontextmanager
async def shop(*names: str, skus: int = SKUS) -> AsyncIterator[Shop]:
    """Run a platform of these processes (all eight by default) and the echo."""
    with servers() as running, tempfile.TemporaryDirectory(prefix="shopstream-bench-") as home:
        databases = Databases(running.postgres, running.mongo)
        async with stack(running, databases, Path(home), only=names or None) as started:
            port = free_port()
            echo = Command("echo", [sys.executable, "-m", "bench.echo"], {"PORT": str(port)})
            started.commands = {**started.commands, "echo": echo}
            started.urls = {**started.urls, "echo": f"http://127.0.0.1:{port}"}
            await started.start("echo")
            stocked = [await started.product(on_hand=1_000_000) for _ in range(skus)]
            tokens = await log_in(started)
            yield Shop(started, running, stocked, tokens)


async def log_in(started: Stack) -> list[str]:
    """Access tokens of new customers."""
    headers = [(await started.customer())[1] for _ in range(CUSTOMERS)]
    return [header["Authorization"].split()[1] for header in headers]
