"""Starts the services' processes for a fraction of the price: forks them off one that has imported what they import.

Each is a process like any other: a session, an environment, a log, signals and an end of its own, and the same module
that ``python -m`` runs. Only the imports, three quarters of what a start costs, are done once for all of them.
"""

import ctypes
import gc
import importlib
import os
import queue
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

import orjson

from deploy.local.processes import REPOSITORY, Command
from deploy.system import SYSTEM

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES = 1 << 20
START_SECONDS = 60


class Forked:
    """A process of the nursery, as ``subprocess.Popen`` has it."""

    def __init__(self, pid: int, ends: "Ends") -> None:
        self.pid = pid
        self._ends = ends

    def poll(self) -> int | None:
        """None while it runs; negative is the signal it died of."""
        return self._ends.of(self.pid, 0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise ``subprocess.TimeoutExpired``."""
        status = self._ends.of(self.pid, timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status


class Ends:
    """How processes have ended."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._news = threading.Condition()

    def tell(self, pid: int, status: int) -> None:
        """Note an end."""
        with self._news:
            self._known[pid] = status
            self._news.notify_all()

    def of(self, pid: int, seconds: float | None) -> int | None:
        """How it ended; None if it has not within so many seconds."""
        with self._news:
            self._news.wait_for(lambda: pid in self._known, seconds)
            return self._known.get(pid)


class Nursery:
    """Where processes are forked. It ends with this process, and what it forked with it."""

    def __init__(self, *modules: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno()), *modules],
                cwd=REPOSITORY,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for those who started it
            )
        self._born: queue.Queue[int] = queue.Queue()
        self._ends = Ends()
        threading.Thread(target=self._listen, daemon=True).start()

    def spawn(self, command: Command, log: BinaryIO) -> Forked:
        """Start a service's process, ``python -m module``, that writes to ``log``."""
        module = command.argv[-1]
        assert command.argv == [sys.executable, "-m", module], "a process of another kind"
        message = orjson.dumps({"module": module, "env": {**os.environ, **command.env}})
        socket.send_fds(self._socket, [message], [log.fileno()])
        return Forked(self._born.get(timeout=START_SECONDS), self._ends)

    def _listen(self) -> None:
        while message := self._socket.recv(MESSAGE_BYTES):
            pid, status = orjson.loads(message)
            if status is None:
                self._born.put(pid)
            else:
                self._ends.tell(pid, status)


@cache
def nursery() -> Nursery:
    """Where the processes of all platforms of this run come from; it ends with it."""
    return Nursery(*(program.module for program in SYSTEM.all_processes))


def main(fd: int, *modules: str) -> None:
    """Import, then fork as told until nobody is there to tell; a child goes on here with its own program."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    task = _fork_as_told(socket.socket(fileno=fd), _ends())
    if task:
        os.environ.clear()
        os.environ.update(task["env"])
        sys.argv = [task["module"]]
        runpy.run_module(task["module"], run_name="__main__", alter_sys=True)


def _ends() -> int:
    """A pipe that can be read when a child has ended."""
    readable, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


def _fork_as_told(told: socket.socket, ends: int) -> dict[str, Any] | None:
    """In a child, what it is to do; None when nobody is left who could tell."""
    while True:
        ready, _, _ = select.select([told.fileno(), ends], [], [])
        if ends in ready:
            os.read(ends, 4096)
            _tell_ends(told)
        if told.fileno() in ready:
            message, files, _, _ = socket.recv_fds(told, MESSAGE_BYTES, 1)
            if not message:
                return None
            pid = _fork(*files)
            if pid == 0:
                told.detach()
                task: dict[str, Any] = orjson.loads(message)
                return task
            told.send(orjson.dumps((pid, None)))


def _tell_ends(told: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            told.send(orjson.dumps((pid, os.waitstatus_to_exitcode(status))))


def _fork(log: int) -> int:
    """Return in the child once it stands on its own, and in the parent when the child can be signalled."""
    grown, growing = os.pipe()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        for stream, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
            os.dup2(file, stream)
        os.write(growing, b"!")
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        return 0
    os.close(log)
    os.close(growing)
    os.read(grown, 1)
    os.close(grown)
    return pid


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
