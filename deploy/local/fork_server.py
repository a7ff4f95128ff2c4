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

from deploy.local.processes import REPOSITORY, Command, StartedProcess, execute
from deploy.system import SYSTEM

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
MESSAGE_BYTES = 1 << 20
MODULES = tuple(program.module for program in SYSTEM.all_processes)
"""The programs of the services."""
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
        self._all_ended = False
        self._changed = threading.Condition()

    def add(self, pid: int, status: int) -> None:
        """Record an exit status."""
        with self._changed:
            self._known[pid] = status
            self._changed.notify_all()

    def forget(self, pid: int) -> None:
        """A process has begun whose id an earlier one may have had."""
        with self._changed:
            self._known.pop(pid, None)

    def add_all(self) -> None:
        """The fork server has ended, and the kernel has killed all that ran."""
        with self._changed:
            self._all_ended = True
            self._changed.notify_all()

    def wait_for(self, pid: int, seconds: float | None) -> int | None:
        """The exit status of a process; None if it has not ended within this time."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._known or self._all_ended, seconds)
            return self._known.get(pid, -signal.SIGKILL if self._all_ended else None)


class ForkServer:
    """The process that forks, with the code of a directory. It ends with this process, and its children with it."""

    def __init__(self, *modules: str, directory: Path = REPOSITORY, program: str = __name__) -> None:
        self._modules, self._directory, self._program = modules, directory, program
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._started: queue.Queue[int | None] = queue.Queue()
        self._statuses = ExitStatuses()

    def start(self, log: BinaryIO | None = None) -> None:
        """Let it begin to import; what it reports goes to ``log``."""
        client, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with server:
            process = subprocess.Popen(
                [sys.executable, "-m", self._program, str(server.fileno()), *self._modules],
                cwd=self._directory,
                pass_fds=[server.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C must not reach it
            )
        self._running = process, client
        threading.Thread(target=self._listen, args=(client,), daemon=True).start()

    def spawn(self, command: Command, log: BinaryIO) -> StartedProcess:
        """Start a process, with its output in ``log``: by a fork if it may be, and if this server lives."""
        if not (command.fork and self._running):
            return execute(command, log)
        dash_m, module, *arguments = command.argv[1:]
        assert dash_m == "-m", "only Python modules can be forked"
        task = {"name": command.name, "module": module, "arguments": arguments, "env": {**os.environ, **command.env}}
        try:
            socket.send_fds(self._running[1], [orjson.dumps(task)], [log.fileno()])
            pid = self._started.get(timeout=START_SECONDS)
        except (OSError, queue.Empty):
            pid = None
        return ForkedProcess(pid, self._statuses) if pid else execute(command, log)

    def close(self) -> None:
        """End it, if it was started, and with it what it forked."""
        if self._running:
            process, client = self._running
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            process.wait()

    def _listen(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while message := client.recv(MESSAGE_BYTES):
                pid, status = orjson.loads(message)
                if status is None:
                    self._statuses.forget(pid)
                    self._started.put(pid)
                else:
                    self._statuses.add(pid, status)
        self._started.put(None)
        self._statuses.add_all()


@cache
def fork_server() -> ForkServer:
    """The one fork server of this process, for all platforms that it starts."""
    server = ForkServer(*MODULES)
    server.start()
    return server


def main(fd: int, *modules: str) -> None:
    """Import, then fork on request until the connection closes; a child continues here with its own program."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    task = _serve(socket.socket(fileno=fd), _child_signals())
    if task is None:
        os._exit(0)  # at once: to take apart what was imported takes longer than to import it
    os.environ.clear()
    os.environ.update(task["env"])
    ctypes.CDLL(None).prctl(PR_SET_NAME, task["name"].encode(), 0, 0, 0)
    sys.argv = [task["module"], *task["arguments"]]
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
