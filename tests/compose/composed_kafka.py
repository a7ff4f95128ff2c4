"""A broker that is started as in compose.yaml: by the script, with the environment that is given there.

In place of the image there are two programs with the names of Kafka's own, which run the same classes from the jars
of ``make run``.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from chassis.messaging.brokers import Brokers
from deploy.local import jars
from deploy.local.home import cache_home
from deploy.local.java import OPTIONS, ClassArchive, java
from deploy.local.kafka import ADMIN, HEAP, kafka_problem
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.probes import connection_problem
from deploy.local.processes import Command
from deploy.local.server import LocalServer
from tests.compose.deployment import ROOT


class ComposedKafka(LocalServer):
    """``url`` is for its administrator; ``secrets`` are those of the installation, by the names of their files."""

    def __init__(self, home: Path, environment: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        super().__init__("composed-kafka", home, None, None)
        self.address = f"{LOOPBACK}:{free_port()}"
        self._environment = environment
        self._secrets = secrets
        self.url = self.url_of(ADMIN)

    def url_of(self, user: str) -> str:
        """What a principal connects to."""
        owner = "" if user == ADMIN else f"{user.removesuffix('_svc')}-"
        password = self._secrets[f"{owner}kafka-password"]
        return str(Brokers(self.address, "SASL_PLAINTEXT", user, password))

    def prepare(self) -> None:
        """Write the programs that the image has."""
        found = jars.download(jars.read_lock(jars.LOCK.read_text()), cache_home() / "kafka-jars", self.progress)
        archive = ClassArchive(found, cache_home())
        archive.prepare(self.processes)
        path, programs = ":".join(map(str, found)), self.home / "bin"
        programs.mkdir()
        for name, main in (("kafka-storage.sh", "kafka.tools.StorageTool"), ("kafka-server-start.sh", "kafka.Kafka")):
            options = " ".join(f"'{one}'" for one in (*HEAP, *OPTIONS, *archive.options()))
            text = f'#!/bin/sh\nexec {java()} {options} "$KAFKA_LOG4J_OPTS" -cp {path} {main} "$@"\n'
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (self.home / "data").mkdir()
        (self.home / "secrets").mkdir()
        for name, secret in self._secrets.items():
            (self.home / "secrets" / name).write_text(f"{secret}\n")

    def start(self) -> None:
        """Run the script."""
        here = {"KAFKA_HOME": self.home, "KAFKA_DATA": self.home / "data", "TMPDIR": self.home}
        here |= {"KAFKA_GIVEN": ROOT / "deploy" / "local", "KAFKA_SECRETS": self.home / "secrets"}
        environment = {**self._environment, **{name: str(path) for name, path in here.items()}}
        environment |= {"KAFKA_ADDRESS": self.address, "KAFKA_HOST": LOOPBACK, "PATH": os.environ["PATH"]}
        environment |= {"KAFKA_CONTROLLER_PORT": str(free_port())}
        self.launch(Command(self.name, ["sh", str(ROOT / "deploy" / "compose" / "kafka.sh")], environment))

    def ready(self, seconds: float = 90) -> None:
        """Wait until it serves its administrator."""
        self.wait_until_ok(lambda: connection_problem(self.address) or kafka_problem(self.url), seconds)
