"""What the adapters of the local servers share: the process behind them, and waiting for it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import DidNotStart
from deploy.local.processes import Child, Command, Processes, end, ended
from deploy.local.progress import Progress, Silent


class Server(ABC):
    """A server of one SHOP_HOME: ``prepare``, ``start``, ``ready``, ``stop``; ``url`` is for its clients."""

    url: str

    def __init__(self, name: str, home: Path, processes: Processes | None, progress: Progress | None) -> None:
        self.name = name
        self.home = home
        self.processes = processes or Processes(home)
        self.progress = progress or Silent()
        self.child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.child.pid if self.child and self.child.running else None

    @property
    def log(self) -> Path:
        """Where it logs."""
        return self.processes.logs / f"{self.name}.log"

    @abstractmethod
    def prepare(self) -> None:
        """Fetch, unpack and format what is still missing; may be called again."""

    @abstractmethod
    def start(self) -> None:
        """Start the process; also after it was killed, on the same data."""

    @abstractmethod
    def ready(self) -> None:
        """Wait until it can be used; raise ``DidNotStart`` with its last log lines if it cannot."""

    def stop(self, grace: float = 15) -> None:
        """Stop it, by force after ``grace`` seconds; its data stays."""
        if self.child:
            end([self.child], grace)

    def launch(self, command: Command) -> None:
        """Start its process."""
        self.child = self.processes.start(command)

    def wait_until(self, trouble: Callable[[], str], seconds: float) -> None:
        """Ask again and again what is in the way, until it is nothing."""
        assert self.child, "start() comes first"
        deadline = time.monotonic() + seconds
        while reason := trouble():
            if not self.child.running:
                raise DidNotStart(f"{self.name} {ended(self.child)}, see {self.log}", self.child.last_lines())
            if time.monotonic() > deadline:
                message = f"{self.name} is not ready after {seconds:g} s ({reason}), see {self.log}"
                raise DidNotStart(message, self.child.last_lines())
            time.sleep(0.05)
