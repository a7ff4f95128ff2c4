"""What an order sends over the network and stores: bytes and round trips by process and server, bytes on disk."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pymongo import AsyncMongoClient

from bench.endtoend import drained
from bench.shop import Shop, log_in
from deploy.local.kafka import Kafka
from tests.faults.proxy import Connection, Proxy
from tests.faults.world import PROCESSES, World, world
from tests.servers import Servers

RATES, SECONDS, WARM_ORDERS = (20.0, 100.0), 30.0, 200
SKUS, CLIENTS = 20, 8
_POSTGRES_BYTES = (
    "SELECT pg_current_wal_lsn() - '0/0',"
    " (SELECT sum(pg_database_size(oid)) FROM pg_database WHERE NOT datistemplate)"
)


@dataclass
class CountingProxy(Proxy):
    """Counts, by the local port of the client, bytes and round trips: how often a request follows a response."""

    sent: Counter[int] = field(default_factory=Counter)
    received: Counter[int] = field(default_factory=Counter)
    trips: Counter[int] = field(default_factory=Counter)
    owners: dict[int, int] = field(default_factory=dict)
    """Local port of a client → its process."""
    _responded: set[int] = field(default_factory=set)

    def passes(self, connection: Connection, size: int, *, to_server: bool) -> None:
        """Count."""
        port = connection.client.get_extra_info("peername")[1]
        if port not in self.owners:
            self.owners |= {one.laddr.port: one.pid or 0 for one in psutil.net_connections("tcp") if one.laddr}
        if not to_server:
            self.received[port] += size
            self._responded.add(port)
            return
        self.sent[port] += size
        self.trips[port] += port in self._responded or port not in self.trips
        self._responded.discard(port)

    def by_process(self, names: dict[int, str]) -> Counter[tuple[str, str]]:
        """(process, what) → how much so far."""
        counts: Counter[tuple[str, str]] = Counter()
        for what, found in (("sent", self.sent), ("received", self.received), ("trips", self.trips)):
            for port, count in found.items():
                if name := names.get(self.owners.get(port, 0)):
                    counts[name, what] += count
        return counts


async def traffic() -> list[dict[str, Any]]:
    """For each rate: per order, by process and server, round trips and KiB; KiB stored by server."""
    async with world(proxy=CountingProxy) as broken:
        running = Shop(broken.shop, _servers(broken), await _stocked(broken), await log_in(broken.shop))
        await drained(running, await running.place(WARM_ORDERS, CLIENTS))
        return [await _measured(broken, running, rate) for rate in RATES]


async def _measured(broken: World, running: Shop, rate: float) -> dict[str, Any]:
    before, stored, load = _counts(broken), await _stored(broken), running.load()
    await load.open_loop(rate, seconds=SECONDS)
    await drained(running, load)
    counts, grown, orders = _counts(broken), await _stored(broken), len(load.placed)
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for (server, process, what), count in counts.items():
        used = (count - before[server, process, what]) / orders
        rows.setdefault((process, server), {})[what] = used if what == "trips" else used / 1024
    return {
        "rate": rate,
        "orders": orders,
        "rows": [{"process": process, "server": server, **row} for (process, server), row in sorted(rows.items())],
        "stored_kib": {name: (grown[name] - stored[name]) / orders / 1024 for name in grown},
    }


def _counts(broken: World) -> Counter[tuple[str, str, str]]:
    names = {broken.shop.child(name).pid: name for name in PROCESSES}
    counts: Counter[tuple[str, str, str]] = Counter()
    for server, proxy in broken.proxies.items():
        assert isinstance(proxy, CountingProxy)
        for (process, what), count in proxy.by_process(names).items():
            counts[server, process, what] = count
    return counts


async def _stored(broken: World) -> dict[str, float]:
    """Bytes: of Kafka's log, of PostgreSQL's log and databases, of MongoDB's documents and indexes."""
    kafka = broken.servers["kafka"]
    assert isinstance(kafka, Kafka)
    async with await psycopg.AsyncConnection.connect(broken.servers["postgres"].url, autocommit=True) as connection:
        row = await (await connection.execute(_POSTGRES_BYTES)).fetchone()
    assert row
    client: AsyncMongoClient[Any]
    async with AsyncMongoClient(broken.shop.commands["product"].env["MONGO_URL"]) as client:
        stats = await client.get_default_database().command("dbStats")
    return {
        "kafka: log": float(sum(file.stat().st_size for file in Path(kafka.data).rglob("*.log"))),
        "postgres: write-ahead log": float(row[0]),
        "postgres: databases": float(row[1]),
        "mongo: documents and indexes": float(stats["dataSize"] + stats["indexSize"]),
    }


def _servers(broken: World) -> Servers:
    urls = {name: server.url for name, server in broken.servers.items()}
    return Servers(urls["kafka"], urls["postgres"], urls["mongo"], urls["mail"], broken.shop.mail_page)


async def _stocked(broken: World) -> list[str]:
    return [await broken.shop.product(on_hand=1_000_000) for _ in range(SKUS)]
