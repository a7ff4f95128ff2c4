"""The parts of a system map: servers, topics, services, programs, and the sources of their settings.

Plain data; ``deploy/system.py`` is the map itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Port:
    """A TCP port of a local run."""

    name: str
    setting: str = ""
    """The environment variable that chooses it; empty: there is none."""
    preferred: int = 0
    """Used if it is free; 0: any free port will do."""


@dataclass(frozen=True)
class Server:
    """A server underneath the services: Kafka, a database server, a mail server."""

    name: str
    setting: str
    """The setting that holds its address. Set in the runner's environment, it names an external server."""
    ports: tuple[Port, ...]


@dataclass(frozen=True)
class Topic:
    """A Kafka topic."""

    name: str
    partitions: int = 6
    retention_ms: int = -1
    """-1: events never expire, so that replay and audit can read from the first one."""


@dataclass(frozen=True)
class Default:
    """A plain value, unless the installation sets another."""

    value: str = ""


@dataclass(frozen=True)
class FromCaller:
    """A value that the caller of the program provides each time: it is stored nowhere."""


@dataclass(frozen=True)
class ServerAddress:
    """The address of a server."""

    server: Server


@dataclass(frozen=True)
class BrokerAddress:
    """The address of the Kafka brokers, for one principal; None is their administrator."""

    server: Server
    principal: str | None = None


@dataclass(frozen=True)
class DatabaseUrl:
    """The URL of one database on a server, for the role that owns it, which is named like it."""

    server: Server
    database: str


@dataclass(frozen=True)
class RestUrl:
    """The URL at which other services call a service's REST front."""

    service: str
    path: str = ""


@dataclass(frozen=True)
class PublicUrl:
    """The URL at which people open a service's REST front in a browser."""

    service: str


@dataclass(frozen=True)
class Secret:
    """A secret that the installation generates once; every process that gets it gets the same."""

    name: str
    is_file: bool = False
    """The setting holds the path of a file with the secret, and not the secret itself."""


Source = Default | FromCaller | ServerAddress | BrokerAddress | DatabaseUrl | RestUrl | PublicUrl | Secret
"""The source of a setting's value."""

Settings = Mapping[str, Source]
"""Environment variables by name."""


@dataclass(frozen=True)
class RestFront:
    """What a service's REST front has of its own."""

    port: int
    """Its preferred port in a local run."""
    settings: Settings


@dataclass(frozen=True)
class EventProcess:
    """What a service's event process has of its own."""

    settings: Settings = field(default_factory=dict)
    connects_to: tuple[Server, ...] = ()


@dataclass(frozen=True)
class Program:
    """``python -m MODULE``: a process that stays, or a job that ends."""

    name: str
    module: str
    settings: Settings
    """All the settings it gets, but for hosts and ports on which a process listens: those are the runner's choice."""
    connects_to: tuple[Server, ...]
    """Must be ready before it starts."""
    arguments: tuple[str, ...] = ()
    listens_on: Mapping[str, str] = field(default_factory=dict)
    """Setting → the name of the port on which it listens in a local run."""


@dataclass(frozen=True)
class Service:
    """One of the services: a package, a database of its own, a REST front and an event process."""

    name: str
    database: Server
    publishes: tuple[str, ...]
    consumes: tuple[str, ...]
    rest_front: RestFront
    event_process: EventProcess

    @property
    def package(self) -> str:
        """Its Python package, which also names its database and its consumer group."""
        return f"{self.name}_svc"

    @property
    def dead_letter_topic(self) -> str:
        """Where copies of its dead letters go."""
        return f"{self.package}.dlq"

    @property
    def migrations(self) -> str:
        """The name of the job that migrates its database."""
        return f"{self.name}-migrations"

    @property
    def ports(self) -> tuple[Port, Port, Port]:
        """The ports of its REST front, of the metrics of that, and of its event process in a local run."""
        front = Port(self.name, f"{self.name.upper()}_PORT", self.rest_front.port)
        return front, Port(f"{self.name}-metrics"), Port(f"{self.name}-worker")

    @property
    def database_settings(self) -> Settings:
        """The setting that leads to its own database."""
        return {self.database.setting: DatabaseUrl(self.database, self.package)}

    @property
    def calls(self) -> tuple[str, ...]:
        """The services whose REST API it calls."""
        settings = (*self.rest_front.settings.values(), *self.event_process.settings.values())
        return tuple(sorted({source.service for source in settings if isinstance(source, RestUrl)}))


@dataclass(frozen=True)
class System:
    """Everything an installation consists of."""

    servers: tuple[Server, ...]
    services: tuple[Service, ...]
    topics: tuple[Topic, ...]
    process_settings: Settings
    """What every process of every service gets."""
    brokers: Server
    """Every process gets their address as well, for the principal that is named like its service's package."""
    jobs: tuple[Program, ...]
    """Programs that run to their end: they prepare what the processes need."""

    def rest_front(self, service: Service) -> Program:
        """Return a service's REST front."""
        settings = {**self._shared(service), **service.database_settings, **service.rest_front.settings}
        front, metrics, _ = service.ports
        listens_on = {"PORT": front.name, "METRICS_PORT": metrics.name}
        return Program(service.name, f"{service.package}.main", settings, (service.database,), listens_on=listens_on)

    def event_process(self, service: Service) -> Program:
        """Return a service's event process: it consumes, relays the outbox, and runs what is periodic."""
        own = service.event_process
        settings = {**self._shared(service), **service.database_settings, **own.settings}
        connects_to, (*_, port) = (service.database, *own.connects_to), service.ports
        module, listens_on = f"{service.package}.worker", {"PORT": port.name}
        return Program(f"{service.name}-worker", module, settings, connects_to, listens_on=listens_on)

    def _shared(self, service: Service) -> Settings:
        return {self.brokers.setting: BrokerAddress(self.brokers, service.package), **self.process_settings}

    def processes(self, service: Service) -> tuple[Program, Program]:
        """Return both processes of a service."""
        return self.rest_front(service), self.event_process(service)

    @property
    def ports(self) -> Iterator[Port]:
        """Yield the ports of all services and servers in a local run."""
        for service in self.services:
            yield from service.ports
        for server in self.servers:
            yield from server.ports

    @property
    def all_processes(self) -> Iterator[Program]:
        """Yield the processes of all services."""
        for service in self.services:
            yield from self.processes(service)
