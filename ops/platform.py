"""Finds the running platform."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import Any, Literal

from chassis.messaging.brokers import Brokers, with_password
from ops.audit import Shop
from ops.errors import CannotDo

SERVICES = ("customer", "product", "order", "notifier")
"""The services, as their URLs are named."""
GROUPS = {f"{service}_svc": service for service in SERVICES}
"""The service of each consumer group; a group is named like the package of its service."""

STDIN = "/dev/stdin"

Role = Literal["ops", "staff"]
"""What an account is for: to operate the shop, or to run it."""


@dataclass(frozen=True)
class Account:
    """An account with the role ops or staff."""

    email: str
    password: str
    code: str = ""
    """A one-time code, for an account that needs one: it works for one login, whose session is refreshed then."""


@dataclass(frozen=True)
class Platform:
    """Where everything is, and the account to log in with. A part that is unknown matters when it is needed."""

    urls: Mapping[str, str]
    """Base URL of each service's REST API."""
    kafka: str | None = None
    kafka_prefix: str = ""
    account: Account | None = None
    role: Role = "ops"
    """The role that the account has."""

    def url(self, service: str) -> str:
        """The base URL of a service; raise ``CannotDo`` if it is unknown."""
        try:
            return self.urls[service].rstrip("/")
        except KeyError:
            raise CannotDo(f"{service}: its URL is unknown: set --{service}-url") from None

    @property
    def brokers(self) -> str:
        """The addresses of the Kafka brokers; raise ``CannotDo`` if they are unknown."""
        if not self.kafka:
            raise CannotDo("kafka: its address is unknown: set --kafka")
        return self.kafka

    @property
    def shop(self) -> Shop:
        """What an audit reads; raise ``CannotDo`` if any of it is unknown."""
        urls = {service: self.url(service) for service in SERVICES}
        return Shop(**urls, kafka=self.brokers, kafka_prefix=self.kafka_prefix)


def find_platform(
    given: Mapping[str, str | None], email: str | None, home: Path | None, role: Role = "ops"
) -> Platform:
    """The platform at the given addresses, with an account of this role.

    The addresses are a URL for each service, ``kafka`` and ``kafka_prefix``.

    Without a customer URL it is that of ``make run``, with the given addresses in place of its own. Raise
    ``CannotDo`` if there is none.
    """
    known = {name: value for name, value in given.items() if value is not None}
    found = Platform({}) if "customer" in known else local_platform(home or default_home(), role)
    return Platform(
        urls={**found.urls, **{name: known[name] for name in SERVICES if name in known}},
        kafka=_with_password(known["kafka"]) if "kafka" in known else found.kafka,
        kafka_prefix=known.get("kafka_prefix", found.kafka_prefix),
        account=_account(email, role) if email else found.account,
        role=role,
    )


def _account(email: str, role: Role) -> Account:
    if role == "staff":
        return Account(email, _secret("STAFF_PASSWORD"), os.environ.get("STAFF_CODE", ""))
    return Account(email, _secret("OPS_PASSWORD"), os.environ.get("OPS_CODE", ""))


def _secret(name: str) -> str:
    """The value of a variable, or the content of the file that ``…_FILE`` names; raise ``CannotDo``."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "")
    if path == STDIN and sys.stdin.isatty():
        return getpass(f"{name}: ")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotDo(f"{name}_FILE: cannot read {path}: {error}") from error


def _with_password(kafka: str) -> str:
    """Add KAFKA_PASSWORD, where the brokers are given for a user without one; raise ``CannotDo``."""
    try:
        brokers = Brokers.parse(kafka)
        needed = brokers.user and not brokers.password
        return with_password(kafka, _secret("KAFKA_PASSWORD")) if needed else kafka
    except ValueError as error:
        raise CannotDo(f"kafka: {error}") from error


def default_home() -> Path:
    """The directory of ``make run`` in this repository."""
    return Path(__file__).parents[1] / ".local"


def local_platform(home: Path, role: Role) -> Platform:
    """The platform that ``make run`` has recorded in its SHOP_HOME; raise ``CannotDo`` if none is running."""
    home = home.expanduser().absolute()
    path = home / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["state"] != "up":
            raise CannotDo(f"the shop in {home} is {record['state']}, not up: start it, or give other URLs")
        return _recorded(record, role)
    except FileNotFoundError as error:
        raise CannotDo(f"no shop is running in {home}: start it with make run, or give URLs") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotDo(f"{path} does not describe running services: {error!r}") from error


def _recorded(record: Mapping[str, Any], role: Role) -> Platform:
    url = {name: process["url"] for name, process in record["processes"].items()}
    ops, account = record["ops"], record[role]
    password = Path(account["password_file"]).read_text(encoding="utf-8").strip()
    return Platform(
        {service: url[service] for service in SERVICES},
        ops["kafka"],
        ops["kafka_prefix"],
        Account(account["email"], password),
        role,
    )
