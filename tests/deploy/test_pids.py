"""What an earlier run has left is ended; nothing else ever is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import pids

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def test_a_process_that_was_left_is_ended(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    pids.remember(tmp_path, "sleeper", sleeper.pid, signal.SIGTERM)
    assert pids.reap(tmp_path) == ["sleeper"]
    assert sleeper.wait(5) == -signal.SIGTERM
    assert pids.recorded(tmp_path) == []


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=-1, start_new_session=True) as process:
        assert process.stdout
        process.stdout.readline()
        pids.remember(tmp_path, "deaf", process.pid, signal.SIGTERM)
        pids.reap(tmp_path, grace=0.3)
        assert process.wait(5) == -signal.SIGKILL


def test_a_process_that_got_the_pid_of_another_is_left_alone(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    pids.remember(tmp_path, "sleeper", sleeper.pid, signal.SIGKILL)
    note = tmp_path / "sleeper.json"
    content = json.loads(note.read_text())
    *where, started = content["fingerprint"].split()
    note.write_text(json.dumps(content | {"fingerprint": " ".join([*where, str(int(started) - 1)])}))
    assert pids.reap(tmp_path) == []
    assert sleeper.poll() is None
    assert not note.exists()


def test_only_the_named_are_ended(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    pids.remember(tmp_path, "sleeper", sleeper.pid, signal.SIGTERM)
    assert pids.reap(tmp_path, {"another"}) == []
    assert [record.name for record in pids.recorded(tmp_path)] == ["sleeper"]


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert pids.fingerprint(process.pid) is None


@pytest.mark.parametrize("text", ["", "[]", '{"pid": 1}', "nonsense"])
def test_a_note_that_cannot_be_read_is_dropped(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    assert pids.reap(tmp_path) == []
    assert not (tmp_path / "odd.json").exists()


def test_a_note_that_another_thread_removes_meanwhile_is_passed_over(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    pids.remember(tmp_path, "sleeper", sleeper.pid, signal.SIGTERM)
    (tmp_path / "gone.json").symlink_to(tmp_path / "removed")
    assert [record.name for record in pids.recorded(tmp_path)] == ["sleeper"]
