"""Processes that an earlier run has left are stopped; no other process ever is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import pid_files

IGNORES_SIGTERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def test_a_leftover_process_is_stopped(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    pid_files.write(tmp_path, "sleeper", sleeper.pid, signal.SIGTERM)
    assert pid_files.stop_leftovers(tmp_path) == ["sleeper"]
    assert sleeper.wait(5) == -signal.SIGTERM
    assert pid_files.read_all(tmp_path) == []


def test_a_process_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", IGNORES_SIGTERM], stdout=-1, start_new_session=True) as process:
        assert process.stdout
        process.stdout.readline()
        pid_files.write(tmp_path, "stubborn", process.pid, signal.SIGTERM)
        pid_files.stop_leftovers(tmp_path, grace=0.3)
        assert process.wait(5) == -signal.SIGKILL


def test_a_process_that_got_the_pid_of_another_is_not_signalled(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    pid_files.write(tmp_path, "sleeper", sleeper.pid, signal.SIGKILL)
    note = tmp_path / "sleeper.json"
    content = json.loads(note.read_text())
    *place, started = content["fingerprint"].split()
    note.write_text(json.dumps(content | {"fingerprint": " ".join([*place, str(int(started) - 1)])}))
    assert pid_files.stop_leftovers(tmp_path) == []
    assert sleeper.poll() is None
    assert not note.exists()


def test_only_processes_of_these_names_are_stopped(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    pid_files.write(tmp_path, "sleeper", sleeper.pid, signal.SIGTERM)
    assert pid_files.stop_leftovers(tmp_path, {"another"}) == []
    assert [one.name for one in pid_files.read_all(tmp_path)] == ["sleeper"]


def test_a_zombie_does_not_count_as_running() -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert pid_files.fingerprint(process.pid) is None


@pytest.mark.parametrize("text", ["", "[]", '{"pid": 1}', "nonsense"])
def test_an_unreadable_note_is_removed(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    assert pid_files.stop_leftovers(tmp_path) == []
    assert not (tmp_path / "odd.json").exists()


def test_a_note_that_another_thread_removes_meanwhile_is_skipped(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    pid_files.write(tmp_path, "sleeper", sleeper.pid, signal.SIGTERM)
    (tmp_path / "removed.json").symlink_to(tmp_path / "no-such-file")
    assert [one.name for one in pid_files.read_all(tmp_path)] == ["sleeper"]
