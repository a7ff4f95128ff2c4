"""What the services need on the servers before they start: topics, databases, migrations, first accounts."""

import asyncio
import compileall
import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psycopg
from aiokafka.errors import KafkaError

from chassis.messaging.brokers import Brokers
from deploy.access import apply_grants
from deploy.addresses import Addresses, environment
from deploy.local.errors import PrerequisiteMissing, first_line
from deploy.local.files import get_or_create_secret, write_atomically
from deploy.local.fork_server import ForkServer
from deploy.local.mongo import create_owner
from deploy.local.postgres import create_database
from deploy.local.processes import REPOSITORY, Command, Processes
from deploy.local.sample_order import Credentials
from deploy.resources import Program
from deploy.system import KAFKA, MONGO, POSTGRES, SYSTEM
from deploy.topics import create_topics

PACKAGES = ("schemas", "chassis", *(service.package for service in SYSTEM.services))
"""The code that the services run."""


def create_missing_topics(addresses: Addresses, *, grant: bool) -> str:
    """Create the topics that are missing, and grant each principal what it needs; return what was done."""
    servers, prefix = addresses.servers[KAFKA.name], os.environ.get("KAFKA_PREFIX", "")
    try:
        created = asyncio.run(_topics_and_grants(servers, prefix, grant))
    except (KafkaError, OSError) as error:
        raise PrerequisiteMissing(
            f"cannot create topics on {Brokers.parse(servers).servers}: {first_line(error)}"
        ) from error
    return f"created {len(created)}" if created else "all exist"


async def _topics_and_grants(servers: str, prefix: str, grant: bool) -> list[str]:
    if grant:
        await apply_grants(servers, SYSTEM, prefix)
    return await create_topics(servers, prefix)


def create_missing_databases(addresses: Addresses) -> str:
    """Create the PostgreSQL databases that are missing; return the names of all of them."""
    names = [service.package for service in SYSTEM.services if service.database is POSTGRES]
    try:
        for name in names:
            create_database(addresses.servers[POSTGRES.name], name, addresses.passwords.get(f"postgres-{name}"))
    except psycopg.Error as error:
        raise PrerequisiteMissing(f"cannot create the databases {', '.join(names)}: {first_line(error)}") from error
    return ", ".join(names)


def create_mongo_users(addresses: Addresses) -> str:
    """Create the users of MongoDB databases on a server of ours; return their names."""
    names = [one.package for one in SYSTEM.services if f"{MONGO.name}-{one.package}" in addresses.passwords]
    for name in names:
        create_owner(addresses.servers[MONGO.name], name, addresses.passwords[f"{MONGO.name}-{name}"])
    return ", ".join(names) or "not ours"


def load_code(fork_server: ForkServer, logs: Path) -> str:
    """Compile and import our Python code, once for all processes."""
    for name in PACKAGES:
        compileall.compile_dir(REPOSITORY / name, quiet=2)
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "fork-server.log").open("wb") as log:
        fork_server.start(log)
    fork_server.wait_until_ready()
    return "compiled and imported"


def migrate(job: Program, addresses: Addresses, processes: Processes) -> str:
    """Bring a service's database to the newest schema; return what was done."""
    processes.run(Command(job.name, [sys.executable, "-m", job.module], environment(job, addresses, {}), fork=True))
    return "migrated"


def skip_if_code_is_unchanged(work: Callable[[], str], marker: Path) -> str:
    """Do idempotent work only if the code has changed since it was last done.

    Otherwise each start would spend seconds on a Python process per job. ``marker`` must be stored with the data that
    the work is about, and be removed with them.
    """
    digest = _code_digest()
    if marker.exists() and marker.read_text() == digest:
        return "unchanged"
    result = work()
    write_atomically(marker, digest)
    return result


@cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    for name in PACKAGES:
        for path in sorted((REPOSITORY / name).rglob("*.py")):
            digest.update(f"{path.relative_to(REPOSITORY)} ".encode() + path.read_bytes())
    return digest.hexdigest()


def password_file(home: Path, role: str) -> Path:
    """Return the file that holds the password of the first account with a role."""
    return home / "secrets" / f"{role}-password"


def first_account(home: Path, role: str, own_database: bool) -> Credentials:
    """Return the first account with a role.

    An external database may contain the account of another SHOP_HOME, with another password. So the address is
    different for each SHOP_HOME there; ``own_database`` says that the database belongs to this one.
    """
    password = get_or_create_secret(password_file(home, role))
    suffix = "" if own_database else f"-{hashlib.sha256(password.encode()).hexdigest()[:6]}"
    return Credentials(f"{role}{suffix}@example.com", password)


def create_account(job: Program, addresses: Addresses, processes: Processes, account: Credentials) -> str:
    """Create the first account with a role, unless it exists; return its address."""
    argv = [sys.executable, "-m", job.module, account.email, *job.arguments]
    env = environment(job, addresses, {"BOOTSTRAP_PASSWORD": account.password})
    processes.run(Command(job.name, argv, env, fork=True))
    return account.email
