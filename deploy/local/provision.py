"""What the servers need before the services can run: topics, databases, migrations, a first account."""

import asyncio
import compileall
import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import psycopg
from aiokafka.errors import KafkaError

from deploy.local.errors import Prerequisite, first_line
from deploy.local.files import kept_secret, write_atomically
from deploy.local.postgres import create_database
from deploy.local.processes import REPOSITORY, Command, Processes
from deploy.local.sample import Person
from deploy.local.services import ON_POSTGRES, SERVICES, Addresses, environment, package
from deploy.topics import create_topics

PACKAGES = ("schemas", "chassis", *map(package, SERVICES))
"""What a service is made of."""

Role = Literal["staff", "ops"]


def make_topics(addresses: Addresses) -> str:
    """Create the topics that are missing."""
    prefix = os.environ.get("KAFKA_PREFIX", "")
    try:
        created = asyncio.run(create_topics(addresses.kafka, prefix))
    except (KafkaError, OSError) as error:
        raise Prerequisite(f"cannot create topics on {addresses.kafka}: {first_line(error)}") from error
    return f"{len(created)} created" if created else "all there"


def make_databases(addresses: Addresses) -> str:
    """Create the databases that are missing."""
    names = [package(service) for service in ON_POSTGRES]
    try:
        for name in names:
            create_database(addresses.postgres, name)
    except psycopg.Error as error:
        raise Prerequisite(f"cannot create the databases {', '.join(names)}: {first_line(error)}") from error
    return ", ".join(names)


def compile_code() -> str:
    """Compile our Python code once, before eight processes import it at the same time."""
    for name in PACKAGES:
        compileall.compile_dir(REPOSITORY / name, quiet=2)
    return "done"


def migrate(service: str, addresses: Addresses, processes: Processes) -> str:
    """Bring a service's database to the newest schema."""
    program = [sys.executable, "-m", f"{package(service)}.migrations"]
    processes.run(Command(f"{service}-migrations", program, environment(service, addresses)))
    return "migrated"


def once_per_code(work: Callable[[], str], note: Path) -> str:
    """Do idempotent work only if the code has changed since it was last done.

    It costs a Python process each, seconds of every start on a small machine. ``note`` must lie with the data
    that the work is about, and vanish with it.
    """
    digest = _digest_of_code()
    if note.exists() and note.read_text() == digest:
        return "unchanged"
    done = work()
    write_atomically(note, digest)
    return done


@cache
def _digest_of_code() -> str:
    digest = hashlib.sha256()
    for name in PACKAGES:
        for path in sorted((REPOSITORY / name).rglob("*.py")):
            digest.update(f"{path.relative_to(REPOSITORY)} ".encode() + path.read_bytes())
    return digest.hexdigest()


def password_file(home: Path, role: Role) -> Path:
    """Return where the password of the first account with a role is kept."""
    return home / "secrets" / f"{role}-password"


def account(home: Path, role: Role, ours: bool) -> Person:
    """Return the first account with a role; ``ours`` says whether its database lies in this SHOP_HOME.

    Somebody else's database may know the account of another SHOP_HOME, with another password.
    """
    password = kept_secret(password_file(home, role))
    mark = "" if ours else f"-{hashlib.sha256(password.encode()).hexdigest()[:6]}"
    return Person(f"{role}{mark}@example.com", password)


def make_account(addresses: Addresses, processes: Processes, role: Role, person: Person) -> str:
    """Make the first account with a role, unless it is there."""
    program = [sys.executable, "-m", "customer_svc.staff.bootstrap", person.email, "--role", role]
    env = environment("customer", addresses) | {"BOOTSTRAP_PASSWORD": person.password}
    processes.run(Command(f"{role}-account", program, env))
    return person.email
