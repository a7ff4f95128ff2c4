"""Start, watch and end the processes of one SHOP_HOME, so that none is ever lost.

Each gets a session of its own (the terminal's Ctrl-C is for the runner alone), a log file, a record that
the next run can clean up by, and a signal that reaches it when the runner dies without a word.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from deploy.local import pids
from deploy.local.errors import Closed, JobFailed
from deploy.local.files import last_lines

REPOSITORY = Path(__file__).parents[2]
LAUNCH = Path(__file__).with_name("launch.py")
LOG_BYTES = 8 * 1024 * 1024
"""A log larger than this is put aside (one generation) when its process starts again."""

# The signal on a parent's death fires when the *thread* that forked ends, prctl(2). So one thread forks
# everything, and lives as long as this interpreter.
_FORKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forking")


@dataclass(frozen=True)
class Command:
    """What to run, and how to end it."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """Run as this user (only root can); empty for the present one."""
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL
    """Sent by the kernel when the runner is gone."""


class Started(Protocol):
    """What is asked of a process that was started: what ``subprocess.Popen`` answers."""

    pid: int

    def poll(self) -> int | None:
        """None while it runs; negative is the signal it died of."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise ``subprocess.TimeoutExpired``."""


Spawn = Callable[[Command, BinaryIO], Started]
"""Starts a process, in a session of its own, that writes to the file and ends with this one."""


class Child:
    """A process that was started here."""

    def __init__(self, command: Command, popen: Started, log: Path, log_start: int, notes: Path) -> None:
        self.name = command.name
        self.command = command
        self.pid = popen.pid
        self.log = log
        self._popen = popen
        self._log_start = log_start
        self._notes = notes

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative is the signal it died of."""
        return self._popen.poll()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.exit_status is None

    def last_lines(self, count: int = 15) -> str:
        """Return the end of what this process logged."""
        return last_lines(self.log, self._log_start, count)

    def signal(self, number: int) -> None:
        """Signal it; SIGKILL goes to its whole process group. Nothing happens if it has ended."""
        if not self.running:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; False if that did not come in time."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def forget(self) -> None:
        """Drop the record of this process, which has ended."""
        pids.forget(self._notes, self.name)


class Processes:
    """The processes of one SHOP_HOME."""

    def __init__(self, home: Path, spawn: Spawn | None = None) -> None:
        self.home = home
        self._spawn = spawn or _execute
        self.logs = home / "logs"
        self.notes = home / "pids"
        self.lasting: dict[str, Child] = {}
        self.jobs: dict[str, Child] = {}
        self._closed = False
        self._lock = threading.Lock()

    def start(self, command: Command) -> Child:
        """Start a process that stays; what an earlier run left under this name is ended first."""
        return self._start(command, self.lasting)

    def run(self, command: Command, seconds: float = 120) -> None:
        """Run a command to its end; raise ``JobFailed`` with its last lines unless that is a good one."""
        child = self._start(command, self.jobs)
        if not child.wait(seconds):
            end([child], grace=2)
            raise JobFailed(f"{command.name} did not end within {seconds:g} s", child.last_lines())
        child.forget()
        if child.exit_status:
            raise JobFailed(f"{command.name} {ended(child)}, see {child.log}", child.last_lines())

    def close(self) -> None:
        """From now on ``start`` raises ``Closed``: no late thread can start what nobody would stop."""
        with self._lock:
            self._closed = True

    def _start(self, command: Command, kind: dict[str, Child]) -> Child:
        if self._closed:
            raise Closed
        pids.reap(self.notes, {command.name})
        return _FORKING.submit(self._fork, command, kind).result()

    def _fork(self, command: Command, kind: dict[str, Child]) -> Child:
        with self._lock:
            if self._closed:
                raise Closed
            self.logs.mkdir(parents=True, exist_ok=True)
            log = self.logs / f"{command.name}.log"
            if log.exists() and log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))
            with log.open("ab") as out:
                # Asked before: the process shares the file's position, and may have written by the next line.
                log_start = out.tell()
                popen = self._spawn(command, out)
                pids.remember(self.notes, command.name, popen.pid, command.stop_signal)
                child = Child(command, popen, log, log_start, self.notes)
            kind[command.name] = child
            return child


def _execute(command: Command, out: BinaryIO) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        _wrapped(command),
        cwd=REPOSITORY,
        env={**os.environ, **command.env},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _wrapped(command: Command) -> list[str]:
    tie = [str(os.getpid()), str(int(command.orphan_signal)), command.user, "--"]
    return [sys.executable, "-I", "-S", str(LAUNCH), *tie, *command.argv]


def end(children: Iterable[Child], grace: float, hurry: Callable[[], bool] = lambda: False) -> list[str]:
    """End these processes together: ask, wait, kill after ``grace`` seconds or when hurried.

    Returns the names of those that had to be killed.
    """
    asked = [child for child in children if child.running]
    for child in asked:
        child.signal(child.command.stop_signal)
    deadline = time.monotonic() + grace
    while any(child.running for child in asked) and time.monotonic() < deadline and not hurry():
        time.sleep(0.02)
    stubborn = [child for child in asked if child.running]
    for child in stubborn:
        child.signal(signal.SIGKILL)
    for child in asked:
        child.wait()
        child.forget()
    return [child.name for child in stubborn]


def ended(child: Child) -> str:
    """Say how it ended: ``ended with status 3``, ``was ended by SIGKILL``."""
    status = child.exit_status
    if status is None:
        return "still runs"
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
