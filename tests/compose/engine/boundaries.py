"""What only an engine shows: containers reach, read and write what they have to, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deploy.system import SYSTEM
from tests.compose.deployment import compose_file
from tests.compose.engine.project import Project, service_of

PORTS = {
    "kafka": 9092,
    "postgres": 5432,
    "mongo": 27017,
    "mailpit": 1025,
    **{one.name: 8000 for one in SYSTEM.services},
}
"""What listens, and where."""
PROCESSES = tuple(program.name for program in SYSTEM.all_processes)
REACHED = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reached(target):
    try:
        socket.create_connection((target[1], target[2]), 1.5).close()
    except OSError:
        return None
    return target[0]
with ThreadPoolExecutor(32) as pool:
    print(json.dumps(sorted({name for name in pool.map(reached, json.loads(sys.argv[1])) if name})))
"""
"""Prints the names of the targets [name, address, port] that it can connect to."""

CONFINED = """
import json, os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
def writable(path):
    try:
        open(path + "/x", "w").close()
        os.remove(path + "/x")
    except OSError:
        return False
    return True
places = ("/", "/app", "/opt/venv", "/etc", "/tmp")
print(json.dumps({"uid": os.getuid(), "capabilities": status["CapEff"], "bounding": status["CapBnd"],
    "no_new_privileges": status["NoNewPrivs"], "writable": [one for one in places if writable(one)]}))
"""

FORGED = """
import asyncio, json
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from chassis.messaging.brokers import client_options
from order_svc.settings import OrderSettings as Settings
async def main():
    outcomes = {}
    producer = AIOKafkaProducer(**client_options(Settings().kafka_bootstrap_servers))
    await producer.start()
    try:
        for topic in ("order_svc.dlq", "customer.events"):
            try:
                await producer.send_and_wait(topic, b"{}", key=b"check")
                outcomes[topic] = "written"
            except KafkaError as error:
                outcomes[topic] = type(error).__name__
    finally:
        await producer.stop()
    print(json.dumps(outcomes))
asyncio.run(main())
"""
"""As order_svc: an event of its own, which is a dead letter that nobody reads, and one of another."""

DATABASES = """
import json, psycopg
from order_svc.settings import OrderSettings as Settings
outcomes = {}
for database in ("order_svc", "customer_svc", "postgres"):
    url = str(Settings().postgres_url).rpartition("/")[0] + "/" + database
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("CREATE TABLE check_of_rights (id int)")
            connection.rollback()
        outcomes[database] = "owned"
    except psycopg.Error as error:
        outcomes[database] = type(error).__name__
print(json.dumps(outcomes))
"""

DOCUMENTS = """
import json
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from product_svc.settings import WorkerSettings as Settings
outcomes = {}
url = str(Settings().mongo_url)
for name, who in (("itself", url), ("nobody", "mongodb://mongo:27017/?replicaSet=rs0")):
    with MongoClient(who, serverSelectionTimeoutMS=5000) as client:
        for database in ("product_svc", "admin"):
            try:
                client[database].list_collection_names()
                outcomes[f"{name} {database}"] = "read"
            except PyMongoError as error:
                outcomes[f"{name} {database}"] = getattr(error, "details", None) and error.details["codeName"]
print(json.dumps(outcomes))
"""


def networks_are_apart(project: Project) -> Iterator[str]:
    """Every process reaches the containers that it shares a network with, at all their addresses, and no others."""
    networks = {name: set(one.get("networks", [])) for name, one in json.loads(compose_file())["services"].items()}
    addresses = {service_of(one): list(_addresses(one)) for one in project.containers()}
    targets = [(name, address, port) for name, port in PORTS.items() for address in addresses[name]]

    def problems(program: str) -> list[str]:
        expected = {name for name in PORTS if name == program or networks[name] & networks[program]}
        found = set(project.execute(program, REACHED, json.dumps(targets)))
        reached = [f"{program} reaches {name}" for name in sorted(found - expected)]
        return reached + [f"{program} does not reach {name}" for name in sorted(expected - found)]

    with ThreadPoolExecutor() as pool:
        for found in pool.map(problems, PROCESSES):
            yield from found


def programs_are_confined(project: Project) -> Iterator[str]:
    """No program is root, has capabilities, or writes anywhere but to /tmp."""
    none = "0000000000000000"
    expected = {"uid": 10001, "capabilities": none, "bounding": none, "no_new_privileges": "1", "writable": ["/tmp"]}
    for program in SYSTEM.all_processes:
        found = project.execute(program.name, CONFINED)
        if found != expected:
            yield f"{program.name}: {found}"
    for one in project.containers():
        limits = one["HostConfig"]
        if not (limits["Memory"] and limits["PidsLimit"] and limits["NanoCpus"] and limits["ReadonlyRootfs"]):
            yield f"{service_of(one)} has no limits"


def rights_are_those_of_the_service(project: Project) -> Iterator[str]:
    """The brokers and databases refuse a service what is another's."""
    yield from _differences("order_svc on Kafka", project.execute("order-worker", FORGED), {
        "order_svc.dlq": "written", "customer.events": "TopicAuthorizationFailedError",
    })  # fmt: skip
    yield from _differences("order_svc on PostgreSQL", project.execute("order-worker", DATABASES), {
        "order_svc": "owned", "customer_svc": "OperationalError", "postgres": "InsufficientPrivilege",
    })  # fmt: skip
    yield from _differences("product_svc on MongoDB", project.execute("product-worker", DOCUMENTS), {
        "itself product_svc": "read", "itself admin": "Unauthorized",
        "nobody product_svc": "Unauthorized", "nobody admin": "Unauthorized",
    })  # fmt: skip


def _differences(who: str, found: Mapping[str, Any], expected: Mapping[str, str]) -> Iterator[str]:
    yield from (
        f"{who}: {what}: {found.get(what)}, not {how}" for what, how in expected.items() if found.get(what) != how
    )


def _addresses(container: Mapping[str, Any]) -> Iterator[str]:
    for network in container["NetworkSettings"]["Networks"].values():
        if network["IPAddress"]:
            yield network["IPAddress"]


BOUNDARIES = (networks_are_apart, programs_are_confined, rights_are_those_of_the_service)
