"""A process that ends is started again, with pauses that grow, until the run stops."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import restarts as module
from deploy.local.console import Console
from deploy.local.errors import StartFailed
from deploy.local.processes import Child, Command, Processes, stop_all
from deploy.local.restarts import Restart, Restarts
from deploy.local.run_file import RunFile

STAYS = Command("stays", ["sleep", "60"])
ENDS = Command("ends", [sys.executable, "-c", "raise SystemExit(3)"])


class Run:
    """A run of a few processes."""

    def __init__(self, home: Path) -> None:
        self.processes, self.run_file = Processes(home), RunFile(home)
        self.home, self.ready, self.known = home, set[str](), dict[str, Restart]()
        console = Console()
        self.restarts = Restarts(self.known, self.ready, self.processes.started, self.run_file, console)

    def start(self, command: Command, wait: Callable[[Child], None] = lambda _: None) -> Child:
        child = self.processes.start(command)
        self.run_file.add_process(command.name, "http://x", child.pid, child.log)
        self.known[command.name] = Restart(lambda: self.processes.start(command), wait)
        self.ready.add(command.name)
        return child

    def pid(self, name: str) -> int | None:
        pid: int | None = json.loads((self.home / "run.json").read_text())["processes"][name]["pid"]
        return pid

    def watch(self, until: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, "it did not happen"
            self.restarts.check()
            time.sleep(0.01)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    run = Run(tmp_path)
    yield run
    run.restarts.close()
    run.processes.close()
    stop_all(run.processes.started.values(), grace=0)


def pauses(output: str) -> list[float]:
    return [float(seconds) for seconds in re.findall(r"starting it again in ([\d.]+) s", output)]


def test_a_killed_process_is_replaced_and_the_others_stay(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    other = run.start(Command("other", ["sleep", "60"]))
    killed = run.start(STAYS)
    os.kill(killed.pid, signal.SIGKILL)
    run.watch(lambda: run.pid("stays") is None)
    run.watch(lambda: "stays" in run.ready)
    assert run.pid("stays") == run.processes.started["stays"].pid != killed.pid
    assert run.processes.started["other"] is other
    assert other.running
    assert "stays was ended by SIGKILL" in capsys.readouterr().out


def test_the_pauses_of_a_process_that_ends_again_and_again_grow(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.2)
    shown = ""

    def five_times() -> bool:
        nonlocal shown
        shown += capsys.readouterr().out
        return len(pauses(shown)) >= 5

    run.start(ENDS)
    run.watch(five_times)
    assert pauses(shown)[:5] == [0.05, 0.1, 0.2, 0.2, 0.2]
    assert "ends ended with status 3" in shown


def test_after_a_steady_while_the_pauses_begin_again(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.0)
    for _ in range(3):
        os.kill((run.processes.started.get("stays") or run.start(STAYS)).pid, signal.SIGKILL)
        run.watch(lambda: "stays" not in run.ready)
        run.watch(lambda: "stays" in run.ready)
    assert pauses(capsys.readouterr().out) == [0.05, 0.05, 0.05]


def test_a_process_that_does_not_become_ready_is_started_once_more(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts: list[int] = []

    def fail_once(child: Child) -> None:
        attempts.append(child.pid)
        if len(attempts) == 1:
            raise StartFailed("stays is not ready after 120 s, see its log")

    killed = run.start(STAYS, fail_once)
    os.kill(killed.pid, signal.SIGKILL)
    run.watch(lambda: "stays" not in run.ready)
    run.watch(lambda: "stays" in run.ready)
    assert len(set(attempts)) == 2
    assert run.pid("stays") == attempts[-1]
    assert "stays is not ready after 120 s, see its log: starting it again in 0.1 s" in capsys.readouterr().out


def test_nothing_is_started_or_noted_once_the_run_stops(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.3)
    killed = run.start(STAYS)
    os.kill(killed.pid, signal.SIGKILL)
    run.watch(lambda: "stays" not in run.ready)
    run.restarts.close()
    run.processes.close()
    run.run_file.set_ended("stopped")
    time.sleep(0.5)
    assert run.processes.started["stays"] is killed
    run.run_file.set_pid("stays", 1)
    assert run.pid("stays") is None
