"""A wish to stop is heard however it comes, and only a second Ctrl-C makes it a hurry."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local.stop import SIGNALS, Stop, Stopped

HOLDS_BACK = (
    "import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, [1]); print('so', flush=True); time.sleep(60)"
)
"""What GNU make does once it has got a SIGHUP: the handler is gone, the signal blocked, and it waits."""


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stop]:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    # Whoever runs the tests in the background, or under nohup, has some of the signals ignored.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    stop = Stop()
    stop.listen()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_ends_the_waiting(stop: Stop, number: signal.Signals) -> None:
    stop.wait(0)
    signal.raise_signal(number)
    with pytest.raises(Stopped):
        stop.wait(60)
    assert stop.status == 128 + number


def test_once_everything_is_up_being_told_to_stop_is_the_good_end(stop: Stop) -> None:
    stop.expected = True
    signal.raise_signal(signal.SIGTERM)
    assert stop.status == 0


def test_a_second_ctrl_c_hurries(stop: Stop) -> None:
    signal.raise_signal(signal.SIGINT)
    assert not stop.hurried
    signal.raise_signal(signal.SIGINT)
    assert stop.hurried


def test_a_sigterm_that_comes_twice_does_not(stop: Stop) -> None:
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert not stop.hurried


def test_a_signal_that_was_ignored_stays_ignored(stop: Stop) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop.listen()
    signal.raise_signal(signal.SIGHUP)
    stop.wait(0)


def test_a_sighup_that_make_keeps_to_itself_is_noticed(stop: Stop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    with subprocess.Popen([sys.executable, "-c", HOLDS_BACK], stdout=-1) as make:
        assert make.stdout
        make.stdout.readline()
        monkeypatch.setattr(os, "getppid", lambda: make.pid)
        with pytest.raises(Stopped):
            Stop().wait(0)
        make.kill()


def test_a_make_that_is_gone_is_noticed(stop: Stop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    under_make = Stop()
    under_make.wait(0)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    with pytest.raises(Stopped):
        under_make.wait(0)
