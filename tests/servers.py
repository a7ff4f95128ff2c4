"""The real servers for the tests: external ones that the environment names, else containers, else local ones."""

import os
import shutil
import subprocess
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Client, Listener
from pathlib import Path

import docker
import psycopg
from docker.errors import DockerException
from psycopg import sql
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

from deploy.local.kafka import Kafka
from deploy.local.mail import Mail
from deploy.local.mongo import Mongo
from deploy.local.ports import free_port
from deploy.local.postgres import Postgres
from deploy.local.server import LocalServer
from deploy.resources import Server
from deploy.system import KAFKA, MONGO, POSTGRES

IMAGES = {KAFKA: "apache/kafka:4.4.0", POSTGRES: "postgres:18", MONGO: "mongo:8"}
MEMORY_BYTES = 6 << 30
"""The data of all tests take less than half of this."""
LOCAL_SERVERS: Mapping[Server, Callable[[Path], LocalServer]] = {KAFKA: Kafka, POSTGRES: Postgres, MONGO: Mongo}


@dataclass(frozen=True)
class Servers:
    """The addresses of the servers. ``mail_page`` lists the mail that the sink received."""

    kafka: str
    postgres: str
    mongo: str
    smtp: str
    mail_page: str


class SharedServers:
    """The servers for all processes of a test run: started when the first process requests them at ``address``."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._listener = self._stack.enter_context(Listener(family="AF_UNIX"))
        self.address = str(self._listener.address)
        self._running: Servers | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._listener.accept() as client:
                client.send(self._servers())

    def _servers(self) -> Servers | str:
        with self._lock:
            try:
                self._running = self._running or self._stack.enter_context(servers(volatile=True))
            except Exception:  # noqa: BLE001 - the client raises it
                return traceback.format_exc()
            return self._running

    def close(self) -> None:
        """Stop them."""
        with self._lock:
            self._stack.close()


def shared_servers(address: str) -> Servers:
    """The servers that another process of this run shares at this address, and starts if they do not run yet."""
    with Client(address) as connection:
        response = connection.recv()
    assert isinstance(response, Servers), response
    return response


@contextmanager
def servers(*, volatile: bool = False) -> Iterator[Servers]:
    """Start the servers that are not external, and stop them in the end. The mail sink is never external.

    If they are ``volatile``, what they store outlives no power cut, which saves time.
    """
    with ExitStack() as stack:
        directory = _memory() if volatile else None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shopstream-tests-", dir=directory)))
        # Hundreds of databases leave so many files that Python would take long to remove them. (A server that was
        # killed may still write one, which is removed with the directory.)
        stack.callback(subprocess.run, ["rm", "-rf", str(home / "postgres"), str(home / "mongo")], check=False)
        # The embedded PostgreSQL runs as another user when this is root.
        home.chmod(0o755)
        urls = {server: os.environ.get(server.setting, "") for server in LOCAL_SERVERS}
        mail = Mail(home)
        containers = not all(urls.values()) and docker_has_the_images()
        start = _start_container if containers else partial(_start_locally, volatile=volatile)
        with ThreadPoolExecutor() as pool:
            mail_start = pool.submit(run, mail, stack)
            starts = {server: pool.submit(start, server, home, stack) for server, url in urls.items() if not url}
        mail_start.result()
        urls |= {server: started.result() for server, started in starts.items()}
        yield Servers(urls[KAFKA], urls[POSTGRES], urls[MONGO], mail.url, mail.page_url)


def _memory() -> str | None:
    """A file system in memory, if there is one with enough room: hundreds of databases make a disk busy."""
    found = Path("/dev/shm")
    return str(found) if found.is_dir() and shutil.disk_usage(found).free > MEMORY_BYTES else None


def run(server: LocalServer, stack: ExitStack) -> str:
    """Start a local server, to be stopped with the stack; return its URL."""
    server.prepare()
    server.start()
    # Its data are thrown away: an orderly stop is not worth waiting for.
    stack.callback(server.stop, grace=2)
    server.ready()
    return server.url


def _start_locally(server: Server, home: Path, stack: ExitStack, *, volatile: bool) -> str:
    url = run(LOCAL_SERVERS[server](home), stack)
    if volatile and server is POSTGRES:
        _disable_fsync(url)
    return url


def _disable_fsync(url: str) -> None:
    """Tests that kill servers use their own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def docker_has_the_images() -> bool:
    """Whether a Docker engine runs that has the images already: tests do not pull any."""
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    try:
        with closing(docker.from_env(timeout=5)) as client:
            for image in IMAGES.values():
                client.images.get(image)
    except DockerException:
        return False
    return True


def _start_container(server: Server, _home: Path, stack: ExitStack) -> str:
    return {KAFKA: _kafka, POSTGRES: _postgres, MONGO: _mongo}[server](stack)


def _kafka(stack: ExitStack) -> str:
    # The broker refers clients to its advertised address, so the port must be known before the start.
    port = free_port()
    container = DockerContainer(IMAGES[KAFKA]).with_bind_ports(9092, port)
    for key, value in {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }.items():
        container = container.with_env(key, value)
    wait_for_logs(stack.enter_context(container), "Kafka Server started", timeout=60)
    return f"127.0.0.1:{port}"


def _postgres(stack: ExitStack) -> str:
    container = DockerContainer(IMAGES[POSTGRES]).with_exposed_ports(5432).with_env("POSTGRES_PASSWORD", "tests")
    container = container.with_command("postgres -c max_connections=300")
    started = stack.enter_context(container)
    # The image starts the server twice: first to initialise it, then to stay.
    wait_for_logs(started, r"(?s)ready to accept connections.*ready to accept connections", timeout=60)
    return f"postgresql://postgres:tests@127.0.0.1:{started.get_exposed_port(5432)}/postgres"


def _mongo(stack: ExitStack) -> str:
    container = DockerContainer(IMAGES[MONGO]).with_exposed_ports(27017).with_command("--replSet rs0 --bind_ip_all")
    started = stack.enter_context(container)
    wait_for_logs(started, "Waiting for connections", timeout=60)
    started.exec(["mongosh", "--quiet", "--eval", "rs.initiate({_id:'rs0',members:[{_id:0,host:'localhost'}]})"])
    return f"mongodb://127.0.0.1:{started.get_exposed_port(27017)}/?replicaSet=rs0&directConnection=true"
