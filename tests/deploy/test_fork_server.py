"""Processes that are forked: as if each had been executed, and executed where nothing can be forked."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.fork_server import ForkServer
from deploy.local.processes import Command, StartedProcess

METRIC = """
import os
from prometheus_client import Gauge
loaded_by = os.getpid()
Gauge("of_{0}", "what {0} measures")
"""
MODULE = """
import os, sys, time
import shop.of_forked
from prometheus_client import REGISTRY
if __name__ == "__main__":
    metrics = [metric.name for metric in REGISTRY.collect() if metric.name.startswith("of_")]
    print(sys.argv[1:], os.environ["ANSWER"], shop.of_forked.loaded_by == os.getpid(), metrics, flush=True)
    if "stay" in sys.argv:
        time.sleep(60)
    sys.exit(3)
"""
Spawn = Callable[..., StartedProcess]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package, name in (("shop", "forked"), ("other", "beside")):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / f"of_{name}.py").write_text(METRIC.format(name))
    (tmp_path / "shop" / "forked.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer("shop.forked", "other.of_beside")
    yield server
    server.close()


@pytest.fixture
def spawn(server: ForkServer, directory: Path) -> Spawn:
    def spawn(*arguments: str, fork: bool = True) -> StartedProcess:
        command = Command("forked", [sys.executable, "-m", "shop.forked", *arguments], {"ANSWER": "42"}, fork=fork)
        with (directory / "log").open("ab") as log:
            return server.spawn(command, log)

    return spawn


def said(directory: Path) -> list[str]:
    deadline = time.monotonic() + 30
    while not (lines := (directory / "log").read_text().splitlines()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return lines


def test_a_forked_process_has_its_arguments_environment_log_and_exit_status(
    server: ForkServer, spawn: Spawn, directory: Path
) -> None:
    server.start()
    assert spawn("one", "two").wait(30) == 3
    assert said(directory) == ["['one', 'two'] 42 False ['of_forked']"]


def test_a_forked_process_can_be_told_from_others_and_signalled(
    server: ForkServer, spawn: Spawn, directory: Path
) -> None:
    server.start()
    process = spawn("stay")
    said(directory)
    assert (psutil.Process(process.pid).name(), os.getsid(process.pid)) == ("forked", process.pid)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("started", [True, False])
def test_what_may_not_or_cannot_be_forked_is_executed(
    server: ForkServer, spawn: Spawn, directory: Path, started: bool
) -> None:
    if started:
        server.start()
    assert spawn(fork=not started).wait(30) == 3
    assert said(directory) == ["[] 42 True ['of_forked']"]


def test_processes_end_with_a_server_that_is_killed_and_later_ones_are_executed(
    server: ForkServer, spawn: Spawn, directory: Path
) -> None:
    server.start()
    process = spawn("stay")
    said(directory)
    fork_server = psutil.Process(process.pid).parent()
    assert fork_server
    assert fork_server.pid != os.getpid(), "it was executed"
    fork_server.kill()
    assert process.wait(30) == -signal.SIGKILL
    (directory / "log").write_text("")
    assert spawn().wait(30) == 3
    assert said(directory) == ["[] 42 True ['of_forked']"]


def test_processes_end_with_a_server_that_is_closed(server: ForkServer, spawn: Spawn, directory: Path) -> None:
    server.start()
    process = spawn("stay")
    said(directory)
    server.close()
    assert process.wait(30) == -signal.SIGKILL


def test_code_that_cannot_be_imported_is_reported_by_the_process_itself(
    server: ForkServer, spawn: Spawn, directory: Path
) -> None:
    (directory / "shop" / "forked.py").write_text("import nothing_like_that")
    with (directory / "server-log").open("wb") as log:
        server.start(log)
    assert spawn().wait(30) == 1
    assert "nothing_like_that" in (directory / "log").read_text()
    assert "nothing_like_that" in (directory / "server-log").read_text()
