"""Apache Kafka 4.4 in KRaft mode: one node on loopback, from the jars in ``kafka-jars.lock``.

With users it lets in nobody else (SCRAM-SHA-512), and each may do what ``deploy/access.py`` grants; ``admin`` may do
everything. Users are made with the data: data that were made without them stay open to everybody.
"""

import asyncio
import base64
import logging
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from chassis.messaging.brokers import MECHANISM, Brokers, client_options
from deploy.local import jars
from deploy.local.files import write_atomically
from deploy.local.home import cache_home
from deploy.local.java import OPTIONS, ClassArchive, java
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.probes import connection_problem
from deploy.local.processes import Command, Processes
from deploy.local.progress import Progress
from deploy.local.server import LocalServer

HEAP = ("-Xms128m", "-Xmx384m")
SETTINGS = Path(__file__).with_name("kafka.properties")
LOGGING = Path(__file__).with_name("kafka-log4j2.properties")
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
"""Java's exit status after an orderly stop by SIGTERM."""


ADMIN = "admin"
SECURED = """
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,BROKER:SASL_PLAINTEXT
inter.broker.listener.name=BROKER
sasl.mechanism.inter.broker.protocol={mechanism}
sasl.mechanism.controller.protocol=PLAIN
listener.name.broker.sasl.enabled.mechanisms={mechanism}
listener.name.broker.{lower}.sasl.jaas.config={scram} required username="{admin}" password="{password}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} required username="{admin}" password="{password}" \\
 user_{admin}="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin}
"""


class Kafka(LocalServer):
    """A Kafka server. ``address`` is its ``host:port``, ``url`` what its administrator connects to."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        controller_port: int = 0,
        *,
        advertised: str = "",
        users: Mapping[str, str] | None = None,
        processes: Processes | None = None,
        progress: Progress | None = None,
        cache: Path | None = None,
    ) -> None:
        super().__init__("kafka", home, processes, progress)
        self.directory = home / "kafka"
        self.data = self.directory / "data"
        self.controller_port = controller_port or free_port()
        self.address = f"{LOOPBACK}:{port or free_port()}"
        self.users = users or {}
        """Password by name, ``admin`` among them."""
        # The address that the broker gives its clients: that of a proxy in front of it, if there is one.
        self._advertised = advertised or self.address
        self._cache = cache or cache_home()
        self._jars: list[Path] = []
        self._archive: ClassArchive | None = None

    @property
    def secured(self) -> bool:
        """Whether it lets in its users only."""
        return bool(self.users) and (self._has_users.exists() or not self.data.exists())

    @property
    def url(self) -> str:  # type: ignore[override] # fixed from the start in the others
        """Its bootstrap servers, as its administrator connects to them."""
        return self.url_of(ADMIN)

    def url_of(self, user: str) -> str:
        """Its bootstrap servers, as a user connects to them."""
        if not self.secured:
            return self.address
        return str(Brokers(self.address, "SASL_PLAINTEXT", user, self.users[user]))

    @property
    def _has_users(self) -> Path:
        return self.data / "has-users"

    def prepare(self) -> None:
        """Download the jars and format the data directory."""
        self._jars = jars.download(jars.read_lock(jars.LOCK.read_text()), self._cache / "kafka-jars", self.progress)
        jars.remove_abandoned_parts(self._cache)
        self._archive = ClassArchive(self._jars, self._cache)
        self._archive.prepare(self.processes)
        if not self.data.exists():
            self.progress.report("formatting its data directory")
            self._format()

    def start(self) -> None:
        """Start the broker."""
        assert self._archive, "prepare() comes first"
        broker = self._java("kafka.Kafka", str(self._write_settings(self.data)), options=self._archive.options())
        self.launch(Command(self.name, broker, orphan_signal=signal.SIGTERM))

    def stop(self, grace: float = 15) -> None:
        """Stop it, and keep the class archive that the first broker on this machine writes at its end."""
        super().stop(grace)
        if self._archive and self.child:
            orderly = self.child.exit_status == ENDED_BY_SIGTERM
            self._archive.keep() if orderly else self._archive.discard()

    def ready(self, seconds: float = 90) -> None:
        """Wait until it serves topics and consumer groups."""
        # Try the port first: a Kafka client costs 10 ms of the CPU that the broker needs to start.
        self.wait_until_ok(lambda: connection_problem(self.address) or kafka_problem(self.url), seconds)

    def _java(self, *program: str, options: Sequence[str] = ()) -> list[str]:
        path = ":".join(map(str, self._jars))
        log = f"-Dlog4j2.configurationFile={LOGGING}"
        return [java(), *HEAP, *OPTIONS, *options, log, "-cp", path, *program]

    def _format(self) -> None:
        """Format under another name and rename, so that a run killed meanwhile leaves nothing half formatted."""
        part, secured = self.data.with_name("data.part"), self.secured
        shutil.rmtree(part, ignore_errors=True)
        # The zero byte keeps it from beginning with "-", as one in 64 would: it would be read as an option.
        cluster = base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).decode().rstrip("=")
        settings = self._write_settings(part)
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(settings)]
        users = self.users.items() if secured else ()
        scram = [word for name, password in users for word in ("--add-scram", _scram(name, password))]
        self.processes.run(Command("kafka-format", self._java(*tool, *scram)))
        if secured:
            (part / "has-users").touch()
        part.rename(self.data)

    def _write_settings(self, data: Path) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        controller = f"{LOOPBACK}:{self.controller_port}"
        listener = "BROKER" if self.secured else "PLAINTEXT"
        lines = [
            "# The settings of this SHOP_HOME.",
            f"listeners={listener}://{self.address},CONTROLLER://{controller}",
            f"advertised.listeners={listener}://{self._advertised},CONTROLLER://{controller}",
            f"controller.quorum.bootstrap.servers={controller}",
            f"log.dirs={data}",
        ]
        if self.secured:
            lines.append(_authentication(self.users[ADMIN]))
        path = self.directory / "server.properties"
        write_atomically(path, SETTINGS.read_text() + "\n" + "\n".join(lines) + "\n")
        return path


def _authentication(password: str) -> str:
    modules = "org.apache.kafka.common.security"
    return SECURED.format(
        mechanism=MECHANISM,
        lower=MECHANISM.lower(),
        scram=f"{modules}.scram.ScramLoginModule",
        plain=f"{modules}.plain.PlainLoginModule",
        admin=ADMIN,
        password=password,
    )


def _scram(name: str, password: str) -> str:
    return f"{MECHANISM}=[name={name},password={password}]"


def kafka_problem(bootstrap_servers: str) -> str:
    """Return why this Kafka cannot be used; empty if it serves metadata and coordinates consumer groups."""
    found: list[str] = []
    # In a separate thread: the caller may be inside an event loop, where asyncio.run() is not allowed.
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_kafka_problem(bootstrap_servers))))
    with _quiet("aiokafka"):
        thread.start()
        thread.join()
    return found[0] if found else "no response"


async def _kafka_problem(bootstrap_servers: str) -> str:
    client = AIOKafkaAdminClient(**client_options(bootstrap_servers), request_timeout_ms=5000)
    try:
        await client.start()
        # For a moment after the port opens, the group coordinator is "not available".
        await client.find_coordinator("shopstream-ready")
        await client.list_consumer_group_offsets("shopstream-ready")
    except (KafkaError, OSError, ValueError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await client.close()
    return ""


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Suppress a library's log lines about a server that is still starting."""
    log = logging.getLogger(logger)
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
