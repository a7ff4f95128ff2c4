"""All processes of the platform, on databases and topics of their own: for journeys, and to kill them."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx

from customer_svc.staff.bootstrap import Settings as BootstrapSettings
from customer_svc.staff.bootstrap import appoint_staff
from deploy.addresses import Addresses
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import Child, Command, Processes, Spawn, stop_all
from deploy.local.services import service_process
from deploy.resources import Service
from deploy.signing_key import make_signing_key
from deploy.system import KAFKA, LINK_KEY, MAIL, MONGO, POSTGRES, SIGNING_KEY, SYSTEM
from deploy.topics import create_topics
from tests.databases import Databases
from tests.servers import Servers
from tests.verification import verification_token

STAFF = ("staff@example.com", "the password of the staff")
OPS = ("ops@example.com", "the password of the ops")
CUSTOMER_PASSWORD = "a customer's password"
LINK_KEY_OF_TESTS = "the key of links in the mails of tests"
ABOUT_ORDERS = " order "
"""In the subject of every mail about an order, and of no mail about an account."""
ADDRESS = {"name": "Ada", "street": "St James's Square 12", "city": "London", "postal_code": "SW1Y", "country": "GB"}


@dataclass
class Stack:
    """The processes of all services, the means to start and end each, and an HTTP client for their REST fronts."""

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
        """Start a process, with additional settings if there are any, and do not wait until it is ready."""
        command = self.commands[name]
        command = replace(command, env={**command.env, **settings})
        self.children[name] = await asyncio.to_thread(self.processes.start, command)
        return self.children[name]

    async def ready(self, name: str, seconds: float = 60) -> None:
        """Wait until a process reports that it is ready."""

        async def ready() -> bool:
            assert self.child(name).running, f"{name} ended:\n{self.child(name).last_lines(40)}"
            try:
                return (await self.http.get(f"{self.urls[name]}/health/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(ready, seconds, f"{name} to be ready")

    def child(self, name: str) -> Child:
        """The process that was started last under this name."""
        return self.children[name]

    async def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a process with a signal, and wait for its end."""
        self.child(name).signal(number)
        assert await asyncio.to_thread(self.child(name).wait, 30), f"{name} did not end"

    async def start_another(self, name: str, copy: str, **settings: str) -> str:
        """Start another instance of a process, under a name of its own, with additional settings if there are any."""
        port = free_port()
        command = self.commands[name]
        env = {**command.env, "PORT": str(port), "METRICS_PORT": "0", **settings}
        self.commands = {**self.commands, copy: replace(command, name=copy, env=env)}
        self.urls = {**self.urls, copy: f"http://{LOOPBACK}:{port}"}
        await self.start(copy)
        return copy

    async def log_in(self, email: str, password: str) -> dict[str, str]:
        """Log in; return the headers of an authenticated client."""
        body = {"email": email, "password": password}
        response = await self.http.post(f"{self.urls['customer']}/v1/sessions", json=body)
        assert response.status_code == 201, response.text
        return {"Authorization": f"Bearer {response.json()['access_token']}"}

    async def register(self, name: str = "Ada", locale: str = "en") -> str:
        """Register a customer; return their mail address, which is not verified yet."""
        email = f"{uuid4().hex[:12]}@example.com"
        body = {"email": email, "password": CUSTOMER_PASSWORD, "name": name, "locale": locale}
        response = await self.http.post(f"{self.urls['customer']}/v1/customers", json=body)
        assert response.status_code == 202, response.text
        return email

    async def customer(self, name: str = "Ada", locale: str = "en") -> tuple[str, dict[str, str]]:
        """Register and verify a customer; return their mail address and headers."""
        email = await self.register(name, locale)
        await self.verify(email)
        return email, await self.log_in(email, CUSTOMER_PASSWORD)

    async def verify(self, email: str) -> None:
        """Use the link in the mail to a customer."""
        body = {"token": await self.link_token(email)}
        response = await self.http.post(f"{self.urls['customer']}/v1/email-verifications", json=body)
        assert response.status_code == 204, response.text

    async def link_token(self, email: str) -> str:
        """The token in the mail to a customer, whether or not it has been sent yet."""
        return await verification_token(self.commands["customer"].env["POSTGRES_URL"], LINK_KEY_OF_TESTS, email)

    async def product(self, on_hand: int, price: int = 1250) -> str:
        """Create a product with this stock; return its SKU."""
        staff, sku = await self.log_in(*STAFF), f"SKU-{uuid4().hex[:8]}"
        body = {"name": "Mug", "variants": [{"sku": sku, "price": {"amount": price, "currency": "EUR"}}]}
        created = await self.http.post(f"{self.urls['product']}/v1/products", json=body, headers=staff)
        assert created.status_code == 201, created.text
        stock = f"{self.urls['product']}/v1/stock/{sku}/adjustments"
        adjusted = await self.http.post(stock, json={"delta": on_hand, "reason": "delivery"}, headers=staff)
        assert adjusted.status_code == 201, adjusted.text
        return sku

    async def order(self, who: Mapping[str, str], lines: Mapping[str, int], key: str | None = None) -> httpx.Response:
        """Place an order."""
        body = {"lines": [{"sku": s, "quantity": q} for s, q in lines.items()], "shipping_address": ADDRESS}
        headers = {**who, **({"Idempotency-Key": key} if key else {})}
        return await self.http.post(f"{self.urls['order']}/v1/orders", json=body, headers=headers)

    async def read(self, service: str, path: str, who: Mapping[str, str]) -> Any:
        """The body of a GET from a REST front."""
        response = await self.http.get(f"{self.urls[service]}{path}", headers=dict(who))
        assert response.status_code == 200, response.text
        return response.json()

    async def stock(self, sku: str) -> tuple[int, int]:
        """(on hand, reserved) of a SKU."""
        stock = await self.read("product", f"/v1/stock/{sku}", {})
        return stock["on_hand"], stock["reserved"]

    async def mails(self, to: str, about: str = "") -> list[dict[str, Any]]:
        """The mails to an address whose subject contains ``about``."""
        response = await self.http.get(f"{self.mail_page}/api/messages", params={"to": to})
        return [mail for mail in response.json() if about in mail["subject"]]

    async def text(self, mail: Mapping[str, Any]) -> str:
        """The plain text of a mail."""
        text: str = (await self.http.get(f"{self.mail_page}/api/messages/{mail['id']}")).json()["text"]
        return text


async def eventually(true: Callable[[], Any], seconds: float, what: str, pause: float = 0.05) -> Any:
    """Call until the result is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (result := await true()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(pause)
    return result


Appoint = Callable[[str, Literal["staff", "ops"], str, str], Awaitable[None]]
"""Creates an account in the database of customer_svc: URL, role, address, password."""


async def appoint_member(url: str, role: Literal["staff", "ops"], email: str, password: str) -> None:
    """Create an account of staff or ops."""
    await appoint_staff(BootstrapSettings(postgres_url=url, bootstrap_password=password), email, role)


@asynccontextmanager
async def stack(
    servers: Servers,
    databases: Databases,
    home: Path,
    extra: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    spawn: Spawn | None = None,
    appoint: Appoint = appoint_member,
) -> AsyncIterator[Stack]:
    """Run the platform, or ``only`` some of its processes; ``extra`` settings go to every process.

    ``spawn`` replaces the way in which processes are started, ``appoint`` that in which staff get their accounts.
    """
    prefix = f"t{uuid4().hex[:8]}."
    await create_topics(servers.kafka, prefix=prefix)
    # All customers of a test have the same network address, and some order more than people do.
    common = {"LOG_LEVEL": "INFO", "REGISTER_TRIES_PER_ADDRESS": "1000000"}
    common |= {"ORDERS_PER_MINUTE": "1000000", "PIECES_HELD": "1000000000"}
    settings = {"KAFKA_PREFIX": prefix, **common, **(extra or {})}
    running = await _stack(servers, databases, Processes(home, spawn), settings)
    try:
        await running.start(*(only or running.commands))
        accounts = running.commands["customer"].env["POSTGRES_URL"]
        await appoint(accounts, "staff", *STAFF)
        await appoint(accounts, "ops", *OPS)
        yield running
    finally:
        await asyncio.to_thread(stop_all, list(running.children.values()), 10)
        await running.http.aclose()


async def _stack(servers: Servers, databases: Databases, processes: Processes, extra: Mapping[str, str]) -> Stack:
    ports = {port.name: free_port() for service in SYSTEM.services for port in service.ports}
    addresses = _addresses(servers, ports, processes.home / "signing-key.pem")
    commands: dict[str, Command] = {}
    for service in SYSTEM.services:
        own_database = {service.database.setting: await _new_database(service, databases)}
        for program in SYSTEM.processes(service):
            command = service_process(program, ports, addresses).command
            commands[program.name] = replace(command, env={**command.env, **own_database, **extra})
    return Stack(
        processes,
        commands,
        {name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()},
        servers.mail_page,
        httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200)),
    )


def _addresses(servers: Servers, ports: Mapping[str, int], signing_key: Path) -> Addresses:
    make_signing_key(signing_key)
    rest = {service.name: f"http://{LOOPBACK}:{ports[service.name]}" for service in SYSTEM.services}
    return Addresses(
        {
            KAFKA.name: servers.kafka,
            POSTGRES.name: servers.postgres,
            MONGO.name: servers.mongo,
            MAIL.name: servers.smtp,
        },
        rest,
        rest,
        {SIGNING_KEY.name: str(signing_key), LINK_KEY.name: LINK_KEY_OF_TESTS},
    )


async def _new_database(service: Service, databases: Databases) -> str:
    return await databases.mongo() if service.database is MONGO else databases.postgres(service.package)


async def all_items(read: Callable[[str], Any], path: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the items of all pages of a list; ``read`` gets the body of a page by its path."""
    after = ""
    while True:
        page = await read(f"{path}?limit=200{after}")
        for item in page["items"]:
            yield item
        if page["next"] is None:
            return
        # As processes of 0.2.0 know it.
        after = f"&before={page['next']}"
