"""Which servers and processes there are in this run, on which ports, and in which order they can start."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from deploy.local import provision
from deploy.local.external import SETTINGS, External
from deploy.local.files import kept_secret
from deploy.local.kafka import Kafka
from deploy.local.mail import Mail
from deploy.local.mongo import Mongo
from deploy.local.ports import LOOPBACK, Wish, choose
from deploy.local.postgres import Postgres
from deploy.local.processes import Processes
from deploy.local.progress import Progress
from deploy.local.record import RunRecord
from deploy.local.sample import Person
from deploy.local.server import Server
from deploy.local.services import (
    ON_POSTGRES,
    SERVICES,
    Addresses,
    Service,
    make_signing_key,
    processes_of,
    start_ready,
)
from deploy.local.together import Task

SERVER_PORTS = {
    "kafka": (Wish("kafka", "KAFKA_PORT"), Wish("kafka-controller")),
    "postgres": (Wish("postgres", "POSTGRES_PORT"),),
    "mongo": (Wish("mongo", "MONGO_PORT"),),
    "mail": (Wish("smtp", "SMTP_PORT"), Wish("mail", "MAIL_PORT", 8025)),
}
SERVICE_PORTS = (
    *(Wish(name, f"{name.upper()}_PORT", 8001 + number) for number, name in enumerate(SERVICES)),
    *(Wish(f"{name}-worker") for name in SERVICES),
)

ROLES: tuple[provision.Role, ...] = ("staff", "ops")


@dataclass(frozen=True)
class Layout:
    """Everything a run is made of."""

    home: Path
    processes: Processes
    servers: Mapping[str, Server | External]
    rest: Mapping[str, str]
    """Base URL of each service's REST front."""
    ports: Mapping[str, int]
    up: set[str] = field(default_factory=set)
    """The processes that are ready, and have to stay."""

    @property
    def staff(self) -> Person:
        """The first staff account."""
        return self.account("staff")

    def account(self, role: provision.Role) -> Person:
        """The first account with a role."""
        return provision.account(self.home, role, isinstance(self.servers["postgres"], Server))

    @property
    def mail_page(self) -> str | None:
        """Where received mail is shown, unless somebody else receives it."""
        mail = self.servers["mail"]
        return mail.page_url if isinstance(mail, Mail) else None


def lay_out(home: Path, services: bool = True, environ: Mapping[str, str] = os.environ) -> Layout:
    """Choose servers and ports as the environment says."""
    urls = {name: environ.get(setting, "") for name, (setting, _) in SETTINGS.items()}
    wishes = [wish for name, wishes in SERVER_PORTS.items() if not urls[name] for wish in wishes]
    ports = choose([*wishes, *(SERVICE_PORTS if services else ())], home / "ports.json", environ)
    processes = Processes(home)
    local: dict[str, Callable[[], Server]] = {
        "kafka": lambda: Kafka(home, ports["kafka"], ports["kafka-controller"], processes=processes),
        "postgres": lambda: Postgres(home, ports["postgres"], processes=processes),
        "mongo": lambda: Mongo(home, ports["mongo"], processes=processes),
        "mail": lambda: Mail(home, ports["smtp"], ports["mail"], processes=processes),
    }
    servers = {name: External(name, url) if url else local[name]() for name, url in urls.items()}
    rest = {name: f"http://{LOOPBACK}:{ports[name]}" for name in SERVICES} if services else {}
    return Layout(home, processes, servers, rest, ports)


def server_tasks(layout: Layout, record: RunRecord) -> list[Task]:
    """Return one step per server."""
    return [Task(name, partial(_start_server, server, layout, record)) for name, server in layout.servers.items()]


def _start_server(server: Server | External, layout: Layout, record: RunRecord, progress: Progress) -> str:
    if isinstance(server, Server):
        server.progress = progress
    progress.say("preparing")
    server.prepare()
    progress.say("starting")
    server.start()
    page = {"page": server.page_url} if isinstance(server, Mail) else {}
    record.add(server.name, server.url, server.pid, server.log, **page)
    progress.say(f"started, waiting until {server.name} can be used")
    server.ready()
    layout.up.add(server.name)
    return f"{_without_password(server.url)}{' (not started by us)' if server.pid is None else ''}"


def _without_password(url: str) -> str:
    credentials, at, rest = url.rpartition("@")
    return f"{credentials.rpartition(':')[0]}:…{at}{rest}" if at else url


def service_tasks(layout: Layout, record: RunRecord) -> list[Task]:
    """Return the steps from running servers to running services."""
    addresses = _addresses(layout)
    tasks = [
        _task("topics", partial(provision.make_topics, addresses), "kafka"),
        _task("databases", partial(provision.make_databases, addresses), "postgres"),
        _task("code", provision.compile_code),
        *(_appointment(role, addresses, layout) for role in ROLES),
    ]
    for name in SERVICES:
        tasks.append(_task(f"{name} database", _migration(name, addresses, layout), _store(name), "code"))
        for service in processes_of(name, layout.ports, addresses):
            start = partial(_start_service, service, layout, record)
            needs = (f"{name} database", *(("topics", "mail") if service.name != name else ()))
            tasks.append(Task(service.name, start, frozenset(needs)))
    return tasks


def _appointment(role: provision.Role, addresses: Addresses, layout: Layout) -> Task:
    make = partial(provision.make_account, addresses, layout.processes, role, layout.account(role))
    return _task(f"{role} account", _once(make, role, "postgres", layout), "customer database")


def _store(service: str) -> str:
    return "databases" if service in ON_POSTGRES else "mongo"


def _migration(service: str, addresses: Addresses, layout: Layout) -> Callable[[], str]:
    server = "postgres" if service in ON_POSTGRES else "mongo"
    return _once(partial(provision.migrate, service, addresses, layout.processes), service, server, layout)


def _once(work: Callable[[], str], what: str, server: str, layout: Layout) -> Callable[[], str]:
    """Skip work that was done on these data by this code; always do it where the data are not ours."""
    if isinstance(layout.servers[server], External):
        return work
    return partial(provision.once_per_code, work, layout.home / server / f"done-{what}")


def _task(name: str, work: Callable[[], str], *needs: str) -> Task:
    def report(progress: Progress) -> str:
        progress.say("working")
        return work()

    return Task(name, report, frozenset(needs))


def _start_service(service: Service, layout: Layout, record: RunRecord, progress: Progress) -> str:
    progress.say("starting, waiting until it is ready")
    child = start_ready(service, layout.processes)
    layout.up.add(service.name)
    record.add(service.name, service.url, child.pid, child.log)
    return service.url


def _addresses(layout: Layout) -> Addresses:
    key = layout.home / "secrets" / "jwt.pem"
    make_signing_key(key)
    link_key = kept_secret(layout.home / "secrets" / "link-key")
    urls = {name: server.url for name, server in layout.servers.items()}
    return Addresses(urls["kafka"], urls["postgres"], urls["mongo"], urls["mail"], layout.rest, key, link_key)
