"""The eight processes of Shopstream: what each is called, how it is started, and what it is told."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local.errors import DidNotStart
from deploy.local.files import write_atomically
from deploy.local.loopback import http_trouble
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Child, Command, Processes, ended

SERVICES = ("customer", "product", "order", "notifier")
ON_POSTGRES = ("customer", "order", "notifier")
MAIL_FROM = "shop@example.com"
STAFF_MAIL = "staff@example.com"
READY_SECONDS = 120


@dataclass(frozen=True)
class Addresses:
    """Where everything is."""

    kafka: str
    postgres: str
    mongo: str
    smtp: str
    rest: Mapping[str, str]
    """Base URL of each service's REST front."""
    signing_key: Path
    link_key: str = "a key of links for tests, and nothing else"
    """What the tokens of links in mails are made with."""


@dataclass(frozen=True)
class Service:
    """One of the processes: a REST front or an event process."""

    name: str
    """``order`` or ``order-worker``."""
    service: str
    url: str
    command: Command


def package(service: str) -> str:
    """Return the Python package of a service; also the name of its database."""
    return f"{service}_svc"


def processes_of(service: str, ports: Mapping[str, int], addresses: Addresses) -> list[Service]:
    """Return the REST front and the event process of a service."""
    made = []
    for name, module in ((service, "main"), (f"{service}-worker", "worker")):
        port = ports[name]
        env = environment(service, addresses) | {"HOST": LOOPBACK, "PORT": str(port)}
        command = Command(name, [sys.executable, "-m", f"{package(service)}.{module}"], env)
        made.append(Service(name, service, f"http://{LOOPBACK}:{port}", command))
    return made


def environment(service: str, addresses: Addresses) -> dict[str, str]:
    """Return the settings of a service, without those of a single process."""
    settings = {"SHOP_ENV": "development", "KAFKA_BOOTSTRAP_SERVERS": addresses.kafka}
    if service in ON_POSTGRES:
        settings["POSTGRES_URL"] = with_database(addresses.postgres, package(service))
    if service == "customer":
        settings["JWT_PRIVATE_KEY_FILE"] = str(addresses.signing_key)
        settings["LINK_KEY"] = addresses.link_key
        settings |= {"ORDER_URL": addresses.rest["order"], "NOTIFIER_URL": addresses.rest["notifier"]}
    else:
        settings["JWKS_URL"] = f"{addresses.rest['customer']}/.well-known/jwks.json"
    if service == "product":
        settings["MONGO_URL"] = with_database(addresses.mongo, package(service))
    if service == "order":
        settings["PRODUCT_URL"] = addresses.rest["product"]
    if service == "notifier":
        settings |= {"SMTP_URL": addresses.smtp, "MAIL_FROM": MAIL_FROM, "STAFF_MAIL": STAFF_MAIL}
        settings |= {"LINK_KEY": addresses.link_key, "SHOP_URL": addresses.rest["customer"]}
    return settings


def with_database(url: str, database: str) -> str:
    """Return this server URL with another database in it."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def make_signing_key(path: Path) -> None:
    """Make the key that signs access tokens, once; only the owner can read it."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_atomically(path, pem.decode())


def start_ready(service: Service, processes: Processes) -> Child:
    """Start a process and return it when it says that it is ready."""
    child = processes.start(service.command)
    deadline = time.monotonic() + READY_SECONDS
    while reason := http_trouble(f"{service.url}/health/ready"):
        if not child.running:
            raise DidNotStart(f"{service.name} {ended(child)}, see {child.log}", child.last_lines())
        if time.monotonic() > deadline:
            raise _too_slow(service, child, reason)
        time.sleep(0.2)
    return child


def _too_slow(service: Service, child: Child, reason: str) -> DidNotStart:
    message = f"{service.name} is not ready after {READY_SECONDS} s ({reason}), see {child.log}"
    return DidNotStart(message, child.last_lines())
