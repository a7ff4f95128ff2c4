"""What the adapters of the local servers share: the process behind them, and waiting for it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import StartFailed
from deploy.local.processes import Child, Command, Processes, how_it_ended, stop_all
from deploy.local.progress import NoProgress, Progress


class LocalServer(ABC):
    """A server of one SHOP_HOME: ``prepare``, ``start``, ``ready``, ``stop``; ``url`` is for its clients."""

    url: str

    def __init__(self, name: str, home: Path, processes: Processes | None, progress: Progress | None) -> None:
        self.name = name
        self.home = home
        self.processes = processes or Processes(home)
        self.progress = progress or NoProgress()
        self.child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.child.pid if self.child and self.child.running else None

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.processes.logs / f"{self.name}.log"

    @abstractmethod
    def prepare(self) -> None:
        """Download, unpack and format what is missing; may be called again."""

    @abstractmethod
    def start(self) -> None:
        """Start the process; also on the data of one that was killed."""

    @abstractmethod
    def ready(self) -> None:
        """Wait until it can be used; raise ``StartFailed`` with its last log lines if it cannot."""

    def stop(self, grace: float = 15) -> None:
        """Stop it, by force after ``grace`` seconds; its data stays."""
        if self.child:
            stop_all([self.child], grace)

    def launch(self, command: Command) -> None:
        """Start its process."""
        self.child = self.processes.start(command)

    def wait_until_ok(self, probe: Callable[[], str], seconds: float) -> None:
        """Repeat a probe until it finds no problem."""
        assert self.child, "start() comes first"
        wait_until_ok(self.child, probe, seconds)


def wait_until_ok(child: Child, probe: Callable[[], str], seconds: float, pause: float = 0.05) -> None:
    """Repeat the probe of a process until it finds no problem; raise ``StartFailed`` if that takes too long."""
    deadline = time.monotonic() + seconds
    while problem := probe():
        if not child.running:
            raise StartFailed(f"{child.name} {how_it_ended(child)}, see {child.log}", child.last_lines())
        if time.monotonic() > deadline:
            message = f"{child.name} is not ready after {seconds:g} s ({problem}), see {child.log}"
            raise StartFailed(message, child.last_lines())
        time.sleep(pause)
