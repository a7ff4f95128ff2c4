"""The whole platform as processes, on databases and topics of its own: for journeys, and for killing it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from customer_svc.staff.bootstrap import Settings as BootstrapSettings
from customer_svc.staff.bootstrap import appoint_staff
from deploy.local.ports import free_port
from deploy.local.processes import Child, Command, Processes, Spawn, end
from deploy.local.services import SERVICES, Addresses, make_signing_key, package, processes_of
from deploy.topics import create_topics
from tests.databases import Databases
from tests.servers import Servers

STAFF = ("staff@example.com", "the password of the staff")
ABOUT_ORDERS = " order "
"""Stands in the subject of every mail about an order, and of none about an account."""
ADDRESS = {"name": "Ada", "street": "St James's Square 12", "city": "London", "postal_code": "SW1Y", "country": "GB"}


@dataclass
class Stack:
    """Eight processes, a client for each REST front, and the means to end and start each of them."""

    processes: Processes
    commands: Mapping[str, Command]
    urls: Mapping[str, str]
    mail_page: str
    http: httpx.AsyncClient
    children: dict[str, Child] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Start processes, and wait until they are ready."""
        for name in names:
            await self.launch(name)
        await asyncio.gather(*(self.ready(name) for name in names))

    async def launch(self, name: str, **settings: str) -> Child:
        """Start a process, with settings of its own if there are any, and do not wait for it."""
        command = self.commands[name]
        told = replace(command, env={**command.env, **settings})
        self.children[name] = await asyncio.to_thread(self.processes.start, told)
        return self.children[name]

    async def ready(self, name: str, seconds: float = 60) -> None:
        """Wait until a process says so."""

        async def ready() -> bool:
            assert self.child(name).running, f"{name} ended:\n{self.child(name).last_lines(40)}"
            try:
                return (await self.http.get(f"{self.urls[name]}/health/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(ready, seconds, f"{name} to be ready")

    def child(self, name: str) -> Child:
        """A running process."""
        return self.children[name]

    async def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a process, by default without a warning."""
        self.child(name).signal(number)
        assert await asyncio.to_thread(self.child(name).wait, 30), f"{name} did not end"

    async def more(self, name: str, copy: str) -> str:
        """Start one more of a kind of process."""
        port = free_port()
        command = self.commands[name]
        self.commands = {**self.commands, copy: replace(command, name=copy, env={**command.env, "PORT": str(port)})}
        self.urls = {**self.urls, copy: f"http://127.0.0.1:{port}"}
        await self.start(copy)
        return copy

    async def log_in(self, email: str, password: str) -> dict[str, str]:
        """The header of somebody who is logged in."""
        body = {"email": email, "password": password}
        answer = await self.http.post(f"{self.urls['customer']}/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def customer(self, name: str = "Ada", locale: str = "en") -> tuple[str, dict[str, str]]:
        """A new customer's address, and the header of that customer."""
        email, password = f"{uuid4().hex[:12]}@example.com", "a password of theirs"
        body = {"email": email, "password": password, "name": name, "locale": locale}
        answer = await self.http.post(f"{self.urls['customer']}/v1/customers", json=body)
        assert answer.status_code == 202, answer.text
        return email, await self.log_in(email, password)

    async def product(self, on_hand: int, price: int = 1250) -> str:
        """The SKU of a new product with so much stock."""
        staff, sku = await self.log_in(*STAFF), f"SKU-{uuid4().hex[:8]}"
        body = {"name": "Mug", "variants": [{"sku": sku, "price": {"amount": price, "currency": "EUR"}}]}
        made = await self.http.post(f"{self.urls['product']}/v1/products", json=body, headers=staff)
        assert made.status_code == 201, made.text
        stock = f"{self.urls['product']}/v1/stock/{sku}/adjustments"
        booked = await self.http.post(stock, json={"delta": on_hand, "reason": "delivery"}, headers=staff)
        assert booked.status_code == 201, booked.text
        return sku

    async def order(self, who: Mapping[str, str], lines: Mapping[str, int], key: str | None = None) -> httpx.Response:
        """Place an order."""
        body = {"lines": [{"sku": s, "quantity": q} for s, q in lines.items()], "shipping_address": ADDRESS}
        headers = {**who, **({"Idempotency-Key": key} if key else {})}
        return await self.http.post(f"{self.urls['order']}/v1/orders", json=body, headers=headers)

    async def read(self, service: str, path: str, who: Mapping[str, str]) -> Any:
        """What a REST front answers."""
        answer = await self.http.get(f"{self.urls[service]}{path}", headers=dict(who))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def stock(self, sku: str) -> tuple[int, int]:
        """(on hand, reserved) of a SKU."""
        stock = await self.read("product", f"/v1/stock/{sku}", {})
        return stock["on_hand"], stock["reserved"]

    async def mails(self, to: str, about: str = "") -> list[dict[str, Any]]:
        """What lies in a mailbox; of what has ``about`` in its subject."""
        answer = await self.http.get(f"{self.mail_page}/api/messages", params={"to": to})
        return [mail for mail in answer.json() if about in mail["subject"]]

    async def text(self, mail: Mapping[str, Any]) -> str:
        """The plain text of a mail."""
        text: str = (await self.http.get(f"{self.mail_page}/api/messages/{mail['id']}")).json()["text"]
        return text


async def eventually(true: Callable[[], Any], seconds: float, what: str, pause: float = 0.05) -> Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := await true()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(pause)
    return answer


@asynccontextmanager
async def stack(
    servers: Servers,
    databases: Databases,
    home: Path,
    extra: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    spawn: Spawn | None = None,
) -> AsyncIterator[Stack]:
    """A running platform, or ``only`` some of its processes; ``extra`` settings go to every process.

    ``spawn`` starts them in another way than as programs of their own.
    """
    prefix = f"t{uuid4().hex[:8]}."
    await create_topics(servers.kafka, prefix=prefix)
    # All customers of a test come from one address of the network.
    everybody = {"LOG_LEVEL": "INFO", "REGISTER_TRIES_PER_ADDRESS": "1000000"}
    settings = {"KAFKA_PREFIX": prefix, **everybody, **(extra or {})}
    made = await _stack(servers, databases, Processes(home, spawn), settings)
    try:
        await made.start(*(only or made.commands))
        accounts = made.commands["customer"].env["POSTGRES_URL"]
        staff = BootstrapSettings(postgres_url=accounts, bootstrap_password=STAFF[1])
        await appoint_staff(staff, STAFF[0], "staff")
        yield made
    finally:
        await asyncio.to_thread(end, list(made.children.values()), 10)
        await made.http.aclose()


async def _stack(servers: Servers, databases: Databases, processes: Processes, extra: Mapping[str, str]) -> Stack:
    ports = {name: free_port() for service in SERVICES for name in (service, f"{service}-worker")}
    key = processes.home / "signing-key.pem"
    make_signing_key(key)
    rest = {service: f"http://127.0.0.1:{ports[service]}" for service in SERVICES}
    addresses = Addresses(servers.kafka, servers.postgres, servers.mongo, servers.smtp, rest, key)
    stores = {
        service: {"MONGO_URL": await databases.mongo()}
        if service == "product"
        else {"POSTGRES_URL": databases.postgres(package(service))}
        for service in SERVICES
    }
    started = {
        process.name: (replace(process.command, env={**process.command.env, **stores[service], **extra}), process.url)
        for service in SERVICES
        for process in processes_of(service, ports, addresses)
    }
    return Stack(
        processes,
        {name: command for name, (command, _) in started.items()},
        {name: url for name, (_, url) in started.items()},
        servers.mail_page,
        httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200)),
    )


async def everything(read: Callable[[str], Any], path: str) -> AsyncIterator[dict[str, Any]]:
    """The items of all pages of a list; ``read`` gets a page by its path."""
    after = ""
    while True:
        page = await read(f"{path}?limit=200{after}")
        for item in page["items"]:
            yield item
        if page["next"] is None:
            return
        after = f"&before={page['next']}"


async def in_parallel(calls: Sequence[Callable[[], Any]], at_once: int) -> list[Any]:
    """Make the calls, so many at once; their results in order."""
    slots = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Any]) -> Any:
        async with slots:
            return await call()

    return list(await asyncio.gather(*(one(call) for call in calls)))
