"""Starts the services' processes fast: forks them from one process that has already imported what they import.

Each is still a process of its own, with its own session, environment, log, signals and exit status, and runs the same
module as ``python -m``. Only the imports, three quarters of the cost of a start, are shared. (They are those of all
services: a process takes the metrics of the others out again, which it would show as its own.)
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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from deploy.local.processes import REPOSITORY, Command, StartedProcess, execute
from deploy.system import SYSTEM

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
MESSAGE_BYTES = 1 << 20
MODULES = tuple(program.module for program in SYSTEM.all_processes)
"""The programs of the services."""
OF_ALL = ("chassis.http.app", "chassis.runtime.worker")
"""What has the metrics that all processes show."""
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
        self._closed, self._lock = False, threading.Lock()
        self._ready = threading.Event()
        self._started: queue.Queue[int] = queue.Queue()
        self._statuses = ExitStatuses()

    def start(self, log: BinaryIO | None = None) -> None:
        """Let it begin to import; what it reports goes to ``log``. Nothing happens once it is closed."""
        with self._lock:
            if not self._closed:
                self._start(log)

    def wait_until_ready(self) -> None:
        """Wait until it has imported all, or has ended: from then on ``spawn`` returns at once."""
        self._ready.wait()

    def spawn(self, command: Command, log: BinaryIO) -> StartedProcess:
        """Start a process, with its output in ``log``: by a fork if it may be, and if this server lives."""
        if not (command.fork and self._running):
            return execute(command, log)
        dash_m, module, *arguments = command.argv[1:]
        assert dash_m == "-m", "only Python modules can be forked"
        task = {"name": command.name, "module": module, "arguments": arguments, "env": {**os.environ, **command.env}}
        process, client = self._running
        try:
            socket.send_fds(client, [orjson.dumps(task)], [log.fileno()])
            pid = self._started.get(timeout=START_SECONDS)
        except (OSError, queue.Empty):
            # What it might still do must not be done twice.
            process.kill()
            process.wait()
            self._running, pid = None, 0
        return ForkedProcess(pid, self._statuses) if pid else execute(command, log)

    def close(self) -> None:
        """End it, if it was started, and with it what it forked."""
        with self._lock:
            self._closed = True
            if self._running:
                self._running[0].kill()
                self._running[0].wait()

    def _start(self, log: BinaryIO | None) -> None:
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

    def _listen(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while message := client.recv(MESSAGE_BYTES):
                pid, status = orjson.loads(message)
                if pid is None:
                    self._ready.set()
                elif status is None:
                    self._statuses.forget(pid)
                    self._started.put(pid)
                else:
                    self._statuses.add(pid, status)
        self._started.put(0)
        self._ready.set()
        self._statuses.add_all()


def main(fd: int, *modules: str) -> None:
    """Import, then fork on request until the connection closes; a child continues here with its own program."""
    metrics = _import(modules)
    gc.collect()
    gc.freeze()
    client = socket.socket(fileno=fd)
    client.send(orjson.dumps((None, None)))
    task = _serve(client, _child_signals())
    if task is None:
        os._exit(0)  # at once: to take apart what was imported takes longer than to import it
    module = task["module"]
    for collector in chain.from_iterable(own for package, own in metrics.items() if package != _package(module)):
        REGISTRY.unregister(collector)
    # It was imported for what it imports, and is run now: once, as far as it can tell.
    sys.modules.pop(module, None)
    os.environ.clear()
    os.environ.update(task["env"])
    ctypes.CDLL(None).prctl(PR_SET_NAME, task["name"].encode(), 0, 0, 0)
    sys.argv = [module, *task["arguments"]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _import(modules: Sequence[str]) -> Mapping[str, set[Collector]]:
    """Import them; return, by package, the metrics that it has besides those of all: for its own processes."""
    for module in OF_ALL:
        importlib.import_module(module)
    metrics: dict[str, set[Collector]] = {}
    for module in modules:
        before = _registered()
        importlib.import_module(module)
        metrics.setdefault(_package(module), set()).update(_registered() - before)
    return metrics


def _registered() -> set[Collector]:
    return set(REGISTRY._collector_to_names)  # private; checked with prometheus-client 0.26


def _package(module: str) -> str:
    return module.partition(".")[0]


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
            try:
                pid = _fork(*files)
            except OSError as error:
                print(f"cannot fork: {error}", file=sys.stderr, flush=True)
                client.send(orjson.dumps((0, None)))
                continue
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
