"""What a run consists of: its servers, its processes, and the address of each."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.access import OPS, principals
from deploy.addresses import Addresses
from deploy.local import provision
from deploy.local.external import ExternalServer
from deploy.local.files import get_or_create_secret
from deploy.local.fork_server import MODULES, ForkServer
from deploy.local.kafka import ADMIN, Kafka
from deploy.local.mail import Mail
from deploy.local.mongo import Mongo
from deploy.local.ports import LOOPBACK, choose_ports
from deploy.local.postgres import Postgres
from deploy.local.processes import Processes
from deploy.local.restarts import Restart
from deploy.local.sample_order import Credentials
from deploy.local.server import LocalServer
from deploy.resources import Server
from deploy.signing_key import make_signing_key
from deploy.system import KAFKA, LINK_KEY, MAIL, MONGO, POSTGRES, SIGNING_KEY, SYSTEM

Ports = Mapping[str, int]

LOCAL_SERVERS: Mapping[Server, Callable[[Path, Ports, Processes], LocalServer]] = {
    KAFKA: lambda home, ports, processes: Kafka(
        home, ports["kafka"], ports["kafka-controller"], users=_kafka_users(home), processes=processes
    ),
    POSTGRES: lambda home, ports, processes: Postgres(home, ports["postgres"], processes=processes),
    MONGO: lambda home, ports, processes: Mongo(
        home, ports["mongo"], password=_password(home, MONGO, "root"), processes=processes
    ),
    MAIL: lambda home, ports, processes: Mail(home, ports["smtp"], ports["mail"], processes=processes),
}
"""The local server for each server of the system map."""


def _password(home: Path, server: Server, name: str) -> str:
    return get_or_create_secret(home / "secrets" / f"{server.name}-{name}")


def _kafka_users(home: Path) -> Mapping[str, str]:
    return {name: _password(home, KAFKA, name) for name in (ADMIN, *principals(SYSTEM))}


@dataclass(frozen=True)
class Layout:
    """Everything a run consists of."""

    home: Path
    processes: Processes
    fork_server: ForkServer
    """Starts the processes of services; to be started itself."""
    servers: Mapping[str, LocalServer | ExternalServer]
    rest: Mapping[str, str]
    """Base URL of each service's REST front; empty in a run of servers only."""
    ports: Ports
    ready: set[str] = field(default_factory=set)
    """The processes that have become ready: from then on they must not end."""
    restarts: dict[str, Restart] = field(default_factory=dict)
    """How each process that was started here is started again."""

    def account(self, role: str) -> Credentials:
        """Return the first account with a role."""
        return provision.first_account(self.home, role, self.is_local(POSTGRES))

    def is_local(self, server: Server) -> bool:
        """Whether we run this server, so that its data are in this SHOP_HOME."""
        return isinstance(self.servers[server.name], LocalServer)

    @property
    def mail_page(self) -> str | None:
        """The page that shows received mail; None if an external server receives it."""
        mail = self.servers[MAIL.name]
        return mail.page_url if isinstance(mail, Mail) else None

    def addresses(self) -> Addresses:
        """Return the addresses of everything; generates the secrets that do not exist yet."""
        secrets = self.home / "secrets"
        make_signing_key(secrets / SIGNING_KEY.name)
        return Addresses(
            servers={name: server.url for name, server in self.servers.items()},
            rest=self.rest,
            public=self.rest,
            secrets={
                SIGNING_KEY.name: str(secrets / SIGNING_KEY.name),
                LINK_KEY.name: get_or_create_secret(secrets / LINK_KEY.name),
            },
            passwords=self._passwords(),
        )

    def _passwords(self) -> Mapping[str, str]:
        """The passwords of all principals and roles on the servers that are ours."""
        names = [(KAFKA, principal) for principal in principals(SYSTEM)] if self.has_grants else []
        names += [(one.database, one.package) for one in SYSTEM.services if self.is_local(one.database)]
        return {f"{server.name}-{name}": _password(self.home, server, name) for server, name in names}

    @property
    def has_grants(self) -> bool:
        """Whether Kafka lets in principals only, with what they are granted."""
        kafka = self.servers[KAFKA.name]
        return isinstance(kafka, Kafka) and kafka.secured

    @property
    def ops_brokers(self) -> str:
        """The address of the brokers for ops, who read everything."""
        kafka = self.servers[KAFKA.name]
        return kafka.url_of(OPS) if isinstance(kafka, Kafka) else kafka.url


def make_layout(home: Path, services: bool = True, environ: Mapping[str, str] = os.environ) -> Layout:
    """Choose servers and ports as the environment demands."""
    urls = {server: environ.get(server.setting, "") for server in SYSTEM.servers}
    requested = [port for server in SYSTEM.servers if not urls[server] for port in server.ports]
    if services:
        requested += [port for service in SYSTEM.services for port in service.ports]
    ports = choose_ports(requested, home / "ports.json", environ)
    fork_server = ForkServer(*MODULES)
    processes = Processes(home, fork_server.spawn)
    servers = {
        server.name: ExternalServer(server, url) if url else LOCAL_SERVERS[server](home, ports, processes)
        for server, url in urls.items()
    }
    rest = {one.name: f"http://{LOOPBACK}:{ports[one.name]}" for one in SYSTEM.services} if services else {}
    return Layout(home, processes, fork_server, servers, rest, ports)
