"""Starts processes again that have ended by themselves, as a supervisor does in production.

Each is waited for in a thread of its own, with pauses that grow, so that the run goes on meanwhile: all other
processes stay as they are.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploy.local.console import Console
from deploy.local.errors import LocalError, RunIsStopping
from deploy.local.processes import Child, how_it_ended, stop_all
from deploy.local.run_file import RunFile

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a process is started again: doubled each time, up to the longest."""
STEADY_SECONDS = 60.0
"""A process that has been ready for so long has recovered: the next pause is the first one again."""
STOP_GRACE = 10.0
"""Seconds for the orderly stop of a process that does not become ready."""


@dataclass(frozen=True)
class Restart:
    """How to start a process again. ``start`` returns at once, ``wait`` when the process can be used."""

    start: Callable[[], Child]
    wait: Callable[[Child], None]


class Restarts:
    """Keeps processes running: those in ``ready``, as long as it has them. ``check`` is called regularly."""

    def __init__(
        self,
        known: Mapping[str, Restart],
        ready: set[str],
        started: Mapping[str, Child],
        run_file: RunFile,
        console: Console,
    ) -> None:
        self._known, self._ready, self._started = known, ready, started
        self._run_file, self._console = run_file, console
        self._pauses: dict[str, float] = {}
        self._ready_since: dict[str, float] = {}
        self._closed = threading.Event()

    def check(self) -> None:
        """Start again what has ended since the last call; returns at once."""
        for name in sorted(self._ready & self._known.keys()):
            child = self._started[name]
            if not child.running:
                self._ready.discard(name)
                threading.Thread(target=self._revive, args=(name, child), name=name, daemon=True).start()

    def close(self) -> None:
        """Start nothing any more."""
        self._closed.set()

    def _revive(self, name: str, child: Child) -> None:
        """Start a process until it is ready."""
        problem = f"{name} {how_it_ended(child)}, see {child.log}"
        if time.monotonic() - self._ready_since.get(name, 0.0) > STEADY_SECONDS:
            self._pauses.pop(name, None)
        while not self._closed.is_set():
            self._run_file.set_pid(name, None)
            pause = self._pauses.get(name, FIRST_PAUSE)
            self._pauses[name] = min(2 * pause, LONGEST_PAUSE)
            self._console.error(f"{problem}: starting it again in {pause:g} s")
            if self._closed.wait(pause):
                return
            try:
                self._start(name)
            except RunIsStopping:
                return
            except LocalError as error:
                problem = str(error)
                stop_all([self._started[name]], STOP_GRACE)  # if it runs, and is not ready
            else:
                return

    def _start(self, name: str) -> None:
        began = time.monotonic()
        child = self._known[name].start()
        self._run_file.set_pid(name, child.pid)
        self._known[name].wait(child)
        # A server may have needed more than one attempt.
        child = self._started[name]
        self._run_file.set_pid(name, child.pid)
        self._ready_since[name] = time.monotonic()
        self._ready.add(name)
        seconds = time.monotonic() - began
        self._console.print(f"[green]✓[/] {name} is up again (pid {child.pid})  [dim]{seconds:.1f} s[/]", wrap=False)
