"""From the system map to environment variables: the settings of a program in one installation."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never
from urllib.parse import urlsplit

from chassis.messaging.brokers import Brokers
from deploy.resources import (
    BrokerAddress,
    DatabaseUrl,
    Default,
    FromCaller,
    Program,
    PublicUrl,
    RestUrl,
    Secret,
    ServerAddress,
    Source,
)


@dataclass(frozen=True)
class Addresses:
    """Where one installation has its servers, REST fronts and secrets."""

    servers: Mapping[str, str]
    """By server: what its clients connect to. Of a database server, any database will do."""
    rest: Mapping[str, str]
    """By service: the base URL at which the other services reach its REST front."""
    public: Mapping[str, str]
    """By service: the base URL at which browsers reach its REST front."""
    secrets: Mapping[str, str]
    """By secret: its value, or the path of its file."""
    passwords: Mapping[str, str] = field(default_factory=dict)
    """By server and name, as ``kafka-order_svc``: of principals and database roles that the installation has made.
    Without one, clients connect as ``servers`` says."""


def environment(program: Program, addresses: Addresses, provided: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a program.

    ``provided`` holds what the installation sets itself: it replaces defaults, and has every ``FromCaller``.
    """
    return {name: _value(name, source, addresses, provided) for name, source in program.settings.items()}


def _value(name: str, source: Source, addresses: Addresses, provided: Mapping[str, str]) -> str:
    match source:
        case Default(value):
            return provided.get(name) or value
        case FromCaller():
            return provided[name]
        case ServerAddress(server):
            return addresses.servers[server.name]
        case BrokerAddress(server, principal):
            password = addresses.passwords.get(f"{server.name}-{principal}")
            return as_principal(addresses.servers[server.name], principal, password)
        case DatabaseUrl(server, database):
            url = with_database(addresses.servers[server.name], database)
            return as_owner(url, database, addresses.passwords.get(f"{server.name}-{database}"))
        case RestUrl(service, path):
            return addresses.rest[service] + path
        case PublicUrl(service):
            return addresses.public[service]
        case Secret():
            return addresses.secrets[source.name]
        case _:
            assert_never(source)


def as_principal(brokers: str, principal: str | None, password: str | None) -> str:
    """Return the address of the brokers for a principal that has a password."""
    if principal is None or password is None:
        return brokers
    return str(replace(Brokers.parse(brokers), user=principal, password=password))


def as_owner(url: str, owner: str, password: str | None) -> str:
    """Return the URL of a database for the role that owns it, if that has a password."""
    if password is None:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=f"{owner}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def with_database(url: str, database: str) -> str:
    """Return the URL of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()
