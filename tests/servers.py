"""The real servers that the tests run against: those named in the environment, else Docker's, else local ones."""

import os
import subprocess
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
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
from deploy.local.server import Server

KAFKA_IMAGE, POSTGRES_IMAGE, MONGO_IMAGE = "apache/kafka:4.4.0", "postgres:18", "mongo:8"


@dataclass(frozen=True)
class Servers:
    """Where the servers are. ``mail_page`` lists what the mail sink got."""

    kafka: str
    postgres: str
    mongo: str
    smtp: str
    mail_page: str


class Offer:
    """The servers for all processes of a run of the tests: started when the first asks for them at ``address``."""

    def __init__(self) -> None:
        self._ended = ExitStack()
        self._listener = self._ended.enter_context(Listener(family="AF_UNIX"))
        self.address = str(self._listener.address)
        self._running: Servers | None = None
        self._one_at_a_time = threading.Lock()
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            with self._listener.accept() as asking:
                asking.send(self._ask())

    def _ask(self) -> Servers | str:
        with self._one_at_a_time:
            try:
                self._running = self._running or self._ended.enter_context(servers())
            except Exception:  # noqa: BLE001 - told to who has asked
                return traceback.format_exc()
            return self._running

    def close(self) -> None:
        """Stop them."""
        with self._one_at_a_time:
            self._ended.close()


def offered(address: str) -> Servers:
    """The servers that another process of this run has started, or starts now."""
    with Client(address) as asked:
        answer = asked.recv()
    assert isinstance(answer, Servers), answer
    return answer


@contextmanager
def servers() -> Iterator[Servers]:
    """Start what is missing, and stop it in the end. The mail sink is always ours: the tests read it."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shopstream-tests-")))
        # What is left of hundreds of databases are a great many files, over which Python takes its time. (A server
        # that was killed may still write one: what stays behind goes with the directory.)
        stack.callback(subprocess.run, ["rm", "-rf", str(home / "postgres"), str(home / "mongo")], check=False)
        # The embedded PostgreSQL runs as another user when this is root.
        home.chmod(0o755)
        urls = {name: os.environ.get(name, "") for name in ("KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_URL", "MONGO_URL")}
        mail = Mail(home)
        start = _containers if not all(urls.values()) and docker_is_at_hand() else _local
        with ThreadPoolExecutor() as at_once:
            mailing = at_once.submit(run, mail, stack)
            starting = {name: at_once.submit(start, name, home, stack) for name, url in urls.items() if not url}
        mailing.result()
        kafka, postgres, mongo = (urls | {name: started.result() for name, started in starting.items()}).values()
        yield Servers(kafka, postgres, mongo, mail.url, mail.page_url)


def run(server: Server, stack: ExitStack) -> str:
    """Start a local server, to be stopped with the stack; return its URL."""
    server.prepare()
    server.start()
    # What it has is thrown away: nobody waits for it to be put in order.
    stack.callback(server.stop, grace=2)
    server.ready()
    return server.url


def _local(name: str, home: Path, stack: ExitStack) -> str:
    kinds = {"KAFKA_BOOTSTRAP_SERVERS": Kafka, "POSTGRES_URL": Postgres, "MONGO_URL": Mongo}
    url = run(kinds[name](home), stack)
    if name == "POSTGRES_URL":
        _spare_the_disk(url)
    return url


def _spare_the_disk(url: str) -> None:
    """Nobody cuts the power here, and tests that kill servers have servers of their own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def docker_is_at_hand() -> bool:
    """Is there an engine that has the images already? Tests do not pull."""
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    try:
        with closing(docker.from_env(timeout=5)) as client:
            for image in (KAFKA_IMAGE, POSTGRES_IMAGE, MONGO_IMAGE):
                client.images.get(image)
    except DockerException:
        return False
    return True


def _containers(name: str, _home: Path, stack: ExitStack) -> str:
    start = {"KAFKA_BOOTSTRAP_SERVERS": _kafka, "POSTGRES_URL": _postgres, "MONGO_URL": _mongo}
    return start[name](stack)


def _kafka(stack: ExitStack) -> str:
    # Clients are sent on to the advertised address, so the port must be known before the start.
    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
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
    container = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432).with_env("POSTGRES_PASSWORD", "tests")
    container = container.with_command("postgres -c max_connections=300")
    started = stack.enter_context(container)
    # The image starts the server twice: once to set it up, once to stay.
    wait_for_logs(started, r"(?s)ready to accept connections.*ready to accept connections", timeout=60)
    return f"postgresql://postgres:tests@127.0.0.1:{started.get_exposed_port(5432)}/postgres"


def _mongo(stack: ExitStack) -> str:
    container = DockerContainer(MONGO_IMAGE).with_exposed_ports(27017).with_command("--replSet rs0 --bind_ip_all")
    started = stack.enter_context(container)
    wait_for_logs(started, "Waiting for connections", timeout=60)
    started.exec(["mongosh", "--quiet", "--eval", "rs.initiate({_id:'rs0',members:[{_id:0,host:'localhost'}]})"])
    return f"mongodb://127.0.0.1:{started.get_exposed_port(27017)}/?replicaSet=rs0&directConnection=true"
