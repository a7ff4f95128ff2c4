"""Starts the services' processes fast: forks them from one process that has already imported what they import.

Each is still a process of its own, with its own session, environment, log, signals and exit status, and runs the same
module as ``python -m``. Only the imports, three quarters of the cost of a start, are shared.
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
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from deploy.local.processes import REPOSITORY, Command
from deploy.system import SYSTEM

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES = 1 << 20
START_SECONDS = 60


class ForkedProcess:
    """A process of the fork server, with the interface of ``subprocess.Popen``."""

    def __init__(self, pid: int, statuses: "ExitStatuses") -> None:
        self.pid = pid
        self._statuses = statuses

    def poll(self) -> int | None:
        """The exit status; None while it runs, negative if a signal ended it."""
        return self._statuses.wait_for(self.pid, 0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit status; raise ``subprocess.TimeoutExpired``."""
        status = self._statuses.wait_for(self.pid, timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status


class ExitStatuses:
    """The exit statuses of processes."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._changed = threading.Condition()

    def add(self, pid: int, status: int) -> None:
        """Record an exit status."""
        with self._changed:
            self._known[pid] = status
            self._changed.notify_all()

    def wait_for(self, pid: int, seconds: float | None) -> int | None:
        """The exit status of a process; None if it has not ended within this time."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._known, seconds)
            return self._known.get(pid)


class ForkServer:
    """The process that forks, with the code of a directory. It ends with this process, and its children with it."""

    def __init__(self, *modules: str, directory: Path = REPOSITORY) -> None:
        self._socket, server_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with server_socket:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(server_socket.fileno()), *modules],
                cwd=directory,
                pass_fds=[server_socket.fileno()],
                start_new_session=True,  # Ctrl-C must not reach it
            )
        self._started: queue.Queue[int] = queue.Queue()
        self._statuses = ExitStatuses()
        threading.Thread(target=self._listen, daemon=True).start()

    def spawn(self, command: Command, log: BinaryIO) -> ForkedProcess:
        """Start the process of a service, ``python -m module``, with its output in ``log``."""
        module = command.argv[-1]
        assert command.argv == [sys.executable, "-m", module], "only processes of services can be forked"
        message = orjson.dumps({"module": module, "env": {**os.environ, **command.env}})
        socket.send_fds(self._socket, [message], [log.fileno()])
        return ForkedProcess(self._started.get(timeout=START_SECONDS), self._statuses)

    def _listen(self) -> None:
        while message := self._socket.recv(MESSAGE_BYTES):
            pid, status = orjson.loads(message)
            if status is None:
                self._started.put(pid)
            else:
                self._statuses.add(pid, status)


@cache
def fork_server() -> ForkServer:
    """The fork server for all platforms of this test run."""
    return ForkServer(*(program.module for program in SYSTEM.all_processes))


def main(fd: int, *modules: str) -> None:
    """Import, then fork on request until the connection closes; a child continues here with its own program."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    task = _serve(socket.socket(fileno=fd), _child_signals())
    if task:
        os.environ.clear()
        os.environ.update(task["env"])
        sys.argv = [task["module"]]
        runpy.run_module(task["module"], run_name="__main__", alter_sys=True)


def _child_signals() -> int:
    """A pipe that becomes readable when a child has ended."""
    readable, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


def _serve(client: socket.socket, child_signals: int) -> dict[str, Any] | None:
    """Return the task, in a child; None in the server, when the connection closes."""
    while True:
        ready, _, _ = select.select([client.fileno(), child_signals], [], [])
        if child_signals in ready:
            os.read(child_signals, 4096)
            _report_exit_statuses(client)
        if client.fileno() in ready:
            message, files, _, _ = socket.recv_fds(client, MESSAGE_BYTES, 1)
            if not message:
                return None
            pid = _fork(*files)
            if pid == 0:
                client.detach()
                task: dict[str, Any] = orjson.loads(message)
                return task
            client.send(orjson.dumps((pid, None)))


def _report_exit_statuses(client: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            client.send(orjson.dumps((pid, os.waitstatus_to_exitcode(status))))


def _fork(log: int) -> int:
    """Return 0 in the child once it is detached, and its pid in the parent once it can be signalled."""
    ready_reader, ready_writer = os.pipe()
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
        os.write(ready_writer, b"!")
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        return 0
    os.close(log)
    os.close(ready_writer)
    os.read(ready_reader, 1)
    os.close(ready_reader)
    return pid


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
