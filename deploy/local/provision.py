"""What the servers need before the services can run: topics, databases, migrations, a first account."""

import asyncio
import os
import sys
from pathlib import Path

import psycopg
from aiokafka.errors import KafkaError

from deploy.local.errors import Prerequisite, first_line
from deploy.local.files import kept_secret
from deploy.local.postgres import create_database
from deploy.local.processes import Command, Processes
from deploy.local.services import ON_POSTGRES, Addresses, environment, package
from deploy.topics import create_topics

STAFF_EMAIL = "staff@example.com"


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


def migrate(service: str, addresses: Addresses, processes: Processes) -> str:
    """Bring a service's database to the newest schema."""
    program = [sys.executable, "-m", f"{package(service)}.migrations"]
    processes.run(Command(f"{service}-migrations", program, environment(service, addresses)))
    return "migrated"


def staff_password(home: Path) -> str:
    """Return the password of the first staff account, which is kept in SHOP_HOME."""
    return kept_secret(home / "secrets" / "staff-password")


def make_staff(addresses: Addresses, processes: Processes, password: str) -> str:
    """Make the first staff account, unless it is there."""
    program = [sys.executable, "-m", "customer_svc.bootstrap", STAFF_EMAIL, "--role", "staff"]
    env = environment("customer", addresses) | {"BOOTSTRAP_PASSWORD": password}
    processes.run(Command("staff-account", program, env))
    return STAFF_EMAIL
