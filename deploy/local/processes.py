"""Start, watch and stop the processes of one SHOP_HOME, so that none is ever lost.

Each gets a session of its own (the terminal's Ctrl-C is for the runner alone), a log file, a note by which the next
run can clean up, and a signal from the kernel when the runner dies unexpectedly.
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

from deploy.local import pid_files
from deploy.local.errors import JobFailed, RunIsStopping
from deploy.local.files import last_lines

REPOSITORY = Path(__file__).parents[2]
LAUNCH = Path(__file__).with_name("launch.py")
LOG_BYTES = 8 * 1024 * 1024
"""A larger log is renamed (one generation is kept) when its process starts again."""

# The signal on a parent's death fires when the *thread* that forked ends, prctl(2). So one thread forks
# everything, and lives as long as this interpreter.
_FORKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forking")


@dataclass(frozen=True)
class Command:
    """What to run, and how to stop it."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """Run as this user (only root can); empty for the present one."""
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL
    """Sent by the kernel when the runner has ended."""
    fork: bool = False
    """Of a Python module: it may be forked from a process that has imported its code already."""


class StartedProcess(Protocol):
    """A started process, in the terms of ``subprocess.Popen``."""

    pid: int

    def poll(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise ``subprocess.TimeoutExpired``."""


Spawn = Callable[[Command, BinaryIO], StartedProcess]
"""Starts a process, in a session of its own, that writes to the file and ends with this process."""


class Child:
    """A process that was started here."""

    def __init__(self, command: Command, popen: StartedProcess, log: Path, log_start: int, pid_dir: Path) -> None:
        self.name = command.name
        self.command = command
        self.pid = popen.pid
        self.log = log
        self._popen = popen
        self._log_start = log_start
        self._pid_dir = pid_dir

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
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

    def remove_pid_file(self) -> None:
        """Remove the note about this process, which has ended."""
        pid_files.remove(self._pid_dir, self.name)


class Processes:
    """The processes of one SHOP_HOME."""

    def __init__(self, home: Path, spawn: Spawn | None = None) -> None:
        self.home = home
        self._spawn = spawn or execute
        self.logs = home / "logs"
        self.pid_dir = home / "pids"
        self.started: dict[str, Child] = {}
        """Those that stay, by name."""
        self.jobs: dict[str, Child] = {}
        self._closed = False
        self._lock = threading.Lock()

    def start(self, command: Command) -> Child:
        """Start a process that stays; one of this name that an earlier run left is stopped first."""
        return self._start(command, self.started)

    def run(self, command: Command, seconds: float = 120) -> None:
        """Run a command to its end; raise ``JobFailed`` with its last lines unless it succeeds."""
        child = self._start(command, self.jobs)
        if not child.wait(seconds):
            stop_all([child], grace=2)
            raise JobFailed(f"{command.name} did not end within {seconds:g} s", child.last_lines())
        child.remove_pid_file()
        if child.exit_status:
            raise JobFailed(f"{command.name} {how_it_ended(child)}, see {child.log}", child.last_lines())

    def close(self) -> None:
        """Let ``start`` raise ``RunIsStopping`` from now on: a late thread must not start what nobody would stop."""
        with self._lock:
            self._closed = True

    def _start(self, command: Command, group: dict[str, Child]) -> Child:
        if self._closed:
            raise RunIsStopping
        pid_files.stop_leftovers(self.pid_dir, {command.name})
        return _FORKING.submit(self._fork, command, group).result()

    def _fork(self, command: Command, group: dict[str, Child]) -> Child:
        with self._lock:
            if self._closed:
                raise RunIsStopping
            log = self._log(command.name)
            with log.open("ab") as out:
                # Read before the start: the process shares the file's position, and may write at once.
                log_start = out.tell()
                popen = self._spawn(command, out)
                pid_files.write(self.pid_dir, command.name, popen.pid, command.stop_signal)
                child = Child(command, popen, log, log_start, self.pid_dir)
            group[command.name] = child
            return child

    def _log(self, name: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        return log


def execute(command: Command, out: BinaryIO) -> "subprocess.Popen[bytes]":
    """Start a process that executes its program."""
    return subprocess.Popen(
        _launched(command),
        cwd=REPOSITORY,
        env={**os.environ, **command.env},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _launched(command: Command) -> list[str]:
    options = [str(os.getpid()), str(int(command.orphan_signal)), command.user, "--"]
    return [sys.executable, "-I", "-S", str(LAUNCH), *options, *command.argv]


def stop_all(children: Iterable[Child], grace: float, hurry: Callable[[], bool] = lambda: False) -> list[str]:
    """Stop these processes together: signal, wait, kill after ``grace`` seconds or when hurried.

    Returns the names of those that had to be killed.
    """
    stopping = [child for child in children if child.running]
    for child in stopping:
        child.signal(child.command.stop_signal)
    deadline = time.monotonic() + grace
    while any(child.running for child in stopping) and time.monotonic() < deadline and not hurry():
        time.sleep(0.02)
    killed = [child for child in stopping if child.running]
    for child in killed:
        child.signal(signal.SIGKILL)
    for child in stopping:
        child.wait()
        child.remove_pid_file()
    return [child.name for child in killed]


def how_it_ended(child: Child) -> str:
    """Describe its end: ``ended with status 3``, ``was ended by SIGKILL``."""
    status = child.exit_status
    if status is None:
        return "still runs"
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"
