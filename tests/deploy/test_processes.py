"""No process is left behind, whichever ends first."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from deploy.local import pid_files
from deploy.local.errors import JobFailed, RunIsStopping
from deploy.local.processes import Command, Processes, StartedProcess, how_it_ended, stop_all

IGNORES_SIGTERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    stop_all([*processes.started.values(), *processes.jobs.values()], grace=0)


def within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_a_failed_job_shows_its_status_and_last_lines(processes: Processes) -> None:
    with pytest.raises(JobFailed, match="migration ended with status 3") as failed:
        processes.run(Command("migration", ["sh", "-c", "echo no such table; exit 3"]))
    assert failed.value.detail == "no such table"


def test_what_a_job_prints_at_once_is_shown_too(tmp_path: Path) -> None:
    def quick(command: Command, out: BinaryIO) -> StartedProcess:
        job = subprocess.Popen(command.argv, stdout=out, start_new_session=True)
        job.wait()
        return job

    with pytest.raises(JobFailed) as failed:
        Processes(tmp_path, quick).run(Command("migration", ["sh", "-c", "echo no such table; exit 3"]))
    assert failed.value.detail == "no such table"


def test_only_the_lines_of_this_start_are_shown(processes: Processes) -> None:
    processes.run(Command("migration", ["echo", "before"]))
    with pytest.raises(JobFailed) as failed:
        processes.run(Command("migration", ["sh", "-c", "echo after; exit 1"]))
    assert failed.value.detail == "after"
    assert (processes.logs / "migration.log").read_text() == "before\nafter\n"


def test_a_job_that_takes_too_long_is_stopped(processes: Processes) -> None:
    with pytest.raises(JobFailed, match="did not end within"):
        processes.run(Command("migration", ["sleep", "60"]), seconds=0.2)
    assert pid_files.read_all(processes.pid_dir) == []


def test_a_program_that_does_not_exist_is_a_failed_job(processes: Processes) -> None:
    with pytest.raises(JobFailed) as failed:
        processes.run(Command("migration", ["/no/such/program"]))
    assert "No such file" in failed.value.detail


def test_a_process_has_its_own_session_so_that_ctrl_c_does_not_reach_it(processes: Processes) -> None:
    child = processes.start(Command("sleeper", ["sleep", "60"]))
    assert os.getsid(child.pid) == child.pid


def test_a_process_that_does_not_stop_is_killed_and_reported(processes: Processes) -> None:
    child = processes.start(Command("stubborn", [sys.executable, "-c", IGNORES_SIGTERM]))
    assert within(5, lambda: "ready" in child.last_lines())
    assert stop_all([child], grace=0.2) == ["stubborn"]
    assert how_it_ended(child) == "was ended by SIGKILL"


def test_a_hurry_ends_the_grace_period(processes: Processes) -> None:
    child = processes.start(Command("stubborn", [sys.executable, "-c", IGNORES_SIGTERM]))
    assert within(5, lambda: "ready" in child.last_lines())
    began = time.monotonic()
    stop_all([child], grace=60, hurry=lambda: True)
    assert time.monotonic() - began < 5


def test_nothing_starts_once_the_run_is_stopping(processes: Processes) -> None:
    processes.close()
    with pytest.raises(RunIsStopping):
        processes.start(Command("late", ["sleep", "60"]))


def test_a_process_outlives_the_thread_that_started_it(processes: Processes) -> None:
    thread = threading.Thread(target=lambda: processes.start(Command("sleeper", ["sleep", "60"])))
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert processes.started["sleeper"].running


def test_a_start_stops_a_leftover_process_of_the_same_name(processes: Processes, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as left:
        pid_files.write(processes.pid_dir, "sleeper", left.pid, signal.SIGTERM)
        Processes(tmp_path).start(Command("sleeper", ["true"])).wait()
        assert left.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("user", ["", "nobody"])
def test_a_process_does_not_outlive_a_killed_runner(tmp_path: Path, user: str) -> None:
    if user and os.geteuid() != 0:
        pytest.skip("only root can switch users")
    program = (
        "import sys, time; from pathlib import Path; from deploy.local.processes import *;"
        f"child = Processes(Path({str(tmp_path)!r})).start(Command('s', ['sleep', '60'], user={user!r}));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=-1, text=True) as runner:
        assert runner.stdout
        child = int(runner.stdout.readline())
        assert within(5, lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
        runner.kill()
    assert within(5, lambda: pid_files.fingerprint(child) is None)


def test_a_process_of_another_user_can_enter_directories_that_are_closed_to_it(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can switch users")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("seen")
    look = f"cat {closed}/file && test -r {closed}/file && echo ', and access(2) agrees'"
    Processes(tmp_path).run(Command("reader", ["sh", "-c", look], user="nobody"))
    assert (tmp_path / "logs" / "reader.log").read_text() == "seen, and access(2) agrees\n"
