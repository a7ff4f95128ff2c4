"""A platform to break: servers of its own, a proxy in front of each, and the processes that use them."""

import asyncio
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from deploy.local.kafka import Kafka
from deploy.local.mail import Mail
from deploy.local.mongo import Mongo
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres import Postgres
from deploy.local.processes import Child
from deploy.local.server import LocalServer
from tests import ops_jobs
from tests.databases import Databases
from tests.faults.proxy import Proxy
from tests.forking import fork_server
from tests.servers import Servers, run
from tests.stack import Stack, eventually, stack

REST_PROCESSES = ("customer", "product", "order", "notifier")
WORKERS = ("customer-worker", "product-worker", "order-worker", "notifier-worker")
CONSUMERS = WORKERS[1:]
PROCESSES = (*REST_PROCESSES, *WORKERS)
SERVERS = ("kafka", "postgres", "mongo", "mail")

MAIL_LEASE_SECONDS = 10
PATIENCE = 120.0
"""Seconds to wait for what must happen, on a busy machine."""


@dataclass
class World:
    """The platform that the cells break. ``done`` counts what was done to it."""

    servers: dict[str, LocalServer]
    proxies: dict[str, Proxy]
    shop: Stack
    done: Counter[str] = field(default_factory=Counter)
    copies: int = 0

    async def kill(self, *names: str, number: int = signal.SIGKILL) -> None:
        """End processes with a signal, and wait for their end."""
        self.signal(number, names)
        for name in names:
            await self.ended(name, number)

    async def ended(self, name: str, number: int, patience: float = PATIENCE) -> None:
        """Wait for the end of a process that got a signal, and check its exit status."""
        child = self.shop.child(name)
        assert await asyncio.to_thread(child.wait, patience), (
            f"{name} did not end after {signal.Signals(number).name}"
        )
        # In a REST process, uvicorn shuts down in order and then raises the signal again.
        good = {-number} if number == signal.SIGKILL else {0, -number}
        assert child.exit_status in good, f"{name} ended with {child.exit_status}:\n{child.last_lines(40)}"
        self.done[signal.Signals(number).name] += 1

    def signal(self, number: int, names: Iterable[str]) -> None:
        """Signal processes."""
        for name in names:
            self.shop.child(name).signal(number)

    async def reached(self, child: Child) -> None:
        """Wait until a process has reached the fail point that it was armed with."""

        async def reached() -> bool:
            return "fail point reached" in await asyncio.to_thread(child.last_lines, 1000)

        await eventually(reached, PATIENCE, f"{child.name} to reach {child.command.env['FAILPOINTS']}", pause=0.1)

    async def doom(self, name: str, point: str) -> None:
        """Start a process, to die at a fail point; one that runs is ended first."""
        if self.shop.child(name).running:
            await self.kill(name, number=signal.SIGTERM)
        await self.shop.launch(name, FAILPOINTS=f"{point}=die")

    async def died(self, name: str) -> None:
        """Wait until a doomed process has died: at a point of a job, perhaps only after a plan of a long history."""
        await self.ended(name, signal.SIGKILL, ops_jobs.PATIENCE)
        await ops_jobs.expire_lease(self.shop, name.removesuffix("-worker"))
        self.done["die at a fail point"] += 1

    async def start_another(self, name: str) -> str:
        """Start another instance of a process; return its name."""
        self.copies += 1
        return await self.shop.start_another(name, f"{name}-{self.copies}")

    async def crash(self, name: str) -> None:
        """SIGKILL a server."""
        server = self.servers[name]
        await asyncio.to_thread(server.stop, 0)
        self.done["server SIGKILL"] += 1

    async def revive(self, *names: str) -> None:
        """Start servers with the data on their disks."""
        for name in names:
            await asyncio.to_thread(self.servers[name].start)
        for name in names:
            await asyncio.to_thread(self.servers[name].ready)

    def signal_server(self, name: str, number: int) -> None:
        """Signal all the processes of a server."""
        pid = self.servers[name].pid
        assert pid is not None, f"{name} does not run"
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    async def heal(self) -> None:
        """Make the platform intact again, whatever a cell has done to it."""
        for proxy in self.proxies.values():
            await proxy.heal()
        for name, server in self.servers.items():
            if server.pid is None:
                await self.revive(name)
            else:
                self.signal_server(name, signal.SIGCONT)
        self.signal(signal.SIGCONT, self.shop.children)
        for name in [name for name in self.shop.children if name not in PROCESSES]:
            await self.kill(name, number=signal.SIGTERM)
            del self.shop.children[name]
        armed = [name for name in PROCESSES if self.shop.child(name).command.env.get("FAILPOINTS")]
        await self.kill(*(name for name in armed if self.shop.child(name).running))
        await self.shop.start(*(name for name in PROCESSES if not self.shop.child(name).running))
        for name in PROCESSES:
            await self.shop.ready(name, PATIENCE)


class ProxiedDatabases(Databases):
    """Databases that the processes reach through the proxies; they are created without them."""

    def __init__(self, postgres: Postgres, mongo: Mongo, proxies: dict[str, Proxy]) -> None:
        super().__init__(postgres.url, mongo.url)
        self._proxies = proxies

    def postgres(self, service: str) -> str:
        return through(self._proxies["postgres"], super().postgres(service))

    async def mongo(self) -> str:
        # Without this, a client would get the server's own address from the replica set, and bypass the proxy.
        url = through(self._proxies["mongo"], await super().mongo())
        return url.replace("replicaSet=rs0", "directConnection=true")


def through(proxy: Proxy, url: str) -> str:
    """The URL with the port of the proxy in place of the server's."""
    return url.replace(f":{proxy.port}", f":{proxy.listen_port}")


@asynccontextmanager
async def world(home: Path | None = None, proxy: type[Proxy] = Proxy) -> AsyncIterator[World]:
    """Run the servers, the proxies and the platform; remove everything in the end."""
    async with AsyncExitStack() as ended:
        if home is None:
            home = Path(ended.enter_context(tempfile.TemporaryDirectory(prefix="shopstream-faults-")))
        # The embedded PostgreSQL runs as another user when this is root.
        home.chmod(0o755)
        servers, proxies = await _servers(home, ended, proxy)
        postgres, mongo, mail = servers["postgres"], servers["mongo"], servers["mail"]
        assert isinstance(postgres, Postgres)
        assert isinstance(mongo, Mongo)
        assert isinstance(mail, Mail)
        proxied = Servers(
            proxies["kafka"].address, postgres.url, mongo.url, through(proxies["mail"], mail.url), mail.page_url
        )
        databases = ProxiedDatabases(postgres, mongo, proxies)
        settings = {"MAIL_LEASE_SECONDS": str(MAIL_LEASE_SECONDS), "JWT_SECONDS": "86400"}
        shop = await ended.enter_async_context(
            stack(proxied, databases, home / "shop", settings, spawn=fork_server().spawn)
        )
        yield World(servers, proxies, shop)


async def _servers(
    home: Path, ended: AsyncExitStack, proxy: type[Proxy]
) -> tuple[dict[str, LocalServer], dict[str, Proxy]]:
    kafka_port, kafka_proxy = free_port(), free_port()
    servers: dict[str, LocalServer] = {
        "kafka": Kafka(home, kafka_port, advertised=f"{LOOPBACK}:{kafka_proxy}"),
        "postgres": Postgres(home),
        "mongo": Mongo(home),
        "mail": Mail(home),
    }
    proxies = {"kafka": proxy(LOOPBACK, kafka_port, kafka_proxy)}
    await proxies["kafka"].start()
    stopping = ended.enter_context(ExitStack())
    for name, url in zip(
        servers,
        await asyncio.gather(*(asyncio.to_thread(run, one, stopping) for one in servers.values())),
        strict=True,
    ):
        if name not in proxies:
            proxies[name] = proxy(LOOPBACK, urlsplit(url).port or 0, free_port())
            await proxies[name].start()
    for one in proxies.values():
        ended.push_async_callback(one.stop)
    return servers, proxies
