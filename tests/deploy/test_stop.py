"""A request to stop is noticed however it arrives, and only a second Ctrl-C makes it a hurry."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local.stop import SIGNALS, StopRequest, StopRequested

BLOCKS_SIGHUP = (
    "import signal, time; signal.pthread_sigmask(signal.SIG_BLOCK, [1]); print('ready', flush=True); time.sleep(60)"
)
"""What GNU make does after a SIGHUP: it resets the handler, blocks the signal, and waits."""


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Iterator[StopRequest]:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    # In the background, or under nohup, some of the signals are ignored.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    stop = StopRequest()
    stop.install_handlers()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_ends_the_wait(stop: StopRequest, number: signal.Signals) -> None:
    stop.wait(0)
    signal.raise_signal(number)
    with pytest.raises(StopRequested):
        stop.wait(60)
    assert stop.status == 128 + number


def test_once_everything_is_up_a_request_to_stop_is_the_normal_end(stop: StopRequest) -> None:
    stop.expected = True
    signal.raise_signal(signal.SIGTERM)
    assert stop.status == 0


def test_a_second_ctrl_c_hurries(stop: StopRequest) -> None:
    signal.raise_signal(signal.SIGINT)
    assert not stop.hurried
    signal.raise_signal(signal.SIGINT)
    assert stop.hurried


def test_a_second_sigterm_does_not_hurry(stop: StopRequest) -> None:
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert not stop.hurried


def test_a_signal_that_was_ignored_stays_ignored(stop: StopRequest) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop.install_handlers()
    signal.raise_signal(signal.SIGHUP)
    stop.wait(0)


def test_a_sighup_that_make_does_not_forward_is_noticed(stop: StopRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    with subprocess.Popen([sys.executable, "-c", BLOCKS_SIGHUP], stdout=-1) as make:
        assert make.stdout
        make.stdout.readline()
        monkeypatch.setattr(os, "getppid", lambda: make.pid)
        with pytest.raises(StopRequested):
            StopRequest().wait(0)
        make.kill()


def test_the_end_of_make_is_noticed(stop: StopRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    under_make = StopRequest()
    under_make.wait(0)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    with pytest.raises(StopRequested):
        under_make.wait(0)
